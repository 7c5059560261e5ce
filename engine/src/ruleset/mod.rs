//! The compiled form of definitions: flat tables in one piece of bytes that refer to each other by index.
//!
//! Everything that depends on definitions alone is decided before: operators are chosen, filter values
//! coerced, keys numbered into slots, names turned into indices. Evaluation reads nothing else, and loading
//! is a check: nothing is built.

mod check;
pub(crate) mod layout;
mod view;

pub(crate) use check::{Checker, Record};
pub(crate) use view::{View, Word, double, word};

use std::ops::Range;

use xxhash_rust::xxh64::xxh64;

use crate::answer::Code;
use crate::error::Error;
use crate::text::Text;
use layout::{CONTEXTS_NEED_DEFINITIONS, HEADER, ORDER_SHOWS, VERSION};
use view::{records, words};

/// Index of a flag in the order of the definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlagId(pub u32);

/// Index of a text that answers refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StringId(pub u32);

/// Index of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayloadId(pub u32);

/// A payload as JSON text, ready for `JSON.parse`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    pub json: String,
    /// Whether the parsed payload is truthy. The reference's bulk call leaves falsy payloads out.
    pub truthy: bool,
}

const CHECKSUM: usize = 8;
const TABLES: usize = 11;
/// Words of a table's entry, but for the last two tables, which count words and bytes.
const ENTRY: [usize; TABLES - 1] =
    [layout::FLAG, 1, 2, 2, 2, 3, layout::PREDICATE, layout::COHORT, 2, 1];

/// Definitions compiled for evaluation.
#[derive(Debug)]
pub struct Ruleset {
    bytes: Vec<u8>,
    /// Where the ruleset begins in them; it ends with the hash of all before.
    start: usize,
    /// Flags that have keys.
    flags: u32,
    bits: u32,
    tables: [Range<usize>; TABLES],
    /// By flag, whether the evaluation contexts left it out; empty without contexts.
    left_out: Vec<bool>,
}

impl Ruleset {
    /// Takes bytes that end with the xxHash64 of all before it, in which a ruleset begins at `start`
    /// and reaches up to the hash. Without evaluation contexts every flag is kept.
    ///
    /// The bytes are not trusted: every reference in them is checked.
    ///
    /// # Errors
    /// [`Error::is_damaged`] for bytes that are not what was written; [`Error::is_unknown_ruleset`] for a
    /// layout this build does not know, and where the evaluation contexts need the definitions.
    pub fn open(
        bytes: Vec<u8>,
        start: usize,
        evaluation_contexts: &[String],
    ) -> Result<Self, Error> {
        let end = bytes.len().saturating_sub(CHECKSUM);
        let (body, hash) = bytes.split_at_checked(end).ok_or_else(Error::damaged_ruleset)?;
        let section = body.get(start..).ok_or_else(Error::damaged_ruleset)?;
        let header: &[Word; HEADER] =
            words(section).first_chunk().ok_or_else(Error::damaged_ruleset)?;
        let [version, bits, length, flags, hidden, tables @ ..] = header.each_ref().map(word);
        if xxh64(body, 0).to_le_bytes() != hash {
            return Err(Error::damaged_ruleset());
        }
        if version != VERSION {
            return Err(Error::unknown_ruleset());
        }
        let tables = ranges(tables, start).ok_or_else(Error::damaged_ruleset)?;
        if tables.last().map(|texts| texts.end) != Some(body.len())
            || length as usize != section.len()
        {
            return Err(Error::damaged_ruleset());
        }
        let mut ruleset = Ruleset { bytes, start, flags, bits, tables, left_out: Vec::new() };
        check::check(&ruleset.view(), flags, hidden).ok_or_else(Error::damaged_ruleset)?;
        if !evaluation_contexts.is_empty() {
            if bits & CONTEXTS_NEED_DEFINITIONS != 0 {
                return Err(Error::contexts_need_definitions());
            }
            ruleset.left_out = ruleset.view().left_out(evaluation_contexts);
        }
        Ok(ruleset)
    }

