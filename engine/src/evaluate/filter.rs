//! One filter.

use super::{Cause, Evaluator, Scope, Verdict};
use crate::answer::Reason;
use crate::operator::Outcome;
use crate::ruleset::{Filter, Support};

impl Filter {
    /// Whether the reference throws outside the place where it looks after exceptions.
    pub(super) fn throws_through(&self) -> bool {
        matches!(self, Filter::ThrowsThrough)
    }
}

impl Evaluator<'_> {
    pub(super) fn filter(&mut self, filter: &Filter, scope: Scope) -> Verdict {
        match filter {
            Filter::Property(predicate) => self.property(*predicate, scope),
            Filter::Cohort { node, not_in } => self.cohort(*node, *not_in, scope),
            Filter::Group(node) => self.cohort_node(*node, scope),
            Filter::Flag(dependency) => self.dependency(dependency),
            Filter::Throws(_) | Filter::ThrowsThrough => {
                Verdict::Throws(Reason::UnsupportedDefinition)
            }
        }
    }

    /// PARITY: `matchFeatureFlagProperty` (@posthog/core).
    ///
    /// DIFFERENCE: the reference throws when a group in the user's groups has no property map; here its
    /// properties are missing.
    fn property(&self, predicate: usize, scope: Scope) -> Verdict {
        let Some(predicate) = self.ruleset.predicates.get(predicate) else {
            return Verdict::Throws(Reason::UnsupportedDefinition);
        };
        let slots = match scope {
            Scope::Person => Some(&self.context.person),
            Scope::Group(index) => self
                .context
                .groups
                .get(index)
                .and_then(Option::as_ref)
                .and_then(|group| group.properties.as_ref()),
        };
        let Some(slots) = slots else { return Verdict::Throws(Reason::MissingContext) };
        let unsupported =
            |regex| Verdict::Soft(Cause { reason: Reason::UnsupportedDefinition, regex });
        let outcome = match slots.get(predicate.slot).and_then(Option::as_ref) {
            None => Outcome::Missing,
            Some(value) => predicate.operation.matches(value, self.now, self.host),
        };
        match outcome {
            Outcome::Is(matches) => Verdict::Is(matches),
            Outcome::Unsupported => unsupported(false),
            Outcome::Uncertain => unsupported(true),
            Outcome::Throws => Verdict::Throws(Reason::UnsupportedDefinition),
            Outcome::Missing => match predicate.support {
                Support::Supported => Verdict::Soft(Cause::plain(Reason::MissingContext)),
                Support::Unsupported => unsupported(false),
                Support::Throws => Verdict::Throws(Reason::UnsupportedDefinition),
            },
        }
    }
}
