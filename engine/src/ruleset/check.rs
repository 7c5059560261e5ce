//! Whether a ruleset's tables refer to what is there, so that work and memory stay as small as its bytes.

use super::layout::{
    AGGREGATION_GROUP, ALL_SLOTS, COHORT_ANY, CONDITION, CONDITION_AGGREGATION, CONDITION_OVERRIDE,
    DEPENDENCY, EXPECTED_NEVER, EXPECTED_VARIANT, FILTER, FILTER_COHORT, FILTER_FLAG, FILTER_GROUP,
    FILTER_KIND, FILTER_PROPERTY, FILTER_THROWS_THROUGH, FLAG_FIXED, FLAG_REASON, FLAG_SUBJECT,
    KEY_JSON, KEY_TEXT, KEY_TRUE, MALFORMED, NONE, OVERRIDE_MALFORMED, OVERRIDE_NONE,
    SUBJECT_DEVICE, SUBJECT_GROUP, SUBJECT_PERSON, TARGET_UNKNOWN, VARIANT,
};
use super::view::{View, Word, word};
use crate::answer::{Code, FlagValue, Reason};
use crate::operator;

/// `None` if something is wrong. Lists are read at most once altogether: a list that others share would
/// make little bytes mean much work.
pub(super) fn check(view: &View<'_>, flags: u32, hidden: u32) -> Option<()> {
    let mut checker = Checker { view, room: view.pool.len() };
    require(view.pool.first()? == &[0; 4])?;
    require(view.flags.len() == (flags as usize).checked_add(hidden as usize)?)?;
    checker.order(flags)?;
    for table in [view.slots, view.group_types, view.strings, view.problems] {
        table.iter().try_for_each(|text| checker.text(text))?;
    }
    for [offset, length, _] in view.payloads {
        checker.text(&[*offset, *length])?;
    }
    view.predicates.iter().try_for_each(|predicate| {
        let [slot, operation @ ..] = predicate.each_ref().map(word);
        below(slot, view.slots)?;
        operator::check(view, operation, &mut checker.room)
    })?;
    for [kind, members] in view.cohorts {
        require(word(kind) <= COHORT_ANY)?;
        checker.filters(word(members))?;
    }
    view.flags.iter().try_for_each(|flag| checker.flag(&flag.each_ref().map(word)))
}

fn require(holds: bool) -> Option<()> {
    holds.then_some(())
}

fn below<T>(index: u32, table: &[T]) -> Option<()> {
    require((index as usize) < table.len())
}

struct Checker<'a> {
    view: &'a View<'a>,
    /// Words of lists that may still be read.
    room: usize,
}

impl<'a> Checker<'a> {
    fn text(&self, [offset, length]: &[Word; 2]) -> Option<()> {
        self.view.text_at(word(offset), word(length)).map(drop)
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

    fn list<const N: usize>(&mut self, at: u32) -> Option<&'a [[Word; N]]> {
        let list = self.view.list(at)?;
        self.room = self.room.checked_sub(list.len() * N)?;
        Some(list)
    }

    fn lists<const N: usize>(&mut self, at: u32) -> Option<&'a [[Word; N]]> {
        if at == MALFORMED { Some(&[]) } else { self.list(at) }
    }

    fn flag(&mut self, flag: &[u32; 11]) -> Option<()> {
        let [_, _, bits, subject, conditions, variants, holdout, payloads, slots, groups, tags] =
            *flag;
        let view = self.view;
        self.text(&[flag[0].to_le_bytes(), flag[1].to_le_bytes()])?;
        require((bits >> FLAG_REASON & 7) as usize <= Reason::ALL.len())?;
        match (bits & FLAG_FIXED != 0, bits & FLAG_SUBJECT) {
            (true, _) => self.code(Code(subject.cast_signed()))?,
            (false, SUBJECT_PERSON) => {}
            (false, SUBJECT_DEVICE) => below(subject, view.slots)?,
            (false, SUBJECT_GROUP) => below(subject, view.group_types)?,
            _ => return None,
        }
        for condition in self.lists::<CONDITION>(conditions)? {
            self.condition(&condition.each_ref().map(word))?;
        }
        for [_, _, kind, string] in self.lists::<VARIANT>(variants)? {
            require((KEY_TEXT..=KEY_JSON).contains(&word(kind)))?;
            self.key(word(kind), word(string))?;
        }
        if holdout != 0 {
            let [_, _, string] = view.block(holdout)?;
            self.optional(word(string), view.strings)?;
        }
        for [key, payload] in self.list(payloads)? {
            if let Some(string) = word(key).checked_sub(2) {
                below(string, view.strings)?;
            }
            self.optional(word(payload), view.payloads)?;
        }
        if slots != ALL_SLOTS {
            self.list::<1>(slots)?.iter().try_for_each(|[slot]| below(word(slot), view.slots))?;
        }
        self.list::<1>(groups)?.iter().try_for_each(|[it]| below(word(it), view.group_types))?;
        self.list::<2>(tags)?.iter().try_for_each(|tag| self.text(tag))
    }

    fn condition(&mut self, [bits, group, _, _, string, filters]: &[u32; CONDITION]) -> Option<()> {
        if bits & CONDITION_AGGREGATION == AGGREGATION_GROUP {
            below(*group, self.view.group_types)?;
        }
        match bits >> CONDITION_OVERRIDE & 7 {
            OVERRIDE_NONE | OVERRIDE_MALFORMED => {}
            kind => self.key(kind, *string)?,
        }
        self.filters(*filters)
    }

    fn key(&self, kind: u32, string: u32) -> Option<()> {
        match kind {
            KEY_TRUE => Some(()),
            KEY_TEXT | KEY_JSON => below(string, self.view.strings),
            _ => None,
        }
    }

    fn filters(&mut self, at: u32) -> Option<()> {
        for filter in self.lists::<FILTER>(at)? {
            let [bits, index] = filter.each_ref().map(word);
            match bits & FILTER_KIND {
                FILTER_PROPERTY => below(index, self.view.predicates)?,
                FILTER_COHORT => self.optional(index, self.view.cohorts)?,
                FILTER_GROUP => below(index, self.view.cohorts)?,
                FILTER_FLAG if index == 0 => {}
                FILTER_FLAG => self.dependency(index)?,
                kind => require(kind <= FILTER_THROWS_THROUGH)?,
            }
        }
        Some(())
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
        let chain = self.list::<1>(at.checked_add(DEPENDENCY as u32 - 1)?)?;
        chain.iter().try_for_each(|[flag]| below(word(flag), view.flags))
    }

    fn optional<T>(&self, index: u32, table: &[T]) -> Option<()> {
        if index == NONE { Some(()) } else { below(index, table) }
    }

    fn code(&self, code: Code) -> Option<()> {
        match code.read() {
            Ok(FlagValue::Variant(id) | FlagValue::Json(id)) => below(id.0, self.view.strings),
            Ok(FlagValue::Bool(_)) | Err(_) => Some(()),
        }
    }
}
