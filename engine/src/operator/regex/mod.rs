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

#[derive(Debug)]
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

#[derive(Debug)]
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

    /// What a pattern's program says of a text, however many instructions it has.
    fn found(tokens: &[Token], sets: &[Set], cut: u32, text: &str) -> Option<bool> {
        let program = Program::build(tokens, sets, cut, usize::MAX)?;
        matcher::find(&program, sets, text.as_bytes())
    }

    fn parsed(source: &str) -> (Vec<Token>, Vec<Set>) {
        match parse::parse(source.as_bytes()) {
            Parsed::Valid { tokens, sets, .. } => (tokens, sets),
            _ => (Vec::new(), Vec::new()),
        }
    }

    #[test]
    fn counts_cut_to_one_more_than_the_text_has_bytes_find_the_same() {
        let mut texts = vec![String::new()];
        for length in 0..5 {
            for prefix in texts.clone().iter().filter(|text| text.len() == length) {
                texts.extend(["a", "b"].map(|letter| format!("{prefix}{letter}")));
            }
        }
        let mut outcomes = [0, 0];
        for source in [
            "^a{3}$",
            "^a{9}$",
            "^(a|){7}$",
            "^(?:a?b?){2,7}$",
            "(?:^a|b$|a){2,9}",
            "^(?:ab|a){0,8}$",
            "^(?:a{2,9}b{0,7}){1,8}$",
            "^(?:(?:a|^){6,}b){0,7}$",
            "(?:^|a){8}b",
            "^(?:ab?){3,}$",
        ] {
            let (tokens, sets) = parsed(source);
            for text in &texts {
                let all = found(&tokens, &sets, u32::MAX, text);
                let cut = found(&tokens, &sets, text.len() as u32 + 1, text);
                assert!(all.is_some());
                assert_eq!(cut, all, "{source} in {text:?}");
                outcomes[usize::from(all == Some(true))] += 1;
            }
        }
        assert!(outcomes.iter().all(|count| *count > 100), "{outcomes:?}");
    }

    #[test]
    fn repetitions_of_repetitions_are_refused_before_they_are_written() {
        for source in
            ["a{4294967295}", "(((a{1000}){1000}){1000}){1000}", "(?:(?:a{0,9999}){9999,}){9999}"]
        {
            let (tokens, sets) = parsed(source);
            assert!(
                Program::build(&tokens, &sets, u32::MAX, MOST_INSTRUCTIONS).is_none(),
                "{source}"
            );
            let pattern = Pattern::new(source.as_bytes());
            assert!(
                matches!(pattern, Pattern::Portable { search: Search::Counted(_), .. }),
                "{source}"
            );
        }
    }

    #[test]
    fn a_pattern_without_counts_is_built_once_whatever_its_length() {
        for part in ["|", "a", "a*", "a+", "a?", "(?:a|b)*?", "()|", "[a-z]+", "^|", "\\d"] {
            let source = part.repeat(MOST_BYTES / part.len());
            let pattern = Pattern::new(source.as_bytes());
            let built = matches!(pattern, Pattern::Portable { search: Search::Program(_), .. });
            assert!(built, "many {part}");
        }
    }

    #[test]
    fn nesting_needs_no_stack() {
        let groups = |count| format!("{}a{}", "(?:".repeat(count), "|b)*".repeat(count));
        let run = move || {
            assert_eq!(kind(&groups(250)), "portable");
            assert_eq!(kind(&groups(251)), "not portable");
            assert_eq!(kind(&groups(1_000_000)), "not portable");
            assert_eq!(kind(&"(".repeat(1_000_000)), "invalid");
            let (tokens, sets) = parsed(&groups(1000));
            assert_eq!(found(&tokens, &sets, u32::MAX, "ba"), Some(true));
        };
        std::thread::Builder::new().stack_size(256 << 10).spawn(run).unwrap().join().unwrap();
    }

    #[test]
    fn work_has_a_limit_that_patterns_with_many_ways_do_not_reach_by_themselves() {
        let text = "a".repeat(100_000);
        for (source, expected) in [
            ("(a+)+b", Some(false)),
            ("(a|a)*b", Some(false)),
            ("^((a*)*)*$", Some(true)),
            ("(a?){40}a{40}b", Some(false)),
            ("(a?){1000}b", None),
        ] {
            let (tokens, sets) = parsed(source);
            assert_eq!(found(&tokens, &sets, u32::MAX, &text), expected, "{source}");
        }
    }
}
