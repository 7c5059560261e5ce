//! Filters and cohorts.

use super::Encoder;
use crate::compile::model::{CohortNode, Dependency, Expected, Filter, Filters, Target};
use crate::ruleset::layout::{
    COHORT, COHORT_ALL, COHORT_ANY, COHORT_EVERYBODY, COHORT_THROWS, COHORT_UNSUPPORTED,
    EXPECTED_FALSE, EXPECTED_NEVER, EXPECTED_TRUE, EXPECTED_VARIANT, FILTER, FILTER_COHORT,
    FILTER_FLAG, FILTER_GROUP, FILTER_PROPERTY, FILTER_THROWS, FILTER_THROWS_THROUGH, MALFORMED,
    NEGATED, NONE, NOT_IN, TARGET_CHAINED, TARGET_LOOSE, TARGET_UNKNOWN,
};

impl Encoder<'_> {
    pub(super) fn filters(&mut self, filters: &Filters) -> u32 {
        match filters {
            Filters::Malformed => MALFORMED,
            Filters::List(filters) => {
                let filters: Vec<_> = filters.iter().map(|filter| self.filter(filter)).collect();
                self.pool.list(&filters)
            }
        }
    }

    pub(super) fn cohort(&mut self, node: &CohortNode) -> [u32; COHORT] {
        let (kind, members) = match node {
            CohortNode::Everybody => return [COHORT_EVERYBODY, 0],
            CohortNode::Unsupported => return [COHORT_UNSUPPORTED, 0],
            CohortNode::Throws => return [COHORT_THROWS, 0],
            CohortNode::All(members) => (COHORT_ALL, members),
            CohortNode::Any(members) => (COHORT_ANY, members),
        };
        let members: Vec<_> = members
            .iter()
            .map(|member| {
                let [kind, index] = self.filter(&member.filter);
                [kind | if member.negation { NEGATED } else { 0 }, index]
            })
            .collect();
        [kind, self.pool.list(&members)]
    }

    fn filter(&mut self, filter: &Filter) -> [u32; FILTER] {
        match filter {
            Filter::Property(id) => {
                [FILTER_PROPERTY, self.predicates.get(*id).copied().unwrap_or(NONE)]
            }
            Filter::Cohort { node, not_in } => {
                let not_in = if *not_in { NOT_IN } else { 0 };
                [FILTER_COHORT | not_in, node.map_or(NONE, |node| node as u32)]
            }
            Filter::Flag(dependency) => [FILTER_FLAG, self.dependency(dependency)],
            Filter::Group(node) => [FILTER_GROUP, *node as u32],
            Filter::Throws(_) => [FILTER_THROWS, 0],
            Filter::ThrowsThrough => [FILTER_THROWS_THROUGH, 0],
        }
    }

    fn dependency(&mut self, dependency: &Dependency) -> u32 {
        let Dependency::Chain { chain, target, expected } = dependency else { return 0 };
        let [target, flag] = match target {
            Target::Chained(id) => [TARGET_CHAINED, id.0],
            Target::Loose(id) => [TARGET_LOOSE, id.0],
            Target::Unknown => [TARGET_UNKNOWN, 0],
        };
        let [expected, string] = match expected {
            Expected::Bool(false) => [EXPECTED_FALSE, 0],
            Expected::Bool(true) => [EXPECTED_TRUE, 0],
            Expected::Variant(id) => [EXPECTED_VARIANT, id.0],
            Expected::Never => [EXPECTED_NEVER, 0],
        };
        let head = [target, flag, expected, string, chain.len() as u32];
        let at = self.pool.block(&head);
        self.pool.words.extend(chain.iter().map(|id| id.0));
        at
    }
}
