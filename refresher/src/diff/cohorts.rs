//! Cohorts before and after, and the flags that use them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::change::{Changes, same_member};
use super::words::{self, cut};
use super::{ChangedCohort, Diff, Kind, Read, Sides, read};
use crate::filter::References;
use crate::raw::{Member, get, js_text, members};

/// Characters of a cohort's words.
const WORDS: usize = 200;

pub(super) fn compare(sides: &Sides<'_>, diff: &mut Diff, changes: &mut Changes) {
    let cohorts = |side: usize| match get(&sides.frames[side], "cohorts") {
        None | Some("null") => Some(Vec::new()),
        Some(cohorts) => members(cohorts),
    };
    let (Some(was), Some(is)) = (cohorts(0), cohorts(1)) else {
        return changes.other("cohorts");
    };
    let (was, is) = (by_id(&was), by_id(&is));
    let mut users = Users { sides, known: [None, None] };
    for id in was.keys().chain(is.keys()).copied().collect::<BTreeSet<&str>>() {
        let (before, after) = (was.get(id).copied(), is.get(id).copied());
        if before == after {
            continue;
        }
        let told = match (read(before), read(after)) {
            (Read::Value(was), Read::Value(is)) => tell(was.as_ref(), is.as_ref(), sides),
            _ => Some((Kind::Changed, "changed (it cannot be read in full)".to_owned())),
        };
        let Some((kind, text)) = told else { continue };
        let used_by = users.of(id, usize::from(kind != Kind::Removed));
        diff.cohorts.push(ChangedCohort { id: id.to_owned(), kind, text, used_by });
    }
    let absent = |side: usize| get(&sides.frames[side], "cohorts").is_none_or(|c| c == "null");
    if diff.cohorts.is_empty() && (absent(0) || absent(1)) {
        changes.other("cohorts");
    }
}

/// Of cohorts with one id the last counts, as in JavaScript.
fn by_id<'a>(cohorts: &'a [Member<'_>]) -> BTreeMap<&'a str, &'a str> {
    cohorts.iter().map(|cohort| (&*cohort.name, cohort.value)).collect()
}

fn tell(was: Option<&Value>, is: Option<&Value>, sides: &Sides<'_>) -> Option<(Kind, String)> {
    let words = |side: usize, cohort: &Value| words::cohort(cohort, &sides.groups[side]);
    Some(match (was, is) {
        (was, is) if same_member(was, is) => return None,
        (None, Some(is)) => (Kind::Added, format!("added: {}", cut(&words(1, is), WORDS))),
        (Some(was), None) => (Kind::Removed, format!("removed: {}", cut(&words(0, was), WORDS))),
        (Some(was), Some(is)) => {
            let (was, is) = (cut(&words(0, was), WORDS), cut(&words(1, is), WORDS));
            let text = if was == is { "changed".to_owned() } else { format!("{was} -> {is}") };
            (Kind::Changed, text)
        }
        (None, None) => return None,
    })
}

/// Which flags use which cohort, found out when first asked.
struct Users<'a> {
    sides: &'a Sides<'a>,
    known: [Option<HashMap<String, BTreeSet<String>>>; 2],
}

impl Users<'_> {
    fn of(&mut self, id: &str, side: usize) -> Vec<String> {
        let known = self.known[side].get_or_insert_with(|| users(self.sides, side));
        known.get(id).into_iter().flatten().cloned().collect()
    }
}

fn users(sides: &Sides<'_>, side: usize) -> HashMap<String, BTreeSet<String>> {
    let cohorts = get(&sides.frames[side], "cohorts").and_then(members).unwrap_or_default();
    let nested: BTreeMap<&str, References> = cohorts
        .iter()
        .map(|cohort| {
            let mut found = References::default();
            found.walk(cohort.value);
            (&*cohort.name, found)
        })
        .collect();
    let mut users: HashMap<String, BTreeSet<String>> = HashMap::new();
    for text in &sides.flags[side] {
        let Some(flag) = members(text) else { continue };
        let mut open: Vec<String> =
            References::of_flag(text, Some(&flag)).cohorts.into_iter().collect();
        let Some(key) = get(&flag, "key").map(js_text).filter(|_| !open.is_empty()) else {
            continue;
        };
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if seen.insert(id.clone()) {
                let further = nested.get(&*id).map(|found| &found.cohorts);
                open.extend(further.into_iter().flatten().cloned());
                users.entry(id).or_default().insert(key.clone().into_owned());
            }
        }
    }
    users
}
