//! Broken input.

use std::borrow::Cow;
use std::fmt;

/// Input the engine cannot use. Opaque: ask it what it is by its predicates, print it for a person.
#[derive(Debug, Clone)]
pub struct Error {
    kind: Kind,
    message: Cow<'static, str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Shape,
    Damaged,
    DamagedRuleset,
    UnknownRuleset,
    ContextsNeedDefinitions,
}

impl Error {
    #[cfg(feature = "compile")]
    pub(crate) fn json(message: impl Into<Cow<'static, str>>) -> Self {
        Error { kind: Kind::Json, message: message.into() }
    }

    #[cfg(feature = "compile")]
    pub(crate) fn shape(message: impl Into<Cow<'static, str>>) -> Self {
        Error { kind: Kind::Shape, message: message.into() }
    }

    pub(crate) fn damaged(message: impl Into<Cow<'static, str>>) -> Self {
        Error { kind: Kind::Damaged, message: message.into() }
    }

    /// What a ruleset is refused for. The messages are found when they are asked for: the edge never does.
    pub(crate) const fn damaged_ruleset() -> Self {
        Error { kind: Kind::DamagedRuleset, message: Cow::Borrowed("") }
    }

    pub(crate) const fn unknown_ruleset() -> Self {
        Error { kind: Kind::UnknownRuleset, message: Cow::Borrowed("") }
    }

    pub(crate) const fn contexts_need_definitions() -> Self {
        Error { kind: Kind::ContextsNeedDefinitions, message: Cow::Borrowed("") }
    }

    /// What is wrong, for a person.
    #[must_use]
    pub fn message(&self) -> &str {
        match self.kind {
            Kind::Json | Kind::Shape | Kind::Damaged => &self.message,
            Kind::DamagedRuleset => {
                "the compiled ruleset is damaged: write the snapshot again with `refresher run`"
            }
            Kind::UnknownRuleset => {
                "the compiled ruleset is of a version that this evaluator does not know"
            }
            Kind::ContextsNeedDefinitions => {
                "the evaluation contexts need the definitions themselves"
            }
        }
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
        matches!(self.kind, Kind::Damaged | Kind::DamagedRuleset)
    }

    /// A compiled ruleset is none for this build: the definitions beside it are to be compiled.
    #[must_use]
    pub fn is_unknown_ruleset(&self) -> bool {
        matches!(self.kind, Kind::UnknownRuleset | Kind::ContextsNeedDefinitions)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {}
