//! The conditions of a flag.

use super::flag::{Rules, value_of};
use super::position::{Kind, Positions, Subject, Waits};
use super::{Cause, Evaluation, Outcome, Recorded, Verdict};
use crate::answer::{Code, Reason};
use crate::context::Scope;
use crate::ecma::Host;
use crate::ruleset::layout::{
    AGGREGATION_GROUP, AGGREGATION_INHERIT, AGGREGATION_SKIP, CONDITION, CONDITION_AGGREGATION,
    CONDITION_OVERRIDE, CONDITION_ROLLOUT, FILTER_KIND, FILTER_PROPERTY, FILTER_THROWS_THROUGH,
    OVERRIDE_MALFORMED, OVERRIDE_NONE, ROLLOUT_ALL, ROLLOUT_NOBODY, ROLLOUT_SHARE,
};
use crate::ruleset::{Word, double, word};

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

/// A condition's words.
type Condition = [Word; CONDITION];

impl<H: Host + ?Sized> Evaluation<'_, H> {
    /// The first match decides, unless an earlier condition that a regular expression left open could
    /// have given another value.
    ///
    /// PARITY: `matchFeatureFlagProperties` (posthog-node).
    #[inline]
    pub(super) fn conditions(
        &mut self,
        subject: &Subject<'_>,
        rules: &Rules,
        conditions: &[Condition],
        positions: &mut Positions,
    ) -> Outcome {
        self.try_conditions(subject, rules, conditions, positions).unwrap_or(Outcome::Waits)
    }

    #[inline]
    fn try_conditions(
        &mut self,
        subject: &Subject<'_>,
        rules: &Rules,
        conditions: &[Condition],
        positions: &mut Positions,
    ) -> Result<Outcome, Waits> {
        let mut recorded = Recorded::default();
        let mut deferred = Deferred::Nothing;
        let mut result = None;
        for condition in conditions {
            let other;
            let subject = match word(&condition[0]) & CONDITION_AGGREGATION {
                AGGREGATION_INHERIT => subject,
                _ => match self.other_subject(subject, condition) {
                    Ok(Some(subject)) => {
                        other = subject;
                        &other
                    }
                    Ok(None) => continue,
                    Err(Verdict::Soft(cause)) => {
                        recorded.add(cause);
                        continue;
                    }
                    Err(_) => return Ok(Outcome::UNSUPPORTED),
                },
            };
            match self.condition(subject, condition, positions)? {
                Match::No => {}
                Match::Yes => match self.matched(subject, rules, condition, positions)? {
                    Outcome::Value(value) => {
                        result = Some(value);
                        break;
                    }
                    throws => return Ok(throws),
                },
                Match::OutOfRollout if !rules.early_exit => {}
                Match::OutOfRollout => match recorded.reason {
                    Some(_) => break,
                    None => return Ok(Outcome::FALSE),
                },
                Match::Soft(cause) => {
                    recorded.add(cause);
                    if cause.regex {
                        match self.deferred(subject, rules, condition, positions)? {
                            Outcome::Value(value) => deferred.add(value),
                            throws => return Ok(throws),
                        }
                    }
                }
                Match::Hard(reason) => {
                    let reasons = [recorded.reason, rules.definition_reason];
                    let reason = reasons.into_iter().flatten().fold(reason, Reason::min);
                    return Ok(Outcome::Hard(reason));
                }
                Match::Throws(reason) => return Ok(Outcome::Throws(reason)),
                Match::Diverges(reason) => return Ok(Outcome::Diverges(reason)),
            }
        }
        if let Some(value) = result
            && deferred.allows(value)
        {
            return Ok(Outcome::Value(value));
        }
        Ok(recorded.cause().map_or(Outcome::FALSE, Outcome::Soft))
    }

    /// Whose properties and bucketing value a condition uses that is not about the flag's own subject;
    /// `Ok(None)` passes it over.
    #[inline(never)]
    fn other_subject<'s>(
        &self,
        subject: &Subject<'s>,
        [bits, group_type, ..]: &Condition,
    ) -> Result<Option<Subject<'s>>, Verdict> {
        match word(bits) & CONDITION_AGGREGATION {
            AGGREGATION_SKIP => return Ok(None),
            AGGREGATION_GROUP => {}
            _ => return Err(Verdict::Throws(Reason::UnsupportedDefinition)),
        }
        let group_type = word(group_type);
        match self.context.group(group_type) {
            None => Ok(None),
            Some((_, false)) => Err(Verdict::Soft(Cause::plain(Reason::MissingContext))),
            Some((key, true)) => {
                Ok(Some(Subject { bucketing: key, scope: Scope::Group(group_type), ..*subject }))
            }
        }
    }

    /// PARITY: `isConditionMatch` (posthog-node).
    #[inline]
    fn condition(
        &mut self,
        subject: &Subject<'_>,
        condition: &Condition,
        positions: &mut Positions,
    ) -> Result<Match, Waits> {
        let [.., filters] = condition;
        let Some(filters) = self.view.list(word(filters)) else {
            return Ok(Match::Throws(Reason::UnsupportedDefinition));
        };
        let mut recorded = Recorded::default();
        let mut hard = None;
        for filter in filters {
            // Most filters are about properties: they are asked right here.
            let verdict = match filter.each_ref().map(word) {
                [bits, id] if bits & FILTER_KIND == FILTER_PROPERTY => {
                    self.property(id, subject.scope)
                }
                _ => self.filter(filter, subject.scope),
            };
            match verdict {
                Verdict::Is(true) => {}
                Verdict::Is(false) => return Ok(Match::No),
                Verdict::Soft(cause) => recorded.add(cause),
                Verdict::Hard(reason) => {
                    if recorded.reason.is_none() {
                        hard = Some(reason);
                    }
                    recorded.add(Cause::plain(reason));
                }
                // An earlier inconclusive filter swallows an exception and ends the condition, if
                // the exception comes from inside the place where the reference looks after them.
                Verdict::Throws(_)
                    if recorded.reason.is_some()
                        && word(&filter[0]) & FILTER_KIND != FILTER_THROWS_THROUGH =>
                {
                    break;
                }
                Verdict::Throws(reason) => return Ok(Match::Throws(reason)),
                Verdict::Diverges(reason) => return Ok(Match::Diverges(reason)),
            }
        }
        if let Some(reason) = hard {
            return Ok(Match::Hard(reason));
        }
        if let Some(cause) = recorded.cause() {
            return Ok(Match::Soft(cause));
        }
        Ok(match self.is_out_of_rollout(subject, condition, positions)? {
            Ok(true) => Match::OutOfRollout,
            Ok(false) => Match::Yes,
            Err(reason) => Match::Throws(reason),
        })
    }

    #[inline]
    fn matched(
        &mut self,
        subject: &Subject<'_>,
        rules: &Rules,
        [bits, _, _, _, string, _]: &Condition,
        positions: &mut Positions,
    ) -> Result<Outcome, Waits> {
        match word(bits) >> CONDITION_OVERRIDE & 7 {
            OVERRIDE_NONE => self.variant(subject, rules, positions),
            OVERRIDE_MALFORMED => Ok(Outcome::UNSUPPORTED),
            kind => Ok(Outcome::Value(value_of(kind, word(string)))),
        }
    }

    /// What a condition would have made of the flag, had its regular expression matched.
    fn deferred(
        &mut self,
        subject: &Subject<'_>,
        rules: &Rules,
        condition: &Condition,
        positions: &mut Positions,
    ) -> Result<Outcome, Waits> {
        if rules.early_exit {
            match self.is_out_of_rollout(subject, condition, positions)? {
                Ok(true) => return Ok(Outcome::FALSE),
                Ok(false) => {}
                Err(reason) => return Ok(Outcome::Throws(reason)),
            }
        }
        self.matched(subject, rules, condition, positions)
    }

    /// The inner `Err` where the reference throws.
    #[inline]
    fn is_out_of_rollout(
        &mut self,
        subject: &Subject<'_>,
        [bits, _, low, high, ..]: &Condition,
        positions: &mut Positions,
    ) -> Result<Result<bool, Reason>, Waits> {
        Ok(match word(bits) >> CONDITION_ROLLOUT & 3 {
            ROLLOUT_ALL => Ok(false),
            ROLLOUT_NOBODY => Ok(true),
            ROLLOUT_SHARE => {
                Ok(self.position(subject, positions, Kind::Rollout)? > double(low, high))
            }
            _ => Err(Reason::UnsupportedDefinition),
        })
    }
}

/// The values that conditions left open would have given.
#[derive(Clone, Copy)]
enum Deferred {
    Nothing,
    Only(Code),
    Several,
}

impl Deferred {
    fn add(&mut self, value: Code) {
        *self = match *self {
            Deferred::Nothing => Deferred::Only(value),
            Deferred::Only(other) if other == value => Deferred::Only(other),
            _ => Deferred::Several,
        };
    }

    /// Whether all of them are this one.
    fn allows(self, value: Code) -> bool {
        match self {
            Deferred::Nothing => true,
            Deferred::Only(other) => other == value,
            Deferred::Several => false,
        }
    }
}
