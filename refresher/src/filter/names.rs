//! Members that tell people what something is, and evaluation nothing.

use super::Cuts;
use crate::raw::{Member, elements, get, members};

const OF_FLAG: &[&str] = &["name", "description"];
const OF_VARIANT: &[&str] = &["name", "description"];
const OF_CONDITION: &[&str] = &["description"];
/// Of a cohort or a flag that a filter is about.
const OF_FILTER: &[&str] = &["cohort_name", "label"];

/// Cuts them out of one flag, if it has a key: without one it is not understood.
pub(super) fn cut(flag: &str, cuts: &mut Cuts) {
    let Some(flag) = members(flag).filter(|flag| get(flag, "key").is_some()) else { return };
    named(&flag, OF_FLAG, cuts);
    for filters in inside(&flag, "filters") {
        for multivariate in inside(&filters, "multivariate") {
            for variant in objects_in(&multivariate, "variants") {
                named(&variant, OF_VARIANT, cuts);
            }
        }
        for condition in objects_in(&filters, "groups") {
            named(&condition, OF_CONDITION, cuts);
            for filter in objects_in(&condition, "properties") {
                named(&filter, OF_FILTER, cuts);
            }
        }
    }
}

/// Only texts go: what holds more could make the difference between a flag that can be read and one
/// that is nested too deep.
fn named(object: &[Member<'_>], names: &[&str], cuts: &mut Cuts) {
    let stays: Vec<bool> = object
        .iter()
        .map(|member| {
            let is_text = member.value.starts_with('"') || member.value == "null";
            !(is_text && names.contains(&&*member.name))
        })
        .collect();
    cuts.parts(object, &stays, |member| (member.key, member.value));
}

/// The members of every object of that name.
fn inside<'a>(object: &[Member<'a>], name: &str) -> Vec<Vec<Member<'a>>> {
    object.iter().filter(|member| member.name == name).filter_map(|m| members(m.value)).collect()
}

/// The members of every object in every list of that name.
fn objects_in<'a>(object: &[Member<'a>], name: &str) -> Vec<Vec<Member<'a>>> {
    object
        .iter()
        .filter(|member| member.name == name)
        .filter_map(|member| elements(member.value))
        .flatten()
        .filter_map(members)
        .collect()
}
