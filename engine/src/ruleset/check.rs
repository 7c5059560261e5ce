//! Whether a ruleset's tables refer to what is there, so that work and memory stay as small as its bytes.

use super::layout::{
    AGGREGATION_GROUP, ALL_SLOTS, COHORT, COHORT_ANY, CONDITION, CONDITION_AGGREGATION,
    CONDITION_OVERRIDE, DEPENDENCY, EXPECTED_NEVER, EXPECTED_VARIANT, FILTER, FILTER_COHORT,
    FILTER_FLAG, FILTER_GROUP, FILTER_KIND, FILTER_PROPERTY, FILTER_THROWS_THROUGH, FLAG,
    FLAG_CHAINED, FLAG_FIXED, FLAG_REASON, FLAG_SUBJECT, KEY_JSON, KEY_TEXT, KEY_TRUE, MALFORMED,
    NONE, OVERRIDE_MALFORMED, OVERRIDE_NONE, PREDICATE, SUBJECT_DEVICE, SUBJECT_GROUP,
    SUBJECT_PERSON, TARGET_UNKNOWN, VARIANT,
};
use super::view::{View, Word, word};
use crate::answer::{Code, FlagValue, Reason};
use crate::operator;

/// `None` if something is wrong. Lists are read at most once altogether: a list that others share would
/// make few bytes mean much work.
pub(super) fn check(view: &View<'_>, flags: u32, hidden: u32) -> Option<()> {
    let mut checker = Checker { view, room: view.pool.len() };
    require(view.pool.first()? == &[0; 4])?;
    require(view.flags.len() == (flags as usize).checked_add(hidden as usize)?)?;
    // The keys are ordered by their texts, so that these are looked at first.
    let tables = [
        (Record::Text, view.slots.as_flattened()),
        (Record::Text, view.group_types.as_flattened()),
        (Record::Text, view.strings.as_flattened()),
        (Record::Text, view.problems.as_flattened()),
        (Record::Payload, view.payloads.as_flattened()),
        (Record::Predicate, view.predicates.as_flattened()),
        (Record::Cohort, view.cohorts.as_flattened()),
        (Record::Flag, view.flags.as_flattened()),
    ];
    for (record, table) in tables {
        checker.records(record, table)?;
    }
    let keys = view.flags.iter().map(|[_, length, ..]| length);
    checker.distinct(keys)?;
    for names in [view.slots, view.group_types, view.strings] {
        checker.distinct(names.iter().map(|[_, length]| length))?;
    }
    checker.order(flags)
}

fn require(holds: bool) -> Option<()> {
    holds.then_some(())
}

fn below<T>(index: u32, table: &[T]) -> Option<()> {
    require((index as usize) < table.len())
}

fn optional<T>(index: u32, table: &[T]) -> Option<()> {
    require(index == NONE || (index as usize) < table.len())
}

/// What tables and lists consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// So many words that may be anything.
    Words(usize),
    Slot,
    GroupType,
    /// A flag of a dependency's chain.
    Chained,
    Text,
    Payload,
    PayloadOfFlag,
    Predicate,
    Cohort,
    Flag,
    Condition,
    Filter,
    Variant,
}

impl Record {
    /// How many words it has.
    fn words(self) -> usize {
        match self {
            Record::Words(words) => words,
            Record::Slot | Record::GroupType | Record::Chained => 1,
            Record::Text | Record::PayloadOfFlag => 2,
            Record::Payload => 3,
            Record::Predicate => PREDICATE,
            Record::Cohort => COHORT,
            Record::Flag => FLAG,
            Record::Condition => CONDITION,
            Record::Filter => FILTER,
            Record::Variant => VARIANT,
        }
    }
}

pub(crate) struct Checker<'a> {
    pub(crate) view: &'a View<'a>,
    /// Words of lists that may still be read.
    room: usize,
}

