//! Evaluating flags for one user.

mod cohort;
mod condition;
mod dependency;
mod filter;
mod flag;
mod memo;
mod position;

use crate::answer::{Answer, Code, Reason};
use crate::context::{Context, Scope};
use crate::ecma::Host;
use crate::operator::regex::Search;
use crate::ruleset::layout::{FLAG_CHAINED, FLAG_FIXED, FLAG_PAYLOAD_THROWS};
use crate::ruleset::{FlagId, Ruleset, View, word};
use memo::Memos;
use position::{Positions, Queues};

/// Flags and cohorts inside each other that are followed before the answer is left to the server.
/// PostHog lists a flag's dependencies deepest first, so real ones stay near the surface.
const MAX_NESTING: u32 = 200;

/// Evaluates flags, one user at a time. Keep it: once it has grown to what a ruleset needs, evaluating
/// allocates nothing for users whose properties are texts, numbers and booleans.
#[derive(Default)]
pub struct Evaluator {
    context: Context,
    scratch: Scratch,
}

/// What an evaluation works with; kept for the next one.
#[derive(Default)]
struct Scratch {
    memos: Memos,
    queues: Queues,
    search: Search,
}

/// One evaluation: a ruleset, a user and a time. Asking it for many flags shares what they share.
struct Evaluation<'a, H: ?Sized> {
    ruleset: &'a Ruleset,
    view: &'a View<'a>,
    context: &'a mut Context,
    memos: &'a mut Memos,
    queues: &'a mut Queues,
    search: &'a mut Search,
    host: &'a H,
    /// Milliseconds since the epoch.
    now: f64,
    /// How many values are cached, where that can change what is evaluated later.
    epoch: u32,
    /// Whether the flags are asked for together.
    together: bool,
    nesting: u32,
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
    /// A code that is a value.
    Value(Code),
    Soft(Cause),
    Hard(Reason),
    Throws(Reason),
    Diverges(Reason),
    /// A hash is needed first, which is made together with those that other flags need.
    Waits,
}

impl Outcome {
    /// The outcome of a flag that is the same for everybody.
    fn of(code: Code) -> Self {
        match code.read() {
            Ok(_) => Outcome::Value(code),
            Err(reason) => Outcome::Soft(Cause::plain(reason)),
        }
    }

    const FALSE: Self = Outcome::Value(Code(0));
    const TRUE: Self = Outcome::Value(Code(1));
    const UNSUPPORTED: Self = Outcome::Throws(Reason::UnsupportedDefinition);
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

impl Evaluator {
    /// For this user.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Evaluator { context, scratch: Scratch::default() }
    }

    /// The user, to be changed between evaluations.
    pub fn context(&mut self) -> &mut Context {
        &mut self.context
    }

    /// Hashes that the last evaluation made.
    #[must_use]
    pub fn hashes(&self) -> u32 {
        self.scratch.queues.hashes()
    }

    /// Filters that the last evaluation looked at: its work, whatever the definitions look like.
    #[must_use]
    pub fn filters(&self) -> u32 {
        self.scratch.memos.filters
    }

    /// Evaluates one flag. `now` is in milliseconds since the epoch and decides relative dates.
    ///
    /// PARITY: `computeFlagAndPayloadLocally` (posthog-node).
    ///
    /// DIFFERENCE: where the reference throws on a malformed definition the flag is unresolved.
    pub fn code(
        &mut self,
        ruleset: &Ruleset,
        id: FlagId,
        host: &(impl Host + ?Sized),
        now: f64,
    ) -> Code {
        let view = ruleset.view();
        let mut evaluation = self.begin(ruleset, &view, host, now, false);
        let outcome = evaluation.outcome(id.0);
        evaluation.coded(id.0, outcome)
    }

    /// Evaluates several flags, which share what they depend on; their codes are added to `codes`.
    ///
    /// PARITY: `getAllFlagsAndPayloads` (posthog-node), payloads excepted: it leaves falsy ones out.
    ///
    /// DIFFERENCE: the reference evaluates all flags at once, so that the value of a dependency whose
    /// chain lacks its own flag depends on how long hashes take; here it is unresolved.
    pub fn codes(
        &mut self,
        ruleset: &Ruleset,
        ids: impl Iterator<Item = FlagId>,
        host: &(impl Host + ?Sized),
        now: f64,
        codes: &mut Vec<i32>,
    ) {
        let view = ruleset.view();
        let mut evaluation = self.begin(ruleset, &view, host, now, true);
        for FlagId(id) in ids {
            let place = codes.len();
            codes.push(0);
            evaluation.ask(id, place, codes);
        }
        evaluation.finish(codes);
    }

    /// [`Evaluator::code`], with the payload.
    #[must_use]
    pub fn flag(
        &mut self,
        ruleset: &Ruleset,
        id: FlagId,
        host: &(impl Host + ?Sized),
        now: f64,
    ) -> Answer {
        ruleset.answer(id, self.code(ruleset, id, host, now))
    }

