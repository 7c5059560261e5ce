//! The conditions of a flag before and after.

use std::collections::HashMap;

use serde_json::Value;

use super::change::{Changes, What, same, same_member};
use super::flag::Groups;
use super::words::{self, cut, group_type, percent, shown};

/// Characters of a condition's filters that name it.
const NAME: usize = 60;

/// What changed; `None` if one side is not understood.
pub(super) fn compare(
    was: Option<&Value>,
    is: Option<&Value>,
    groups: &Groups,
    changes: &mut Changes,
) -> Option<()> {
    let (was, is) = (list(was)?, list(is)?);
    let pairs = pairs(was, is, groups);
    let several = was.len() > 1 || is.len() > 1;
    let named = |number: usize, was: &Value, is: &Value| {
        if !several {
            return String::new();
        }
        let number = number + 1;
        if !same_member(was.get("properties"), is.get("properties")) {
            return format!("condition {number}: ");
        }
        match words::filters(is, &groups[1]) {
            filters if filters.is_empty() => format!("condition {number} (everybody): "),
            filters => format!("condition {number} ({}): ", cut(&words::listed(&filters), NAME)),
        }
    };
    let (mut taken, mut last) = (vec![false; was.len()], None);
    let mut reordered = false;
    for (number, (now, pair)) in is.iter().zip(&pairs).enumerate() {
        let Some(pair) = *pair else {
            let text = words::condition(now, &groups[1]);
            changes.said(What::ConditionAdded, format!("condition added: {text}"));
            continue;
        };
        reordered |= last.is_some_and(|last| last > pair);
        last = Some(pair);
        taken[pair] = true;
        if !same(&was[pair], now) {
            condition(&was[pair], now, &named(number, &was[pair], now), groups, changes);
        }
    }
    for (before, _) in was.iter().zip(taken).filter(|(_, taken)| !taken) {
        let text = words::condition(before, &groups[0]);
        changes.said(What::ConditionRemoved, format!("condition removed: {text}"));
    }
    if reordered {
        changes.said(What::Condition, "conditions in another order".to_owned());
    }
    // From no list to an empty one nothing is said.
    Some(())
}

fn list(conditions: Option<&Value>) -> Option<&[Value]> {
    match conditions {
        None | Some(Value::Null) => Some(&[]),
        Some(Value::Array(list)) if list.iter().all(Value::is_object) => Some(list),
        Some(_) => None,
    }
}

/// For each condition now, the one it was before: the same one, one with the same filters, one with
/// filters on the same properties, one that shares a filter, or else what stood at its place.
fn pairs(was: &[Value], is: &[Value], groups: &Groups) -> Vec<Option<usize>> {
    let mut pairs = vec![None; is.len()];
    let mut free = vec![true; was.len()];
    let words = |list: &[Value], side: usize| -> Vec<Vec<String>> {
        list.iter().map(|condition| words::filters(condition, &groups[side])).collect()
    };
    let (words_was, words_is) = (words(was, 0), words(is, 1));
    let texts = |list: &[Value]| list.iter().map(Value::to_string).collect::<Vec<_>>();
    let joined = |words: &[Vec<String>]| words.iter().map(|w| w.join("\n")).collect::<Vec<_>>();
    for (names_was, names_is) in [
        (texts(was), texts(is)),
        (joined(&words_was), joined(&words_is)),
        (joined(&keys(was)), joined(&keys(is))),
    ] {
        let mut waiting: HashMap<&str, Vec<usize>> = HashMap::new();
        for place in (0..was.len()).rev().filter(|place| free[*place]) {
            waiting.entry(&names_was[place]).or_default().push(place);
        }
        for place in 0..is.len() {
            if pairs[place].is_none() {
                pairs[place] = waiting.get_mut(&*names_is[place]).and_then(Vec::pop);
                pairs[place].inspect(|pair| free[*pair] = false);
            }
        }
    }
    let first_by_word: HashMap<&str, usize> = (0..was.len())
        .rev()
        .filter(|place| free[*place])
        .flat_map(|place| words_was[place].iter().map(move |word| (word.as_str(), place)))
        .collect();
    let alike = |place: usize| -> Vec<usize> {
        words_is[place].iter().filter_map(|word| first_by_word.get(&**word)).copied().collect()
    };
    let same_place = |place: usize| vec![place];
    for candidates in [&alike as &dyn Fn(usize) -> Vec<usize>, &same_place] {
        for (place, pair) in pairs.iter_mut().enumerate().filter(|(_, pair)| pair.is_none()) {
            let found = candidates(place).into_iter().find(|p| free.get(*p) == Some(&true));
            *pair = found.inspect(|found| free[*found] = false);
        }
    }
    pairs
}

