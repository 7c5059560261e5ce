//! What the compiler makes of definitions before it is written into bytes: tables that refer to each
//! other by index.

use std::collections::BTreeMap;

use super::operation::Operation;
use crate::answer::Reason;
use crate::ruleset::{FlagId, Payload, PayloadId, StringId};
use crate::text::Text;

/// Definitions compiled for evaluation.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// After the flags that have keys, one that is inactive for each that the evaluation contexts left
    /// out: dependencies find them.
    pub(crate) flags: Vec<Flag>,
    pub(crate) flag_keys: Names,
    pub(crate) slots: Names,
    pub(crate) group_types: Names,
    pub(crate) strings: Names,
    pub(crate) payloads: Vec<Payload>,
    pub(crate) predicates: Vec<Predicate>,
    pub(crate) cohorts: Vec<CohortNode>,
    /// Whether some dependency's own chain lacks the flag that it is about, and another chain has it:
    /// then what was evaluated earlier decides. PostHog never sends such chains.
    pub(crate) order_shows: bool,
    /// By flag, whether some dependency's chain names it.
    pub(crate) chained: Vec<bool>,
    /// Whether evaluation contexts can be told from the definitions only: leaving a flag out would
    /// change more than its own answer and those that depend on it.
    pub(crate) contexts_need_definitions: bool,
    pub(crate) problems: Vec<String>,
}

/// Texts and their numbers, in the order they were first seen.
#[derive(Debug, Default)]
pub(crate) struct Names {
    texts: Vec<Text>,
    numbers: BTreeMap<Text, usize>,
}

impl Names {
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(crate) fn get(&self, number: usize) -> Option<&Text> {
        self.texts.get(number)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Text> {
        self.texts.iter()
    }

    /// The numbers by rising text.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = usize> {
        self.numbers.values().copied()
    }

    pub(crate) fn find(&self, text: &[u8]) -> Option<usize> {
        self.numbers.get(text).copied()
    }

    /// The number of a text, a new one if it is new.
    pub(crate) fn number(&mut self, text: &Text) -> usize {
        if let Some(number) = self.find(text) {
            return number;
        }
        self.texts.push(text.clone());
        self.numbers.insert(text.clone(), self.texts.len() - 1);
        self.texts.len() - 1
    }
}

impl Model {
    /// A flag by its key.
    pub(crate) fn flag(&self, key: &[u8]) -> Option<FlagId> {
        self.flag_keys.find(key).map(|number| FlagId(number as u32))
    }

    pub(crate) fn is_chained(&self, id: FlagId) -> bool {
        self.chained.get(id.0 as usize).is_some_and(|chained| *chained)
    }
}

/// A flag.
#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) active: bool,
    pub(crate) plan: Plan,
    /// The reason that the definition alone gives, whatever the user.
    pub(crate) definition_reason: Option<Reason>,
    /// `None`: looking the payload up makes the reference throw.
    pub(crate) payloads: Vec<(PayloadKey, Option<PayloadId>)>,
    /// The evaluation contexts it is in; `None`: all.
    pub(crate) contexts: Option<Vec<Text>>,
}

impl Flag {
    /// A flag that is `false` for everybody.
    pub(crate) fn inactive() -> Self {
        Flag {
            active: false,
            plan: Plan::Unresolved(Reason::UnsupportedDefinition),
            definition_reason: None,
            payloads: Vec::new(),
            contexts: None,
        }
    }
}

/// What a payload hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PayloadKey {
    True,
    Variant(StringId),
}

/// How an active flag is decided.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Nothing about the user matters.
    Unresolved(Reason),
    Rules(Rules),
}

/// Who a flag is bucketed by and whose properties it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Person,
    /// The person, bucketed by the property in this slot (`$device_id`).
    Device(usize),
    /// Index into [`Model::group_types`].
    Group(usize),
}

#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) subject: Subject,
    pub(crate) holdout: Option<Holdout>,
    pub(crate) conditions: Conditions,
    pub(crate) early_exit: bool,
    pub(crate) variants: Variants,
}

