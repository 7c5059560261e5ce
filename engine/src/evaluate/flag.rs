//! A flag, up to its conditions.

use super::position::{Kind, Positions, Subject};
use super::verdict::{FALSE, Outcome, Stop, TRUE};
use super::{Evaluation, Flag};
use crate::answer::{Code, FlagValue, Reason};
use crate::context::{Property, Scope, Span};
use crate::ecma::Host;
use crate::ruleset::layout::{
    FLAG_EARLY_EXIT, FLAG_REASON, FLAG_SUBJECT, KEY_JSON, KEY_TEXT, NONE, SUBJECT_GROUP,
    SUBJECT_PERSON, VARIANT,
};
use crate::ruleset::{StringId, Word, double, word};

/// What the conditions of a flag share.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// The flag's.
    bits: u32,
    /// Where the list of variants lies.
    variants: u32,
}

impl Rules {
    pub(super) fn early_exit(&self) -> bool {
        self.bits & FLAG_EARLY_EXIT != 0
    }

    /// The reason that the definition alone gives, whatever the user.
    pub(super) fn definition_reason(&self) -> Option<Reason> {
        definition_reason(self.bits)
    }
}

fn definition_reason(bits: u32) -> Option<Reason> {
    let place = (bits >> FLAG_REASON & 7).checked_sub(1)?;
    Reason::ALL.get(place as usize).copied()
}

impl<H: Host + ?Sized> Evaluation<'_, H> {
    /// PARITY: `computeFlagValueLocally` (posthog-node).
    pub(super) fn evaluate(&mut self, id: u32, flag: &Flag, positions: &mut Positions) -> Outcome {
        let [_, _, bits, subject, conditions, variants, holdout, ..] = flag;
        let bits = word(bits);
        let mut own =
            Subject { id, bucketing: self.context.distinct_id(), scope: Scope::PERSON, own: true };
        if (bits & FLAG_SUBJECT != SUBJECT_PERSON || word(holdout) != 0)
            && let Some(outcome) = self.unusual(&mut own, bits, word(subject), word(holdout))
        {
            return outcome;
        }
        let Some(conditions) = self.view.list(word(conditions)) else {
            return Err(Stop::UNSUPPORTED);
        };
        let rules = Rules { bits, variants: word(variants) };
        self.conditions(&own, &rules, conditions, positions)
    }

    /// Flags that are not asked for by a person's distinct id, and holdouts: changes the subject, or decides
    /// before any condition.
    #[inline(never)]
    fn unusual(
        &mut self,
        own: &mut Subject,
        bits: u32,
        subject: u32,
        holdout: u32,
    ) -> Option<Outcome> {
        match bits & FLAG_SUBJECT {
            SUBJECT_PERSON => {}
            SUBJECT_GROUP => match self.context.group(subject) {
                None => return Some(FALSE),
                Some((key, _)) => {
                    own.scope = Scope::group(subject);
                    own.bucketing = key;
                }
            },
            _ => match self.device(subject) {
                Ok(Some(device)) => own.bucketing = device,
                Ok(None) => {
                    let reason = definition_reason(bits).unwrap_or(Reason::MissingContext);
                    return Some(Err(Stop::soft(reason)));
                }
                Err(reason) => return Some(Err(Stop::throws(reason))),
            },
        }
        self.held_out(holdout, own.bucketing)
    }

    /// The text of the device's id: `Ok(None)` if there is none, `Err` where the reference throws.
    fn device(&mut self, slot: u32) -> Result<Option<Span>, Reason> {
        let Some(mut asked) = self.context.asked(Scope::PERSON, slot, self.host) else {
            return Ok(None);
        };
        match asked.property {
            Property::Absent | Property::Undefined | Property::Null => Ok(None),
            Property::Text(text) if text.length == 0 => Ok(None),
            _ if asked.has_no_template_text() => Err(Reason::MissingContext),
            _ => asked.text().map(Some).ok_or(Reason::MissingContext),
        }
    }

    /// The outcome for a user whom a holdout holds out.
    #[inline]
    fn held_out(&mut self, holdout: u32, bucketing: Span) -> Option<Outcome> {
        if holdout == 0 {
            return None;
        }
        let [low, high, string] = self.view.block(holdout)?;
        let share = double(low, high);
        (share >= 1.0 || self.holdout_position(bucketing) <= share).then(|| match word(string) {
            NONE => Err(Stop::UNSUPPORTED),
            string => Ok(FlagValue::Variant(StringId(string)).into()),
        })
    }

    /// The flag's value when a condition matches without forcing a variant.
    ///
    /// PARITY: `getFeatureFlagVariant`, `getMatchingVariant` (posthog-node).
    #[inline(always)]
    pub(super) fn variant(
        &mut self,
        subject: &Subject,
        rules: &Rules,
        positions: &mut Positions,
    ) -> Outcome {
        let table: Option<&[[Word; VARIANT]]> = self.view.list(rules.variants);
        let Some(table) = table else { return Err(Stop::UNSUPPORTED) };
        if table.is_empty() {
            return TRUE;
        }
        let position = self.position(subject, positions, Kind::Variant)?;
        let found = table.iter().find(|[low, high, ..]| position < double(low, high));
        Ok(found.map_or(Code(1), |[_, _, kind, string]| value_of(word(kind), word(string))))
    }
}

/// What a variant or an override makes of the flag.
#[inline]
pub(super) fn value_of(kind: u32, string: u32) -> Code {
    match kind {
        KEY_TEXT => FlagValue::Variant(StringId(string)),
        KEY_JSON => FlagValue::Json(StringId(string)),
        _ => FlagValue::Bool(true),
    }
    .into()
}
