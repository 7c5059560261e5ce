//! Property operators: what a filter, compiled to a predicate, says of a property.
//!
//! A predicate's operation is an `OP_*` with [`NOT`], the support of the filter and a detail; two operands
//! follow. `compile::operation` writes them.

#![cfg_attr(
    not(feature = "compile"),
    allow(dead_code, reason = "only the compiler writes all of it")
)]

mod canonical;
mod date;
mod exact;
mod number;
pub(crate) mod regex;
mod semver;
mod text;

pub(crate) use canonical::{canonical_lower, is_json};
pub(crate) use exact::truth;
pub(crate) use semver::parse as parse_version;
#[cfg(feature = "compile")]
pub(crate) use semver::{Version, digits, without_v};

use crate::context::{Asked, Property};
use crate::ecma::Host;
use crate::ruleset::{Checker, Record, View, Word, word};

pub(crate) const OP: u32 = 31;
pub(crate) const NOT: u32 = 1 << 5;
pub(crate) const SUPPORT: u32 = 6;
pub(crate) const DETAIL: u32 = 8;

pub(crate) const SUPPORTED: u32 = 0;
pub(crate) const UNSUPPORTED: u32 = 1;
/// Checking whether the filter can be evaluated makes the reference throw.
pub(crate) const SUPPORT_THROWS: u32 = 2;

pub(crate) const OP_IS_SET: u32 = 0;
pub(crate) const OP_IS_NOT_SET: u32 = 1;
/// Compares truths. Detail: the expected one.
pub(crate) const OP_TRUTH: u32 = 2;
/// As [`OP_TEXTS`], but a number never equals it.
pub(crate) const OP_BOOLEAN_LIKE: u32 = 3;
/// Operand: a list of texts (references), canonical and lower-cased, rising. Detail: `ONE_TEXT`,
/// `REFUSED_TEXT`.
pub(crate) const OP_TEXTS: u32 = 4;
/// Operands: a text with A-Z lowered. Detail: `PLACE_*`.
pub(crate) const OP_PART: u32 = 5;
/// Operand: a block (see `regex`). Detail: `REGEX_*`.
pub(crate) const OP_REGEX: u32 = 6;
/// Operand: a block of the limit's number (NaN if it has none) and text. Detail: `ORDER_*`.
pub(crate) const OP_COMPARE: u32 = 7;
/// Operands by the detail, `DATE_*`: count and unit, a time as f64, or a text only the host can read.
pub(crate) const OP_DATE: u32 = 8;
/// Operand: a block of one version, or of two to be within. Detail: `VERSION_*`.
pub(crate) const OP_VERSION: u32 = 9;
/// The filter's side cannot be used.
pub(crate) const OP_UNSUPPORTED: u32 = 10;
/// The reference throws, except for `null`.
pub(crate) const OP_THROWS: u32 = 11;
/// The reference throws, for `null` as well.
pub(crate) const OP_THROWS_AT_NULL: u32 = 12;

/// The filter's value is no list: a text refused is found before the property is looked at.
pub(crate) const ONE_TEXT: u32 = 1;
/// Behind the texts stands one that the reference refuses to write.
pub(crate) const REFUSED_TEXT: u32 = 2;

pub(crate) const PLACE_ANYWHERE: u32 = 0;
pub(crate) const PLACE_START: u32 = 1;
pub(crate) const PLACE_END: u32 = 2;

pub(crate) const ORDER_GREATER: u32 = 0;
pub(crate) const ORDER_GREATER_OR_EQUAL: u32 = 1;
pub(crate) const ORDER_LESS: u32 = 2;
pub(crate) const ORDER_LESS_OR_EQUAL: u32 = 3;

pub(crate) const DATE_BEFORE: u32 = 4;
pub(crate) const DATE_KIND: u32 = 3;
pub(crate) const DATE_RELATIVE: u32 = 0;
pub(crate) const DATE_ABSOLUTE: u32 = 1;
pub(crate) const DATE_TEXT: u32 = 2;