/// The conditions in order. A definition that is not a list makes the reference throw.
#[derive(Debug)]
pub(crate) enum Conditions {
    List(Vec<Condition>),
    Malformed,
}

#[derive(Debug)]
pub(crate) struct Holdout {
    /// Percent, 0 to 100.
    pub(crate) percentage: f64,
    /// `None` if its id has no text: holding somebody out makes the reference throw.
    pub(crate) value: Option<StringId>,
}

/// The variant table: upper bounds accumulated as the reference does, and rising: a variant that reaches
/// no further than those before it is left out.
#[derive(Debug)]
pub(crate) enum Variants {
    Table(Vec<Variant>),
    /// Walking it makes the reference throw.
    Malformed,
}

#[derive(Debug)]
pub(crate) struct Variant {
    /// Users below it, and not below the variant before, have this variant.
    pub(crate) max: f64,
    pub(crate) key: VariantKey,
}

/// What a variant, an override or a holdout makes of the flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VariantKey {
    Text(StringId),
    /// An empty or missing key: the flag is plainly on.
    True,
    /// Neither text nor boolean, by its JSON: what a malformed definition gives.
    Json(StringId),
}

#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) aggregation: Aggregation,
    pub(crate) filters: Filters,
    pub(crate) rollout: Rollout,
    pub(crate) variant: Override,
}

/// The share of users a condition lets in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rollout {
    /// The definition has none.
    All,
    /// 0 to 1. NaN lets everybody in.
    Share(f64),
    /// Computing with it makes the reference throw.
    Malformed,
}

/// The variant a condition forces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Override {
    None,
    To(VariantKey),
    /// Looking it up makes the reference throw.
    Malformed,
}

/// Whose properties a condition reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregation {
    /// The flag's own.
    Inherit,
    /// Index into [`Model::group_types`].
    Group(usize),
    /// An unknown group type: the condition is passed over.
    Skip,
    Malformed,
}

#[derive(Debug)]
pub(crate) enum Filters {
    List(Vec<Filter>),
    /// Not a list: the reference throws before it looks at any filter.
    Malformed,
}

/// One filter of a condition, or one entry of a cohort.
#[derive(Debug)]
pub(crate) enum Filter {
    /// Index into [`Model::predicates`].
    Property(usize),
    Cohort {
        /// Index into [`Model::cohorts`]; `None` when PostHog did not send that cohort.
        node: Option<usize>,
        not_in: bool,
    },
    Flag(Dependency),
    /// A property group inside a cohort; index into [`Model::cohorts`].
    Group(usize),
    /// The reference throws, inside the filter (an earlier inconclusive filter swallows it). What it
    /// asks to find a reason may not.
    Throws(Support),
    /// The reference throws, and nothing swallows it.
    ThrowsThrough,
}

#[derive(Debug)]
pub(crate) enum Dependency {
    /// No chain, an empty one, or one that names an unknown flag.
    Unsupported,
    Chain {
        chain: Vec<FlagId>,
        target: Target,
        expected: Expected,
    },
}

/// The flag a dependency is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The dependency's own chain has it.
    Chained(FlagId),
    /// The dependency's own chain lacks it.
    Loose(FlagId),
    Unknown,
}

/// What a dependency's value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Bool(bool),
    Variant(StringId),
    /// A value no flag ever has.
    Never,
}

/// A property filter.
#[derive(Debug)]
pub(crate) struct Predicate {
    pub(crate) slot: usize,
    pub(crate) operation: Operation,
    pub(crate) support: Support,
}

/// Whether a filter can be evaluated at all, whatever the property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Support {
    Supported,
    Unsupported,
    /// Checking makes the reference throw.
    Throws,
}

impl Support {
    pub(crate) fn of(supported: bool) -> Self {
        if supported { Support::Supported } else { Support::Unsupported }
    }
}

/// A cohort or a group inside one.
#[derive(Debug)]
pub(crate) enum CohortNode {
    /// No conditions: everybody is in it.
    Everybody,
    /// A kind of group the reference leaves to the server.
    Unsupported,
    Throws,
    All(Vec<Member>),
    Any(Vec<Member>),
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) filter: Filter,
    pub(crate) negation: bool,
}
