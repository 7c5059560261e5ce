//! Evaluating flags for one user.

mod cohort;
mod condition;
mod dependency;
mod filter;

use std::cell::Cell;

use crate::answer::{Answer, FlagValue, Reason};
use crate::bucket;
use crate::context::Context;
use crate::ecma::{Host, template_text_of};
use crate::ruleset::{
    Conditions, FlagId, Holdout, PayloadId, PayloadKey, Plan, Ruleset, Subject, VariantKey,
    Variants,
};
use crate::text::Text;
use crate::value::Value;

/// Flags and cohorts inside each other that are followed before the answer is left to the server.
/// PostHog lists a flag's dependencies deepest first, so real ones stay near the surface.
const MAX_NESTING: u32 = 200;

/// One evaluation: a ruleset, a user and a time. Asking it for many flags shares what they share.
pub struct Evaluator<'a> {
    ruleset: &'a Ruleset,
    context: &'a Context,
    host: &'a dyn Host,
    now: f64,
    /// By flag.
    flags: Vec<Option<Memo<Outcome>>>,
    /// By scope, then cohort; a scope's list is empty until a cohort is met in it.
    cohorts: Vec<Vec<Option<Memo<Verdict>>>>,
    /// By flag, whether a dependency found its value: the reference's cache has it.
    cached: Vec<bool>,
    /// How many values are cached, where that can change what is evaluated later.
    epoch: usize,
    /// Whether the flags are asked for together.
    together: bool,
    nesting: u32,
}

/// What is known of a flag or cohort in this evaluation.
#[derive(Clone, Copy)]
enum Memo<T> {
    InProgress,
    Known {
        result: T,
        /// When its evaluation began.
        epoch: usize,
    },
}

/// A filter, a cohort or a condition, as the reference's booleans and exceptions tell it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Is(bool),
    /// Inconclusive; evaluation goes on with the next filter or condition.
    Soft(Cause),
    /// Only the server can tell, and nothing later changes that.
    Hard(Reason),
    /// The reference throws; the reason is what we answer instead.
    Throws(Reason),
    /// The reference never returns: flags or cohorts lead back to themselves.
    Diverges(Reason),
}

/// Why something is inconclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cause {
    reason: Reason,
    /// A regular expression was left to the server: a later match must not hide what it could have given.
    regex: bool,
}

/// How a flag's own evaluation ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Value(FlagValue),
    Soft(Cause),
    Hard(Reason),
    Throws(Reason),
    Diverges(Reason),
}

/// Whose properties filters read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scope {
    Person,
    /// Index into [`Context::groups`].
    Group(usize),
}

/// A flag that is being evaluated, with what its conditions share.
#[derive(Clone, Copy)]
struct Subjected<'a> {
    key: &'a Text,
    bucketing: &'a Text,
    scope: Scope,
    positions: &'a Positions,
}

/// Positions that were hashed last, with their scopes: many conditions of one flag ask for the same.
#[derive(Default)]
struct Positions {
    rollout: Cell<Option<(Scope, f64)>>,
    variant: Cell<Option<(Scope, f64)>>,
}

impl Cause {
    fn plain(reason: Reason) -> Self {
        Cause { reason, regex: false }
    }
}

/// The reasons met so far; the strongest counts.
#[derive(Clone, Copy, Default)]
struct Recorded {
    reason: Option<Reason>,
    regex: bool,
}

impl Recorded {
    fn add(&mut self, cause: Cause) {
        self.reason = Some(self.reason.map_or(cause.reason, |reason| reason.min(cause.reason)));
        self.regex |= cause.regex;
    }

    fn cause(self) -> Option<Cause> {
        self.reason.map(|reason| Cause { reason, regex: self.regex })
    }
}

