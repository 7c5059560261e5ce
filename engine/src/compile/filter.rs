//! One filter: of a property, a cohort, or another flag.

use super::model::{Dependency, Expected, Filter, Predicate, Support, Target};
use super::operation::Operation;
use super::{Compiler, Throws, UNDEFINED};
use crate::ruleset::FlagId;
use crate::text::Text;
use crate::value::Value;

impl Compiler<'_> {
    /// A filter of a condition.
    pub(super) fn filter(&mut self, property: &Value) -> Filter {
        match (property, kind(property)) {
            (Value::Null, _) => Filter::ThrowsThrough,
            (_, Kind::Cohort) => self.cohort_filter(property),
            (_, Kind::Flag) => self.dependency(property),
            (_, Kind::Property) => self.property_filter(property),
        }
    }

    /// A filter of a cohort.
    pub(super) fn cohort_member(&mut self, property: &Value) -> Filter {
        match property {
            Value::Null => Filter::Throws(Support::Throws),
            _ => self.filter(property),
        }
    }

    fn property_filter(&mut self, property: &Value) -> Filter {
        let (operation, support) = self.operation(property);
        let Some(key) = self.text(property.get("key")) else { return Filter::Throws(support) };
        let slot = self.slot(&key);
        let id = self.model.predicates.len();
        self.model.predicates.push(Predicate { slot, operation, support });
        Filter::Property(id)
    }

    /// PARITY: `matchCohort` (posthog-node).
    fn cohort_filter(&mut self, property: &Value) -> Filter {
        let id = self.text(property.get("value")).filter(|_| !self.definitions.cohorts_throw);
        let Some(id) = id else { return Filter::Throws(Support::Throws) };
        let not_in = property.get("operator") == Some(&Value::from("not_in"));
        Filter::Cohort { node: self.cohort(&id), not_in }
    }

    /// PARITY: `evaluateFlagDependency`, what it can tell from the definitions (posthog-node).
    ///
    /// DIFFERENCE: only flags that are really defined count, not the names every JavaScript object has.
    pub(super) fn dependency(&mut self, property: &Value) -> Filter {
        let Ok(chain) = self.chain(property.get("dependency_chain")) else {
            return Filter::Throws(Support::Throws);
        };
        let (chain, key) = match (chain, self.text(property.get("key"))) {
            (Some(chain), Some(key)) => (chain, key),
            (None, Some(_)) => return Filter::Flag(Dependency::Unsupported),
            // Even the complaints hold the key's text.
            (Some(_), None) => return Filter::Throws(Support::Supported),
            (None, None) => return Filter::Throws(Support::Unsupported),
        };
        let target = match self.known_flag(&key) {
            Some((id, _)) if chain.contains(&id) => Target::Chained(id),
            Some((id, _)) => {
                self.loose.push(id);
                Target::Loose(id)
            }
            None => Target::Unknown,
        };
        for id in &chain {
            if let Some(chained) = self.model.chained.get_mut(id.0 as usize) {
                *chained = true;
            }
        }
        let expected = match property.get("value") {
            Some(Value::Bool(value)) => Expected::Bool(*value),
            Some(Value::String(variant)) => Expected::Variant(self.string(variant)),
            _ => Expected::Never,
        };
        Filter::Flag(Dependency::Chain { chain, target, expected })
    }

    /// The flags of a dependency's chain; `None` if it is none, or names an unknown one.
    fn chain(&mut self, chain: Option<&Value>) -> Result<Option<Vec<FlagId>>, Throws> {
        let Some(Value::Array(entries)) = chain else { return Ok(None) };
        let mut chain = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = self.text(Some(entry)).ok_or(Throws)?;
            self.model.contexts_need_definitions |= !matches!(entry, Value::String(_));
            match self.known_flag(&key) {
                // Among the keys left out the reference finds only what is the same, not what has the same text.
                Some((id, left_out)) if !left_out || matches!(entry, Value::String(_)) => {
                    chain.push(id)
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(chain).filter(|chain| !chain.is_empty()))
    }

    /// A flag by its key, and whether the evaluation contexts left it out.
    fn known_flag(&self, key: &Text) -> Option<(FlagId, bool)> {
        let left_out = || {
            let number = self.model.flag_keys.len() + self.left_out.find(key)?;
            Some((FlagId(number as u32), true))
        };
        self.model.flag(key).map(|id| (id, false)).or_else(left_out)
    }

    /// A property filter's operator with its value, and whether it can be evaluated at all.
    pub(super) fn operation(&self, property: &Value) -> (Operation, Support) {
        Operation::compile(
            property.get("operator"),
            property.get("value").unwrap_or(UNDEFINED),
            self.definitions.version_2,
            self.host,
        )
    }
}

pub(super) enum Kind {
    Property,
    Cohort,
    Flag,
}

pub(super) fn kind(property: &Value) -> Kind {
    match property.get("type") {
        Some(Value::String(name)) if name.as_bytes() == b"cohort" => Kind::Cohort,
        Some(Value::String(name)) if name.as_bytes() == b"flag" => Kind::Flag,
        _ => Kind::Property,
    }
}
