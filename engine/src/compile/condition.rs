//! One condition of a flag.

use std::collections::BTreeMap;

use super::model::{Aggregation, Condition, Filter, Filters, Override, Rollout};
use super::{Compiler, Throws, UNDEFINED, iterate};
use crate::ecma::to_number;
use crate::text::Text;
use crate::value::Value;

impl Compiler<'_> {
    /// PARITY: the loop of `matchFeatureFlagProperties` and `isConditionMatch` (posthog-node).
    pub(super) fn condition(
        &mut self,
        condition: &Value,
        flag_aggregation: Option<&Value>,
        overrides: &Overrides<'_>,
    ) -> Condition {
        let aggregation = match condition {
            Value::Null => Aggregation::Malformed,
            _ => self.aggregation(condition.get("aggregation_group_type_index"), flag_aggregation),
        };
        let rollout =
            condition.get("rollout_percentage").filter(|percentage| !percentage.is_nullish());
        let rollout = match rollout.map(|percentage| to_number(percentage, self.host)) {
            None => Rollout::All,
            Some(Some(percentage)) => Rollout::Share(percentage / 100.0),
            Some(None) => Rollout::Malformed,
        };
        let filters = match self.filters(condition.get("properties")) {
            Ok(filters) => Filters::List(filters),
            Err(Throws) => Filters::Malformed,
        };
        Condition {
            aggregation,
            filters,
            rollout,
            variant: self.variant_override(condition.get("variant"), overrides),
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

    fn filters(&mut self, properties: Option<&Value>) -> Result<Vec<Filter>, Throws> {
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

    /// PARITY: the `some` over the variants in `matchFeatureFlagProperties` (posthog-node).
    fn variant_override(&mut self, variant: Option<&Value>, overrides: &Overrides<'_>) -> Override {
        let Some(variant) = variant.filter(|variant| variant.is_truthy()) else {
            return Override::None;
        };
        let found = Key::of(variant).and_then(|key| overrides.places.get(&key));
        match (found, overrides.throws_at) {
            (Some(place), end) if end.is_none_or(|end| *place < end) => {
                Override::To(self.variant_key(Some(variant)))
            }
            (_, Some(_)) => Override::Malformed,
            (_, None) => Override::None,
        }
    }
}

/// The variants of a flag as its conditions look them up.
pub(super) struct Overrides<'a> {
    /// Keys that a condition can name, with their first places.
    places: BTreeMap<Key<'a>, usize>,
    /// The first place at which looking throws.
    throws_at: Option<usize>,
}

impl<'a> Overrides<'a> {
    pub(super) fn new(variants: Option<&'a Value>) -> Self {
        let mut overrides = Overrides { places: BTreeMap::new(), throws_at: None };
        match variants {
            Some(Value::Array(variants)) => {
                for (place, variant) in variants.iter().enumerate() {
                    if let Some(key) = variant.get("key").and_then(Key::of) {
                        overrides.places.entry(key).or_insert(place);
                    }
                }
                overrides.throws_at = variants.iter().position(|variant| *variant == Value::Null);
            }
            // Only arrays have `some`.
            Some(variants) if variants.is_truthy() => overrides.throws_at = Some(0),
            _ => {}
        }
        overrides
    }
}

/// A truthy value that `===` finds again: two objects are never the same one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    True,
    Number(u64),
    Text(&'a Text),
}

impl<'a> Key<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::Bool(true) => Some(Key::True),
            // Zero is not truthy, and no other number has two forms in JSON.
            Value::Number(number) if *number != 0.0 => Some(Key::Number(number.to_bits())),
            Value::String(text) if !text.is_empty() => Some(Key::Text(text)),
            _ => None,
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
