//! Where users lie in a flag's rollout and among its variants, and the hashes that tell it.
//!
//! Flags asked for together wait until four of them need a hash: four at once take little longer than one.

use super::{Evaluation, Outcome};
use crate::bucket::{Four, Message, Tail, position};
use crate::context::{Context, Scope, Span};
use crate::ecma::Host;

/// What a position is of; the salt of the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rollout,
    Variant,
}

impl Kind {
    fn salt(self) -> &'static [u8] {
        match self {
            Kind::Rollout => b"",
            Kind::Variant => b"variant",
        }
    }
}

/// The positions known of one flag: many of its conditions ask for the same.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Positions {
    rollout: [Position; 2],
    variant: [Position; 2],
}

/// A position with its scope: conditions of one flag may read several groups. The first stays, the other is
/// the last.
type Position = Option<(Scope, f64)>;

impl Positions {
    fn of(&mut self, kind: Kind, scope: Scope) -> Option<f64> {
        let mut known = self.get(kind).iter().flatten();
        known.find(|(of, _)| *of == scope).map(|(_, position)| *position)
    }

    fn learn(&mut self, kind: Kind, scope: Scope, position: f64) {
        let [first, last] = self.get(kind);
        *if first.is_none() { first } else { last } = Some((scope, position));
    }

    fn has_any(&mut self, kind: Kind) -> bool {
        let [first, _] = self.get(kind);
        first.is_some()
    }

    fn get(&mut self, kind: Kind) -> &mut [Position; 2] {
        match kind {
            Kind::Rollout => &mut self.rollout,
            Kind::Variant => &mut self.variant,
        }
    }
}

/// A flag that is being evaluated: its key and whom it is asked for.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) id: u32,
    pub(super) key: &'a [u8],
    /// What users are hashed by, in the context's bytes.
    pub(super) bucketing: Span,
    pub(super) scope: Scope,
}

/// Evaluating the flag has to wait for a hash.
#[derive(Debug)]
pub(super) struct Waits;

/// What of a text behind the flags' keys is hashed, made once per evaluation.
struct KnownTail {
    bucketing: Span,
    kind: Kind,
    /// `None` if it is too long for the way of short texts.
    tail: Option<Tail>,
}

/// Flags that wait, and what hashing them shares.
pub(super) struct Queues {
    /// Flags whose hash takes one block, and those whose takes two: such are best hashed together.
    queues: [Queue; 2],
    /// Flags whose hash is made, to be evaluated again.
    hashed: [Option<Waiting>; 4],
    tails: Vec<KnownTail>,
    /// By what they are of.
    holdouts: Vec<(Span, f64)>,
    /// For hashing one alone.
    single: Message,
    /// Where the flag stands that began to wait last.
    last: Option<(usize, usize)>,
    hashes: u32,
}

struct Queue {
    four: Four,
    waiting: [Option<Waiting>; 4],
}

/// A flag that waits.
#[derive(Clone, Copy)]
struct Waiting {
    id: u32,
    scope: Scope,
    kind: Kind,
    positions: Positions,
    /// Where its code goes.
    place: usize,
}

impl Waiting {
    fn is_unknown(&mut self) -> bool {
        let (kind, scope) = (self.kind, self.scope);
        self.positions.of(kind, scope).is_none()
    }
}

impl Default for Queues {
    fn default() -> Self {
        let queue = || Queue { four: Four::new(), waiting: [None; 4] };
        Queues {
            queues: [queue(), queue()],
            hashed: [None; 4],
            tails: Vec::new(),
            holdouts: Vec::new(),
            single: Message::EMPTY,
            last: None,
            hashes: 0,
        }
    }
}

impl Queues {
    pub(super) fn begin(&mut self) {
        self.tails.clear();
        self.holdouts.clear();
        self.hashes = 0;
    }

    pub(super) fn hashes(&self) -> u32 {
        self.hashes
    }

    /// A flag that waits.
    #[inline(never)]
    fn waiting(&mut self, id: u32) -> Option<&mut Waiting> {
        let [short, long] = &mut self.queues;
        let lanes = [&mut short.waiting, &mut long.waiting, &mut self.hashed];
        lanes.into_iter().flatten().flatten().find(|it| it.id == id)
    }

    /// The positions known of a flag that may be waiting.
    pub(super) fn known(&mut self, id: u32) -> Positions {
        self.waiting(id).map(|it| it.positions).unwrap_or_default()
    }

    /// Keeps positions of a flag that may be waiting.
    pub(super) fn learn(&mut self, id: u32, positions: &Positions) {
        if let Some(waiting) = self.waiting(id) {
            waiting.positions = *positions;
        }
    }

    /// The number of the tail of such messages.
    fn tail(&mut self, context: &Context, bucketing: Span, kind: Kind) -> usize {
        let known = self.tails.iter().position(|it| (it.bucketing, it.kind) == (bucketing, kind));
        known.unwrap_or_else(|| {
            let tail = Tail::new(&[b".", context.text(bucketing), kind.salt()]);
            self.tails.push(KnownTail { bucketing, kind, tail });
            self.tails.len() - 1
        })
    }

