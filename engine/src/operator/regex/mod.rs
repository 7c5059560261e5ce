//! `regex` and `not_regex`, for the patterns on which all of PostHog's engines agree.

mod matcher;
mod parse;
mod portable;
mod program;
mod set;

use parse::Parsed;
use program::{Program, Token};
use set::Set;

use super::{Outcome, Support};
use crate::ecma::{Host, text_of};
use crate::value::Value;

/// Patterns longer than this, in bytes, are left to the server.
const MOST_BYTES: usize = 1 << 16;
/// Patterns with groups nested deeper are left to the server.
const MOST_DEPTH: u32 = 250;
/// Programs with more instructions are left to the server. Without counts no pattern that is short
/// enough has one.
const MOST_INSTRUCTIONS: usize = 1 << 17;

#[derive(Debug)]
pub(crate) struct RegexMatch {
    negate: bool,
    pattern: Pattern,
}

#[derive(Debug, PartialEq)]
enum Pattern {
    /// The empty pattern is found everywhere.
    Everywhere,
    /// Engines may disagree on it, or it is too large: the server decides.
    Undecided,
    /// Portable by the scan, yet no JavaScript regular expression: never a match, negated or not.
    Invalid,
    Portable {
        search: Search,
        sets: Vec<Set>,
    },
    /// The filter's value has no text.
    Throws,
}

#[derive(Debug, PartialEq)]
enum Search {
    Program(Program),
    /// Its counts make the program large: it is built for each text, with no higher counts than that
    /// text needs.
    Counted(Vec<Token>),
}

impl RegexMatch {
    /// PARITY: `matchFeatureFlagRegex`, `getPortableRegexClasses` (@posthog/core).
    pub(crate) fn compile(negate: bool, value: &Value, host: &dyn Host) -> (Self, Support) {
        let pattern = match text_of(value, host) {
            None => Pattern::Throws,
            Some(text) => Pattern::new(text.as_bytes()),
        };
        (RegexMatch { negate, pattern }, Support::Supported)
    }

    /// PARITY: `matchFeatureFlagRegex` (@posthog/core).
    ///
    /// DIFFERENCE: the reference runs JavaScript's engine, which takes exponential time for some
    /// patterns and gives others up; this matcher decides them. What exceeds its own limits is undecided.
    pub(crate) fn matches(&self, property: &Value, host: &dyn Host) -> Outcome {
        let Some(text) = text_of(property, host) else { return Outcome::Throws };
        let found = match &self.pattern {
            Pattern::Throws => return Outcome::Throws,
            Pattern::Everywhere => Some(true),
            Pattern::Undecided => None,
            Pattern::Invalid => return Outcome::Is(false),
            Pattern::Portable { search, sets } => search.find(sets, text.as_bytes()),
        };
        match found {
            Some(found) => Outcome::Is(found != self.negate),
            None => Outcome::Uncertain,
        }
    }
}

impl Search {
    /// Whether the pattern is found; `None` if engines may disagree on the text, or a limit is reached.
    fn find(&self, sets: &[Set], text: &[u8]) -> Option<bool> {
        if !text.iter().all(|byte| byte.is_ascii() && *byte != b'\r') {
            return None;
        }
        match self {
            Search::Program(program) => matcher::find(program, sets, text),
            Search::Counted(tokens) => {
                let cut = u32::try_from(text.len()).ok()?.checked_add(1)?;
                let program = Program::build(tokens, sets, cut, MOST_INSTRUCTIONS)?;
                matcher::find(&program, sets, text)
            }
        }
    }
}

impl Pattern {
    fn new(source: &[u8]) -> Self {
        if source.is_empty() {
            return Pattern::Everywhere;
        }
        if !portable::is_portable(source) {
            return Pattern::Undecided;
        }
        let (tokens, sets) = match parse::parse(source) {
            Parsed::Invalid => return Pattern::Invalid,
            Parsed::Valid { tokens, sets, depth }
                if source.len() <= MOST_BYTES && depth <= MOST_DEPTH =>
            {
                (tokens, sets)
            }
            Parsed::NotUnicode | Parsed::Valid { .. } => return Pattern::Undecided,
        };
        // Enough for every pattern without counts, so that a ruleset stays as large as its definitions.
        let limit = 512 + 2 * source.len();
        let search = match Program::build(&tokens, &sets, u32::MAX, limit) {
            Some(program) => Search::Program(program),
            None => Search::Counted(tokens),
        };
        Pattern::Portable { search, sets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(source: &str) -> &'static str {
        match Pattern::new(source.as_bytes()) {
            Pattern::Everywhere => "everywhere",
            Pattern::Undecided => "not portable",
            Pattern::Invalid => "invalid",
            Pattern::Portable { .. } => "portable",
            Pattern::Throws => "throws",
        }
    }

    #[test]
    fn patterns_are_sorted_as_the_reference_sorts_them() {
        for (expected, sources) in [
            (
                "portable",
                &["^a+b?$", "(?:ab)+", "a{2,3}?", "[a-c-e]", "[\\w.-]", "]", "}", "a|", "\\x41"][..],
            ),
            (
                "not portable",
                &[
                    "(?=x)", "é", "\\bfoo", "[\\d-x]", "[\\B]", "[\\@]", "a++", "^*", "()*", "{2}",
                    "[[a]]", "[]a]", "\\0", "\\<",
                ],
            ),
            (
                "invalid",
                &[
                    "a**", "a{2}*", "*", "(", ")", "[a", "[z-a]", "a{3,2}", "a\\", "a*??", "(*a)",
                    "|?",
                ],
            ),
            ("everywhere", &[""]),
        ] {
            for source in sources {
                assert_eq!(kind(source), expected, "{source}");
            }
        }
    }
}
