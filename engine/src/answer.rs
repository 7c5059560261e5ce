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

/// A decided flag: on, off, or a variant (see [`Ruleset::string`](crate::Ruleset::string)).
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
    /// Decided; for `payload` see [`Ruleset::payload`](crate::Ruleset::payload).
    Value { value: FlagValue, payload: Option<PayloadId> },
    /// Only the server can tell.
    Unresolved(Reason),
}

/// An answer as a small number, its payload apart: 0 false, 1 true, 2 + n the variant n, -1 to -4 unresolved
/// for a reason in the order of [`Reason::ALL`], -5 - n what the string n is the JSON of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Code(pub i32);

const FIRST_VARIANT: i32 = 2;
const FIRST_JSON: i32 = -5;

impl Code {
    /// What the code says.
    ///
    /// # Errors
    /// The reason why the flag is unresolved.
    #[inline]
    pub fn read(self) -> Result<FlagValue, Reason> {
        match self.0 {
            -1 => Err(Reason::ExperienceContinuity),
            -2 => Err(Reason::UnsupportedDefinition),
            -3 => Err(Reason::UnresolvedDependency),
            -4 => Err(Reason::MissingContext),
            0 => Ok(FlagValue::Bool(false)),
            1 => Ok(FlagValue::Bool(true)),
            variant @ FIRST_VARIANT.. => {
                Ok(FlagValue::Variant(StringId(FIRST_VARIANT.abs_diff(variant))))
            }
            json @ ..=FIRST_JSON => Ok(FlagValue::Json(StringId(FIRST_JSON.abs_diff(json)))),
        }
    }

    /// What payloads of this value are found by; `None` for values without.
    #[inline]
    pub(crate) fn payload_key(self) -> Option<u32> {
        match self.read() {
            Ok(FlagValue::Bool(true)) => Some(1),
            Ok(FlagValue::Variant(id) | FlagValue::Json(id)) => Some(id.0 + 2),
            Ok(FlagValue::Bool(false)) | Err(_) => None,
        }
    }
}

impl From<FlagValue> for Code {
    fn from(value: FlagValue) -> Self {
        // No ruleset that fits into memory has more strings than fit.
        Code(match value {
            FlagValue::Bool(value) => i32::from(value),
            FlagValue::Variant(StringId(id)) => FIRST_VARIANT.saturating_add_unsigned(id),
            FlagValue::Json(StringId(id)) => FIRST_JSON.saturating_sub_unsigned(id),
        })
    }
}

impl From<Reason> for Code {
    fn from(reason: Reason) -> Self {
        Code(match reason {
            Reason::ExperienceContinuity => -1,
            Reason::UnsupportedDefinition => -2,
            Reason::UnresolvedDependency => -3,
            Reason::MissingContext => -4,
        })
    }
}
