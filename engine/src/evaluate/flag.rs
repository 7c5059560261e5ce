//! A flag, up to its conditions.

use super::position::{Kind, Positions, Subject, Waits};
use super::{Cause, Evaluation, Outcome};
use crate::answer::{Code, FlagValue, Reason};
use crate::context::{Property, Scope, Span};
use crate::ecma::Host;
use crate::ruleset::layout::{
    FLAG_EARLY_EXIT, FLAG_REASON, FLAG_SUBJECT, KEY_JSON, KEY_TEXT, NONE, SUBJECT_DEVICE,
    SUBJECT_GROUP, VARIANT,
};
use crate::ruleset::{StringId, Word, double, word};

/// What the conditions of a flag share.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) early_exit: bool,
    /// Where the list of variants lies.
    pub(super) variants: u32,
    /// The reason that the definition alone gives, whatever the user.
    pub(super) definition_reason: Option<Reason>,
}

impl<H: Host + ?Sized> Evaluation<'_, H> {
    /// PARITY: `computeFlagValueLocally` (posthog-node).
    #[inline]
    pub(super) fn evaluate(&mut self, id: u32, positions: &mut Positions) -> Outcome {
        let view = self.view;
        let Some(flag) = view.flags.get(id as usize) else { return Outcome::UNSUPPORTED };
        let [offset, length, bits, subject, conditions, variants, holdout, ..] = flag;
        let bits = word(bits);
        let definition_reason = (bits >> FLAG_REASON & 7)
            .checked_sub(1)
            .and_then(|place| Reason::ALL.get(place as usize).copied());
        let group_type = word(subject);
        let (scope, bucketing) = match bits & FLAG_SUBJECT {
            SUBJECT_GROUP => match self.context.group(group_type) {
                None => return Outcome::FALSE,
                Some((key, _)) => (Scope::Group(group_type), key),
            },
            SUBJECT_DEVICE => match self.device(word(subject)) {
                Ok(Some(device)) => (Scope::Person, device),
                Ok(None) => {
                    let reason = definition_reason.unwrap_or(Reason::MissingContext);
                    return Outcome::Soft(Cause::plain(reason));
                }
                Err(reason) => return Outcome::Throws(reason),
            },
            _ => (Scope::Person, self.context.distinct_id()),
        };
        if let Some(held_out) = self.held_out(word(holdout), bucketing) {
            return held_out;
        }
        let Some(conditions) = view.list(word(conditions)) else { return Outcome::UNSUPPORTED };
        let key = view.text(&[*offset, *length]);
        let subject = Subject { id, key, bucketing, scope };
        let rules = Rules {
            early_exit: bits & FLAG_EARLY_EXIT != 0,
            variants: word(variants),
            definition_reason,
        };
        self.conditions(&subject, &rules, conditions, positions)
    }

    /// The text of the device's id: `Ok(None)` if there is none, `Err` where the reference throws.
    fn device(&mut self, slot: u32) -> Result<Option<Span>, Reason> {
        let Some(mut asked) = self.context.asked(Scope::Person, slot, self.host) else {
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
            NONE => Outcome::UNSUPPORTED,
            string => Outcome::Value(FlagValue::Variant(StringId(string)).into()),
        })
    }

    /// The flag's value when a condition matches without forcing a variant.
    ///
    /// PARITY: `getFeatureFlagVariant`, `getMatchingVariant` (posthog-node).
    #[inline]
    pub(super) fn variant(
        &mut self,
        subject: &Subject<'_>,
        rules: &Rules,
        positions: &mut Positions,
    ) -> Result<Outcome, Waits> {
        let table: Option<&[[Word; VARIANT]]> = self.view.list(rules.variants);
        let Some(table) = table else { return Ok(Outcome::UNSUPPORTED) };
        if table.is_empty() {
            return Ok(Outcome::TRUE);
        }
        let position = self.position(subject, positions, Kind::Variant)?;
        let found = table.partition_point(|[low, high, ..]| double(low, high) <= position);
        Ok(match table.get(found) {
            None => Outcome::TRUE,
            Some([_, _, kind, string]) => Outcome::Value(value_of(word(kind), word(string))),
        })
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
