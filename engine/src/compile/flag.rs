//! One flag: what comes before its conditions, its variants and its payloads.

use std::collections::BTreeSet;

use super::condition::Overrides;
use super::model::{
    Conditions, Flag, Holdout, Override, PayloadKey, Plan, Rules, Subject, Variant, VariantKey,
    Variants,
};
use super::{Compiler, Throws, UNDEFINED, evaluation_contexts, iterate, own_member};
use crate::answer::Reason;
use crate::definitions::FlagDefinition;
use crate::ecma::to_number;
use crate::json;
use crate::ruleset::{Payload, PayloadId};
use crate::text::Text;
use crate::value::Value;

impl<'a> Compiler<'a> {
    pub(super) fn flag(&mut self, definition: &'a FlagDefinition) -> Flag {
        let flag = match definition {
            FlagDefinition::Read(flag) => flag,
            FlagDefinition::Unreadable { .. } => {
                return Flag {
                    active: true,
                    plan: Plan::Unresolved(Reason::UnsupportedDefinition),
                    definition_reason: Some(Reason::UnsupportedDefinition),
                    payloads: Vec::new(),
                    contexts: None,
                };
            }
        };
        let active = flag.get("active").is_some_and(Value::is_truthy);
        let filters = flag.get("filters").unwrap_or(UNDEFINED);
        let plan = self.plan(flag, filters);
        let definition_reason = if active { self.definition_reason(&plan, filters) } else { None };
        let payloads = match &plan {
            Plan::Rules(rules) => self.payloads(filters.get("payloads"), rules),
            Plan::Unresolved(_) => Vec::new(),
        };
        let contexts = evaluation_contexts(flag);
        Flag { active, plan, definition_reason, payloads, contexts }
    }

    /// PARITY: `computeFlagValueLocally` (posthog-node).
    fn plan(&mut self, flag: &Value, filters: &Value) -> Plan {
        if flag.get("ensure_experience_continuity").is_some_and(Value::is_truthy) {
            return Plan::Unresolved(Reason::ExperienceContinuity);
        }
        let aggregation =
            filters.get("aggregation_group_type_index").filter(|index| !index.is_nullish());
        let subject = match aggregation.map(|index| self.group_type(index)) {
            Some(Ok(Some(group_type))) => Subject::Group(group_type),
            Some(_) => return Plan::Unresolved(Reason::UnsupportedDefinition),
            None if flag.get("bucketing_identifier") == Some(&Value::from("device_id")) => {
                Subject::Device(self.slot(&"$device_id".into()))
            }
            None => Subject::Person,
        };
        let Ok(holdout) = self.holdout(filters.get("holdout")) else {
            return Plan::Unresolved(Reason::UnsupportedDefinition);
        };
        let variants =
            filters.get("multivariate").and_then(|multivariate| multivariate.get("variants"));
        let table = self.variants(variants);
        let overrides = Overrides::new(variants);
        let conditions = match iterate(filters.get("groups")) {
            Err(Throws) => Conditions::Malformed,
            Ok(conditions) => Conditions::List(
                conditions
                    .iter()
                    .map(|condition| {
                        self.condition(
                            condition,
                            filters.get("aggregation_group_type_index"),
                            &overrides,
                        )
                    })
                    .collect(),
            ),
        };
        Plan::Rules(Rules {
            subject,
            holdout,
            conditions,
            early_exit: filters.get("early_exit").is_some_and(Value::is_truthy),
            variants: table,
        })
    }

    /// PARITY: `getHoldoutVariant` (@posthog/core), all but the hash.
    fn holdout(&mut self, holdout: Option<&Value>) -> Result<Option<Holdout>, Throws> {
        let member = |name| {
            holdout.and_then(|holdout| holdout.get(name)).filter(|value| !value.is_nullish())
        };
        let (Some(id), Some(percentage)) = (member("id"), member("exclusion_percentage")) else {
            return Ok(None);
        };
        let percentage = to_number(percentage, self.host).ok_or(Throws)?;
        if !percentage.is_finite() {
            return Ok(None);
        }
        let value = self
            .text(Some(id))
            .map(|id| self.string(&Text::from_wtf8([b"holdout-", id.as_bytes()].concat())));
        Ok(Some(Holdout { percentage: percentage.clamp(0.0, 100.0), value }))
    }

