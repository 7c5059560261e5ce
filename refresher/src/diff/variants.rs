//! The variants of a flag before and after.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::change::{Changes, What, same_member};
use super::flag::object;
use super::words::{percent, quoted};

/// What changed; `None` if one side is not understood.
pub(super) fn compare(
    was: Option<&Value>,
    is: Option<&Value>,
    changes: &mut Changes,
) -> Option<()> {
    let (was, is) = (object(was)?, object(is)?);
    if !same_member(was.get("variants"), is.get("variants")) {
        let count = changes.len();
        let told = variants(was.get("variants"), is.get("variants"), changes);
        if told.is_none() || changes.len() == count {
            changes.other("filters.multivariate.variants");
        }
    }
    changes.rest(&was, &is, &["variants"], "filters.multivariate.");
    Some(())
}

fn variants(was: Option<&Value>, is: Option<&Value>, changes: &mut Changes) -> Option<()> {
    let (was, is) = (keyed(was)?, keyed(is)?);
    let mut places: HashMap<&str, usize> =
        was.iter().enumerate().map(|(place, (key, _))| (*key, place)).collect();
    let share = |variant: &Map<String, Value>| percent(variant.get("rollout_percentage"));
    let mut last = None;
    let mut reordered = false;
    for (key, now) in &is {
        let name = quoted(key);
        let Some(place) = places.remove(key) else {
            changes.said(What::Variants, format!("variant {name} added ({})", share(now)));
            continue;
        };
        reordered |= last.is_some_and(|last| last > place);
        last = Some(place);
        let before = was[place].1;
        if !same_member(before.get("rollout_percentage"), now.get("rollout_percentage")) {
            let path = "filters.multivariate.variants.rollout_percentage";
            let label = format!("variant {name}");
            changes.moved(What::Variants, &label, share(before), share(now), path);
        }
        let known = ["key", "rollout_percentage"];
        changes.rest(before, now, &known, "filters.multivariate.variants.");
    }
    for (key, before) in was.iter().filter(|(key, _)| places.contains_key(key)) {
        let text = format!("variant {} removed (was {})", quoted(key), share(before));
        changes.said(What::Variants, text);
    }
    if reordered {
        changes.said(What::Variants, "variants in another order".to_owned());
    }
    Some(())
}

type Keyed<'a> = Vec<(&'a str, &'a Map<String, Value>)>;

/// Variants by key; `None` where one has none, or two have the same.
fn keyed(variants: Option<&Value>) -> Option<Keyed<'_>> {
    let list = match variants {
        None | Some(Value::Null) => return Some(Vec::new()),
        Some(variants) => variants.as_array()?,
    };
    let mut known = std::collections::HashSet::new();
    list.iter()
        .map(|variant| {
            let key = variant.get("key")?.as_str()?;
            known.insert(key).then_some((key, variant.as_object()?))
        })
        .collect()
}
