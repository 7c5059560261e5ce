//! What a definition alone says of being evaluable.

use std::collections::BTreeSet;

use super::filter::{Kind, kind};
use super::model::{Conditions, Dependency, Filter, Filters, Plan, Support};
use super::{Compiler, Throws};
use crate::answer::Reason;
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
                let predicate = self.model.predicates.get(*id).ok_or(Throws)?;
                predicate.support.is_unsupported()
            }
            Filter::Cohort { node: None, .. } => Ok(true),
            Filter::Cohort { node: Some(node), .. } => {
                let found = self.cohort_ids.binary_search_by_key(node, |(node, _)| *node);
                match found.ok().and_then(|index| self.cohort_ids.get(index)) {
                    Some((_, id)) => self.is_unsupported_cohort(id),
                    None => Ok(false),
                }
            }
            Filter::Group(_) => Ok(false),
            Filter::Throws(support) => support.is_unsupported(),
            Filter::ThrowsThrough => Err(Throws),
        }
    }

    /// Whether a cohort is unknown or holds, itself or through others, a filter that cannot be evaluated.
    fn is_unsupported_cohort(&mut self, id: &Text) -> Result<bool, Throws> {
        let cohorts = match self.unsupported_cohorts.take() {
            Some(cohorts) => cohorts,
            None => self.find_unsupported_cohorts(),
        };
        self.model.contexts_need_definitions |= cohorts.is_err();
        let found = match &cohorts {
            Ok(cohorts) => {
                let found = cohorts.binary_search_by_key(&id, |(id, _)| *id);
                let unsupported = found.ok().and_then(|position| cohorts.get(position));
                Ok(unsupported.is_none_or(|(_, unsupported)| *unsupported))
            }
            Err(Throws) => self.walk_cohort(id),
        };
        self.unsupported_cohorts = Some(cohorts);
        found
    }

    /// The same in the reference's order, because an exception comes before what it has not reached.
    ///
    /// PARITY: `isUnsupportedPropertyGroup` (posthog-node).
    fn walk_cohort(&mut self, id: &Text) -> Result<bool, Throws> {
        let Some(cohort) = self.definitions.cohorts.get(id) else { return Ok(true) };
        let Some(cohort) = cohort else { return Ok(true) };
        let mut visited = BTreeSet::from([id.clone()]);
        let mut open = vec![members(cohort)?.iter()];
        while let Some(group) = open.last_mut() {
            let Some(member) = group.next() else {
                open.pop();
                continue;
            };
            // DIFFERENCE: after so many steps nothing more is known of definitions that are malformed.
            self.cohort_steps = self.cohort_steps.checked_sub(1).ok_or(Throws)?;
            match self.member(member)? {
                Held::Unsupported => return Ok(true),
                Held::Supported => {}
                Held::Group(group) => open.push(members(group)?.iter()),
                Held::Cohort(id) => match self.definitions.cohorts.get(&id) {
                    None | Some(None) => return Ok(true),
                    Some(Some(cohort)) => {
                        if visited.insert(id) {
                            open.push(members(cohort)?.iter());
                        }
                    }
                },
            }
        }
        Ok(false)
    }

    /// Starts from the cohorts that hold such a filter and walks back along the references. `Err` if
    /// looking at some cohort throws.
    fn find_unsupported_cohorts(&mut self) -> Result<Vec<(&'a Text, bool)>, Throws> {
        let cohorts = &self.definitions.cohorts;
        let mut unsupported: Vec<(&Text, bool)> = cohorts.keys().map(|id| (id, false)).collect();
        let mut referrers: Vec<Vec<usize>> = vec![Vec::new(); unsupported.len()];
        let mut found = Vec::new();
        for (position, cohort) in cohorts.values().enumerate() {
            let mut open: Vec<&Value> = cohort.iter().collect();
            let mut holds = cohort.is_none();
            while let Some(group) = open.pop() {
                for member in members(group)? {
                    match self.member(member)? {
                        Held::Unsupported => holds = true,
                        Held::Supported => {}
                        Held::Group(group) => open.push(group),
                        Held::Cohort(id) => {
                            match unsupported.binary_search_by_key(&&id, |(id, _)| *id) {
                                Err(_) => holds = true,
                                Ok(target) => {
                                    referrers.get_mut(target).ok_or(Throws)?.push(position);
                                }
                            }
                        }
                    }
                }
            }
            if holds {
                found.push(position);
            }
        }
        while let Some(position) = found.pop() {
            if let Some((_, known @ false)) = unsupported.get_mut(position) {
                *known = true;
                found.extend(referrers.get(position).into_iter().flatten());
            }
        }
        Ok(unsupported)
    }

    /// PARITY: `isUnsupportedProperty` (posthog-node), with groups and cohorts left to the caller.
    fn member<'m>(&mut self, member: &'m Value) -> Result<Held<'m>, Throws> {
        let Value::Object(members) = member else { return Err(Throws) };
        if members.contains_key(b"values".as_slice()) {
            return Ok(Held::Group(member));
        }
        let unsupported = match kind(member) {
            Kind::Cohort => {
                return self.text(member.get("value")).map(Held::Cohort).ok_or(Throws);
            }
            Kind::Property => self.operation(member).1.is_unsupported()?,
            Kind::Flag => {
                let dependency = self.dependency(member);
                self.is_unsupported(&dependency)?
            }
        };
        Ok(if unsupported { Held::Unsupported } else { Held::Supported })
    }
}

impl Support {
    fn is_unsupported(self) -> Result<bool, Throws> {
        match self {
            Support::Supported => Ok(false),
            Support::Unsupported => Ok(true),
            Support::Throws => Err(Throws),
        }
    }
}

/// What a cohort holds, for being evaluable.
enum Held<'m> {
    Unsupported,
    Supported,
    Group(&'m Value),
    Cohort(Text),
}

/// The members of a group; of none if it has no list of them.
fn members(group: &Value) -> Result<&[Value], Throws> {
    match group.get("values") {
        // Every list has a member of this name, which is none.
        None if matches!(group, Value::Array(_)) => Err(Throws),
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(Throws),
    }
}
