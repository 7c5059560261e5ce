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
    /// [`FLAGS`], [`CACHED`], then for each scope that of cohorts and that of predicates. A table is empty until
    /// something is kept in it.
    tables: Vec<Vec<Memo>>,
    /// Flags, cohorts and predicates.
    sizes: [usize; 3],
}

/// By flag, its outcome.
const FLAGS: usize = 0;
/// By flag, the evaluation in which a dependency found its value: the reference's cache has it.
const CACHED: usize = 1;

#[derive(Clone, Copy, Default)]
struct Memo {
    stamp: u32,
    /// When its evaluation began.
    epoch: u32,
    known: Known,
}

/// What is known. All kinds are kept in tables of one kind, for each kind of table has its own code.
#[derive(Clone, Copy, Default)]
enum Known {
    /// It is in progress.
    #[default]
    Nothing,
    Flag(Outcome),
    Cohort(Verdict),
    Predicate(operator::Outcome),
}

#[derive(Clone, Copy)]
pub(super) struct FlagMemo {
    pub(super) epoch: u32,
    /// `None` while it is in progress.
    pub(super) outcome: Option<Outcome>,
}

#[derive(Clone, Copy)]
pub(super) struct CohortMemo {
    pub(super) epoch: u32,
    pub(super) verdict: Option<Verdict>,
}

impl Memos {
    /// Forgets everything.
    pub(super) fn begin(&mut self, view: &View<'_>) {
        self.filters = 0;
        self.stamp = self.stamp.wrapping_add(1);
        let sizes = [view.flags.len(), view.cohorts.len(), view.predicates.len()];
        let tables = 2 * view.group_types.len() + 4;
        if self.stamp == 0 || self.sizes != sizes || self.tables.len() != tables {
            *self = Memos { filters: 0, stamp: 1, tables: vec![Vec::new(); tables], sizes };
        }
    }

    #[inline]
    fn get(&self, table: usize, id: u32) -> Option<&Memo> {
        self.tables.get(table)?.get(id as usize).filter(|memo| memo.stamp == self.stamp)
    }

    #[inline]
    fn set(&mut self, table: usize, id: u32, epoch: u32, known: Known) {
        let stamp = self.stamp;
        let memo = self.tables.get_mut(table).and_then(|memos| memos.get_mut(id as usize));
        match memo {
            Some(memo) => *memo = Memo { stamp, epoch, known },
            None => self.set_first(table, id, Memo { stamp, epoch, known }),
        }
    }

    /// Makes the table first.
    #[cold]
    #[inline(never)]
    fn set_first(&mut self, table: usize, id: u32, first: Memo) {
        let [flags, cohorts, predicates] = self.sizes;
        let size = match table {
            FLAGS | CACHED => flags,
            table if table % 2 == 0 => cohorts,
            _ => predicates,
        };
        let Some(memos) = self.tables.get_mut(table) else { return };
        *memos = vec![Memo::default(); size];
        if let Some(memo) = memos.get_mut(id as usize) {
            *memo = first;
        }
    }

    #[inline]
    pub(super) fn flag(&self, id: u32) -> Option<FlagMemo> {
        let Memo { epoch, known, .. } = *self.get(FLAGS, id)?;
        let outcome = if let Known::Flag(outcome) = known { Some(outcome) } else { None };
        Some(FlagMemo { epoch, outcome })
    }

    #[inline]
    pub(super) fn set_flag(&mut self, id: u32, epoch: u32, outcome: Option<Outcome>) {
        self.set(FLAGS, id, epoch, outcome.map_or(Known::Nothing, Known::Flag));
    }

    #[inline]
    pub(super) fn forget_flag(&mut self, id: u32) {
        if let Some(memo) = self.tables.get_mut(FLAGS).and_then(|flags| flags.get_mut(id as usize))
        {
            memo.stamp = 0;
        }
    }

    pub(super) fn is_cached(&self, id: u32) -> bool {
        self.get(CACHED, id).is_some()
    }

    /// Whether that is new.
    pub(super) fn cache(&mut self, id: u32) -> bool {
        let is_new = !self.is_cached(id);
        self.set(CACHED, id, 0, Known::Nothing);
        is_new
    }

    #[inline]
    pub(super) fn cohort(&self, scope: usize, node: u32) -> Option<CohortMemo> {
        let Memo { epoch, known, .. } = *self.get(cohorts(scope), node)?;
        let verdict = if let Known::Cohort(verdict) = known { Some(verdict) } else { None };
        Some(CohortMemo { epoch, verdict })
    }

    pub(super) fn set_cohort(
        &mut self,
        scope: usize,
        node: u32,
        epoch: u32,
        verdict: Option<Verdict>,
    ) {
        self.set(cohorts(scope), node, epoch, verdict.map_or(Known::Nothing, Known::Cohort));
    }

    #[inline]
    pub(super) fn predicate(&self, scope: usize, id: u32) -> Option<operator::Outcome> {
        match self.get(predicates(scope), id)?.known {
            Known::Predicate(outcome) => Some(outcome),
            _ => None,
        }
    }

    pub(super) fn set_predicate(&mut self, scope: usize, id: u32, outcome: operator::Outcome) {
        self.set(predicates(scope), id, 0, Known::Predicate(outcome));
    }
}

/// The table of cohorts in a scope.
fn cohorts(scope: usize) -> usize {
    2 * scope + 2
}

/// The table of predicates in a scope.
fn predicates(scope: usize) -> usize {
    2 * scope + 3
}