    /// [`Evaluator::codes`], with the payloads.
    #[must_use]
    pub fn flags(
        &mut self,
        ruleset: &Ruleset,
        ids: &[FlagId],
        host: &(impl Host + ?Sized),
        now: f64,
    ) -> Vec<Answer> {
        let mut codes = Vec::with_capacity(ids.len());
        self.codes(ruleset, ids.iter().copied(), host, now, &mut codes);
        ids.iter().zip(codes).map(|(id, code)| ruleset.answer(*id, Code(code))).collect()
    }

    fn begin<'a, H: Host + ?Sized>(
        &'a mut self,
        ruleset: &'a Ruleset,
        view: &'a View<'a>,
        host: &'a H,
        now: f64,
        together: bool,
    ) -> Evaluation<'a, H> {
        let Evaluator { context, scratch: Scratch { memos, queues, search } } = self;
        memos.begin(view);
        queues.begin();
        Evaluation {
            ruleset,
            view,
            context,
            memos,
            queues,
            search,
            host,
            now,
            epoch: 0,
            together,
            nesting: 0,
        }
    }
}

impl Ruleset {
    /// The answer that a code of one of these flags stands for.
    #[must_use]
    pub fn answer(&self, id: FlagId, code: Code) -> Answer {
        match code.read() {
            Ok(value) => Answer::Value { value, payload: self.payload_of(id, code) },
            Err(reason) => Answer::Unresolved(reason),
        }
    }
}

impl<H: Host + ?Sized> Evaluation<'_, H> {
    /// The code of a flag whose evaluation ended so.
    ///
    /// PARITY: `resolveFeatureFlagPayload` (@posthog/core), as far as it throws.
    #[inline]
    fn coded(&self, id: u32, outcome: Outcome) -> Code {
        let code = match outcome {
            Outcome::Value(code) => code,
            Outcome::Soft(Cause { reason, .. })
            | Outcome::Hard(reason)
            | Outcome::Throws(reason)
            | Outcome::Diverges(reason) => reason.into(),
            Outcome::Waits => Reason::UnsupportedDefinition.into(),
        };
        let throws = self.bits(id) & FLAG_PAYLOAD_THROWS != 0;
        match throws && self.view.payload(id, code) == Some(None) {
            true => Reason::UnsupportedDefinition.into(),
            false => code,
        }
    }

    #[inline]
    fn bits(&self, id: u32) -> u32 {
        self.view.flags.get(id as usize).map_or(0, |[_, _, bits, ..]| word(bits))
    }

    /// What a flag is for everybody, if it is the same for everybody.
    #[inline]
    fn fixed(&self, id: u32) -> Option<Code> {
        if self.ruleset.is_left_out(id) {
            return Some(Code(0));
        }
        let [_, _, bits, code, ..] = self.view.flags.get(id as usize)?;
        (word(bits) & FLAG_FIXED != 0).then(|| Code(word(code).cast_signed()))
    }

    /// The outcome of a flag that another one depends on, or of the only one that is asked for.
    fn outcome(&mut self, id: u32) -> Outcome {
        let mut positions = self.queues.known(id);
        let outcome = self.outcome_with(id, &mut positions);
        self.queues.learn(id, &positions);
        outcome
    }

    /// The outcome, computed once if others may ask for it.
    ///
    /// DIFFERENCE: where the reference runs in a cycle for ever, or flags and cohorts are nested beyond the
    /// limit, every flag on the way is unresolved. Failed dependencies are not evaluated again.
    fn outcome_with(&mut self, id: u32, positions: &mut Positions) -> Outcome {
        let order_shows = self.ruleset.order_shows();
        // Where the order of evaluation shows, it is remembered that fixed flags were evaluated.
        if !order_shows && let Some(code) = self.fixed(id) {
            return Outcome::of(code);
        }
        if self.bits(id) & FLAG_CHAINED == 0 && !order_shows {
            return self.evaluate_nested(id, positions);
        }
        match self.memos.flag(id).map(|memo| (memo.outcome, memo.epoch)) {
            // One in progress leads back to itself.
            Some((None, _)) => return Outcome::Diverges(Reason::UnresolvedDependency),
            // The reference remembers values only.
            Some((Some(outcome), epoch))
                if epoch == self.epoch || matches!(outcome, Outcome::Value(_)) =>
            {
                return outcome;
            }
            _ => {}
        }
        let epoch = self.epoch;
        self.memos.set_flag(id, epoch, None);
        let outcome = match self.fixed(id) {
            Some(code) => Outcome::of(code),
            None => self.evaluate_nested(id, positions),
        };
        match outcome {
            Outcome::Waits => self.memos.forget_flag(id),
            _ => self.memos.set_flag(id, epoch, Some(outcome)),
        }
        outcome
    }

    #[inline]
    fn evaluate_nested(&mut self, id: u32, positions: &mut Positions) -> Outcome {
        if self.nesting >= MAX_NESTING {
            return Outcome::Diverges(Reason::UnresolvedDependency);
        }
        self.nesting += 1;
        let outcome = self.evaluate(id, positions);
        self.nesting -= 1;
        outcome
    }
}

/// Which list of a kind that there is one of per scope.
fn index_of(scope: Scope) -> usize {
    match scope {
        Scope::Person => 0,
        Scope::Group(group_type) => (group_type as usize).saturating_add(1),
    }
}
