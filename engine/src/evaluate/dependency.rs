//! Flags that depend on flags.

use super::{Cause, Evaluator, Memo, Outcome, Verdict};
use crate::answer::{FlagValue, Reason};
use crate::ruleset::{Dependency, Expected, Target};

impl Evaluator<'_> {
    /// PARITY: `evaluateFlagDependency` (posthog-node).
    pub(super) fn dependency(&mut self, dependency: &Dependency) -> Verdict {
        let (chain, target, expected) = match dependency {
            Dependency::Unsupported => {
                return Verdict::Soft(Cause::plain(Reason::UnsupportedDefinition));
            }
            Dependency::Chain { chain, target, expected } => (chain, target, expected),
        };
        for id in chain {
            let regex = match self.outcome(*id, true) {
                Outcome::Value(_) => continue,
                Outcome::Diverges(reason) => return Verdict::Diverges(reason),
                Outcome::Hard(_) => return Verdict::Hard(Reason::UnresolvedDependency),
                Outcome::Soft(cause) => cause.regex,
                Outcome::Throws(_) => false,
            };
            return Verdict::Soft(Cause { reason: Reason::UnresolvedDependency, regex });
        }
        let value = match target {
            Target::Removed => Some(FlagValue::Bool(false)),
            Target::Unknown => None,
            // A key that is missing from every chain followed so far has no value.
            Target::Flag(id) => match self.flags.get(id.0 as usize).and_then(Option::as_ref) {
                Some(Memo::Known { outcome: Outcome::Value(value), depended_on: true }) => {
                    Some(*value)
                }
                _ => None,
            },
        };
        Verdict::Is(value.is_some_and(|value| is_expected(*expected, value)))
    }
}

/// PARITY: `flagEvaluatesToExpectedValue` (posthog-node). A variant is never empty here.
fn is_expected(expected: Expected, value: FlagValue) -> bool {
    match (expected, value) {
        (Expected::Bool(expected), FlagValue::Bool(value)) => expected == value,
        (Expected::Bool(expected), FlagValue::Variant(_)) => expected,
        (Expected::Variant(expected), FlagValue::Variant(value)) => expected == value,
        (Expected::Variant(_), FlagValue::Bool(_))
        | (Expected::Never, _)
        | (_, FlagValue::Json(_)) => false,
    }
}
