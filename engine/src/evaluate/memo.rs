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
    /// For each scope up to the last one that was used, the verdicts of predicates and of cohorts, with the stamp.
    verdicts: Vec<u32>,
    /// By flag. Empty until something is kept in it.
    flags: Vec<Memo>,
    /// How many flags, predicates and cohorts there are.
    sizes: [usize; 3],
}

/// Stamps are multiples of this.
const STAMP: u32 = 1 << 8;

#[derive(Clone, Copy, Default)]
struct Memo {
    /// The stamp, with a verdict in its last eight bits; [`Verdict::YES`] for a value.
    stamped: u32,
    /// When its evaluation began.
    epoch: u32,
    code: Code,
    /// The stamp of the evaluation in which a dependency found its value: the reference's cache has it.
    cached: u32,
}

/// What is asked in a scope.
#[derive(Clone, Copy)]
pub(super) enum Question {
    Predicate(u32),
    Cohort(u32),
}

impl Memos {
    /// Forgets everything.
    pub(super) fn begin(&mut self, view: &View<'_>) {
        self.forget_all([view.flags.len(), view.predicates.len(), view.cohorts.len()]);
    }

    fn forget_all(&mut self, sizes: [usize; 3]) {
        self.filters = 0;
        self.stamp = self.stamp.wrapping_add(STAMP);
        if self.stamp == 0 || self.sizes != sizes {
            *self = Memos { stamp: STAMP, sizes, ..Memos::default() };
        }
    }

    /// The byte behind the stamp, if the stamp is this evaluation's.
    #[inline(always)]
    fn byte(&self, stamped: u32) -> Option<u8> {
        let byte = stamped ^ self.stamp;
        (byte < STAMP).then_some(byte as u8)
    }

    /// A flag's outcome, and the epoch it is of; `None` while it is in progress.
    pub(super) fn flag(&self, id: u32) -> Option<(Option<Outcome>, u32)> {
        let memo = self.flags.get(id as usize)?;
        let byte = self.byte(memo.stamped)?;
        let outcome = Verdict::of_byte(byte).read().map(|_| memo.code);
        Some(((byte != Verdict::IN_PROGRESS.byte()).then_some(outcome), memo.epoch))
    }

    /// `None`: it is in progress.
    pub(super) fn set_flag(&mut self, id: u32, epoch: u32, outcome: Option<Outcome>) {
        let (byte, code) = match outcome {
            None => (Verdict::IN_PROGRESS.byte(), Code(0)),
            Some(Ok(code)) => (Verdict::YES.byte(), code),
            Some(Err(stop)) => (Verdict::from(stop).byte(), Code(0)),
        };
        let stamped = self.stamp | u32::from(byte);
        if let Some(memo) = self.memo(id) {
            *memo = Memo { stamped, epoch, code, cached: memo.cached };
        }
    }

    pub(super) fn forget_flag(&mut self, id: u32) {
        if let Some(memo) = self.memo(id) {
            memo.stamped = 0;
        }
    }

    pub(super) fn is_cached(&self, id: u32) -> bool {
        self.flags.get(id as usize).is_some_and(|memo| memo.cached == self.stamp)
    }

    /// Whether that is new.
    pub(super) fn cache(&mut self, id: u32) -> bool {
        let stamp = self.stamp;
        self.memo(id).is_some_and(|memo| std::mem::replace(&mut memo.cached, stamp) != stamp)
    }

    fn memo(&mut self, id: u32) -> Option<&mut Memo> {
        if self.flags.is_empty() {
            let [flags, ..] = self.sizes;
            self.flags = vec![Memo::default(); flags];
        }
        self.flags.get_mut(id as usize)
    }

    /// Where a verdict lies.
    #[inline(always)]
    fn place(&self, scope: Scope, question: Question) -> usize {
        let [_, predicates, cohorts] = self.sizes;
        let first = scope.index() * (predicates + cohorts);
        match question {
            Question::Predicate(id) => first + id as usize,
            Question::Cohort(id) => first + predicates + id as usize,
        }
    }

    /// What is known of it; [`Verdict::IN_PROGRESS`] while it is in progress.
    #[inline(always)]
    pub(super) fn verdict(&self, scope: Scope, question: Question) -> Option<Verdict> {
        let stamped = *self.verdicts.get(self.place(scope, question))?;
        self.byte(stamped).map(Verdict::of_byte)
    }

    #[inline]
    pub(super) fn set_verdict(&mut self, scope: Scope, question: Question, verdict: Verdict) {
        let place = self.place(scope, question);
        match self.verdicts.get_mut(place) {
            Some(known) => *known = self.stamp | u32::from(verdict.byte()),
            None => self.set_first(scope, place, verdict),
        }
    }

    pub(super) fn forget(&mut self, scope: Scope, question: Question) {
        let place = self.place(scope, question);
        if let Some(known) = self.verdicts.get_mut(place) {
            *known = 0;
        }
    }

    /// Makes room for the scope.
    #[cold]
    #[inline(never)]
    fn set_first(&mut self, scope: Scope, place: usize, verdict: Verdict) {
        let [_, predicates, cohorts] = self.sizes;
        self.verdicts.resize((scope.index() + 1) * (predicates + cohorts), 0);
        if let Some(known) = self.verdicts.get_mut(place) {
            *known = self.stamp | u32::from(verdict.byte());
        }
    }

    /// Forgets what cohorts were found to be: it was true before, and may not be now.
    pub(super) fn forget_cohorts(&mut self) {
        let [_, predicates, cohorts] = self.sizes;
        for scope in self.verdicts.chunks_mut((predicates + cohorts).max(1)) {
            for cohort in scope.iter_mut().skip(predicates) {
                if *cohort as u8 != Verdict::IN_PROGRESS.byte() {
                    *cohort = 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(memos: &Memos) -> (bool, bool, bool) {
        let verdict = memos.verdict(Scope::PERSON, Question::Predicate(0)).is_some();
        (verdict, memos.flag(0).is_some(), memos.is_cached(0))
    }

    #[test]
    fn nothing_is_known_after_the_stamps_begin_anew() {
        let sizes = [2, 2, 2];
        let mut memos = Memos { stamp: u32::MAX - 255, sizes, ..Memos::default() };
        memos.set_verdict(Scope::PERSON, Question::Predicate(0), Verdict::YES);
        memos.set_flag(0, 0, Some(Ok(Code(1))));
        memos.cache(0);
        assert_eq!(known(&memos), (true, true, true));
        memos.forget_all(sizes);
        assert_eq!(known(&memos), (false, false, false));
        // Room made now is empty as well.
        memos.set_verdict(Scope::PERSON, Question::Predicate(1), Verdict::YES);
        memos.set_flag(1, 0, None);
        assert_eq!(known(&memos), (false, false, false));
    }
}
