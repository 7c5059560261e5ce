//! Which flag of one side is which of the other.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::change::Changes;
use super::{ChangedFlag, Diff, Flag, Sides, flag, words};
use crate::raw::{get, js_text, members};

/// A flag that has not the same text on the other side.
struct Loose<'a> {
    place: usize,
    text: &'a str,
    key: Option<String>,
    id: Option<String>,
    /// Its place on the other side, once found.
    pair: Option<usize>,
}

pub(super) fn compare(sides: &Sides<'_>, diff: &mut Diff, changes: &mut Changes) {
    let [before, after] = &sides.flags;
    // Pairs of places, of flags with the same text first.
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let mut by_text: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut same_place = vec![false; after.len()];
    for (place, (was, is)) in before.iter().zip(after).enumerate() {
        if was == is {
            same_place[place] = true;
        }
    }
    for (place, text) in after.iter().enumerate().rev().filter(|(place, _)| !same_place[*place]) {
        by_text.entry(text).or_default().push(place);
    }
    let (mut old, mut new_taken) = (Vec::new(), HashSet::new());
    for (place, text) in before.iter().enumerate() {
        if same_place.get(place) == Some(&true) {
            pairs.push((place, place));
        } else if let Some(other) = by_text.get_mut(text).and_then(Vec::pop) {
            new_taken.insert(other);
            pairs.push((place, other));
        } else {
            old.push(loose(place, text));
        }
    }
    let mut new: Vec<_> = after
        .iter()
        .enumerate()
        .filter(|(place, _)| !same_place[*place] && !new_taken.contains(place))
        .map(|(place, text)| loose(place, text))
        .collect();
    pair(&mut old, &mut new, |flag| flag.id.clone());
    pair(&mut old, &mut new, |flag| flag.key.clone());
    pair(&mut old, &mut new, |flag| flag.key.is_none().then(String::new));

    for flag in &new {
        let Some(was) = flag.pair.map(|pair| &old[pair]) else {
            diff.added.push(one(flag, sides, 1));
            continue;
        };
        pairs.push((was.place, flag.place));
        let changes = flag::compare(was.text, flag.text, &sides.groups);
        if !changes.is_empty() {
            let renamed = was.key != flag.key;
            diff.changed.push(ChangedFlag {
                key: flag.key.clone(),
                key_before: was.key.clone().filter(|_| renamed),
                changes,
            });
        }
    }
    diff.removed = old.iter().filter(|f| f.pair.is_none()).map(|f| one(f, sides, 0)).collect();
    pairs.sort_unstable();
    if pairs.windows(2).any(|pairs| pairs[0].1 > pairs[1].1) {
        changes.other("order of flags");
    }
    diff.removed_keys = removed_keys(&old, &new, after);
}

fn loose(place: usize, text: &str) -> Loose<'_> {
    let flag = members(text).unwrap_or_default();
    let member = |name| {
        get(&flag, name).filter(|value| *value != "null").map(|value| js_text(value).into_owned())
    };
    Loose { place, text, key: member("key"), id: member("id"), pair: None }
}

/// Pairs what is still alone and is called the same, in order.
fn pair(old: &mut [Loose<'_>], new: &mut [Loose<'_>], name: impl Fn(&Loose<'_>) -> Option<String>) {
    let mut waiting: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, flag) in old.iter().enumerate().rev().filter(|(_, flag)| flag.pair.is_none()) {
        if let Some(name) = name(flag) {
            waiting.entry(name).or_default().push(index);
        }
    }
    for (index, flag) in new.iter_mut().enumerate().filter(|(_, flag)| flag.pair.is_none()) {
        let found = name(flag).and_then(|name| waiting.get_mut(&name)?.pop());
        if let Some(other) = found {
            flag.pair = Some(other);
            old[other].pair = Some(index);
        }
    }
}

fn one(flag: &Loose<'_>, sides: &Sides<'_>, side: usize) -> Flag {
    let summary = match serde_json::from_str::<Value>(flag.text) {
        Ok(value) => words::flag(&value, &sides.groups[side]),
        Err(_) => "it cannot be read in full".to_owned(),
    };
    let active = members(flag.text).is_some_and(|flag| get(&flag, "active") == Some("true"));
    Flag { key: flag.key.clone(), summary, active }
}

/// Keys of flags that are gone or renamed, unless some flag has them now.
fn removed_keys(old: &[Loose<'_>], new: &[Loose<'_>], after: &[&str]) -> Vec<String> {
    let mut gone: Vec<String> = old
        .iter()
        .filter(|flag| flag.pair.is_none_or(|pair| new[pair].key != flag.key))
        .filter_map(|flag| flag.key.clone())
        .collect();
    if gone.is_empty() {
        return gone;
    }
    let keys: HashSet<String> = after.iter().filter_map(|text| loose(0, text).key).collect();
    gone.retain(|key| !keys.contains(key));
    gone.sort();
    gone.dedup();
    gone
}