    /// PARITY: `getFeatureFlagVariantLookupTable` (@posthog/core).
    fn variants(&mut self, variants: Option<&Value>) -> Variants {
        let Ok(variants) = iterate(variants) else { return Variants::Malformed };
        let mut table: Vec<Variant> = Vec::new();
        let mut max = 0.0;
        for variant in &variants {
            let share = variant.get("rollout_percentage").unwrap_or(UNDEFINED);
            let Some(percentage) = to_number(share, self.host).filter(|_| **variant != Value::Null)
            else {
                return Variants::Malformed;
            };
            max += percentage / 100.0;
            // A variant that does not reach beyond those before it is nobody's.
            if table.last().map_or(0.0, |last| last.max) < max {
                table.push(Variant { max, key: self.variant_key(variant.get("key")) });
            }
        }
        Variants::Table(table)
    }

    pub(super) fn variant_key(&mut self, key: Option<&Value>) -> VariantKey {
        match key {
            Some(Value::String(key)) if !key.is_empty() => VariantKey::Text(self.string(key)),
            Some(Value::Bool(true)) => VariantKey::True,
            Some(key) if key.is_truthy() => {
                let json = self.string(&json::to_json(key, self.host).into());
                self.odd_variants.insert(json, self.text(Some(key)));
                VariantKey::Json(json)
            }
            _ => VariantKey::True,
        }
    }

    /// The payloads that some value of the flag can reach.
    ///
    /// PARITY: `resolveFeatureFlagPayload`, `parsePayload` (@posthog/core).
    fn payloads(
        &mut self,
        payloads: Option<&Value>,
        rules: &Rules,
    ) -> Vec<(PayloadKey, Option<PayloadId>)> {
        let Some(payloads) = payloads.filter(|payloads| payloads.is_truthy()) else {
            return Vec::new();
        };
        let table = match &rules.variants {
            Variants::Table(table) => table.as_slice(),
            Variants::Malformed => &[],
        };
        let conditions = match &rules.conditions {
            Conditions::List(conditions) => conditions.as_slice(),
            Conditions::Malformed => &[],
        };
        let forced = conditions.iter().filter_map(|condition| match condition.variant {
            Override::To(key) => Some(key),
            Override::None | Override::Malformed => None,
        });
        let variants = table.iter().map(|variant| variant.key).chain(forced);
        let held_out = rules.holdout.as_ref().and_then(|holdout| holdout.value);
        let values = variants.chain(held_out.map(VariantKey::Text)).filter_map(|key| match key {
            VariantKey::Text(id) | VariantKey::Json(id) => Some(PayloadKey::Variant(id)),
            VariantKey::True => None,
        });
        let mut asked = BTreeSet::new();
        let mut found = Vec::new();
        for key in [PayloadKey::True].into_iter().chain(values) {
            if !asked.insert(key) {
                continue;
            }
            let name = match key {
                PayloadKey::True => Some("true".into()),
                PayloadKey::Variant(id) => match self.odd_variants.get(&id) {
                    Some(text) => text.clone(),
                    None => self.model.strings.get(id.0 as usize).cloned(),
                },
            };
            let Some(name) = name else {
                found.push((key, None));
                continue;
            };
            let raw = own_member(payloads, &name);
            if let Some(payload) = raw.and_then(|raw| self.payload(&raw)) {
                let id = PayloadId(self.model.payloads.len() as u32);
                self.model.payloads.push(payload);
                found.push((key, Some(id)));
            }
        }
        found
    }

    fn payload(&self, raw: &Value) -> Option<Payload> {
        if !raw.is_truthy() {
            return None;
        }
        let Value::String(text) = raw else {
            return Some(Payload { json: json::to_json(raw, self.host), truthy: true });
        };
        // For being JSON a lone surrogate is like any other character.
        match json::scalar(&text.to_str_lossy(), self.host) {
            Some(Some(Value::Null)) => None,
            Some(scalar) => {
                let truthy = scalar.is_none_or(|scalar| scalar.is_truthy());
                Some(Payload { json: json::with_escaped_surrogates(text), truthy })
            }
            // Not JSON: the text itself is the payload.
            None => Some(Payload { json: json::to_json(raw, self.host), truthy: true }),
        }
    }
}