    /// The bytes of the ruleset itself, to be sealed into a snapshot.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..self.bytes.len() - CHECKSUM).unwrap_or_default()
    }

    /// The tables.
    pub(crate) fn view(&self) -> View<'_> {
        let [
            flags,
            order,
            slots,
            group_types,
            strings,
            payloads,
            predicates,
            cohorts,
            problems,
            pool,
            texts,
        ] = self.tables.each_ref().map(|range| self.bytes.get(range.clone()).unwrap_or_default());
        View {
            flags: records(words(flags)),
            order: words(order),
            slots: records(words(slots)),
            group_types: records(words(group_types)),
            strings: records(words(strings)),
            payloads: records(words(payloads)),
            predicates: records(words(predicates)),
            cohorts: records(words(cohorts)),
            problems: records(words(problems)),
            pool: words(pool),
            texts,
        }
    }

    /// How many flags there are, those that evaluation contexts left out included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flags as usize
    }

    /// Whether there are no flags.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flags == 0
    }

    /// The flags that the evaluation contexts left out, rising.
    pub fn left_out(&self) -> impl Iterator<Item = FlagId> {
        (0..).zip(&self.left_out).filter(|(_, out)| **out).map(|(number, _)| FlagId(number))
    }

    pub(crate) fn is_left_out(&self, flag: u32) -> bool {
        self.left_out.get(flag as usize).is_some_and(|out| *out)
    }

    /// All flag ids, in the order of the definitions.
    pub fn flag_ids(&self) -> impl Iterator<Item = FlagId> {
        (0..self.flags).filter(|flag| !self.is_left_out(*flag)).map(FlagId)
    }

    /// A flag's key.
    #[must_use]
    pub fn flag_key(&self, id: FlagId) -> Option<Text> {
        let view = self.view();
        let [offset, length, ..] = view.flags.get(id.0 as usize)?;
        Some(Text::from_wtf8(view.text(&[*offset, *length]).to_vec()))
    }

    /// Keys of the flags, in the order of [`Ruleset::flag_ids`].
    #[must_use]
    pub fn flag_keys(&self) -> Vec<Text> {
        self.flag_ids().filter_map(|id| self.flag_key(id)).collect()
    }

    /// A flag by its key.
    #[must_use]
    pub fn flag(&self, key: &[u8]) -> Option<FlagId> {
        let view = self.view();
        let found = view.order.binary_search_by(|number| view.key(word(number)).cmp(key)).ok()?;
        let flag = view.order.get(found).map(word)?;
        Some(FlagId(flag)).filter(|_| !self.is_left_out(flag))
    }

    /// The property keys that some flag reads, of persons and groups alike: a user's values travel by
    /// their index here.
    #[must_use]
    pub fn slots(&self) -> Vec<Text> {
        self.texts(|view| view.slots)
    }

    /// How many slots there are.
    #[must_use]
    pub fn slot_count(&self) -> usize {
        self.view().slots.len()
    }

    /// How many group types there are.
    #[must_use]
    pub fn group_type_count(&self) -> usize {
        self.view().group_types.len()
    }

    /// The group types that some flag uses.
    #[must_use]
    pub fn group_types(&self) -> Vec<Text> {
        self.texts(|view| view.group_types)
    }

    /// What was wrong with the definitions and left out or made unresolved, for people: one line each.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let lines = self.texts(|view| view.problems);
        lines.iter().map(|line| line.to_str_lossy().into_owned()).collect()
    }

    /// A variant's name or a holdout's value; the JSON of what is no text.
    #[must_use]
    pub fn string(&self, id: StringId) -> Option<Text> {
        let view = self.view();
        view.strings.get(id.0 as usize).map(|text| Text::from_wtf8(view.text(text).to_vec()))
    }

    /// A payload.
    #[must_use]
    pub fn payload(&self, id: PayloadId) -> Option<Payload> {
        let view = self.view();
        let [offset, length, truthy] = view.payloads.get(id.0 as usize)?;
        let json = String::from_utf8_lossy(view.text(&[*offset, *length])).into_owned();
        Some(Payload { json, truthy: word(truthy) != 0 })
    }

    /// The payload that hangs on a value of a flag.
    pub(crate) fn payload_of(&self, flag: FlagId, code: Code) -> Option<PayloadId> {
        self.view().payload(flag.0, code)?.map(PayloadId)
    }

    pub(crate) fn order_shows(&self) -> bool {
        self.bits & ORDER_SHOWS != 0
    }

    fn texts(&self, table: impl Fn(View<'_>) -> &[[Word; 2]]) -> Vec<Text> {
        let view = self.view();
        table(view).iter().map(|text| Text::from_wtf8(view.text(text).to_vec())).collect()
    }
}

impl<'a> View<'a> {
    #[inline]
    pub(crate) fn key(&self, flag: u32) -> &'a [u8] {
        match self.flags.get(flag as usize) {
            Some([offset, length, ..]) => self.text(&[*offset, *length]),
            None => &[],
        }
    }

    /// PARITY: `resolveFeatureFlagPayload` (@posthog/core); `Some(None)` where it throws.
    pub(crate) fn payload(&self, flag: u32, code: Code) -> Option<Option<u32>> {
        let [.., payloads, _, _, _] = self.flags.get(flag as usize)?;
        let wanted = code.payload_key()?;
        let found = self.list(word(payloads))?.iter().find(|[key, _]| word(key) == wanted)?;
        Some(Some(word(&found[1])).filter(|payload| *payload != layout::NONE))
    }

    /// PARITY: `filterFlagsByEvaluationContexts` (posthog-node).
    fn left_out(&self, contexts: &[String]) -> Vec<bool> {
        let is_in =
            |tag: &[Word; 2]| contexts.iter().any(|context| context.as_bytes() == self.text(tag));
        let tags = self.flags.iter().map(|[.., tags]| word(tags));
        tags.map(|tags| tags != 0 && !self.list(tags).unwrap_or_default().iter().any(is_in))
            .collect()
    }
}

/// Where the tables lie: one behind the other, right behind the header.
fn ranges(pairs: [u32; HEADER - 5], start: usize) -> Option<[Range<usize>; TABLES]> {
    let mut ranges: [Range<usize>; TABLES] = Default::default();
    let mut next = HEADER.checked_mul(4)?;
    let entries = ENTRY.iter().map(|words| words * 4).chain([1]);
    for ((range, pair), entry) in ranges.iter_mut().zip(pairs.as_chunks::<2>().0).zip(entries) {
        let [offset, count] = pair.map(|number| number as usize);
        let end = offset.checked_add(count.checked_mul(entry)?)?;
        if offset != next {
            return None;
        }
        *range = offset.checked_add(start)?..end.checked_add(start)?;
        next = end;
    }
    Some(ranges)
}
