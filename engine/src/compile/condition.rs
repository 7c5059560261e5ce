//! One condition of a flag.

use super::{Compiler, Throws, UNDEFINED, iterate};
use crate::ecma::to_number;
use crate::ruleset::{Aggregation, Condition, Filters, Override};
use crate::value::Value;

impl Compiler<'_> {
    /// PARITY: the loop of `matchFeatureFlagProperties` and `isConditionMatch` (posthog-node).
    pub(super) fn condition(
        &mut self,
        condition: &Value,
        flag_aggregation: Option<&Value>,
        variants: Option<&Value>,
    ) -> Condition {
        let aggregation = match condition {
            Value::Null => Aggregation::Malformed,
            _ => self.aggregation(condition.get("aggregation_group_type_index"), flag_aggregation),
        };
        let rollout =
            condition.get("rollout_percentage").filter(|percentage| !percentage.is_nullish());
        let (rollout, rollout_throws) =
            match rollout.map(|percentage| to_number(percentage, self.host)) {
                Some(None) => (None, true),
                Some(Some(percentage)) => (Some(percentage / 100.0), false),
                None => (None, false),
            };
        let filters = match self.filters(condition.get("properties")) {
            Ok(filters) if !rollout_throws => Filters::List(filters),
            _ => Filters::Malformed,
        };
        Condition {
            aggregation,
            filters,
            rollout,
            variant: self.variant_override(condition.get("variant"), variants),
        }
    }

    fn aggregation(&mut self, own: Option<&Value>, flag: Option<&Value>) -> Aggregation {
        match own {
            None => Aggregation::Inherit,
            Some(own) if own.is_nullish() || is_identical(own, flag) => Aggregation::Inherit,
            Some(own) => match self.group_type(own) {
                Ok(Some(group_type)) => Aggregation::Group(group_type),
                Ok(None) => Aggregation::Skip,
                Err(Throws) => Aggregation::Malformed,
            },
        }
    }

    fn filters(
        &mut self,
        properties: Option<&Value>,
    ) -> Result<Vec<crate::ruleset::Filter>, Throws> {
        let properties = match properties {
            // Without a positive `length` there is nothing to iterate.
            Some(Value::Object(members)) => {
                let length = members.get(b"length".as_slice()).unwrap_or(UNDEFINED);
                if to_number(length, self.host).ok_or(Throws)? > 0.0 {
                    return Err(Throws);
                }
                Vec::new()
            }
            Some(Value::Array(_) | Value::String(_)) => iterate(properties)?,
            _ => Vec::new(),
        };
        Ok(properties.iter().map(|property| self.filter(property)).collect())
    }

    fn variant_override(&mut self, variant: Option<&Value>, variants: Option<&Value>) -> Override {
        let Some(variant) = variant.filter(|variant| variant.is_truthy()) else {
            return Override::None;
        };
        match variants.filter(|variants| variants.is_truthy()) {
            None => Override::None,
            Some(Value::Array(variants)) => {
                for candidate in variants {
                    match candidate {
                        Value::Null => return Override::Malformed,
                        _ if is_identical(variant, candidate.get("key")) => {
                            return Override::To(self.variant_key(Some(variant)));
                        }
                        _ => {}
                    }
                }
                Override::None
            }
            // Only arrays have `some`.
            Some(_) => Override::Malformed,
        }
    }
}

/// JavaScript's `===` between two parts of one JSON document; two objects are never the same one.
fn is_identical(left: &Value, right: Option<&Value>) -> bool {
    match (left, right) {
        (Value::Array(_) | Value::Object(_), _) => false,
        (left, Some(right)) => left == right,
        (left, None) => *left == Value::Undefined,
    }
}
