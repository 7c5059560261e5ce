//! Cohort membership.

use super::{Evaluation, MAX_NESTING, Recorded, Verdict, index_of};
use crate::answer::Reason;
use crate::context::Scope;
use crate::ruleset::layout::{
    COHORT_ALL, COHORT_ANY, COHORT_EVERYBODY, COHORT_UNSUPPORTED, FILTER, NEGATED, NONE,
};
use crate::ruleset::{Word, word};

impl Evaluation<'_> {
    /// PARITY: `matchCohort` (posthog-node).
    pub(super) fn cohort(&mut self, node: u32, not_in: bool, scope: Scope) -> Verdict {
        if node == NONE {
            return Verdict::Hard(Reason::UnsupportedDefinition);
        }
        match self.cohort_node(node, scope) {
            Verdict::Is(member) => Verdict::Is(member != not_in),
            undecided => undecided,
        }
    }

    /// A cohort or group, decided once per evaluation and scope.
    ///
    /// DIFFERENCE: the reference overflows its stack on cohorts that contain each other; here every flag
    /// on the way, and on a way nested beyond the limit, is unresolved.
    pub(super) fn cohort_node(&mut self, node: u32, scope: Scope) -> Verdict {
        let epoch = self.epoch;
        let index = index_of(scope);
        let diverges = Verdict::Diverges(Reason::UnsupportedDefinition);
        match self.memos.cohort(index, node).map(|memo| (memo.verdict, memo.epoch)) {
            Some((Some(verdict), known)) if known == epoch => return verdict,
            Some((None, _)) => return diverges,
            _ => {}
        }
        if self.nesting >= MAX_NESTING {
            return diverges;
        }
        self.memos.set_cohort(index, node, epoch, None);
        self.nesting += 1;
        let verdict = self.node(node, scope);
        self.nesting -= 1;
        self.memos.set_cohort(index, node, epoch, Some(verdict));
        verdict
    }

    fn node(&mut self, node: u32, scope: Scope) -> Verdict {
        let throws = Verdict::Throws(Reason::UnsupportedDefinition);
        let Some([kind, members]) = self.view.cohorts.get(node as usize) else { return throws };
        let members = self.view.list(word(members)).unwrap_or_default();
        match word(kind) {
            COHORT_EVERYBODY => Verdict::Is(true),
            COHORT_UNSUPPORTED => Verdict::Hard(Reason::UnsupportedDefinition),
            COHORT_ALL => self.members(members, true, scope),
            COHORT_ANY => self.members(members, false, scope),
            _ => throws,
        }
    }

    /// AND ends at the first that does not hold, OR at the first that does.
    ///
    /// PARITY: `matchPropertyGroup` (posthog-node).
    fn members(&mut self, members: &[[Word; FILTER]], all: bool, scope: Scope) -> Verdict {
        let mut recorded = Recorded::default();
        for member in members {
            let [bits, _] = member;
            let negation = word(bits) & NEGATED != 0;
            match self.filter(member, scope) {
                Verdict::Is(matches) if (matches != negation) != all => {
                    return Verdict::Is(!all);
                }
                Verdict::Is(_) => {}
                Verdict::Soft(cause) => recorded.add(cause),
                end => return end,
            }
        }
        recorded.cause().map_or(Verdict::Is(all), Verdict::Soft)
    }
}
