//! `regex` and `not_regex`, for the patterns on which all of PostHog's engines agree.
//!
//! Blocks in the pool: a program is the set of bytes it can begin with, then a list of sets, then, right behind
//! it, a list of instructions; a counted pattern is a list of sets and a list of tokens.

pub(crate) mod matcher;
pub(crate) mod program;
pub(crate) mod set;

pub(crate) use matcher::Search;

use super::{Operation, Outcome};
use crate::context::Asked;
use crate::ecma::{Host, is_ascii};
use crate::ruleset::{Checker, Record, View, Word};
use program::Program;
use set::Set;

/// The empty pattern is found everywhere.
pub(crate) const REGEX_EVERYWHERE: u32 = 0;
/// Engines may disagree on it, or it is too large: the server decides.
pub(crate) const REGEX_UNDECIDED: u32 = 1;
/// Portable by the scan, yet no JavaScript regular expression: never a match, negated or not.
pub(crate) const REGEX_INVALID: u32 = 2;
pub(crate) const REGEX_PROGRAM: u32 = 3;
/// Its counts make the program large: it is built for each text, with no higher counts than that text
/// needs.
pub(crate) const REGEX_COUNTED: u32 = 4;

/// Programs with more instructions are left to the server. Without counts no pattern that is short
/// enough has one.
pub(crate) const MOST_INSTRUCTIONS: usize = 1 << 17;

/// Words of a set.
pub(crate) const SET: usize = 4;
/// Words of a token.
pub(crate) const TOKEN: usize = 3;

impl Operation<'_> {
    /// PARITY: `matchFeatureFlagRegex` (@posthog/core).
    ///
    /// DIFFERENCE: the reference runs JavaScript's engine, which takes exponential time for some
    /// patterns and gives others up; this matcher decides them. What exceeds its own limits is undecided.
    pub(super) fn regex(
        self,
        asked: &mut Asked<'_, impl Host + ?Sized>,
        search: &mut Search,
    ) -> Outcome {
        let Some(text) = asked.text() else { return Outcome::Throws };
        let text = asked.slice(text);
        let found = match self.detail() {
            REGEX_EVERYWHERE => Some(true),
            REGEX_INVALID => return Outcome::Is(false),
            REGEX_UNDECIDED => None,
            // Engines may disagree on such texts.
            _ if !is_ascii(text) || text.contains(&b'\r') => None,
            REGEX_PROGRAM => find(self.view, self.pool_operand(), text, search),
            _ => find_counted(self.view, self.pool_operand(), text, search),
        };
        match found {
            Some(found) => Outcome::Is(found != self.is_negated()),
            None => Outcome::Uncertain,
        }
    }
}

/// Whether a program finds something; `None` if a limit is reached.
fn find(view: &View<'_>, at: u32, text: &[u8], search: &mut Search) -> Option<bool> {
    let first = Set::read(view.block(at)?);
    let (sets, code) = two_lists::<SET, 1>(view, at.checked_add(SET as u32)?)?;
    matcher::find(code.as_flattened(), first, sets, text, search)
}

fn find_counted(view: &View<'_>, at: u32, text: &[u8], search: &mut Search) -> Option<bool> {
    let (sets, tokens) = two_lists::<SET, TOKEN>(view, at)?;
    let cut = u32::try_from(text.len()).ok()?.checked_add(1)?;
    let Program { code, first } = Program::build(tokens, sets, cut, MOST_INSTRUCTIONS)?;
    matcher::find(&code, first, sets, text, search)
}

/// Two lists, the second right behind the first.
#[expect(clippy::type_complexity, reason = "two tables")]
fn two_lists<'a, const N: usize, const M: usize>(
    view: &View<'a>,
    at: u32,
) -> Option<(&'a [[Word; N]], &'a [[Word; M]])> {
    let first = view.list::<N>(at)?;
    let length = u32::try_from(1 + first.len() * N).ok()?;
    Some((first, view.list(at.checked_add(length)?)?))
}

/// Checks that the block of a pattern is there.
pub(super) fn check(checker: &mut Checker<'_>, detail: u32, at: u32) -> Option<()> {
    let (at, entry) = match detail {
        REGEX_PROGRAM => {
            checker.take(SET)?;
            (at.checked_add(SET as u32)?, 1)
        }
        REGEX_COUNTED => (at, TOKEN),
        kind => return (kind <= REGEX_INVALID).then_some(()),
    };
    let sets = checker.list(Record::Words(SET), at)?;
    let behind = at.checked_add(u32::try_from(1 + sets).ok()?)?;
    checker.list(Record::Words(entry), behind).map(drop)
}
