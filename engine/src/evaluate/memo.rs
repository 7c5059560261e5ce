//! What is known of flags, cohorts and predicates in one evaluation.
//!
//! Beginning a new evaluation forgets everything at once: what bears another stamp than the evaluation's
//! is not known.

use super::{Outcome, Verdict};
use crate::operator;
use crate::ruleset::View;

#[derive(Default)]
pub(super) struct Memos {
    /// Filters looked at.
    pub(super) filters: u32,
    stamp: u32,
    flags: Vec<FlagMemo>,
    /// By flag, the evaluation in which a dependency found its value: the reference's cache has it.
    cached: Vec<u32>,
    /// By scope, then cohort; a scope's list is empty until a cohort is met in it.
    cohorts: Vec<Vec<CohortMemo>>,
    /// By scope, then predicate.
    predicates: Vec<Vec<PredicateMemo>>,
    sizes: [usize; 3],
}

#[derive(Clone, Copy, Default)]
pub(super) struct FlagMemo {
    stamp: u32,
    /// When its evaluation began.
    pub(super) epoch: u32,
    /// `None` while it is in progress.
    pub(super) outcome: Option<Outcome>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct CohortMemo {
    stamp: u32,
    pub(super) epoch: u32,
    pub(super) verdict: Option<Verdict>,
}

#[derive(Clone, Copy, Default)]
struct PredicateMemo {
    stamp: u32,
    outcome: Option<operator::Outcome>,
}

impl Memos {
    /// Forgets everything.
    pub(super) fn begin(&mut self, view: &View<'_>) {
        self.filters = 0;
        self.stamp = self.stamp.wrapping_add(1);
        let sizes = [view.flags.len(), view.cohorts.len(), view.predicates.len()];
        let scopes = view.group_types.len() + 1;
        if self.stamp == 0 || self.sizes != sizes || self.cohorts.len() != scopes {
            *self = Memos { stamp: 1, sizes, ..Memos::default() };
            self.flags.resize(view.flags.len(), FlagMemo::default());
            self.cohorts.resize(scopes, Vec::new());
            self.predicates.resize(scopes, Vec::new());
        }
    }

    pub(super) fn flag(&self, id: u32) -> Option<FlagMemo> {
        self.flags.get(id as usize).filter(|memo| memo.stamp == self.stamp).copied()
    }

    pub(super) fn set_flag(&mut self, id: u32, epoch: u32, outcome: Option<Outcome>) {
        if let Some(memo) = self.flags.get_mut(id as usize) {
            *memo = FlagMemo { stamp: self.stamp, epoch, outcome };
        }
    }

    pub(super) fn forget_flag(&mut self, id: u32) {
        if let Some(memo) = self.flags.get_mut(id as usize) {
            memo.stamp = 0;
        }
    }

    pub(super) fn is_cached(&self, id: u32) -> bool {
        self.cached.get(id as usize).is_some_and(|stamp| *stamp == self.stamp)
    }

    /// Whether that is new.
    pub(super) fn cache(&mut self, id: u32) -> bool {
        if self.cached.is_empty() {
            self.cached.resize(self.flags.len(), 0);
        }
        match self.cached.get_mut(id as usize) {
            Some(stamp) if *stamp != self.stamp => {
                *stamp = self.stamp;
                true
            }
            _ => false,
        }
    }

    pub(super) fn cohort(&self, scope: usize, node: u32) -> Option<CohortMemo> {
        let memo = self.cohorts.get(scope)?.get(node as usize)?;
        (memo.stamp == self.stamp).then_some(*memo)
    }

    pub(super) fn set_cohort(
        &mut self,
        scope: usize,
        node: u32,
        epoch: u32,
        verdict: Option<Verdict>,
    ) {
        let [_, size, _] = self.sizes;
        let Some(memos) = self.cohorts.get_mut(scope) else { return };
        if memos.is_empty() {
            memos.resize(size, CohortMemo::default());
        }
        if let Some(memo) = memos.get_mut(node as usize) {
            *memo = CohortMemo { stamp: self.stamp, epoch, verdict };
        }
    }

    pub(super) fn predicate(&self, scope: usize, id: u32) -> Option<operator::Outcome> {
        let memo = self.predicates.get(scope)?.get(id as usize)?;
        memo.outcome.filter(|_| memo.stamp == self.stamp)
    }

    pub(super) fn set_predicate(&mut self, scope: usize, id: u32, outcome: operator::Outcome) {
        let [.., size] = self.sizes;
        let Some(memos) = self.predicates.get_mut(scope) else { return };
        if memos.is_empty() {
            memos.resize(size, PredicateMemo::default());
        }
        if let Some(memo) = memos.get_mut(id as usize) {
            *memo = PredicateMemo { stamp: self.stamp, outcome: Some(outcome) };
        }
    }
}
