//! One flag before and after.

use serde_json::{Map, Value};

use super::change::{Change, Changes, What, same, same_member};
use super::words::{group_type, percent, quoted, shown, spelled};
use super::{conditions, variants};

/// Group types before and after, index -> name.
pub(super) type Groups = [Map<String, Value>; 2];

/// Members of a flag that have words of their own below. `version` counts changes: it is told only where
/// nothing else is.
const KNOWN: &[&str] = &[
    "active",
    "bucketing_identifier",
    "ensure_experience_continuity",
    "evaluation_contexts",
    "evaluation_runtime",
    "evaluation_tags",
    "filters",
    "id",
    "key",
    "name",
    "version",
];

/// What changed in a flag; nothing if both texts are the same JSON.
pub(super) fn compare(before: &str, after: &str, groups: &Groups) -> Vec<Change> {
    let mut changes = Changes::default();
    match (serde_json::from_str::<Value>(before), serde_json::from_str::<Value>(after)) {
        (Ok(Value::Object(was)), Ok(Value::Object(is))) => {
            members(&was, &is, groups, &mut changes);
        }
        (Ok(was), Ok(is)) if same(&was, &is) => {}
        (Ok(_), Ok(_)) => changes.other("its JSON type"),
        _ => changes.other("it cannot be read in full"),
    }
    changes.finish()
}

fn members(
    was: &Map<String, Value>,
    is: &Map<String, Value>,
    groups: &Groups,
    changes: &mut Changes,
) {
    let differs = |name: &str| !same_member(was.get(name), is.get(name));
    let text = |flag: &Map<String, Value>, name: &str| flag.get(name).map_or("none".into(), shown);
    let (id_was, id_is) = (text(was, "id"), text(is, "id"));
    if differs("key") {
        let (was, is) = (text(was, "key"), text(is, "key"));
        changes.moved(What::Key, "renamed", was, is, "key");
    }
    if differs("id") {
        changes.moved(What::Id, "made anew: id", id_was, id_is, "id");
    }
    if differs("active") {
        match (was.get("active"), is.get("active")) {
            (Some(Value::Bool(true)), Some(Value::Bool(false))) => {
                changes.said(What::Active, "switched off".to_owned());
            }
            (Some(Value::Bool(false)), Some(Value::Bool(true))) => {
                changes.said(What::Active, "switched on".to_owned());
            }
            _ => {
                let (was, is) = (text(was, "active"), text(is, "active"));
                changes.moved(What::Active, "active", was, is, "active");
            }
        }
    }
    if differs("filters") {
        let count = changes.len();
        if let (Some(was), Some(is)) = (object(was.get("filters")), object(is.get("filters"))) {
            filters(&was, &is, groups, changes);
        }
        if changes.len() == count {
            changes.other("filters");
        }
    }
    for (name, label, what) in [
        ("ensure_experience_continuity", "experience continuity", What::ExperienceContinuity),
        ("bucketing_identifier", "bucketing", What::Bucketing),
        ("evaluation_runtime", "evaluation runtime", What::EvaluationRuntime),
        ("evaluation_contexts", "evaluation contexts", What::EvaluationContexts),
        ("evaluation_tags", "evaluation tags", What::EvaluationContexts),
        ("name", "name", What::Name),
    ] {
        if differs(name) {
            let text = |flag: &Map<String, Value>| match flag.get(name) {
                Some(Value::Bool(on)) => if *on { "on" } else { "off" }.to_owned(),
                Some(Value::Array(items)) if items.is_empty() => "none".to_owned(),
                Some(Value::String(text)) if name == "name" => spelled(text),
                value => value.map_or("none".to_owned(), shown),
            };
            changes.moved(what, label, text(was), text(is), name);
        }
    }
    changes.rest(was, is, KNOWN, "");
    if changes.len() == 0 && differs("version") {
        changes.other("version");
    }
}

fn filters(
    was: &Map<String, Value>,
    is: &Map<String, Value>,
    groups: &Groups,
    changes: &mut Changes,
) {
    let differs = |name: &str| !same_member(was.get(name), is.get(name));
    let moved = |name: &str, changes: &mut Changes, tell: &dyn Fn(&mut Changes) -> bool| {
        let count = changes.len();
        if differs(name) && !(tell(changes) && changes.len() > count) {
            changes.other(&format!("filters.{name}"));
        }
    };
    moved("groups", changes, &|changes| {
        conditions::compare(was.get("groups"), is.get("groups"), groups, changes).is_some()
    });
    moved("multivariate", changes, &|changes| {
        variants::compare(was.get("multivariate"), is.get("multivariate"), changes).is_some()
    });
    moved("payloads", changes, &|changes| {
        payloads(was.get("payloads"), is.get("payloads"), changes).is_some()
    });
    moved("holdout", changes, &|changes| {
        holdout(was.get("holdout"), is.get("holdout"), changes).is_some()
    });
    let name = "aggregation_group_type_index";
    moved(name, changes, &|changes| {
        let by = |side: usize, flag: &Map<String, Value>| group_type(flag.get(name), &groups[side]);
        let path = "filters.aggregation_group_type_index";
        changes.moved(What::Aggregation, "rolled out by", by(0, was), by(1, is), path);
        true
    });
    moved("early_exit", changes, &|changes| {
        let text = |flag: &Map<String, Value>| match flag.get("early_exit") {
            None | Some(Value::Null | Value::Bool(false)) => "off".to_owned(),
            Some(Value::Bool(true)) => "on".to_owned(),
            Some(other) => shown(other),
        };
        changes.moved(What::EarlyExit, "early exit", text(was), text(is), "filters.early_exit");
        true
    });
    let known = ["groups", "multivariate", "payloads", "holdout", name, "early_exit"];
    changes.rest(was, is, &known, "filters.");
}

/// Which payloads differ; what is in them is not told.
fn payloads(was: Option<&Value>, is: Option<&Value>, changes: &mut Changes) -> Option<()> {
    let (was, is) = (object(was)?, object(is)?);
    for (key, payload) in &was {
        match is.get(key) {
            None => changes.said(What::Payload, format!("payload of {} removed", quoted(key))),
            Some(now) if !same(payload, now) => {
                changes.said(What::Payload, format!("payload of {} changed", quoted(key)));
            }
            _ => {}
        }
    }
    for key in is.keys().filter(|key| !was.contains_key(*key)) {
        changes.said(What::Payload, format!("payload of {} added", quoted(key)));
    }
    Some(())
}

fn holdout(was: Option<&Value>, is: Option<&Value>, changes: &mut Changes) -> Option<()> {
    let (was, is) = (object(was)?, object(is)?);
    let text = |holdout: &Map<String, Value>| match (
        holdout.get("id"),
        holdout.get("exclusion_percentage"),
    ) {
        (None | Some(Value::Null), None | Some(Value::Null)) => "none".to_owned(),
        (id, share) => {
            format!("{} ({})", id.map_or("none".into(), shown), percent(share))
        }
    };
    let names = ["id", "exclusion_percentage"];
    if names.iter().any(|name| !same_member(was.get(*name), is.get(*name))) {
        changes.moved(What::Holdout, "holdout", text(&was), text(&is), "filters.holdout");
    }
    changes.rest(&was, &is, &names, "filters.holdout.");
    Some(())
}

/// An object; an empty one for what is absent or null.
pub(super) fn object(value: Option<&Value>) -> Option<Map<String, Value>> {
    match value {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(members)) => Some(members.clone()),
        Some(_) => None,
    }
}
