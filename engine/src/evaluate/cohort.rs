//! Cohort membership.

use super::{Evaluator, MAX_NESTING, Memo, Recorded, Scope, Verdict};
use crate::answer::Reason;
use crate::ruleset::{CohortNode, Member};

impl Evaluator<'_> {
    /// PARITY: `matchCohort` (posthog-node).
    pub(super) fn cohort(&mut self, node: Option<usize>, not_in: bool, scope: Scope) -> Verdict {
        let Some(node) = node else { return Verdict::Hard(Reason::UnsupportedDefinition) };
        match self.cohort_node(node, scope) {
            Verdict::Is(member) => Verdict::Is(member != not_in),
            undecided => undecided,
        }
    }

    /// A cohort or group, decided once per evaluation and scope.
    ///
    /// DIFFERENCE: the reference overflows its stack on cohorts that contain each other; here every flag
    /// on the way, and on a way nested beyond the limit, is unresolved.
    pub(super) fn cohort_node(&mut self, node: usize, scope: Scope) -> Verdict {
        let epoch = self.epoch;
        let diverges = Verdict::Diverges(Reason::UnsupportedDefinition);
        match self.cohort_memo(node, scope) {
            Some(Some(Memo::Known { result, epoch: known })) if *known == epoch => return *result,
            Some(Some(Memo::InProgress)) => return diverges,
            _ => {}
        }
        if self.nesting >= MAX_NESTING {
            return diverges;
        }
        self.remember_cohort(node, scope, Memo::InProgress);
        self.nesting += 1;
        let ruleset = self.ruleset;
        let verdict = match ruleset.cohorts.get(node) {
            Some(CohortNode::Everybody) => Verdict::Is(true),
            Some(CohortNode::Unsupported) => Verdict::Hard(Reason::UnsupportedDefinition),
            Some(CohortNode::All(members)) => self.members(members, true, scope),
            Some(CohortNode::Any(members)) => self.members(members, false, scope),
            Some(CohortNode::Throws) | None => Verdict::Throws(Reason::UnsupportedDefinition),
        };
        self.nesting -= 1;
        self.remember_cohort(node, scope, Memo::Known { result: verdict, epoch });
        verdict
    }

    fn cohort_memo(&mut self, node: usize, scope: Scope) -> Option<&mut Option<Memo<Verdict>>> {
        let list = self.cohorts.get_mut(match scope {
            Scope::Person => 0,
            Scope::Group(index) => index + 1,
        })?;
        if list.is_empty() {
            list.resize(self.ruleset.cohorts.len(), None);
        }
        list.get_mut(node)
    }

    fn remember_cohort(&mut self, node: usize, scope: Scope, memo: Memo<Verdict>) {
        if let Some(slot) = self.cohort_memo(node, scope) {
            *slot = Some(memo);
        }
    }

    /// AND ends at the first that does not hold, OR at the first that does.
    ///
    /// PARITY: `matchPropertyGroup` (posthog-node).
    fn members(&mut self, members: &[Member], all: bool, scope: Scope) -> Verdict {
        let mut recorded = Recorded::default();
        for member in members {
            match self.filter(&member.filter, scope) {
                Verdict::Is(matches) if (matches != member.negation) != all => {
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
