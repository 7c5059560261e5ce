//! `regex` and `not_regex`: patterns, as far as all of PostHog's engines agree on them, become programs.

mod class;
mod parse;
mod portable;

use parse::Parsed;

use super::{Operand, Operation};
use crate::ecma::{Host, text_of};
use crate::operator::regex::program::{Program, Token};
use crate::operator::regex::set::Set;
use crate::operator::regex::{
    REGEX_COUNTED, REGEX_EVERYWHERE, REGEX_INVALID, REGEX_PROGRAM, REGEX_UNDECIDED, SET, TOKEN,
};
use crate::operator::{OP_REGEX, OP_THROWS_AT_NULL};
use crate::ruleset::Word;
use crate::value::Value;

/// Patterns longer than this, in bytes, are left to the server.
const MOST_BYTES: usize = 1 << 16;
/// Patterns with groups nested deeper are left to the server.
const MOST_DEPTH: u32 = 250;

#[derive(Debug)]
enum Pattern {
    Everywhere,
    Undecided,
    Invalid,
    Program(Program, Vec<Set>),
    Counted(Vec<Token>, Vec<Set>),
}

/// PARITY: `matchFeatureFlagRegex`, `getPortableRegexClasses` (@posthog/core).
pub(super) fn compile(negate: bool, value: &Value, host: &dyn Host) -> Operation {
    let Some(text) = text_of(value, host) else { return Operation::bare(OP_THROWS_AT_NULL) };
    let (kind, block) = match Pattern::new(&text) {
        Pattern::Everywhere => (REGEX_EVERYWHERE, Vec::new()),
        Pattern::Undecided => (REGEX_UNDECIDED, Vec::new()),
        Pattern::Invalid => (REGEX_INVALID, Vec::new()),
        Pattern::Program(Program { code, first }, sets) => {
            let code = code.into_iter().map(u32::from_le_bytes);
            let block = [first.words().to_vec(), list(&sets), vec![code.len() as u32]].concat();
            (REGEX_PROGRAM, block.into_iter().chain(code).collect())
        }
        Pattern::Counted(tokens, sets) => {
            let block = [list(&sets), vec![tokens.len() as u32]].concat();
            let tokens = tokens.into_iter().flat_map(Token::words);
            (REGEX_COUNTED, block.into_iter().chain(tokens).collect())
        }
    };
    let operand = if block.is_empty() { Operand::Words([0; 2]) } else { Operand::Block(block) };
    Operation::new(OP_REGEX, negate, kind, operand)
}

/// A list of sets, as it lies in the pool.
fn list(sets: &[Set]) -> Vec<u32> {
    let words = sets.iter().flat_map(|set| set.words());
    [sets.len() as u32].into_iter().chain(words).collect()
}

/// Sets as they are read from the pool.
fn table(sets: &[Set]) -> Vec<[Word; SET]> {
    sets.iter().map(|set| set.words().map(u32::to_le_bytes)).collect()
}

/// Tokens as they are read from the pool.
fn table_of(tokens: &[Token]) -> Vec<[Word; TOKEN]> {
    tokens.iter().map(|token| token.words().map(u32::to_le_bytes)).collect()
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
        match Program::build(&table_of(&tokens), &table(&sets), u32::MAX, limit) {
            Some(program) => Pattern::Program(program, sets),
            None => Pattern::Counted(tokens, sets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::regex::{MOST_INSTRUCTIONS, Search, matcher};

    fn kind(source: &str) -> &'static str {
        match Pattern::new(source.as_bytes()) {
            Pattern::Everywhere => "everywhere",
            Pattern::Undecided => "not portable",
            Pattern::Invalid => "invalid",
            Pattern::Program(..) | Pattern::Counted(..) => "portable",
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
        let sets = table(sets);
        let Program { code, first } = Program::build(&table_of(tokens), &sets, cut, usize::MAX)?;
        matcher::find(&code, first, &sets, text.as_bytes(), &mut Search::default())
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
                Program::build(&table_of(&tokens), &table(&sets), u32::MAX, MOST_INSTRUCTIONS)
                    .is_none(),
                "{source}"
            );
            let pattern = Pattern::new(source.as_bytes());
            assert!(matches!(pattern, Pattern::Counted(..)), "{source}");
        }
    }

    #[test]
    fn a_pattern_without_counts_is_built_once_whatever_its_length() {
        for part in ["|", "a", "a*", "a+", "a?", "(?:a|b)*?", "()|", "[a-z]+", "^|", "\\d"] {
            let source = part.repeat(MOST_BYTES / part.len());
            let pattern = Pattern::new(source.as_bytes());
            let built = matches!(pattern, Pattern::Program(..));
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
