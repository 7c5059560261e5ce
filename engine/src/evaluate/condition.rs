//! The conditions of a flag.

use super::{Cause, Evaluator, Outcome, Recorded, Scope, Subjected, Verdict, value_of};
use crate::answer::{FlagValue, Reason};
use crate::ruleset::{Aggregation, Condition, Filters, Override, Rollout, Rules};

/// What a condition says of the user.
enum Match {
    Yes,
    No,
    OutOfRollout,
    Soft(Cause),
    Hard(Reason),
    Throws(Reason),
    Diverges(Reason),
}

impl<'a> Evaluator<'a> {
    /// The first match decides, unless an earlier condition that a regular expression left open could
    /// have given another value.
    ///
    /// PARITY: `matchFeatureFlagProperties` (posthog-node).
    pub(super) fn conditions(
        &mut self,
        subject: Subjected<'_>,
        rules: &Rules,
        conditions: &[Condition],
        definition_reason: Option<Reason>,
    ) -> Outcome {
        let mut recorded = Recorded::default();
        let mut deferred: Vec<FlagValue> = Vec::new();
        let mut result = None;
        for condition in conditions {
            let subject = match self.condition_subject(subject, condition.aggregation) {
                Ok(Some(subject)) => subject,
                Ok(None) => continue,
                Err(Verdict::Soft(cause)) => {
                    recorded.add(cause);
                    continue;
                }
                Err(_) => return Outcome::Throws(Reason::UnsupportedDefinition),
            };
            match self.condition(subject, condition) {
                Match::No => {}
                Match::Yes => match self.matched(subject, rules, condition) {
                    Ok(value) => {
                        result = Some(value);
                        break;
                    }
                    Err(reason) => return Outcome::Throws(reason),
                },
                Match::OutOfRollout if !rules.early_exit => {}
                Match::OutOfRollout => match recorded.reason {
                    Some(_) => break,
                    None => return Outcome::Value(FlagValue::Bool(false)),
                },
                Match::Soft(cause) => {
                    recorded.add(cause);
                    if cause.regex {
                        match self.deferred(subject, rules, condition) {
                            Ok(value) => deferred.push(value),
                            Err(reason) => return Outcome::Throws(reason),
                        }
                    }
                }
                Match::Hard(reason) => {
                    let reasons = [recorded.reason, definition_reason];
                    return Outcome::Hard(reasons.into_iter().flatten().fold(reason, Reason::min));
                }
                Match::Throws(reason) => return Outcome::Throws(reason),
                Match::Diverges(reason) => return Outcome::Diverges(reason),
            }
        }
        if let Some(value) = result
            && deferred.iter().all(|other| *other == value)
        {
            return Outcome::Value(value);
        }
        recorded.cause().map_or(Outcome::Value(FlagValue::Bool(false)), Outcome::Soft)
    }

    /// Whose properties and bucketing value a condition uses; `Ok(None)` passes it over.
    fn condition_subject<'s>(
        &self,
        subject: Subjected<'s>,
        aggregation: Aggregation,
    ) -> Result<Option<Subjected<'s>>, Verdict>
    where
        'a: 's,
    {
        let index = match aggregation {
            Aggregation::Inherit => return Ok(Some(subject)),
            Aggregation::Skip => return Ok(None),
            Aggregation::Malformed => return Err(Verdict::Throws(Reason::UnsupportedDefinition)),
            Aggregation::Group(index) => index,
        };
        let context = self.context;
        match context.groups.get(index).and_then(Option::as_ref) {
            None => Ok(None),
            Some(group) if group.properties.is_none() => {
                Err(Verdict::Soft(Cause::plain(Reason::MissingContext)))
            }
            Some(group) => {
                Ok(Some(Subjected { bucketing: &group.key, scope: Scope::Group(index), ..subject }))
            }
        }
    }

    /// PARITY: `isConditionMatch` (posthog-node).
    fn condition(&mut self, subject: Subjected<'_>, condition: &Condition) -> Match {
        let Filters::List(filters) = &condition.filters else {
            return Match::Throws(Reason::UnsupportedDefinition);
        };
        let mut recorded = Recorded::default();
        let mut hard = None;
        for filter in filters {
            match self.filter(filter, subject.scope) {
                Verdict::Is(true) => {}
                Verdict::Is(false) => return Match::No,
                Verdict::Soft(cause) => recorded.add(cause),
                Verdict::Hard(reason) => {
                    if recorded.reason.is_none() {
                        hard = Some(reason);
                    }
                    recorded.add(Cause::plain(reason));
                }
                // An earlier inconclusive filter swallows an exception and ends the condition.
                Verdict::Throws(_) if recorded.reason.is_some() && !filter.throws_through() => {
                    break;
                }
                Verdict::Throws(reason) => return Match::Throws(reason),
                Verdict::Diverges(reason) => return Match::Diverges(reason),
            }
        }
        if let Some(reason) = hard {
            return Match::Hard(reason);
        }
        if let Some(cause) = recorded.cause() {
            return Match::Soft(cause);
        }
        match is_out_of_rollout(subject, condition) {
            Ok(true) => Match::OutOfRollout,
            Ok(false) => Match::Yes,
            Err(reason) => Match::Throws(reason),
        }
    }

    fn matched(
        &self,
        subject: Subjected<'_>,
        rules: &Rules,
        condition: &Condition,
    ) -> Result<FlagValue, Reason> {
        match condition.variant {
            Override::None => subject.variant(&rules.variants),
            Override::To(key) => Ok(value_of(key)),
            Override::Malformed => Err(Reason::UnsupportedDefinition),
        }
    }

    /// What a condition would have made of the flag, had its regular expression matched.
    fn deferred(
        &self,
        subject: Subjected<'_>,
        rules: &Rules,
        condition: &Condition,
    ) -> Result<FlagValue, Reason> {
        if rules.early_exit && is_out_of_rollout(subject, condition)? {
            return Ok(FlagValue::Bool(false));
        }
        self.matched(subject, rules, condition)
    }
}

/// `Err` where the reference throws.
fn is_out_of_rollout(subject: Subjected<'_>, condition: &Condition) -> Result<bool, Reason> {
    match condition.rollout {
        Rollout::All => Ok(false),
        // Nobody lies beyond 1, so a full rollout needs no hash.
        Rollout::Share(share) => Ok(share < 1.0 && subject.rollout_hash() > share),
        Rollout::Malformed => Err(Reason::UnsupportedDefinition),
    }
}
