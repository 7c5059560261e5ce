//! Broken input.

use std::fmt;

/// Input the engine cannot use. Opaque: ask it what it is by its predicates, print it for a person.
#[derive(Debug, Clone)]
pub struct Error {
    kind: Kind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Shape,
    Damaged,
    UnknownRuleset,
}

impl Error {
    #[cfg(feature = "compile")]
    pub(crate) fn json(message: impl Into<String>) -> Self {
        Error { kind: Kind::Json, message: message.into() }
    }

    #[cfg(feature = "compile")]
    pub(crate) fn shape(message: impl Into<String>) -> Self {
        Error { kind: Kind::Shape, message: message.into() }
    }

    pub(crate) fn damaged(message: impl Into<String>) -> Self {
        Error { kind: Kind::Damaged, message: message.into() }
    }

    pub(crate) fn unknown_ruleset(message: impl Into<String>) -> Self {
        Error { kind: Kind::UnknownRuleset, message: message.into() }
    }

    /// The text is not JSON: cut short, or something else altogether.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.kind == Kind::Json
    }

    /// The JSON is not what was asked for: no `flags` list, a user that is not an object.
    #[must_use]
    pub fn is_shape(&self) -> bool {
        self.kind == Kind::Shape
    }

    /// A snapshot's bytes are not those that were sealed.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.kind == Kind::Damaged
    }

    /// A compiled ruleset is none for this build: the definitions beside it are to be compiled.
    #[must_use]
    pub fn is_unknown_ruleset(&self) -> bool {
        self.kind == Kind::UnknownRuleset
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
