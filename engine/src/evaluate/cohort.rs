//! Cohort membership.

use super::{Evaluator, MAX_NESTING, Recorded, Scope, Verdict};
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
        if let Some(verdict) = self.cohorts.get(&(node, scope)) {
            return *verdict;
        }
        if self.nesting >= MAX_NESTING {
            return Verdict::Diverges(Reason::UnsupportedDefinition);
        }
        // Until it is known, whoever meets this cohort again has met it inside itself.
        self.cohorts.insert((node, scope), Verdict::Diverges(Reason::UnsupportedDefinition));
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
        self.cohorts.insert((node, scope), verdict);
        verdict
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
