//! Cohort membership.

use super::memo::Question;
use super::verdict::{Recorded, Stop, StopKind, Verdict};
use super::{Evaluation, MAX_NESTING};
use crate::answer::Reason;
use crate::context::Scope;
use crate::ecma::Host;
use crate::ruleset::layout::{
    COHORT_ALL, COHORT_ANY, COHORT_EVERYBODY, COHORT_UNSUPPORTED, FILTER, NEGATED, NONE,
};
use crate::ruleset::{Word, word};

impl<H: Host + ?Sized> Evaluation<'_, H> {
    /// PARITY: `matchCohort` (posthog-node).
    pub(super) fn cohort(&mut self, node: u32, not_in: bool, scope: Scope) -> Verdict {
        if node == NONE {
            return Stop::hard(Reason::UnsupportedDefinition).into();
        }
        let verdict = self.cohort_node(node, scope);
        verdict.read().map_or(verdict, |member| Verdict::is(member != not_in))
    }

    /// A cohort or group, decided once per evaluation and scope.
    ///
    /// DIFFERENCE: the reference overflows its stack on cohorts that contain each other; here every flag
    /// on the way, and on a way nested beyond the limit, is unresolved.
    pub(super) fn cohort_node(&mut self, node: u32, scope: Scope) -> Verdict {
        let asked = Question::Cohort(node);
        let diverges = Stop::diverges(Reason::UnsupportedDefinition).into();
        match self.memos.verdict(scope, asked) {
            Some(Verdict::IN_PROGRESS) => return diverges,
            Some(verdict) => return verdict,
            None => {}
        }
        if self.nesting >= MAX_NESTING {
            return diverges;
        }
        self.memos.set_verdict(scope, asked, Verdict::IN_PROGRESS);
        let epoch = self.epoch;
        self.nesting += 1;
        let verdict = self.node(node, scope);
        self.nesting -= 1;
        match epoch == self.epoch {
            true => self.memos.set_verdict(scope, asked, verdict),
            false => self.memos.forget(scope, asked),
        }
        verdict
    }

    fn node(&mut self, node: u32, scope: Scope) -> Verdict {
        let throws = Stop::UNSUPPORTED.into();
        let Some([kind, members]) = self.view.cohorts.get(node as usize) else { return throws };
        let members = self.view.list(word(members)).unwrap_or_default();
        match word(kind) {
            COHORT_EVERYBODY => Verdict::YES,
            COHORT_UNSUPPORTED => Stop::hard(Reason::UnsupportedDefinition).into(),
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
            let verdict = self.filter(member, scope);
            match verdict.read() {
                Ok(matches) if (matches != negation) != all => return Verdict::is(!all),
                Ok(_) => {}
                Err(stop) if stop.kind() == StopKind::Soft => recorded.add(stop),
                Err(_) => return verdict,
            }
        }
        recorded.stop().map_or(Verdict::is(all), Verdict::from)
    }
}