    /// Puts a flag's message into a queue, if there is room; the flag follows in [`Queues::wait`].
    fn enqueue(&mut self, subject: &Subject<'_>, tail: usize, kind: Kind) -> Option<()> {
        let tail = self.tails.get(tail)?.tail.as_ref()?;
        let long = usize::from(tail.is_long_behind(subject.key));
        let Queue { four, waiting } = self.queues.get_mut(long)?;
        let free = waiting.iter().position(Option::is_none)?;
        let Subject { id, key, scope, .. } = *subject;
        if !four.messages.get_mut(free)?.fill(key, tail) {
            return None;
        }
        let positions = Positions::default();
        *waiting.get_mut(free)? = Some(Waiting { id, scope, kind, positions, place: 0 });
        self.last = Some((long, free));
        Some(())
    }

    /// Hashes one message alone.
    fn position(
        &mut self,
        context: &Context,
        subject: &Subject<'_>,
        tail: usize,
        kind: Kind,
    ) -> f64 {
        self.hashes += 1;
        match self.tails.get(tail).and_then(|known| known.tail.as_ref()) {
            Some(tail) if self.single.fill(subject.key, tail) => self.single.position(),
            _ => position(&[subject.key, b".", context.text(subject.bucketing), kind.salt()]),
        }
    }

    /// Keeps what is needed to go on with the flag that was put into a queue last.
    fn wait(&mut self, positions: Positions, place: usize) {
        let last = self
            .last
            .and_then(|(queue, free)| self.queues.get_mut(queue)?.waiting.get_mut(free)?.as_mut());
        if let Some(waiting) = last {
            waiting.positions = positions;
            waiting.place = place;
        }
    }

    /// Makes the hashes that a queue's flags wait for.
    fn hash(&mut self, queue: usize) {
        let Some(Queue { four, waiting }) = self.queues.get_mut(queue) else { return };
        self.hashed = std::mem::take(waiting);
        let unknown =
            self.hashed.iter_mut().flatten().filter_map(|it| it.is_unknown().then_some(()));
        let unknown = unknown.count();
        self.hashes += unknown as u32;
        // Two alone are faster one by one.
        let together = (unknown > 2).then(|| four.positions());
        for (lane, (message, waiting)) in four.messages.iter().zip(&mut self.hashed).enumerate() {
            if let Some(waiting) = waiting
                && waiting.is_unknown()
            {
                let position = match &together {
                    Some(together) => together.get(lane).copied().unwrap_or_default(),
                    None => message.position(),
                };
                waiting.positions.learn(waiting.kind, waiting.scope, position);
            }
        }
    }
}

impl<H: Host + ?Sized> Evaluation<'_, H> {
    /// Evaluates one of several flags; its code goes to this place, now or when its hash is made.
    pub(super) fn ask(&mut self, id: u32, place: usize, codes: &mut [i32]) {
        self.go_on(id, Positions::default(), place, codes);
        self.drain(codes, |waiting| waiting.iter().all(Option::is_some));
    }

    /// Evaluates the flags that still wait.
    pub(super) fn finish(&mut self, codes: &mut [i32]) {
        self.drain(codes, |waiting| waiting.iter().any(Option::is_some));
    }

    /// Hashes the queues that are ready, and goes on with their flags.
    fn drain(&mut self, codes: &mut [i32], is_ready: fn(&[Option<Waiting>; 4]) -> bool) {
        while let Some(queue) = self.queues.queues.iter().position(|it| is_ready(&it.waiting)) {
            self.queues.hash(queue);
            for lane in 0..4 {
                if let Some(waiting) = self.queues.hashed.get_mut(lane).and_then(Option::take) {
                    self.go_on(waiting.id, waiting.positions, waiting.place, codes);
                }
            }
        }
    }

    fn go_on(&mut self, id: u32, mut positions: Positions, place: usize, codes: &mut [i32]) {
        match self.outcome_with(id, &mut positions) {
            Outcome::Waits => self.queues.wait(positions, place),
            outcome => {
                if let Some(code) = codes.get_mut(place) {
                    *code = self.coded(id, outcome).0;
                }
            }
        }
    }

    /// The position of the flag's users that rollouts or variants are measured by.
    ///
    /// PARITY: `getFeatureFlagHash` (@posthog/core).
    pub(super) fn position(
        &mut self,
        subject: &Subject<'_>,
        positions: &mut Positions,
        kind: Kind,
    ) -> Result<f64, Waits> {
        if let Some(position) = positions.of(kind, subject.scope) {
            return Ok(position);
        }
        // What others depend on is needed at once. Where it shows what was evaluated first, nothing waits. A
        // flag waits for one position of a kind: were others forgotten meanwhile, it would wait for ever.
        let may_wait = self.together
            && self.nesting == 1
            && !self.ruleset.order_shows()
            && !positions.has_any(kind);
        let tail = self.queues.tail(self.context, subject.bucketing, kind);
        if may_wait && self.queues.enqueue(subject, tail, kind).is_some() {
            return Err(Waits);
        }
        let position = self.queues.position(self.context, subject, tail, kind);
        positions.learn(kind, subject.scope, position);
        Ok(position)
    }

    /// Where a user lies among those held out.
    ///
    /// PARITY: `getHoldoutVariant` (@posthog/core).
    pub(super) fn holdout_position(&mut self, bucketing: Span) -> f64 {
        if let Some((_, position)) = self.queues.holdouts.iter().find(|(of, _)| *of == bucketing) {
            return *position;
        }
        self.queues.hashes += 1;
        let position = position(&[b"holdout-", self.context.text(bucketing)]);
        self.queues.holdouts.push((bucketing, position));
        position
    }
}
