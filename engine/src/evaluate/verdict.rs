//! What evaluations give, in a byte: hot code compares it, and one word of memory keeps it.

use crate::answer::{Code, Reason};

/// What a filter, a cohort or a condition says of the user: yes, no, or a [`Stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict(u8);

impl Verdict {
    pub(super) const NO: Self = Verdict(0);
    pub(super) const YES: Self = Verdict(1);
    /// What is known of something while it is being found out.
    pub(super) const IN_PROGRESS: Self = Verdict(u8::MAX);

    #[inline(always)]
    pub(super) fn is(holds: bool) -> Self {
        Verdict(u8::from(holds))
    }

    /// The verdict of a byte that [`Verdict::byte`] gave.
    #[inline(always)]
    pub(super) fn of_byte(byte: u8) -> Self {
        Verdict(byte)
    }

    #[inline(always)]
    pub(super) fn byte(self) -> u8 {
        self.0
    }

    /// Whether it holds; `Err` where that cannot be told.
    #[inline(always)]
    pub(super) fn read(self) -> Result<bool, Stop> {
        if self.0 <= 1 { Ok(self.0 == 1) } else { Err(Stop(self.0)) }
    }
}

impl From<Stop> for Verdict {
    #[inline(always)]
    fn from(Stop(byte): Stop) -> Self {
        Verdict(byte)
    }
}

/// What a flag's evaluation gives: a code that is a value, or why there is none.
pub(super) type Outcome = Result<Code, Stop>;

pub(super) const FALSE: Outcome = Ok(Code(0));
pub(super) const TRUE: Outcome = Ok(Code(1));

/// Why something is not decided: a kind, a reason, and whether a regular expression is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stop(u8);

/// The kinds of [`Stop`]: the reference's exceptions, and what its code would do for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopKind {
    /// Inconclusive; evaluation goes on with the next filter or condition.
    Soft,
    /// Only the server can tell, and nothing later changes that.
    Hard,
    /// The reference throws; the reason is what we answer instead.
    Throws,
    /// The reference never returns: flags or cohorts lead back to themselves.
    Diverges,
    /// A hash is needed first, which is made together with those that other flags need.
    Waits,
}

const REASON: u8 = 3;
/// A regular expression was left to the server: a later match must not hide what it could have given.
const REGEX: u8 = 1 << 2;
const KIND: u8 = 3;

impl Stop {
    pub(super) const WAITS: Self = Stop(5 << KIND);
    pub(super) const UNSUPPORTED: Self = Stop::new(StopKind::Throws, Reason::UnsupportedDefinition);

    const fn new(kind: StopKind, reason: Reason) -> Self {
        let kind = match kind {
            StopKind::Soft => 1,
            StopKind::Hard => 2,
            StopKind::Throws => 3,
            StopKind::Diverges => 4,
            StopKind::Waits => 5,
        };
        Stop(kind << KIND | reason as u8)
    }

    pub(super) const fn soft(reason: Reason) -> Self {
        Stop::new(StopKind::Soft, reason)
    }

    pub(super) const fn hard(reason: Reason) -> Self {
        Stop::new(StopKind::Hard, reason)
    }

    pub(super) const fn throws(reason: Reason) -> Self {
        Stop::new(StopKind::Throws, reason)
    }

    pub(super) const fn diverges(reason: Reason) -> Self {
        Stop::new(StopKind::Diverges, reason)
    }

    /// The same, because of a regular expression or not.
    pub(super) const fn because_of_regex(self, regex: bool) -> Self {
        if regex { Stop(self.0 | REGEX) } else { self }
    }

    pub(super) fn kind(self) -> StopKind {
        match self.0 >> KIND {
            1 => StopKind::Soft,
            2 => StopKind::Hard,
            3 => StopKind::Throws,
            4 => StopKind::Diverges,
            _ => StopKind::Waits,
        }
    }

    pub(super) fn reason(self) -> Reason {
        match self.0 & REASON {
            0 => Reason::ExperienceContinuity,
            1 => Reason::UnsupportedDefinition,
            2 => Reason::UnresolvedDependency,
            _ => Reason::MissingContext,
        }
    }

    pub(super) fn is_because_of_regex(self) -> bool {
        self.0 & REGEX != 0
    }
}

/// What is inconclusive so far. Of reasons the strongest counts.
#[derive(Clone, Copy, Default)]
pub(super) struct Recorded(Option<Stop>);

impl Recorded {
    /// Adds the reason of something undecided.
    pub(super) fn add(&mut self, stop: Stop) {
        let Some(before) = self.0 else {
            self.0 = Some(Stop::soft(stop.reason()).because_of_regex(stop.is_because_of_regex()));
            return;
        };
        let reason = before.reason().min(stop.reason());
        let regex = before.is_because_of_regex() || stop.is_because_of_regex();
        self.0 = Some(Stop::soft(reason).because_of_regex(regex));
    }

    /// What is inconclusive because of all of them.
    pub(super) fn stop(self) -> Option<Stop> {
        self.0
    }
}