pub(crate) const VERSION_EQ: u32 = 0;
pub(crate) const VERSION_NEQ: u32 = 1;
pub(crate) const VERSION_GT: u32 = 2;
pub(crate) const VERSION_GTE: u32 = 3;
pub(crate) const VERSION_LT: u32 = 4;
pub(crate) const VERSION_LTE: u32 = 5;
/// From the first version up to, not including, the second.
pub(crate) const VERSION_WITHIN: u32 = 6;

/// What a filter says of a present property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Is(bool),
    /// The filter's side cannot be used.
    Unsupported,
    /// The property's side cannot be used.
    Missing,
    /// A regular expression that only the server may decide.
    Uncertain,
    /// The reference throws.
    Throws,
}

/// A predicate's operation with its operands.
#[derive(Clone, Copy)]
pub(crate) struct Operation<'a> {
    operation: u32,
    operands: [&'a Word; 2],
    view: &'a View<'a>,
}

impl<'a> Operation<'a> {
    pub(crate) fn new(view: &'a View<'a>, operation: &Word, operands: [&'a Word; 2]) -> Self {
        Operation { operation: word(operation), operands, view }
    }

    /// Asks about a present property.
    ///
    /// PARITY: `matchPropertyValue` (@posthog/core).
    pub(crate) fn matches(
        self,
        asked: &mut Asked<'_, impl Host + ?Sized>,
        now: f64,
        search: &mut regex::Search,
    ) -> Outcome {
        match (self.operation & OP, asked.property) {
            (OP_IS_SET, _) => Outcome::Is(true),
            (OP_IS_NOT_SET, _) => Outcome::Is(false),
            (_, Property::Undefined) => Outcome::Unsupported,
            (OP_TRUTH, _) => self.truth(asked),
            (OP_BOOLEAN_LIKE, Property::Number(number, _)) if number.is_finite() => {
                Outcome::Is(self.is_negated())
            }
            (OP_BOOLEAN_LIKE, Property::Number(..)) => Outcome::Missing,
            (OP_BOOLEAN_LIKE | OP_TEXTS, _) => self.texts(asked),
            (OP_PART, _) => self.part(asked),
            (OP_REGEX, _) => self.regex(asked, search),
            (OP_THROWS_AT_NULL, _) => Outcome::Throws,
            (_, Property::Null) => Outcome::Is(false),
            (OP_COMPARE, _) => self.compare(asked),
            (OP_DATE, _) => self.date(asked, now),
            (OP_VERSION, _) => self.version(asked),
            (OP_THROWS, _) => Outcome::Throws,
            _ => Outcome::Unsupported,
        }
    }

    fn is_negated(self) -> bool {
        self.operation & NOT != 0
    }

    fn detail(self) -> u32 {
        self.operation >> DETAIL
    }

    /// The text that the operands refer to.
    fn text_operand(self) -> &'a [u8] {
        let [offset, length] = self.operands;
        self.view.text(&[*offset, *length])
    }

    /// The block or list that the first operand refers to.
    fn pool_operand(self) -> u32 {
        word(self.operands[0])
    }
}

/// Checks that operands refer to what is there.
pub(crate) fn check(checker: &mut Checker<'_>, predicate: [u32; 3]) -> Option<()> {
    let [operation, first, second] = predicate;
    let detail = operation >> DETAIL;
    let view = checker.view;
    match operation & OP {
        OP_BOOLEAN_LIKE | OP_TEXTS => checker.list(Record::Text, first).map(drop),
        OP_PART => checker.text(first, second),
        OP_DATE if detail & DATE_KIND == DATE_TEXT => checker.text(first, second),
        OP_REGEX => regex::check(checker, detail, first),
        OP_COMPARE => {
            let [_, _, offset, length] = view.block(first)?;
            checker.take(4)?;
            checker.text(word(offset), word(length))
        }
        OP_VERSION if detail == VERSION_WITHIN => view.block::<12>(first).map(drop),
        OP_VERSION => view.block::<6>(first).map(drop),
        operation => (operation <= OP_THROWS_AT_NULL).then_some(()),
    }
}
