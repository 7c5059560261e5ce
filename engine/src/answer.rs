//! What evaluating a flag gives.

use crate::ruleset::{PayloadId, StringId};

/// Why a flag cannot be decided here, in the reference's order of precedence, strongest first:
/// the reason to report among several is their `min`.
///
/// PARITY: `UNRESOLVED_REASON_PRECEDENCE` (posthog-node).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    ExperienceContinuity,
    UnsupportedDefinition,
    UnresolvedDependency,
    MissingContext,
}

impl Reason {
    /// All reasons, strongest first.
    pub const ALL: [Reason; 4] = [
        Reason::ExperienceContinuity,
        Reason::UnsupportedDefinition,
        Reason::UnresolvedDependency,
        Reason::MissingContext,
    ];

    /// The name PostHog's SDKs use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::ExperienceContinuity => "experience_continuity",
            Reason::UnsupportedDefinition => "unsupported_definition",
            Reason::UnresolvedDependency => "unresolved_dependency",
            Reason::MissingContext => "missing_context",
        }
    }
}

/// A decided flag: on, off, or a variant (an index into [`Ruleset::strings`](crate::Ruleset::strings)).
///
/// PostHog's variants are strings. Where a malformed definition has something else as a variant's key the
/// reference gives that, and so do we: `Json` is the index of its JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlagValue {
    Bool(bool),
    Variant(StringId),
    Json(StringId),
}

/// The outcome for one flag and one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Decided; `payload` indexes [`Ruleset::payloads`](crate::Ruleset::payloads).
    Value { value: FlagValue, payload: Option<PayloadId> },
    /// Only the server can tell.
    Unresolved(Reason),
}
