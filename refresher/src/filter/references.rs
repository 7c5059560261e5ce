//! What a flag or a cohort needs for its answer.

use std::collections::HashSet;

use crate::raw::{Member, elements, get, js_text, members, string};

/// Levels of lists and objects that are looked into: below them anything may be needed.
const MAX_DEPTH: usize = 200;

/// Flags by key and cohorts by id.
#[derive(Debug, Default)]
pub(crate) struct References {
    pub(crate) flags: HashSet<String>,
    pub(crate) cohorts: HashSet<String>,
    /// What is needed cannot be told: it may be everything.
    pub(crate) anything: bool,
}

impl References {
    /// What the conditions of a flag name.
    pub(crate) fn of_flag(text: &str, flag: Option<&[Member<'_>]>) -> References {
        let mut found = References::default();
        // Most flags depend on nothing, and an escape could hide either word.
        let may_refer = ["\"cohort\"", "\"flag\"", "\\u"].iter().any(|word| text.contains(word));
        if !may_refer {
            return found;
        }
        for filters in flag.into_iter().flatten().filter(|member| member.name == "filters") {
            let filters = members(filters.value).unwrap_or_default();
            for groups in filters.iter().filter(|member| member.name == "groups") {
                found.walk(groups.value);
            }
        }
        found
    }

    /// Every filter of a cohort or a flag, at any place: a malformed group is read as filters, and filters
    /// as groups, depending on what stands first.
    pub(crate) fn walk(&mut self, json: &str) {
        let mut open = vec![(json, 0)];
        while let Some((json, depth)) = open.pop() {
            if depth > MAX_DEPTH {
                self.anything = true;
                return;
            }
            if let Some(members) = members(json) {
                self.filter(&members);
                open.extend(members.iter().map(|member| (member.value, depth + 1)));
            } else {
                open.extend(elements(json).into_iter().flatten().map(|json| (json, depth + 1)));
            }
        }
    }

    fn filter(&mut self, filter: &[Member<'_>]) {
        match get(filter, "type").and_then(string).as_deref() {
            Some("cohort") => {
                self.cohorts.extend(get(filter, "value").map(|id| js_text(id).into_owned()));
            }
            Some("flag") => {
                let chain = get(filter, "dependency_chain").and_then(elements).unwrap_or_default();
                let chain: Vec<_> =
                    chain.into_iter().map(|key| js_text(key).into_owned()).collect();
                let key = get(filter, "key").map_or("undefined".into(), js_text);
                // What such a dependency sees depends on which flags were asked before, whatever they are.
                self.anything |= !chain.is_empty() && !chain.iter().any(|entry| *entry == key);
                self.flags.extend(chain);
                self.flags.insert(key.into_owned());
            }
            _ => {}
        }
    }
}
