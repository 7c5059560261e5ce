//! Flags with their conditions.

use super::Encoder;
use super::fixed::{fixed, holdout, rollout};
use crate::compile::model::{
    Aggregation, Condition, Conditions, Flag, Override, PayloadKey, Plan, Rules, Subject,
    VariantKey, Variants,
};
use crate::compile::needs::needs;
use crate::compile::operation::words;
use crate::ruleset::FlagId;
use crate::ruleset::layout::{
    AGGREGATION_GROUP, AGGREGATION_INHERIT, AGGREGATION_MALFORMED, AGGREGATION_SKIP, ALL_SLOTS,
    CONDITION, CONDITION_OVERRIDE, CONDITION_ROLLOUT, FLAG, FLAG_CHAINED, FLAG_EARLY_EXIT,
    FLAG_FIXED, FLAG_PAYLOAD_THROWS, FLAG_REASON, KEY_JSON, KEY_TEXT, KEY_TRUE, MALFORMED, NONE,
    OVERRIDE_MALFORMED, OVERRIDE_NONE, SUBJECT_DEVICE, SUBJECT_GROUP, SUBJECT_PERSON,
};

impl Encoder<'_> {
    pub(super) fn flag(&mut self, number: usize) -> [u32; FLAG] {
        let model = self.model;
        let Some(flag) = model.flags.get(number) else { return [0; FLAG] };
        let key = model.flag_keys.get(number).map_or([0, 0], |key| self.pool.text(key));
        let chained = model.is_chained(FlagId(number as u32));
        let throws = flag.payloads.iter().any(|(_, payload)| payload.is_none());
        let mut bits = flag.definition_reason.map_or(0, |reason| 1 + reason as u32) << FLAG_REASON;
        bits |= if chained { FLAG_CHAINED } else { 0 };
        bits |= if throws { FLAG_PAYLOAD_THROWS } else { 0 };
        let payloads = self.payloads(flag);
        let contexts = flag.contexts.as_ref().map_or(0, |tags| {
            let tags: Vec<_> = tags.iter().map(|tag| self.pool.text(tag)).collect();
            self.pool.own_list(&tags)
        });
        let rules = match (fixed(flag), &flag.plan) {
            (None, Plan::Rules(rules)) => rules,
            (code, _) => {
                let code = code.map_or(0, |code| code.0.cast_unsigned());
                let bits = bits | FLAG_FIXED;
                return [key[0], key[1], bits, code, 0, 0, 0, payloads, 0, 0, contexts];
            }
        };
        let (kind, subject) = match rules.subject {
            Subject::Person => (SUBJECT_PERSON, 0),
            Subject::Device(slot) => (SUBJECT_DEVICE, slot as u32),
            Subject::Group(group_type) => (SUBJECT_GROUP, group_type as u32),
        };
        bits |= kind | if rules.early_exit { FLAG_EARLY_EXIT } else { 0 };
        let conditions = self.conditions(&rules.conditions);
        let variants = self.variants(&rules.variants);
        let holdout = self.holdout(rules);
        let needs = needs(model, number);
        let list = |pool: &mut super::Pool, numbers: &mut dyn Iterator<Item = usize>| {
            let numbers: Vec<_> = numbers.map(|number| [number as u32]).collect();
            pool.list(&numbers)
        };
        let slots = match needs.slots {
            Some(slots) => list(&mut self.pool, &mut slots.into_iter()),
            None => ALL_SLOTS,
        };
        let groups = list(&mut self.pool, &mut needs.group_types.into_iter());
        [
            key[0], key[1], bits, subject, conditions, variants, holdout, payloads, slots, groups,
            contexts,
        ]
    }

    fn payloads(&mut self, flag: &Flag) -> u32 {
        let payloads: Vec<_> = flag
            .payloads
            .iter()
            .map(|(key, payload)| {
                let key = match key {
                    PayloadKey::True => 1,
                    PayloadKey::Variant(id) => id.0 + 2,
                };
                [key, payload.map_or(NONE, |payload| payload.0)]
            })
            .collect();
        self.pool.list(&payloads)
    }

    fn conditions(&mut self, conditions: &Conditions) -> u32 {
        match conditions {
            Conditions::Malformed => MALFORMED,
            Conditions::List(conditions) => {
                let conditions: Vec<_> =
                    conditions.iter().map(|condition| self.condition(condition)).collect();
                self.pool.list(&conditions)
            }
        }
    }

    fn condition(&mut self, condition: &Condition) -> [u32; CONDITION] {
        let (aggregation, group) = match condition.aggregation {
            Aggregation::Inherit => (AGGREGATION_INHERIT, 0),
            Aggregation::Group(group) => (AGGREGATION_GROUP, group as u32),
            Aggregation::Skip => (AGGREGATION_SKIP, 0),
            Aggregation::Malformed => (AGGREGATION_MALFORMED, 0),
        };
        let (rollout, share) = rollout(condition.rollout);
        let [forced, string] = match condition.variant {
            Override::None => [OVERRIDE_NONE, 0],
            Override::To(key) => variant_key(key),
            Override::Malformed => [OVERRIDE_MALFORMED, 0],
        };
        let bits = aggregation | rollout << CONDITION_ROLLOUT | forced << CONDITION_OVERRIDE;
        let [low, high] = words(share);
        [bits, group, low, high, string, self.filters(&condition.filters)]
    }

    fn variants(&mut self, variants: &Variants) -> u32 {
        match variants {
            Variants::Malformed => MALFORMED,
            Variants::Table(table) => {
                let table: Vec<_> = table
                    .iter()
                    .map(|variant| {
                        let ([low, high], [kind, string]) =
                            (words(variant.max), variant_key(variant.key));
                        [low, high, kind, string]
                    })
                    .collect();
                self.pool.list(&table)
            }
        }
    }

    /// The pool index of the holdout, 0 for none.
    fn holdout(&mut self, rules: &Rules) -> u32 {
        holdout(rules).map_or(0, |holdout| {
            let [low, high] = words(holdout.percentage / 100.0);
            self.pool.block(&[low, high, holdout.value.map_or(NONE, |id| id.0)])
        })
    }
}

/// The kind of a key and its string.
fn variant_key(key: VariantKey) -> [u32; 2] {
    match key {
        VariantKey::Text(id) => [KEY_TEXT, id.0],
        VariantKey::True => [KEY_TRUE, 0],
        VariantKey::Json(id) => [KEY_JSON, id.0],
    }
}
