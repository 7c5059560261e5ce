//! What a flag reads of a user, itself or through cohorts and other flags.

use std::collections::BTreeSet;

use super::model::{
    Aggregation, CohortNode, Conditions, Dependency, Filter, Filters, Model, Plan, Subject,
};

/// Filters looked at, and slots listed, for one flag: a flag that needs more is given everything.
const MOST_FILTERS: usize = 256;
const MOST_SLOTS: usize = 64;

/// The slots and group types that a flag reads.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// `None`: too many to list.
    pub(super) slots: Option<BTreeSet<usize>>,
    pub(super) group_types: BTreeSet<usize>,
}

pub(super) fn needs(model: &Model, flag: usize) -> Needs {
    let mut walk = Walk::new(model);
    walk.flags.insert(flag);
    walk.open_flags.push(flag);
    let complete = walk.run().is_some() && walk.slots.len() <= MOST_SLOTS;
    let all = (0..model.group_types.len()).collect();
    match complete {
        true => Needs { slots: Some(walk.slots), group_types: walk.group_types },
        false => Needs { slots: None, group_types: all },
    }
}

struct Walk<'a> {
    model: &'a Model,
    slots: BTreeSet<usize>,
    group_types: BTreeSet<usize>,
    flags: BTreeSet<usize>,
    cohorts: BTreeSet<usize>,
    open_flags: Vec<usize>,
    open_cohorts: Vec<usize>,
    filters: usize,
}

impl<'a> Walk<'a> {
    fn new(model: &'a Model) -> Self {
        Walk {
            model,
            slots: BTreeSet::new(),
            group_types: BTreeSet::new(),
            flags: BTreeSet::new(),
            cohorts: BTreeSet::new(),
            open_flags: Vec::new(),
            open_cohorts: Vec::new(),
            filters: 0,
        }
    }

    /// `None` if there are too many filters.
    fn run(&mut self) -> Option<()> {
        loop {
            if let Some(flag) = self.open_flags.pop() {
                self.flag(flag)?;
            } else if let Some(cohort) = self.open_cohorts.pop() {
                let model = self.model;
                if let Some(CohortNode::All(members) | CohortNode::Any(members)) =
                    model.cohorts.get(cohort)
                {
                    members.iter().try_for_each(|member| self.filter(&member.filter))?;
                }
            } else {
                return Some(());
            }
        }
    }

    fn flag(&mut self, flag: usize) -> Option<()> {
        let model = self.model;
        let Some(flag) = model.flags.get(flag).filter(|flag| flag.active) else { return Some(()) };
        let Plan::Rules(rules) = &flag.plan else { return Some(()) };
        match rules.subject {
            Subject::Person => {}
            Subject::Device(slot) => {
                self.slots.insert(slot);
            }
            Subject::Group(group_type) => {
                self.group_types.insert(group_type);
            }
        }
        let Conditions::List(conditions) = &rules.conditions else { return Some(()) };
        for condition in conditions {
            self.count()?;
            if let Aggregation::Group(group_type) = condition.aggregation {
                self.group_types.insert(group_type);
            }
            if let Filters::List(filters) = &condition.filters {
                filters.iter().try_for_each(|filter| self.filter(filter))?;
            }
        }
        Some(())
    }

    fn filter(&mut self, filter: &Filter) -> Option<()> {
        self.count()?;
        match filter {
            Filter::Property(id) => {
                self.slots.extend(self.model.predicates.get(*id).map(|predicate| predicate.slot));
            }
            Filter::Cohort { node: Some(node), .. } | Filter::Group(node) => {
                if self.cohorts.insert(*node) {
                    self.open_cohorts.push(*node);
                }
            }
            Filter::Flag(Dependency::Chain { chain, .. }) => {
                for id in chain {
                    self.count()?;
                    let flag = id.0 as usize;
                    if self.flags.insert(flag) {
                        self.open_flags.push(flag);
                    }
                }
            }
            Filter::Cohort { node: None, .. }
            | Filter::Flag(Dependency::Unsupported)
            | Filter::Throws(_)
            | Filter::ThrowsThrough => {}
        }
        Some(())
    }

    fn count(&mut self) -> Option<()> {
        self.filters += 1;
        (self.filters <= MOST_FILTERS).then_some(())
    }
}
