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
        let (id, certain) = match target {
            Target::Unknown => return Verdict::Is(false),
            Target::Chained(id) => (*id, true),
            Target::Loose(id) if self.together => (*id, false),
            // A key that is missing from every chain followed so far has no value.
            Target::Loose(id) => match self.cached.get(id.0 as usize) {
                Some(true) => (*id, true),
                _ => return Verdict::Is(false),
            },
        };
        let memo = self.flags.get(id.0 as usize).and_then(Option::as_ref);
        let is_expected = match memo {
            Some(Memo::Known { result: Outcome::Value(value), .. }) => {
                is_expected(*expected, *value)
            }
            Some(Memo::Known { .. }) => false,
            // Its value could be anything.
            Some(Memo::InProgress) | None => *expected != Expected::Never,
        };
        match certain {
            false if is_expected && self.ruleset.is_chained(id) => {
                Verdict::Hard(Reason::UnresolvedDependency)
            }
            _ => Verdict::Is(certain && is_expected),
        }
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
