//! Flags that depend on flags.

use super::Evaluation;
use super::verdict::{Stop, StopKind, Verdict};
use crate::answer::{Code, FlagValue, Reason};
use crate::ecma::Host;
use crate::ruleset::layout::{
    DEPENDENCY, EXPECTED_FALSE, EXPECTED_NEVER, EXPECTED_TRUE, FLAG_CHAINED, TARGET_LOOSE,
    TARGET_UNKNOWN,
};
use crate::ruleset::word;

/// What a dependency's value must be: `EXPECTED_*`, and the variant's string.
#[derive(Clone, Copy)]
struct Expected {
    kind: u32,
    string: u32,
}

impl<H: Host + ?Sized> Evaluation<'_, H> {
    /// PARITY: `evaluateFlagDependency` (posthog-node).
    pub(super) fn dependency(&mut self, at: u32) -> Verdict {
        let unsupported = Stop::soft(Reason::UnsupportedDefinition).into();
        if at == 0 {
            return unsupported;
        }
        let view = self.view;
        let Some(head) = view.block::<DEPENDENCY>(at) else { return unsupported };
        let [target, id, kind, string, _] = head.each_ref().map(word);
        let expected = Expected { kind, string };
        // The chain is a list that begins with the last word of the head.
        for [id] in view.list(at.saturating_add(DEPENDENCY as u32 - 1)).unwrap_or_default() {
            let id = word(id);
            let stop = match self.outcome(id) {
                Ok(_) => {
                    self.cache(id);
                    continue;
                }
                Err(stop) => stop,
            };
            let unresolved = Stop::soft(Reason::UnresolvedDependency);
            return match stop.kind() {
                StopKind::Diverges => stop,
                StopKind::Hard => Stop::hard(Reason::UnresolvedDependency),
                StopKind::Soft => unresolved.because_of_regex(stop.is_because_of_regex()),
                StopKind::Throws | StopKind::Waits => unresolved,
            }
            .into();
        }
        match target {
            TARGET_UNKNOWN => Verdict::NO,
            TARGET_LOOSE if self.together => {
                match self.bits(id) & FLAG_CHAINED != 0 && self.may_be(id, expected) {
                    true => Stop::hard(Reason::UnresolvedDependency).into(),
                    false => Verdict::NO,
                }
            }
            // A key that is missing from every chain followed so far has no value.
            TARGET_LOOSE if !self.memos.is_cached(id) => Verdict::NO,
            _ => Verdict::is(self.may_be(id, expected)),
        }
    }

    /// Whether a flag has the expected value, or could have it while its own is not known.
    fn may_be(&self, id: u32, expected: Expected) -> bool {
        let memo = self.memos.flag(id).and_then(|(outcome, _)| outcome);
        let fixed = || {
            let flag = self.view.flags.get(id as usize).filter(|_| !self.order_shows)?;
            self.fixed(id, flag)
        };
        match memo.or_else(fixed) {
            Some(Ok(code)) => is_expected(expected, code),
            Some(Err(_)) => false,
            None => expected.kind != EXPECTED_NEVER,
        }
    }

    /// A dependency found the flag's value.
    fn cache(&mut self, id: u32) {
        if self.memos.cache(id) && self.order_shows && !self.together {
            self.epoch += 1;
            self.memos.forget_cohorts();
        }
    }
}

/// PARITY: `flagEvaluatesToExpectedValue` (posthog-node). A variant is never empty here.
fn is_expected(Expected { kind, string }: Expected, code: Code) -> bool {
    match (kind, code.read()) {
        (EXPECTED_FALSE, Ok(FlagValue::Bool(value))) => !value,
        (EXPECTED_FALSE, Ok(FlagValue::Variant(_))) => false,
        (EXPECTED_TRUE, Ok(FlagValue::Bool(value))) => value,
        (EXPECTED_TRUE, Ok(FlagValue::Variant(_))) => true,
        (EXPECTED_FALSE | EXPECTED_TRUE | EXPECTED_NEVER, _) => false,
        (_, Ok(FlagValue::Variant(value))) => value.0 == string,
        (_, _) => false,
    }
}