impl<'a> Evaluator<'a> {
    /// `now` is in milliseconds since the epoch and decides relative dates.
    #[must_use]
    pub fn new(ruleset: &'a Ruleset, context: &'a Context, host: &'a dyn Host, now: f64) -> Self {
        Evaluator {
            ruleset,
            context,
            host,
            now,
            flags: vec![None; ruleset.flags.len()],
            cohorts: vec![Vec::new(); ruleset.group_types.len() + 1],
            cached: vec![false; ruleset.flags.len()],
            epoch: 0,
            together: false,
            nesting: 0,
        }
    }

    /// Evaluates one flag.
    ///
    /// PARITY: `computeFlagAndPayloadLocally` (posthog-node).
    ///
    /// DIFFERENCE: where the reference throws on a malformed definition the flag is unresolved.
    #[must_use]
    pub fn flag(mut self, id: FlagId) -> Answer {
        self.answer(id)
    }

    /// Evaluates several flags, which share what they depend on.
    ///
    /// PARITY: `getAllFlagsAndPayloads` (posthog-node), payloads excepted: it leaves falsy ones out.
    ///
    /// DIFFERENCE: the reference evaluates all flags at once, so that the value of a dependency whose
    /// chain lacks its own flag depends on how long hashes take; here it is unresolved.
    #[must_use]
    pub fn flags(mut self, ids: &[FlagId]) -> Vec<Answer> {
        self.together = true;
        ids.iter().map(|id| self.answer(*id)).collect()
    }

    fn answer(&mut self, id: FlagId) -> Answer {
        match self.outcome(id) {
            Outcome::Value(value) => match self.payload(id, value) {
                Ok(payload) => Answer::Value { value, payload },
                Err(reason) => Answer::Unresolved(reason),
            },
            Outcome::Soft(Cause { reason, .. })
            | Outcome::Hard(reason)
            | Outcome::Throws(reason)
            | Outcome::Diverges(reason) => Answer::Unresolved(reason),
        }
    }

    /// PARITY: `resolveFeatureFlagPayload` (@posthog/core); `Err` where it throws.
    fn payload(&self, id: FlagId, value: FlagValue) -> Result<Option<PayloadId>, Reason> {
        let key = match value {
            FlagValue::Bool(false) => return Ok(None),
            FlagValue::Bool(true) => PayloadKey::True,
            FlagValue::Variant(id) | FlagValue::Json(id) => PayloadKey::Variant(id),
        };
        let flag = self.ruleset.flags.get(id.0 as usize);
        match flag.and_then(|flag| flag.payloads.iter().find(|(name, _)| *name == key)) {
            None => Ok(None),
            Some((_, None)) => Err(Reason::UnsupportedDefinition),
            Some((_, payload)) => Ok(*payload),
        }
    }

    /// The outcome, computed once.
    ///
    /// DIFFERENCE: where the reference runs in a cycle for ever, or flags and cohorts are nested beyond the
    /// limit, every flag on the way is unresolved. Failed dependencies are not evaluated again.
    fn outcome(&mut self, id: FlagId) -> Outcome {
        match self.flags.get(id.0 as usize) {
            // The reference remembers values only.
            Some(Some(Memo::Known { result, epoch }))
                if *epoch == self.epoch || matches!(result, Outcome::Value(_)) =>
            {
                return *result;
            }
            Some(Some(Memo::InProgress)) => return Outcome::Diverges(Reason::UnresolvedDependency),
            _ => {}
        }
        if self.nesting >= MAX_NESTING {
            return Outcome::Diverges(Reason::UnresolvedDependency);
        }
        self.remember(id, Memo::InProgress);
        self.nesting += 1;
        let epoch = self.epoch;
        let outcome = self.evaluate(id);
        self.nesting -= 1;
        self.remember(id, Memo::Known { result: outcome, epoch });
        outcome
    }

    fn remember(&mut self, id: FlagId, memo: Memo<Outcome>) {
        if let Some(slot) = self.flags.get_mut(id.0 as usize) {
            *slot = Some(memo);
        }
    }

