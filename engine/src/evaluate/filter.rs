//! One filter.

use super::Evaluation;
use super::memo::Question;
use super::verdict::{Stop, Verdict};
use crate::answer::Reason;
use crate::context::{Property, Scope};
use crate::ecma::Host;
use crate::operator::{Operation, Outcome, SUPPORT, SUPPORTED, UNSUPPORTED};
use crate::ruleset::layout::{
    FILTER, FILTER_COHORT, FILTER_FLAG, FILTER_GROUP, FILTER_KIND, FILTER_PROPERTY, NOT_IN,
};
use crate::ruleset::{Word, word};

impl<H: Host + ?Sized> Evaluation<'_, H> {
    #[inline(always)]
    pub(super) fn filter(&mut self, [bits, index]: &[Word; FILTER], scope: Scope) -> Verdict {
        self.memos.filters = self.memos.filters.wrapping_add(1);
        let (bits, index) = (word(bits), word(index));
        // Most filters are about properties, and many have been asked already.
        if bits & FILTER_KIND != FILTER_PROPERTY {
            return self.other_filter(bits, index, scope);
        }
        match self.memos.verdict(scope, Question::Predicate(index)) {
            Some(verdict) => verdict,
            None => self.property(index, scope),
        }
    }

    #[inline(never)]
    fn other_filter(&mut self, bits: u32, index: u32, scope: Scope) -> Verdict {
        match bits & FILTER_KIND {
            FILTER_COHORT => self.cohort(index, bits & NOT_IN != 0, scope),
            FILTER_GROUP => self.cohort_node(index, scope),
            FILTER_FLAG => self.dependency(index),
            _ => Stop::UNSUPPORTED.into(),
        }
    }

    /// A predicate that was not asked yet.
    ///
    /// PARITY: `matchFeatureFlagProperty` (@posthog/core).
    ///
    /// DIFFERENCE: the reference throws when a group in the user's groups has no property map; here its
    /// properties are missing.
    #[inline(never)]
    fn property(&mut self, id: u32, scope: Scope) -> Verdict {
        let Some([slot, operation, operands @ ..]) = self.view.predicates.get(id as usize) else {
            return Stop::UNSUPPORTED.into();
        };
        let Some(mut asked) = self.context.asked(scope, word(slot), self.host) else {
            return Stop::throws(Reason::MissingContext).into();
        };
        let outcome = match asked.property {
            Property::Absent => Outcome::Missing,
            _ => Operation::new(&self.view, operation, operands.each_ref()).matches(
                &mut asked,
                self.now,
                self.search,
            ),
        };
        let unsupported = Stop::soft(Reason::UnsupportedDefinition);
        let verdict = match outcome {
            Outcome::Is(matches) => Verdict::is(matches),
            Outcome::Unsupported => unsupported.into(),
            Outcome::Uncertain => unsupported.because_of_regex(true).into(),
            Outcome::Throws => Stop::UNSUPPORTED.into(),
            Outcome::Missing => match word(operation) >> SUPPORT & 3 {
                SUPPORTED => Stop::soft(Reason::MissingContext).into(),
                UNSUPPORTED => unsupported.into(),
                _ => Stop::UNSUPPORTED.into(),
            },
        };
        self.memos.set_verdict(scope, Question::Predicate(id), verdict);
        verdict
    }
}
