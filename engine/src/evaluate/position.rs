//! Where users lie in a flag's rollout and among its variants, and the hashes that tell it.
//!
//! Flags asked for together wait until four of them need a hash: four at once take little longer than one.

use super::Evaluation;
use super::verdict::Stop;
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

/// What is known of a flag: positions of its own subject (NaN of what is not known), and where its evaluation
/// goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Positions {
    rollout: f64,
    variant: f64,
    /// The number of a condition, from 1: those before it do not match, and its filters do. 0: not known.
    pub(super) condition: usize,
    /// Where the last position of another subject lies in [`Queues::others`]; beyond its end: there is none.
    other: usize,
}

impl Positions {
    pub(super) const UNKNOWN: Self =
        Positions { rollout: f64::NAN, variant: f64::NAN, condition: 0, other: usize::MAX };

    #[inline(always)]
    fn of(&mut self, kind: Kind) -> &mut f64 {
        match kind {
            Kind::Rollout => &mut self.rollout,
            Kind::Variant => &mut self.variant,
        }
    }
}

/// A flag that is being evaluated: whom it is asked for.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) id: u32,
    /// What users are hashed by, in the context's bytes.
    pub(super) bucketing: Span,
    pub(super) scope: Scope,
    /// Whether it is the flag's own: conditions may be about another.
    pub(super) own: bool,
}

/// What of a text behind the flags' keys is hashed, made once per evaluation.
struct KnownTail {
    bucketing: Span,
    kind: Kind,
    /// `None` if it is too long for the way of short texts.
    tail: Option<Tail>,
}

/// The position of a subject that conditions of a flag are about, and not the flag itself.
struct Other {
    kind: Kind,
    scope: Scope,
    position: f64,
    /// The one before, of the same flag.
    before: usize,
}

/// Flags that wait, and what hashing them shares.
pub(super) struct Queues {
    /// Flags whose message takes one block, and those whose takes two: four of equal length hash fastest.
    queues: [Queue; 2],
    /// Whether a queue is full.
    pub(super) full: bool,
    /// Flags whose hash is made, to be evaluated again; those in the first places are left.
    hashed: [Waiting; LANES],
    left: usize,
    tails: Vec<KnownTail>,
    /// By what they are of.
    holdouts: Vec<(Span, f64)>,
    /// Positions of subjects that are not the flag's own, for each flag a list.
    others: Vec<Other>,
    /// For hashing one alone.
    single: Message,
    hashes: u32,
}

struct Queue {
    four: Four,
    /// Those that wait stand in the first places.
    waiting: [Waiting; LANES],
    count: usize,
}

/// Flags that are hashed at once.
const LANES: usize = 4;

/// A flag that waits for a hash of this kind.
#[derive(Clone, Copy)]
struct Waiting {
    id: u32,
    kind: Kind,
    /// Where its code goes.
    place: usize,
    positions: Positions,
}

impl Waiting {
    /// In a place that nothing waits in.
    const NOBODY: Self =
        Waiting { id: u32::MAX, kind: Kind::Rollout, place: 0, positions: Positions::UNKNOWN };

    fn is_unknown(&mut self) -> bool {
        self.positions.of(self.kind).is_nan()
    }
}

impl Default for Queues {
    fn default() -> Self {
        let queue = || Queue { four: Four::new(), waiting: [Waiting::NOBODY; LANES], count: 0 };
        Queues {
            queues: [queue(), queue()],
            full: false,
            hashed: [Waiting::NOBODY; LANES],
            left: 0,
            tails: Vec::new(),
            holdouts: Vec::new(),
            others: Vec::new(),
            single: Message::EMPTY,
            hashes: 0,
        }
    }
}

impl Queues {
    pub(super) fn begin(&mut self) {
        self.tails.clear();
        self.holdouts.clear();
        self.others.clear();
        // Nobody waits any more, unless an evaluation broke off.
        for queue in &mut self.queues {
            queue.count = 0;
        }
        self.left = 0;
        self.full = false;
        self.hashes = 0;
    }

    pub(super) fn hashes(&self) -> u32 {
        self.hashes
    }

    /// A flag that waits.
    fn waiting(&mut self, id: u32) -> Option<&mut Waiting> {
        let left = self.hashed.iter_mut().take(self.left);
        let queues = self.queues.iter_mut();
        let waiting = queues.flat_map(|queue| queue.waiting.iter_mut().take(queue.count));
        left.chain(waiting).find(|it| it.id == id)
    }

    /// The positions known of a flag that may be waiting.
    pub(super) fn known(&mut self, id: u32) -> Positions {
        self.waiting(id).map_or(Positions::UNKNOWN, |it| it.positions)
    }

    /// Keeps positions of a flag that may be waiting.
    pub(super) fn learn(&mut self, id: u32, positions: &Positions) {
        if let Some(waiting) = self.waiting(id) {
            waiting.positions = *positions;
        }
    }

    /// The number of the tail of such messages.
    #[inline(always)]
    fn tail(&mut self, context: &Context, bucketing: Span, kind: Kind) -> usize {
        let known = self.tails.iter().position(|it| it.bucketing == bucketing && it.kind == kind);
        match known {
            Some(known) => known,
            None => self.new_tail(context, bucketing, kind),
        }
    }