/// The properties that the filters of each condition are about.
fn keys(conditions: &[Value]) -> Vec<Vec<String>> {
    let key = |property: &Value| property.get("key").map_or("?".to_owned(), shown);
    let properties = |condition: &Value| match condition.get("properties").and_then(Value::as_array)
    {
        Some(properties) => properties.iter().map(key).collect(),
        None => Vec::new(),
    };
    conditions.iter().map(properties).collect()
}

fn condition(was: &Value, is: &Value, name: &str, groups: &Groups, changes: &mut Changes) {
    let (Some(members_was), Some(members_is)) = (was.as_object(), is.as_object()) else {
        return;
    };
    let differs = |name: &str| !same_member(was.get(name), is.get(name));
    if differs("rollout_percentage") {
        let share = |condition: &Value| percent(condition.get("rollout_percentage"));
        let path = "filters.groups.rollout_percentage";
        changes.moved(What::Rollout, &format!("{name}rollout"), share(was), share(is), path);
    }
    if differs("properties") {
        filters(was, is, name, groups, changes);
    }
    if differs("variant") {
        let text = |condition: &Value| match condition.get("variant") {
            None | Some(Value::Null) => "by chance".to_owned(),
            Some(variant) => shown(variant),
        };
        let path = "filters.groups.variant";
        changes.moved(What::Condition, &format!("{name}variant"), text(was), text(is), path);
    }
    let aggregation = "aggregation_group_type_index";
    if differs(aggregation) {
        let by = |condition: &Value, side: usize| match condition.get(aggregation) {
            None => "what the flag is".to_owned(),
            index => group_type(index, &groups[side]),
        };
        let path = "filters.groups.aggregation_group_type_index";
        let label = format!("{name}rolled out by");
        changes.moved(What::Aggregation, &label, by(was, 0), by(is, 1), path);
    }
    let known = ["rollout_percentage", "properties", "variant", aggregation];
    changes.rest(members_was, members_is, &known, "filters.groups.");
}

fn filters(was: &Value, is: &Value, name: &str, groups: &Groups, changes: &mut Changes) {
    let path = "filters.groups.properties";
    let (Some(list_was), Some(list_is)) = (list(was.get("properties")), list(is.get("properties")))
    else {
        return changes.other(path);
    };
    let (words_was, words_is) = (words::filters(was, &groups[0]), words::filters(is, &groups[1]));
    let mut free: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, word) in words_was.iter().enumerate().rev() {
        free.entry(word).or_default().push(place);
    }
    let count = changes.len();
    let mut added = Vec::new();
    for (word, now) in words_is.iter().zip(list_is) {
        match free.get_mut(word.as_str()).and_then(Vec::pop) {
            None => added.push(word.clone()),
            Some(place) => {
                let was = list_was.get(place).and_then(Value::as_object);
                if let (Some(was), Some(is)) = (was, now.as_object()) {
                    changes.rest(was, is, &[], "filters.groups.properties.");
                }
            }
        }
    }
    let mut removed: Vec<usize> = free.into_values().flatten().collect();
    removed.sort_unstable();
    let removed: Vec<String> =
        removed.into_iter().filter_map(|place| words_was.get(place).cloned()).collect();
    let all = |words: &[String]| match words {
        [] => "everybody".to_owned(),
        words => words::listed(words),
    };
    let text = match (added.as_slice(), removed.as_slice()) {
        ([], []) => {
            if changes.len() == count {
                changes.other(path);
            }
            return;
        }
        (added, []) if !words_was.is_empty() => format!("now also asks {}", words::listed(added)),
        ([], removed) if !words_is.is_empty() => {
            format!("no longer asks {}", words::listed(removed))
        }
        (added, removed) => format!("{} -> {}", all(removed), all(added)),
    };
    changes.said(What::Condition, format!("{}{text}", label(name)));
}

/// A condition that has a name keeps it; the only one of its flag is just that.
fn label(name: &str) -> &str {
    if name.is_empty() { "condition: " } else { name }
}
