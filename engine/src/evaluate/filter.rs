//! One filter.

use super::{Cause, Evaluation, Verdict, index_of};
use crate::answer::Reason;
use crate::context::{Property, Scope};
use crate::ecma::Host;
use crate::operator::{Operation, Outcome, SUPPORT, SUPPORTED, UNSUPPORTED};
use crate::ruleset::layout::{
    FILTER, FILTER_COHORT, FILTER_FLAG, FILTER_GROUP, FILTER_KIND, FILTER_PROPERTY, NOT_IN,
};
use crate::ruleset::{Word, word};

impl<H: Host + ?Sized> Evaluation<'_, H> {
    pub(super) fn filter(&mut self, [bits, index]: &[Word; FILTER], scope: Scope) -> Verdict {
        let (bits, index) = (word(bits), word(index));
        match bits & FILTER_KIND {
            FILTER_PROPERTY => self.property(index, scope),
            kind => {
                self.memos.filters = self.memos.filters.saturating_add(1);
                self.other_filter(kind, bits, index, scope)
            }
        }
    }

    #[inline]
    fn other_filter(&mut self, kind: u32, bits: u32, index: u32, scope: Scope) -> Verdict {
        match kind {
            FILTER_COHORT => self.cohort(index, bits & NOT_IN != 0, scope),
            FILTER_GROUP => self.cohort_node(index, scope),
            FILTER_FLAG => self.dependency(index),
            _ => Verdict::Throws(Reason::UnsupportedDefinition),
        }
    }

    /// PARITY: `matchFeatureFlagProperty` (@posthog/core).
    ///
    /// DIFFERENCE: the reference throws when a group in the user's groups has no property map; here its
    /// properties are missing.
    #[inline(always)]
    pub(super) fn property(&mut self, id: u32, scope: Scope) -> Verdict {
        self.memos.filters = self.memos.filters.saturating_add(1);
        let throws = Verdict::Throws(Reason::UnsupportedDefinition);
        let Some([slot, operation, operands @ ..]) = self.view.predicates.get(id as usize) else {
            return throws;
        };
        let index = index_of(scope);
        let outcome = match self.memos.predicate(index, id) {
            Some(outcome) => outcome,
            None => {
                let slot = word(slot);
                let operation = Operation::new(self.view, operation, operands.each_ref());
                let Some(outcome) = self.asked(scope, slot, operation) else {
                    return Verdict::Throws(Reason::MissingContext);
                };
                self.memos.set_predicate(index, id, outcome);
                outcome
            }
        };
        let unsupported =
            |regex| Verdict::Soft(Cause { reason: Reason::UnsupportedDefinition, regex });
        match outcome {
            Outcome::Is(matches) => Verdict::Is(matches),
            Outcome::Unsupported => unsupported(false),
            Outcome::Uncertain => unsupported(true),
            Outcome::Throws => throws,
            Outcome::Missing => match word(operation) >> SUPPORT & 3 {
                SUPPORTED => Verdict::Soft(Cause::plain(Reason::MissingContext)),
                UNSUPPORTED => unsupported(false),
                _ => throws,
            },
        }
    }

    /// What an operation says of a slot; `None` where no properties are known.
    #[inline(never)]
    fn asked(&mut self, scope: Scope, slot: u32, operation: Operation<'_>) -> Option<Outcome> {
        let mut asked = self.context.asked(scope, slot, self.host)?;
        Some(match asked.property {
            Property::Absent => Outcome::Missing,
            _ => operation.matches(&mut asked, self.now, self.search),
        })
    }
}
