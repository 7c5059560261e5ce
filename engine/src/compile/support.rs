//! What a definition alone says of being evaluable.

use std::collections::{BTreeMap, BTreeSet};

use super::filter::{Kind, kind};
use super::{Compiler, Throws};
use crate::answer::Reason;
use crate::ruleset::{Conditions, Dependency, Filter, Filters, Plan, Support};
use crate::text::Text;
use crate::value::Value;

impl Compiler<'_> {
    /// PARITY: `getDefinitionUnresolvedReason` (posthog-node), for an active flag.
    pub(super) fn definition_reason(&mut self, plan: &Plan) -> Option<Reason> {
        let rules = match plan {
            Plan::Unresolved(reason) => return Some(*reason),
            Plan::Rules(rules) => rules,
        };
        let Conditions::List(conditions) = &rules.conditions else { return None };
        let unsupported = conditions.iter().any(|condition| match &condition.filters {
            Filters::List(filters) => filters.iter().any(|filter| self.is_unsupported(filter)),
            Filters::Malformed => false,
        });
        unsupported.then_some(Reason::UnsupportedDefinition)
    }

    /// Whether a filter alone makes a definition one that only the server can evaluate.
    ///
    /// PARITY: `isUnsupportedProperty` (posthog-node).
    fn is_unsupported(&mut self, filter: &Filter) -> bool {
        match filter {
            Filter::Flag(dependency) => matches!(dependency, Dependency::Unsupported),
            Filter::Property(id) => self
                .ruleset
                .predicates
                .get(*id)
                .is_some_and(|predicate| predicate.support == Support::Unsupported),
            Filter::Cohort { node: None, .. } => true,
            Filter::Cohort { node: Some(node), .. } => match self.cohort_ids.get(node).cloned() {
                Some(id) => self.is_unsupported_cohort(&id),
                None => false,
            },
            Filter::Group(_) | Filter::Throws | Filter::ThrowsThrough => false,
        }
    }

    /// Whether a cohort is unknown or holds, itself or through others, a filter that cannot be evaluated.
    fn is_unsupported_cohort(&mut self, id: &Text) -> bool {
        if !self.definitions.cohorts.contains_key(id) {
            return true;
        }
        if self.unsupported_cohorts.is_none() {
            self.unsupported_cohorts = Some(self.find_unsupported_cohorts());
        }
        self.unsupported_cohorts.as_ref().is_some_and(|ids| ids.contains(id))
    }

    /// Starts from the cohorts that hold such a filter and walks back along the references.
    fn find_unsupported_cohorts(&mut self) -> BTreeSet<Text> {
        let mut referrers: BTreeMap<Text, Vec<&Text>> = BTreeMap::new();
        let mut found = Vec::new();
        for (id, cohort) in &self.definitions.cohorts {
            let mut references = Vec::new();
            let unsupported = match cohort {
                Ok(cohort) => self.holds_unsupported(cohort, &mut references).unwrap_or(false),
                Err(_) => true,
            };
            if unsupported {
                found.push(id.clone());
            }
            for reference in references {
                referrers.entry(reference).or_default().push(id);
            }
        }
        let mut unsupported = BTreeSet::new();
        while let Some(id) = found.pop() {
            if unsupported.insert(id.clone()) {
                found.extend(
                    referrers.get(&id).into_iter().flatten().map(|referrer| (*referrer).clone()),
                );
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
                    Kind::Property => self.support_of(value) == Support::Unsupported,
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