    /// PARITY: `computeFlagValueLocally` (posthog-node).
    fn evaluate(&mut self, id: FlagId) -> Outcome {
        let (ruleset, context) = (self.ruleset, self.context);
        let index = id.0 as usize;
        let Some(flag) = ruleset.flags.get(index) else {
            return Outcome::Throws(Reason::UnsupportedDefinition);
        };
        if !flag.active {
            return Outcome::Value(FlagValue::Bool(false));
        }
        let Some(key) = ruleset.flag_keys.get(index) else {
            return Outcome::Throws(Reason::UnsupportedDefinition);
        };
        let rules = match &flag.plan {
            Plan::Unresolved(reason) => return Outcome::Soft(Cause::plain(*reason)),
            Plan::Rules(rules) => rules,
        };
        let device;
        let (scope, bucketing) = match rules.subject {
            Subject::Person => (Scope::Person, &context.distinct_id),
            Subject::Group(index) => match context.groups.get(index).and_then(Option::as_ref) {
                None => return Outcome::Value(FlagValue::Bool(false)),
                Some(group) => (Scope::Group(index), &group.key),
            },
            Subject::Device(slot) => {
                let value = context.person.get(slot).and_then(Option::as_ref);
                match value.filter(|value| {
                    !value.is_nullish() && **value != Value::String(Text::default())
                }) {
                    None => {
                        let reason = flag.definition_reason.unwrap_or(Reason::MissingContext);
                        return Outcome::Soft(Cause::plain(reason));
                    }
                    Some(value) => match template_text_of(value, self.host) {
                        None => return Outcome::Throws(Reason::MissingContext),
                        Some(text) => {
                            device = text;
                            (Scope::Person, &device)
                        }
                    },
                }
            }
        };
        if let Some(holdout) = &rules.holdout
            && holds_out(holdout, bucketing)
        {
            return match holdout.value {
                Some(value) => Outcome::Value(FlagValue::Variant(value)),
                None => Outcome::Throws(Reason::UnsupportedDefinition),
            };
        }
        let Conditions::List(conditions) = &rules.conditions else {
            return Outcome::Throws(Reason::UnsupportedDefinition);
        };
        let positions = Positions::default();
        let subject = Subjected { key, bucketing, scope, positions: &positions };
        self.conditions(subject, rules, conditions, flag.definition_reason)
    }
}

/// PARITY: `getHoldoutVariant` (@posthog/core).
fn holds_out(holdout: &Holdout, bucketing: &Text) -> bool {
    holdout.percentage >= 100.0
        || bucket::position(&[b"holdout-", bucketing]) <= holdout.percentage / 100.0
}

impl Subjected<'_> {
    /// The position of the flag's users that rollouts are measured by.
    fn rollout_hash(&self) -> f64 {
        self.position(&self.positions.rollout, "")
    }

    fn position(&self, known: &Cell<Option<(Scope, f64)>>, salt: &str) -> f64 {
        match known.get() {
            Some((scope, position)) if scope == self.scope => position,
            _ => {
                let position = bucket::position(&[self.key, b".", self.bucketing, salt.as_bytes()]);
                known.set(Some((self.scope, position)));
                position
            }
        }
    }

    /// The flag's value when a condition matches without forcing a variant.
    ///
    /// PARITY: `getFeatureFlagVariant`, `getMatchingVariant` (posthog-node); `Err` where it throws.
    fn variant(&self, variants: &Variants) -> Result<FlagValue, Reason> {
        let Variants::Table(table) = variants else { return Err(Reason::UnsupportedDefinition) };
        if table.is_empty() {
            return Ok(FlagValue::Bool(true));
        }
        let position = self.position(&self.positions.variant, "variant");
        match table.get(table.partition_point(|variant| variant.max <= position)) {
            None => Ok(FlagValue::Bool(true)),
            Some(variant) => Ok(value_of(variant.key)),
        }
    }
}

fn value_of(key: VariantKey) -> FlagValue {
    match key {
        VariantKey::Text(id) => FlagValue::Variant(id),
        VariantKey::Json(id) => FlagValue::Json(id),
        VariantKey::True => FlagValue::Bool(true),
    }
}
