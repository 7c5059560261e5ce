//! Cohorts: groups of filters and of further groups.

use super::model::{CohortNode, Filter, Member};
use super::{Compiler, UNDEFINED};
use crate::text::Text;
use crate::value::Value;

impl<'a> Compiler<'a> {
    /// The node of a cohort, reserved now and compiled later; `None` if PostHog did not send it.
    ///
    /// DIFFERENCE: only cohorts that were really sent count, not the names every JavaScript object has.
    pub(super) fn cohort(&mut self, id: &Text) -> Option<usize> {
        if let Some(node) = self.cohort_nodes.get(id) {
            return Some(*node);
        }
        let (id, cohort) = self.definitions.cohorts.get_key_value(id)?;
        let node = self.model.cohorts.len();
        self.model.cohorts.push(CohortNode::Unsupported);
        self.cohort_nodes.insert(id.clone(), node);
        self.cohort_ids.push((node, id));
        if let Some(cohort) = cohort {
            self.cohorts_to_compile.push((node, cohort));
        }
        Some(node)
    }

    /// Compiles the cohorts that flags, and then these cohorts, refer to.
    pub(super) fn finish_cohorts(&mut self) {
        while let Some((node, cohort)) = self.cohorts_to_compile.pop() {
            let compiled = self.cohort_node(cohort);
            if let Some(slot) = self.model.cohorts.get_mut(node) {
                *slot = compiled;
            }
        }
    }

    /// PARITY: `matchPropertyGroup` (posthog-node).
    fn cohort_node(&mut self, group: &'a Value) -> CohortNode {
        let is_empty = match group {
            Value::Object(members) => members.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::String(text) => text.is_empty(),
            // Other primitives have no keys.
            _ => true,
        };
        if is_empty {
            return CohortNode::Everybody;
        }
        let all = match group.get("type") {
            Some(Value::String(name)) if matches!(name.as_bytes(), b"AND" | b"property") => true,
            Some(Value::String(name)) if name.as_bytes() == b"OR" => false,
            // The complaint about any other holds its text.
            other if self.text(other).is_none() => return CohortNode::Throws,
            _ => return CohortNode::Unsupported,
        };
        let members = match group.get("values") {
            Some(Value::Array(values)) => self.members(values),
            // Of objects, only one with a length of its own can be empty.
            Some(values) if values.get("length") == Some(&Value::Number(0.0)) => Some(Vec::new()),
            Some(values) if values.is_truthy() => None,
            _ => Some(Vec::new()),
        };
        match members {
            None => CohortNode::Throws,
            Some(members) if all => CohortNode::All(members),
            Some(members) => CohortNode::Any(members),
        }
    }

    /// The first element tells what all of them are: groups if it has `values`, else filters.
    fn members(&mut self, values: &'a [Value]) -> Option<Vec<Member>> {
        let groups = match values.first() {
            None => return Some(Vec::new()),
            Some(Value::Object(first)) => first.contains_key(b"values".as_slice()),
            // Every array has a method of that name.
            Some(Value::Array(_)) => true,
            // `in` wants an object.
            Some(_) => return None,
        };
        Some(
            values
                .iter()
                .map(|value| {
                    if groups {
                        let node = self.cohort_node(value);
                        self.model.cohorts.push(node);
                        Member {
                            filter: Filter::Group(self.model.cohorts.len() - 1),
                            negation: false,
                        }
                    } else {
                        let negation = value.get("negation").unwrap_or(UNDEFINED).is_truthy();
                        Member { filter: self.cohort_member(value), negation }
                    }
                })
                .collect(),
        )
    }
}
