//! The conditions of a flag.

use super::Evaluation;
use super::flag::{Rules, value_of};
use super::position::{Kind, Positions, Subject};
use super::verdict::{FALSE, Outcome, Recorded, Stop, StopKind, Verdict};
use crate::answer::Code;
use crate::answer::Reason;
use crate::context::Scope;
use crate::ecma::Host;
use crate::ruleset::layout::{
    AGGREGATION_GROUP, AGGREGATION_INHERIT, AGGREGATION_SKIP, CONDITION, CONDITION_AGGREGATION,
    CONDITION_OVERRIDE, CONDITION_ROLLOUT, FILTER, FILTER_KIND, FILTER_THROWS_THROUGH,
    OVERRIDE_MALFORMED, OVERRIDE_NONE, ROLLOUT_ALL, ROLLOUT_NOBODY, ROLLOUT_SHARE,
};
use crate::ruleset::{Word, double, word};

/// A condition's words.
type Condition = [Word; CONDITION];

/// What conditions before this one left open.
#[derive(Default)]
struct Open {
    recorded: Recorded,
    deferred: Deferred,
}

impl<H: Host + ?Sized> Evaluation<'_, H> {
    /// The first match decides, unless an earlier condition that a regular expression left open could
    /// have given another value.
    ///
    /// PARITY: `matchFeatureFlagProperties` (posthog-node).
    #[inline]
    pub(super) fn conditions(
        &mut self,
        own: &Subject,
        rules: &Rules,
        conditions: &[Condition],
        positions: &mut Positions,
    ) -> Outcome {
        let mut open = Open::default();
        let first = positions.condition.saturating_sub(1);
        for (number, condition) in (1..).zip(conditions).skip(first) {
            let [bits, .., filters] = condition;
            let bits = word(bits);
            let other;
            let mut subject = own;
            if bits & CONDITION_AGGREGATION != AGGREGATION_INHERIT {
                match self.other_subject(own, condition) {
                    Ok(Some(found)) => {
                        other = found;
                        subject = &other;
                    }
                    Ok(None) => continue,
                    Err(stop) if stop.kind() == StopKind::Soft => {
                        open.recorded.add(stop);
                        continue;
                    }
                    Err(stop) => return Err(stop),
                }
            }
            if number != positions.condition {
                let Some(filters) = self.view.list(word(filters)) else {
                    return Err(Stop::UNSUPPORTED);
                };
                match self.filters(filters, subject.scope).read() {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(stop) => {
                        self.undecided(stop, subject, rules, condition, positions, &mut open)?;
                        continue;
                    }
                }
                if open.recorded.stop().is_none() {
                    positions.condition = number;
                }
            }
            if self.is_out_of_rollout(subject, condition, positions)? {
                if !rules.early_exit() {
                    continue;
                }
                return open.recorded.stop().map_or(FALSE, Err);
            }
            let value = self.matched(subject, rules, condition, positions)?;
            if open.deferred.allows(value) {
                return Ok(value);
            }
            break;
        }
        open.recorded.stop().map_or(FALSE, Err)
    }

    /// A condition of which it cannot be told whether it matches. `Err` where that ends the evaluation.
    #[inline(never)]
    fn undecided(
        &mut self,
        stop: Stop,
        subject: &Subject,
        rules: &Rules,
        condition: &Condition,
        positions: &mut Positions,
        open: &mut Open,
    ) -> Result<(), Stop> {
        match stop.kind() {
            StopKind::Soft => {
                open.recorded.add(stop);
                if stop.is_because_of_regex() {
                    open.deferred.add(self.deferred(subject, rules, condition, positions)?);
                }
                Ok(())
            }
            StopKind::Hard => {
                let recorded = open.recorded.stop().map(Stop::reason);
                let reasons = [recorded, rules.definition_reason()].into_iter().flatten();
                Err(Stop::hard(reasons.fold(stop.reason(), Reason::min)))
            }
            _ => Err(stop),
        }
    }

    /// Whose properties and bucketing value a condition uses that is not about the flag's own subject;
    /// `Ok(None)` passes it over.
    #[inline(never)]
    fn other_subject(
        &self,
        own: &Subject,
        [bits, group_type, ..]: &Condition,
    ) -> Result<Option<Subject>, Stop> {
        match word(bits) & CONDITION_AGGREGATION {
            AGGREGATION_SKIP => return Ok(None),
            AGGREGATION_GROUP => {}
            _ => return Err(Stop::UNSUPPORTED),
        }
        let scope = Scope::group(word(group_type));
        match self.context.group(word(group_type)) {
            None => Ok(None),
            Some((_, false)) => Err(Stop::soft(Reason::MissingContext)),
            Some((key, true)) => {
                Ok(Some(Subject { bucketing: key, scope, own: own.scope == scope, ..*own }))
            }
        }
    }

    /// Whether all filters match.
    ///
    /// PARITY: `isConditionMatch` (posthog-node).
    #[inline(always)]
    fn filters(&mut self, filters: &[[Word; FILTER]], scope: Scope) -> Verdict {
        let mut rest = filters.iter();
        while let Some(filter) = rest.next() {
            match self.filter(filter, scope) {
                Verdict::YES => {}
                Verdict::NO => return Verdict::NO,
                undecided => return self.filters_from(undecided, filter, rest.as_slice(), scope),
            }
        }
        Verdict::YES
    }

    /// Whether all filters match, of which this one is undecided and those before it do.
    #[inline(never)]
    fn filters_from(
        &mut self,
        first: Verdict,
        at: &[Word; FILTER],
        rest: &[[Word; FILTER]],
        scope: Scope,
    ) -> Verdict {
        let mut recorded = Recorded::default();
        let mut hard = None;
        let (mut verdict, mut filter, mut rest) = (first, at, rest.iter());
        loop {
            match verdict.read() {
                Ok(true) => {}
                Ok(false) => return Verdict::NO,
                Err(stop) => match stop.kind() {
                    StopKind::Soft => recorded.add(stop),
                    StopKind::Hard => {
                        if recorded.stop().is_none() {
                            hard = Some(stop);
                        }
                        recorded.add(stop);
                    }
                    // An earlier inconclusive filter swallows an exception and ends the condition, if
                    // the exception comes from inside the place where the reference looks after them.
                    StopKind::Throws
                        if recorded.stop().is_some()
                            && word(&filter[0]) & FILTER_KIND != FILTER_THROWS_THROUGH =>
                    {
                        break;
                    }
                    _ => return verdict,
                },
            }
            let Some(next) = rest.next() else { break };
            filter = next;
            verdict = self.filter(filter, scope);
        }
        hard.or(recorded.stop()).map_or(Verdict::YES, Verdict::from)
    }

    #[inline(always)]
    fn matched(
        &mut self,
        subject: &Subject,
        rules: &Rules,
        [bits, _, _, _, string, _]: &Condition,
        positions: &mut Positions,
    ) -> Outcome {
        match word(bits) >> CONDITION_OVERRIDE & 7 {
            OVERRIDE_NONE => self.variant(subject, rules, positions),
            OVERRIDE_MALFORMED => Err(Stop::UNSUPPORTED),
            kind => Ok(value_of(kind, word(string))),
        }
    }

    /// What a condition would have made of the flag, had its regular expression matched.
    fn deferred(
        &mut self,
        subject: &Subject,
        rules: &Rules,
        condition: &Condition,
        positions: &mut Positions,
    ) -> Outcome {
        if rules.early_exit() && self.is_out_of_rollout(subject, condition, positions)? {
            return FALSE;
        }
        self.matched(subject, rules, condition, positions)
    }

    #[inline(always)]
    fn is_out_of_rollout(
        &mut self,
        subject: &Subject,
        [bits, _, low, high, ..]: &Condition,
        positions: &mut Positions,
    ) -> Result<bool, Stop> {
        match word(bits) >> CONDITION_ROLLOUT & 3 {
            ROLLOUT_ALL => Ok(false),
            ROLLOUT_NOBODY => Ok(true),
            ROLLOUT_SHARE => {
                Ok(self.position(subject, positions, Kind::Rollout)? > double(low, high))
            }
            _ => Err(Stop::UNSUPPORTED),
        }
    }
}

/// The values that conditions left open would have given.
#[derive(Clone, Copy, Default)]
enum Deferred {
    #[default]
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
