//! What is known of flags, cohorts and predicates in one evaluation.
//!
//! Beginning a new evaluation forgets everything at once: what bears another stamp than the evaluation's
//! is not known.

use super::verdict::{Outcome, Verdict};
use crate::answer::Code;
use crate::context::Scope;
use crate::ruleset::View;

#[derive(Default)]
pub(super) struct Memos {
    /// Filters looked at.
    pub(super) filters: u32,
    /// In all bits but the last eight.
    stamp: u32,
    /// The verdict of each predicate in each scope, with the stamp; as far as scopes were used.
    predicates: Vec<u32>,
    /// [`FLAGS`], [`CACHED`], then for each scope its cohorts. A table is empty until something is kept in it.
    tables: Vec<Vec<Memo>>,
    /// Flags, cohorts and predicates.
    sizes: [usize; 3],
}

/// By flag, its outcome.
const FLAGS: usize = 0;
/// By flag, the evaluation in which a dependency found its value: the reference's cache has it.
const CACHED: usize = 1;
/// By cohort, its verdict for persons; then for the groups of each type.
const COHORTS: usize = 2;

/// The first stamp, and what the next one is further.
const STAMP: u32 = 1 << 8;

/// In the place of a verdict: it is in progress.
const IN_PROGRESS: u8 = u8::MAX;

#[derive(Clone, Copy, Default)]
struct Memo {
    /// The stamp, with a verdict in its last eight bits; [`Verdict::YES`] for a flag's value.
    stamped: u32,
    /// When its evaluation began.
    epoch: u32,
    code: Code,
}

/// What is known, and since which epoch; `None` while it is in progress.
pub(super) type Known<T> = (Option<T>, u32);

impl Memos {
    /// Forgets everything.
    pub(super) fn begin(&mut self, view: &View<'_>) {
        self.filters = 0;
        self.stamp = self.stamp.wrapping_add(STAMP);
        let sizes = [view.flags.len(), view.cohorts.len(), view.predicates.len()];
        let tables = view.group_types.len() + 1 + COHORTS;
        if self.stamp == 0 || self.sizes != sizes || self.tables.len() != tables {
            let tables = vec![Vec::new(); tables];
            *self = Memos { stamp: STAMP, tables, sizes, ..Memos::default() };
        }
    }

    /// The byte behind the stamp, if the stamp is this evaluation's.
    #[inline(always)]
    fn byte(&self, stamped: u32) -> Option<u8> {
        let byte = stamped ^ self.stamp;
        (byte < STAMP).then_some(byte as u8)
    }

    fn get(&self, table: usize, id: u32) -> Option<(u8, &Memo)> {
        let memo = self.tables.get(table)?.get(id as usize)?;
        Some((self.byte(memo.stamped)?, memo))
    }

    fn set(&mut self, table: usize, id: u32, byte: u8, epoch: u32, code: Code) {
        let memo = Memo { stamped: self.stamp | u32::from(byte), epoch, code };
        let [flags, cohorts, _] = self.sizes;
        let Some(memos) = self.tables.get_mut(table) else { return };
        if memos.is_empty() {
            *memos = vec![Memo::default(); if table < COHORTS { flags } else { cohorts }];
        }
        if let Some(known) = memos.get_mut(id as usize) {
            *known = memo;
        }
    }

    pub(super) fn flag(&self, id: u32) -> Option<Known<Outcome>> {
        let (byte, memo) = self.get(FLAGS, id)?;
        let outcome = Verdict::of_byte(byte).read().map(|_| memo.code);
        Some(((byte != IN_PROGRESS).then_some(outcome), memo.epoch))
    }

    pub(super) fn set_flag(&mut self, id: u32, epoch: u32, outcome: Option<Outcome>) {
        let (byte, code) = match outcome {
            None => (IN_PROGRESS, Code(0)),
            Some(Ok(code)) => (Verdict::YES.byte(), code),
            Some(Err(stop)) => (Verdict::from(stop).byte(), Code(0)),
        };
        self.set(FLAGS, id, byte, epoch, code);
    }

    pub(super) fn forget_flag(&mut self, id: u32) {
        if let Some(memo) = self.tables.get_mut(FLAGS).and_then(|flags| flags.get_mut(id as usize))
        {
            memo.stamped = 0;
        }
    }

    pub(super) fn is_cached(&self, id: u32) -> bool {
        self.get(CACHED, id).is_some()
    }

    /// Whether that is new.
    pub(super) fn cache(&mut self, id: u32) -> bool {
        let is_new = !self.is_cached(id);
        self.set(CACHED, id, 0, 0, Code(0));
        is_new
    }

    pub(super) fn cohort(&self, scope: Scope, node: u32) -> Option<Known<Verdict>> {
        let (byte, memo) = self.get(COHORTS + scope.index(), node)?;
        Some(((byte != IN_PROGRESS).then_some(Verdict::of_byte(byte)), memo.epoch))
    }

    pub(super) fn set_cohort(
        &mut self,
        scope: Scope,
        node: u32,
        epoch: u32,
        verdict: Option<Verdict>,
    ) {
        let byte = verdict.map_or(IN_PROGRESS, Verdict::byte);
        self.set(COHORTS + scope.index(), node, byte, epoch, Code(0));
    }

    /// Where a predicate's verdict lies.
    #[inline(always)]
    fn place(&self, scope: Scope, id: u32) -> usize {
        let [.., predicates] = self.sizes;
        scope.index() * predicates + id as usize
    }

    #[inline(always)]
    pub(super) fn predicate(&self, scope: Scope, id: u32) -> Option<Verdict> {
        let stamped = *self.predicates.get(self.place(scope, id))?;
        self.byte(stamped).map(Verdict::of_byte)
    }

    pub(super) fn set_predicate(&mut self, scope: Scope, id: u32, verdict: Verdict) {
        let place = self.place(scope, id);
        if place >= self.predicates.len() {
            let [.., predicates] = self.sizes;
            self.predicates.resize((scope.index() + 1) * predicates, 0);
        }
        if let Some(known) = self.predicates.get_mut(place) {
            *known = self.stamp | u32::from(verdict.byte());
        }
    }
}
