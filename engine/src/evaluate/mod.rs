//! Evaluating flags for one user.

mod cohort;
mod condition;
mod dependency;
mod filter;
mod flag;
mod memo;
mod position;
mod verdict;

use crate::answer::{Answer, Code, Reason};
use crate::context::Context;
use crate::ecma::Host;
use crate::operator::regex::Search;
use crate::ruleset::layout::{FLAG, FLAG_CHAINED, FLAG_FIXED, FLAG_PAYLOAD_THROWS};
use crate::ruleset::{FlagId, Ruleset, View, Word, word};
use memo::Memos;
use position::{Positions, Queues};
use verdict::{FALSE, Outcome, Stop};

/// Flags and cohorts inside each other that are followed before the answer is left to the server.
/// PostHog lists a flag's dependencies deepest first, so real ones stay near the surface.
const MAX_NESTING: u32 = 200;

/// A flag's words.
type Flag = [Word; FLAG];

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
    view: View<'a>,
    context: &'a mut Context,
    memos: &'a mut Memos,
    queues: &'a mut Queues,
    search: &'a mut Search,
    host: &'a H,
    /// Milliseconds since the epoch.
    now: f64,
    /// How many values are cached, where that can change what is evaluated later.
    epoch: u32,
    /// Whether answers depend on which flag was evaluated first.
    order_shows: bool,
    /// Whether the flags are asked for together.
    together: bool,
    /// Where the code of the flag goes that is asked for.
    place: usize,
    nesting: u32,
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
        let mut evaluation = self.begin(ruleset, host, now, false);
        let outcome = evaluation.outcome_with(id.0, &mut { Positions::UNKNOWN });
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
        let mut evaluation = self.begin(ruleset, host, now, true);
        for FlagId(id) in ids {
            evaluation.place = codes.len();
            let mut positions = Positions::UNKNOWN;
            let outcome = evaluation.outcome_with(id, &mut positions);
            codes.push(evaluation.coded(id, outcome).0);
            if evaluation.queues.full {
                evaluation.drain(codes, false);
            }
        }
        evaluation.drain(codes, true);
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
        host: &'a H,
        now: f64,
        together: bool,
    ) -> Evaluation<'a, H> {
        let Evaluator { context, scratch: Scratch { memos, queues, search } } = self;
        let view = ruleset.view();
        memos.begin(&view);
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
            order_shows: ruleset.order_shows(),
            together,
            place: 0,
            nesting: 1,
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
            Ok(code) => code,
            Err(stop) => stop.reason().into(),
        };
        match self.bits(id) & FLAG_PAYLOAD_THROWS != 0 && self.view.payload(id, code) == Some(None)
        {
            true => Reason::UnsupportedDefinition.into(),
            false => code,
        }
    }

    #[inline(always)]
    fn bits(&self, id: u32) -> u32 {
        self.view.flags.get(id as usize).map_or(0, bits_of)
    }

    /// What a flag is for everybody, if it is the same for everybody.
    #[inline(always)]
    fn fixed(&self, id: u32, flag: &Flag) -> Option<Outcome> {
        if self.ruleset.is_left_out(id) {
            return Some(FALSE);
        }
        if bits_of(flag) & FLAG_FIXED == 0 {
            return None;
        }
        let [_, _, _, code, ..] = flag;
        let code = Code(word(code).cast_signed());
        Some(code.read().map(|_| code).map_err(Stop::soft))
    }

    /// The outcome of a flag that another one depends on.
    fn outcome(&mut self, id: u32) -> Outcome {
        let mut positions = self.queues.known(id);
        self.nesting += 1;
        let outcome = self.outcome_with(id, &mut positions);
        self.nesting -= 1;
        self.queues.learn(id, &positions);
        outcome
    }

    /// The outcome, computed once if others may ask for it.
    #[inline]
    fn outcome_with(&mut self, id: u32, positions: &mut Positions) -> Outcome {
        let Some(flag) = self.view.flags.get(id as usize) else { return Err(Stop::UNSUPPORTED) };
        // Where the order of evaluation shows, it is remembered that fixed flags were evaluated.
        if self.order_shows || bits_of(flag) & FLAG_CHAINED != 0 {
            return self.remembered(id, flag, positions);
        }
        match self.fixed(id, flag) {
            Some(outcome) => outcome,
            None => self.evaluate(id, flag, positions),
        }
    }

    /// DIFFERENCE: where the reference runs in a cycle for ever, or flags and cohorts are nested beyond the
    /// limit, every flag on the way is unresolved. Failed dependencies are not evaluated again.
    #[inline(never)]
    fn remembered(&mut self, id: u32, flag: &Flag, positions: &mut Positions) -> Outcome {
        let fixed = self.fixed(id, flag);
        if !self.order_shows
            && let Some(outcome) = fixed
        {
            return outcome;
        }
        match self.memos.flag(id) {
            // One in progress leads back to itself.
            Some((None, _)) => return Err(Stop::diverges(Reason::UnresolvedDependency)),
            // The reference remembers values only.
            Some((Some(outcome), epoch)) if epoch == self.epoch || outcome.is_ok() => {
                return outcome;
            }
            _ => {}
        }
        let epoch = self.epoch;
        self.memos.set_flag(id, epoch, None);
        let outcome = match fixed {
            Some(outcome) => outcome,
            None if self.nesting > MAX_NESTING => Err(Stop::diverges(Reason::UnresolvedDependency)),
            None => self.evaluate(id, flag, positions),
        };
        match outcome {
            Err(Stop::WAITS) => self.memos.forget_flag(id),
            _ => self.memos.set_flag(id, epoch, Some(outcome)),
        }
        outcome
    }
}

#[inline(always)]
fn bits_of([_, _, bits, ..]: &Flag) -> u32 {
    word(bits)
}