impl Checker<'_> {
    /// Counts words of the pool as read.
    pub(crate) fn take(&mut self, words: usize) -> Option<()> {
        self.room = self.room.checked_sub(words)?;
        Some(())
    }

    pub(crate) fn text(&self, offset: u32, length: u32) -> Option<()> {
        self.view.text_at(offset, length).map(drop)
    }

    /// A list; how many words its entries have.
    #[inline(never)]
    pub(crate) fn list(&mut self, record: Record, at: u32) -> Option<usize> {
        let entries = self.view.list_of(at, record.words())?;
        self.take(entries.len())?;
        self.records(record, entries)?;
        Some(entries.len())
    }

    fn list_or_malformed(&mut self, record: Record, at: u32) -> Option<()> {
        if at == MALFORMED { Some(()) } else { self.list(record, at).map(drop) }
    }

    #[inline(never)]
    fn records(&mut self, record: Record, of: &[Word]) -> Option<()> {
        if let Record::Words(_) = record {
            return Some(());
        }
        of.chunks_exact(record.words()).try_for_each(|entry| {
            let mut words = [0; FLAG];
            for (to, from) in words.iter_mut().zip(entry) {
                *to = word(from);
            }
            self.record(record, &words)
        })
    }

    /// A record, with zeros behind it.
    fn record(&mut self, record: Record, words: &[u32; FLAG]) -> Option<()> {
        let view = self.view;
        let [first, second, third, fourth, fifth, sixth, ..] = *words;
        match record {
            Record::Words(_) => Some(()),
            Record::Slot => below(first, view.slots),
            Record::GroupType => below(first, view.group_types),
            // What is not marked is evaluated again each time: a cycle would never end.
            Record::Chained => {
                let [_, _, bits, ..] = view.flags.get(first as usize)?;
                require(word(bits) & (FLAG_CHAINED | FLAG_FIXED) != 0)
            }
            Record::Text | Record::Payload => self.text(first, second),
            Record::PayloadOfFlag => {
                if let Some(string) = first.checked_sub(2) {
                    below(string, view.strings)?;
                }
                optional(second, view.payloads)
            }
            Record::Predicate => {
                below(first, view.slots)?;
                operator::check(self, [second, third, fourth])
            }
            Record::Cohort => {
                require(first <= COHORT_ANY)?;
                self.list_or_malformed(Record::Filter, second)
            }
            Record::Flag => self.flag(words),
            Record::Condition => {
                if first & CONDITION_AGGREGATION == AGGREGATION_GROUP {
                    below(second, view.group_types)?;
                }
                match first >> CONDITION_OVERRIDE & 7 {
                    OVERRIDE_NONE | OVERRIDE_MALFORMED => {}
                    kind => self.key(kind, fifth)?,
                }
                self.list_or_malformed(Record::Filter, sixth)
            }
            Record::Filter => match first & FILTER_KIND {
                FILTER_PROPERTY => below(second, view.predicates),
                FILTER_COHORT => optional(second, view.cohorts),
                FILTER_GROUP => below(second, view.cohorts),
                FILTER_FLAG if second == 0 => Some(()),
                FILTER_FLAG => self.dependency(second),
                kind => require(kind <= FILTER_THROWS_THROUGH),
            },
            Record::Variant => self.key(third, fourth),
        }
    }

    /// Names are different texts, each kept once: together they are no longer than all texts.
    #[inline(never)]
    fn distinct<'w>(&self, mut lengths: impl Iterator<Item = &'w Word>) -> Option<()> {
        let room = self.view.texts.len();
        lengths.try_fold(room, |room, length| room.checked_sub(word(length) as usize)).map(drop)
    }

    /// The flags that have keys, by rising key, each once.
    fn order(&self, flags: u32) -> Option<()> {
        let view = self.view;
        require(view.order.len() == flags as usize)?;
        let mut before = None;
        for number in view.order.iter().map(word) {
            require(number < flags)?;
            let key = view.key(number);
            require(before.is_none_or(|before| before < key))?;
            before = Some(key);
        }
        Some(())
    }

    fn flag(&mut self, flag: &[u32; FLAG]) -> Option<()> {
        let [
            offset,
            length,
            bits,
            subject,
            conditions,
            variants,
            holdout,
            payloads,
            slots,
            groups,
            tags,
        ] = *flag;
        let view = self.view;
        self.text(offset, length)?;
        require((bits >> FLAG_REASON & 7) as usize <= Reason::ALL.len())?;
        match (bits & FLAG_FIXED != 0, bits & FLAG_SUBJECT) {
            (true, _) => self.code(Code(subject.cast_signed()))?,
            (false, SUBJECT_PERSON) => {}
            (false, SUBJECT_DEVICE) => below(subject, view.slots)?,
            (false, SUBJECT_GROUP) => below(subject, view.group_types)?,
            _ => return None,
        }
        self.list_or_malformed(Record::Condition, conditions)?;
        self.list_or_malformed(Record::Variant, variants)?;
        if holdout != 0 {
            let [_, _, string] = view.block(holdout)?;
            optional(word(string), view.strings)?;
        }
        self.list(Record::PayloadOfFlag, payloads)?;
        if slots != ALL_SLOTS {
            self.list(Record::Slot, slots)?;
        }
        self.list(Record::GroupType, groups)?;
        self.list(Record::Text, tags).map(drop)
    }

    fn key(&self, kind: u32, string: u32) -> Option<()> {
        match kind {
            KEY_TRUE => Some(()),
            KEY_TEXT | KEY_JSON => below(string, self.view.strings),
            _ => None,
        }
    }

    fn dependency(&mut self, at: u32) -> Option<()> {
        let view = self.view;
        let [target, flag, expected, string, _] =
            view.block::<DEPENDENCY>(at)?.each_ref().map(word);
        require(target <= TARGET_UNKNOWN && expected <= EXPECTED_NEVER)?;
        if target != TARGET_UNKNOWN {
            below(flag, view.flags)?;
        }
        if expected == EXPECTED_VARIANT {
            below(string, view.strings)?;
        }
        let chain = at.checked_add(DEPENDENCY as u32 - 1)?;
        self.list(Record::Chained, chain).map(drop)
    }

    fn code(&self, code: Code) -> Option<()> {
        match code.read() {
            Ok(FlagValue::Variant(id) | FlagValue::Json(id)) => below(id.0, self.view.strings),
            Ok(FlagValue::Bool(_)) | Err(_) => Some(()),
        }
    }
}
