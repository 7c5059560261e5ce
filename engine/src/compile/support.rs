//! What a definition alone says of being evaluable.

use super::filter::{Kind, kind};
use super::{Compiler, Throws};
use crate::answer::Reason;
use crate::ruleset::{Conditions, Dependency, Filter, Filters, Plan, Support};
use crate::text::Text;
use crate::value::Value;

impl<'a> Compiler<'a> {
    /// `None` where the reference throws as well: it goes on without.
    ///
    /// PARITY: `getDefinitionUnresolvedReason` (posthog-node), for an active flag.
    pub(super) fn definition_reason(&mut self, plan: &Plan, filters: &Value) -> Option<Reason> {
        let rules = match plan {
            Plan::Unresolved(reason) => return Some(*reason),
            Plan::Rules(rules) => rules,
        };
        // Strings can be iterated, as evaluation does, but have no `some`.
        let Some(Value::Array(definitions)) = filters.get("groups") else { return None };
        let Conditions::List(conditions) = &rules.conditions else { return None };
        for (condition, definition) in conditions.iter().zip(definitions) {
            let Filters::List(filters) = &condition.filters else { return None };
            if matches!(definition.get("properties"), Some(Value::String(text)) if !text.is_empty())
            {
                return None;
            }
            for filter in filters {
                if self.is_unsupported(filter).ok()? {
                    return Some(Reason::UnsupportedDefinition);
                }
            }
        }
        None
    }

    /// Whether a filter alone makes a definition one that only the server can evaluate.
    ///
    /// PARITY: `isUnsupportedProperty` (posthog-node).
    fn is_unsupported(&mut self, filter: &Filter) -> Result<bool, Throws> {
        match filter {
            Filter::Flag(dependency) => Ok(matches!(dependency, Dependency::Unsupported)),
            Filter::Property(id) => {
                match self.ruleset.predicates.get(*id).map(|predicate| predicate.support) {
                    Some(Support::Throws) | None => Err(Throws),
                    Some(support) => Ok(support == Support::Unsupported),
                }
            }
            Filter::Cohort { node: None, .. } => Ok(true),
            Filter::Cohort { node: Some(node), .. } => {
                let found = self.cohort_ids.binary_search_by_key(node, |(node, _)| *node);
                match found.ok().and_then(|index| self.cohort_ids.get(index)) {
                    Some((_, id)) => Ok(self.is_unsupported_cohort(id)),
                    None => Ok(false),
                }
            }
            Filter::Group(_) => Ok(false),
            Filter::Throws | Filter::ThrowsThrough => Err(Throws),
        }
    }

    /// Whether a cohort is unknown or holds, itself or through others, a filter that cannot be evaluated.
    fn is_unsupported_cohort(&mut self, id: &Text) -> bool {
        let cohorts = match self.unsupported_cohorts.take() {
            Some(cohorts) => cohorts,
            None => self.find_unsupported_cohorts(),
        };
        let found = cohorts.binary_search_by_key(&id, |(id, _)| *id);
        let unsupported = found.ok().and_then(|position| cohorts.get(position));
        let unsupported = unsupported.is_none_or(|(_, unsupported)| *unsupported);
        self.unsupported_cohorts = Some(cohorts);
        unsupported
    }

    /// Starts from the cohorts that hold such a filter and walks back along the references.
    fn find_unsupported_cohorts(&mut self) -> Vec<(&'a Text, bool)> {
        let cohorts = &self.definitions.cohorts;
        let mut unsupported: Vec<(&Text, bool)> = cohorts.keys().map(|id| (id, false)).collect();
        let mut referrers: Vec<Vec<usize>> = vec![Vec::new(); unsupported.len()];
        let mut found = Vec::new();
        for (position, cohort) in cohorts.values().enumerate() {
            let mut references = Vec::new();
            let holds = match cohort {
                Some(cohort) => self.holds_unsupported(cohort, &mut references).unwrap_or(false),
                None => true,
            };
            if holds {
                found.push(position);
            }
            for reference in references {
                if let Ok(target) = unsupported.binary_search_by_key(&&reference, |(id, _)| *id)
                    && let Some(list) = referrers.get_mut(target)
                {
                    list.push(position);
                }
            }
        }
        while let Some(position) = found.pop() {
            if let Some((_, known @ false)) = unsupported.get_mut(position) {
                *known = true;
                found.extend(referrers.get(position).into_iter().flatten());
            }
        }
        unsupported
    }

    /// PARITY: `isUnsupportedPropertyGroup` (posthog-node), with cohorts referred to left for later.
    fn holds_unsupported(
        &mut self,
        group: &Value,
        references: &mut Vec<Text>,
    ) -> Result<bool, Throws> {
        let values = match group.get("values") {
            None | Some(Value::Null) => return Ok(false),
            Some(Value::Array(values)) => values,
            Some(_) => return Err(Throws),
        };
        for value in values {
            let Value::Object(members) = value else { return Err(Throws) };
            let unsupported = if members.contains_key(b"values".as_slice()) {
                self.holds_unsupported(value, references)?
            } else {
                match kind(value) {
                    Kind::Property => self.operation(value).1 == Support::Unsupported,
                    Kind::Flag => {
                        matches!(self.dependency(value), Filter::Flag(Dependency::Unsupported))
                    }
                    Kind::Cohort => {
                        let id = self.text(value.get("value")).ok_or(Throws)?;
                        let unknown = !self.definitions.cohorts.contains_key(&id);
                        references.push(id);
                        unknown
                    }
                }
            };
            if unsupported {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