    #[inline(never)]
    fn new_tail(&mut self, context: &Context, bucketing: Span, kind: Kind) -> usize {
        let tail = Tail::new(&[b".", context.text(bucketing), kind.salt()]);
        self.tails.push(KnownTail { bucketing, kind, tail });
        self.tails.len() - 1
    }

    /// Puts a flag and its message into a queue, if there is room.
    #[inline(always)]
    fn enqueue(&mut self, key: &[u8], tail: usize, waiting: Waiting) -> Option<()> {
        let tail = self.tails.get(tail)?.tail.as_ref()?;
        let long = usize::from(tail.is_long_behind(key));
        let queue = self.queues.get_mut(long)?;
        let place = queue.waiting.get_mut(queue.count)?;
        if !queue.four.messages.get_mut(queue.count)?.fill(key, tail) {
            return None;
        }
        *place = waiting;
        queue.count += 1;
        self.full |= queue.count == LANES;
        Some(())
    }

    /// Hashes one message alone.
    fn position(
        &mut self,
        context: &Context,
        key: &[u8],
        bucketing: Span,
        tail: usize,
        kind: Kind,
    ) -> f64 {
        self.hashes += 1;
        match self.tails.get(tail).and_then(|known| known.tail.as_ref()) {
            Some(tail) if self.single.fill(key, tail) => self.single.position(),
            _ => position(&[key, b".", context.text(bucketing), kind.salt()]),
        }
    }

    /// Makes the hashes that a queue's flags wait for.
    fn hash(&mut self, queue: usize) {
        let Some(queue) = self.queues.get_mut(queue) else { return };
        let Queue { four, waiting, count } = queue;
        let waiting = waiting.get_mut(..*count).unwrap_or_default();
        let unknown = waiting.iter_mut().filter_map(|it| it.is_unknown().then_some(())).count();
        self.hashes += unknown as u32;
        // Two alone are faster one by one.
        let together = (unknown > 2).then(|| four.positions());
        for (lane, (message, waiting)) in four.messages.iter().zip(waiting).enumerate() {
            if waiting.is_unknown() {
                *waiting.positions.of(waiting.kind) = match &together {
                    Some(together) => together.get(lane).copied().unwrap_or_default(),
                    None => message.position(),
                };
            }
        }
        self.hashed = queue.waiting;
        self.left = std::mem::take(&mut queue.count);
    }

    /// The next flag whose hash is made.
    fn next(&mut self) -> Option<Waiting> {
        self.left = self.left.checked_sub(1)?;
        self.hashed.get(self.left).copied()
    }
}

impl<H: Host + ?Sized> Evaluation<'_, H> {
    /// Hashes the queues that are full, or all in which flags wait, and goes on with these.
    pub(super) fn drain(&mut self, codes: &mut [i32], all: bool) {
        let least = if all { 1 } else { LANES };
        while let Some(queue) = self.queues.queues.iter().position(|it| it.count >= least) {
            self.queues.hash(queue);
            while let Some(waiting) = self.queues.next() {
                self.go_on(waiting, codes);
            }
        }
        self.queues.full = false;
    }

    fn go_on(&mut self, Waiting { id, place, mut positions, .. }: Waiting, codes: &mut [i32]) {
        self.place = place;
        let outcome = self.outcome_with(id, &mut positions);
        if let Some(code) = codes.get_mut(place) {
            *code = self.coded(id, outcome).0;
        }
    }

    /// The position of the flag's users that rollouts or variants are measured by.
    ///
    /// PARITY: `getFeatureFlagHash` (@posthog/core).
    #[inline(always)]
    pub(super) fn position(
        &mut self,
        subject: &Subject,
        positions: &mut Positions,
        kind: Kind,
    ) -> Result<f64, Stop> {
        let known = *positions.of(kind);
        if subject.own && !known.is_nan() {
            return Ok(known);
        }
        let position = self.new_position(subject, positions, kind);
        if position.is_nan() { Err(Stop::WAITS) } else { Ok(position) }
    }

    /// A position that is to be hashed; NaN where the flag has to wait for it.
    #[inline(never)]
    fn new_position(&mut self, subject: &Subject, positions: &mut Positions, kind: Kind) -> f64 {
        let Subject { id, bucketing, scope, own } = *subject;
        let (context, queues) = (&*self.context, &mut *self.queues);
        if !own {
            let mut known = queues.others.get(positions.other);
            while let Some(other) = known {
                if (other.kind, other.scope) == (kind, scope) {
                    return other.position;
                }
                known = queues.others.get(other.before);
            }
        }
        let key = self.view.key(id);
        let tail = queues.tail(context, bucketing, kind);
        // What others depend on is needed at once. Where it shows what was evaluated first, nothing waits.
        if own && self.together && self.nesting == 1 && !self.order_shows {
            let waiting = Waiting { id, kind, place: self.place, positions: *positions };
            if queues.enqueue(key, tail, waiting).is_some() {
                return f64::NAN;
            }
        }
        let position = queues.position(context, key, bucketing, tail, kind);
        match own {
            true => *positions.of(kind) = position,
            false => {
                let before = std::mem::replace(&mut positions.other, queues.others.len());
                queues.others.push(Other { kind, scope, position, before });
            }
        }
        position
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
