//! What differs between two definitions, in words for the person on call.

mod change;
mod cohorts;
mod conditions;
mod flag;
mod flags;
mod render;
mod variants;
mod words;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::raw::{self, Member, frame, get};
pub use change::{Change, What};
use change::{Changes, same, same_member};
use flag::object;
use words::{quoted, shown};

/// Everything that differs. Empty only if both are the same JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    pub added: Vec<Flag>,
    pub removed: Vec<Flag>,
    pub changed: Vec<ChangedFlag>,
    pub cohorts: Vec<ChangedCohort>,
    /// What belongs to no flag and no cohort: group types, property matching version, other members.
    pub definitions: Vec<Change>,
    /// Keys that could be asked for before and cannot now, also those of renamed flags.
    pub removed_keys: Vec<String>,
}

/// A flag on one side only.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flag {
    /// `None` for what has no key.
    pub key: Option<String>,
    /// Who gets it, in short: `50% where plan is pro`.
    pub summary: String,
    /// Whether it is switched on.
    #[serde(skip)]
    pub active: bool,
}

/// A flag on both sides that is not the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedFlag {
    /// Its key now.
    pub key: Option<String>,
    /// Its key before, if it was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_before: Option<String>,
    pub changes: Vec<Change>,
}

/// A cohort that was added, removed or changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedCohort {
    pub id: String,
    pub kind: Kind,
    pub text: String,
    /// Keys of the flags that use it, themselves or through other cohorts; those from before if it is
    /// gone.
    pub used_by: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Added,
    Removed,
    Changed,
}

/// Compares definitions. Flags are compared as texts first, and only those that differ are read, so that
/// one changed flag among thousands costs little more than walking over both texts.
///
/// # Errors
/// One of them is not JSON, or holds no list of flags.
pub fn diff(before: &[u8], after: &[u8]) -> Result<Diff, String> {
    let (before, after) = (frame(before)?, frame(after)?);
    let sides = Sides {
        flags: [raw::flags(&before)?, raw::flags(&after)?],
        groups: [group_types(&before), group_types(&after)],
        frames: [before, after],
    };
    let mut diff = Diff::default();
    let mut changes = Changes::default();
    flags::compare(&sides, &mut diff, &mut changes);
    let [before, after] = &sides.frames;
    let names: BTreeSet<&str> = before.iter().chain(after).map(|member| &*member.name).collect();
    for name in names {
        let (was, is) = (get(before, name), get(after, name));
        if was == is {
            continue;
        }
        match name {
            "flags" => {
                let nulls = [was, is].iter().filter(|flags| **flags == Some("null")).count();
                if nulls == 1 {
                    changes.other("flags");
                }
            }
            "cohorts" => cohorts::compare(&sides, &mut diff, &mut changes),
            _ => member(name, read(was), read(is), &mut changes),
        }
    }
    diff.definitions = changes.finish();
    Ok(diff)
}

/// Both definitions, before and after.
struct Sides<'a> {
    frames: [Vec<Member<'a>>; 2],
    flags: [Vec<&'a str>; 2],
    groups: [Map<String, Value>; 2],
}

/// A member of the definitions that is neither flags nor cohorts.
fn member(name: &str, was: Read, is: Read, changes: &mut Changes) {
    let (Read::Value(was), Read::Value(is)) = (&was, &is) else {
        return changes.other(name);
    };
    if same_member(was.as_ref(), is.as_ref()) {
        return;
    }
    match name {
        "property_matching_version" | "propertyMatchingVersion" => {
            let text = |value: &Option<Value>| value.as_ref().map_or("none".to_owned(), shown);
            let label = "property matching version";
            changes.moved(What::PropertyMatchingVersion, label, text(was), text(is), name);
        }
        "group_type_mapping" | "groupTypeMapping" => {
            let count = changes.len();
            if let (Some(was), Some(is)) = (object(was.as_ref()), object(is.as_ref())) {
                group_type_changes(&was, &is, changes);
            }
            if changes.len() == count {
                changes.other(name);
            }
        }
        _ => changes.other(name),
    }
}

fn group_type_changes(was: &Map<String, Value>, is: &Map<String, Value>, changes: &mut Changes) {
    let indices: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    for index in indices {
        let label = format!("group type {}", quoted(index));
        match (was.get(index), is.get(index)) {
            (None, Some(name)) => {
                changes.said(What::GroupTypes, format!("{label} added: {}", shown(name)));
            }
            (Some(name), None) => {
                changes.said(What::GroupTypes, format!("{label} removed: {}", shown(name)));
            }
            (Some(was), Some(is)) if !same(was, is) => {
                changes.moved(
                    What::GroupTypes,
                    &label,
                    shown(was),
                    shown(is),
                    "group_type_mapping",
                );
            }
            _ => {}
        }
    }
}

/// A part that was read, absent ones included, or one that serde cannot hold.
enum Read {
    Value(Option<Value>),
    Unreadable,
}

/// Reads a part. Nested too deep, with numbers beyond doubles, or with half a surrogate pair it stays
/// unread.
fn read(json: Option<&str>) -> Read {
    match json.map(serde_json::from_str) {
        None => Read::Value(None),
        Some(Ok(value)) => Read::Value(Some(value)),
        Some(Err(_)) => Read::Unreadable,
    }
}

fn group_types(frame: &[Member<'_>]) -> Map<String, Value> {
    let found =
        ["group_type_mapping", "groupTypeMapping"].into_iter().find_map(|name| {
            match read(get(frame, name)) {
                Read::Value(Some(Value::Object(types))) => Some(types),
                _ => None,
            }
        });
    found.unwrap_or_default()
}
