//! Flags that depend on flags.

use super::{Cause, Evaluator, Memo, Outcome, Verdict};
use crate::answer::{FlagValue, Reason};
use crate::ruleset::{Dependency, Expected, FlagId, Target};

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
            let regex = match self.outcome(*id) {
                Outcome::Value(_) => {
                    self.cache(*id);
                    continue;
                }
                Outcome::Diverges(reason) => return Verdict::Diverges(reason),
                Outcome::Hard(_) => return Verdict::Hard(Reason::UnresolvedDependency),
                Outcome::Soft(cause) => cause.regex,
                Outcome::Throws(_) => false,
            };
            return Verdict::Soft(Cause { reason: Reason::UnresolvedDependency, regex });
        }
        match target {
            Target::Unknown => Verdict::Is(false),
            Target::Loose(id) if self.together => {
                match self.ruleset.is_chained(*id) && self.may_be(*id, *expected) {
                    true => Verdict::Hard(Reason::UnresolvedDependency),
                    false => Verdict::Is(false),
                }
            }
            // A key that is missing from every chain followed so far has no value.
            Target::Loose(id) if !self.is_cached(*id) => Verdict::Is(false),
            Target::Loose(id) | Target::Chained(id) => Verdict::Is(self.may_be(*id, *expected)),
        }
    }

    /// Whether a flag has the expected value, or could have it while its own is not known.
    fn may_be(&self, id: FlagId, expected: Expected) -> bool {
        match self.flags.get(id.0 as usize).and_then(Option::as_ref) {
            Some(Memo::Known { result: Outcome::Value(value), .. }) => {
                is_expected(expected, *value)
            }
            Some(Memo::Known { .. }) => false,
            Some(Memo::InProgress) | None => expected != Expected::Never,
        }
    }

    fn is_cached(&self, id: FlagId) -> bool {
        self.cached.get(id.0 as usize).is_some_and(|cached| *cached)
    }

    /// A dependency found the flag's value.
    fn cache(&mut self, id: FlagId) {
        if let Some(cached @ false) = self.cached.get_mut(id.0 as usize) {
            *cached = true;
            self.epoch += usize::from(self.ruleset.order_shows && !self.together);
        }
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
