//! PostHog's flag definitions as sent: tolerant of what a single flag may hold.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::json;
use crate::text::Text;
use crate::value::Value;

/// The body of PostHog's `GET /flags/definitions?send_cohorts`, or posthog-node's cached copy of it in
/// either key style.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    pub(crate) flags: Vec<FlagDefinition>,
    pub(crate) group_type_mapping: Value,
    /// Cohort id -> property group; `Err` says why one could not be read.
    pub(crate) cohorts: BTreeMap<Text, Result<Value, String>>,
    /// Whether properties match explicitly (version 2) or by the older, looser rules.
    pub(crate) version_2: bool,
    pub(crate) problems: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum FlagDefinition {
    Read(Value),
    /// A flag too odd to read, under its key.
    Unreadable {
        key: Value,
    },
}

impl Definitions {
    /// Reads definitions from JSON.
    ///
    /// Only the frame must be right: an object with a `flags` list. A flag that cannot be read becomes
    /// one unresolved flag, and members this version does not know are passed over.
    ///
    /// # Errors
    /// [`Error::is_json`] if it is not JSON, [`Error::is_shape`] if it is something else's JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Error::json(format!("the definitions are not UTF-8 at byte {}", error.valid_up_to()))
        })?;
        let invalid = |error: Error| Error::json(format!("the definitions are {error}"));
        if text.trim_start().starts_with('[') {
            return Err(Error::shape(
                "the definitions are a JSON array: an object with a `flags` list is wanted",
            ));
        }
        let members = json::members(text).map_err(invalid)?;
        let member = |name: &str| {
            // The last of several members of one name counts.
            members
                .iter()
                .rev()
                .find(|(key, _)| key.as_bytes() == name.as_bytes())
                .map(|(_, raw)| raw.get())
        };
        let either = |snake: &str, camel: &str| {
            member(snake).filter(|text| *text != "null").or_else(|| member(camel))
        };
        let mut definitions = Definitions::default();
        match member("flags") {
            None => {
                return Err(Error::shape(
                    "the definitions have no `flags`: pass the body of PostHog's /flags/definitions, or a snapshot",
                ));
            }
            Some("null") => {}
            Some(flags) if flags.starts_with('[') => {
                for (index, flag) in json::elements(flags).map_err(invalid)?.into_iter().enumerate()
                {
                    definitions.add_flag(index, flag.get());
                }
            }
            Some(_) => return Err(Error::shape("`flags` in the definitions is not a list")),
        }
        if let Some(mapping) = either("group_type_mapping", "groupTypeMapping") {
            definitions.group_type_mapping = json::parse(mapping).map_err(invalid)?;
        }
        if let Some(cohorts) = member("cohorts").filter(|text| text.starts_with('{')) {
            for (id, cohort) in json::members(cohorts).map_err(invalid)? {
                let read = json::parse(cohort.get()).map_err(|error| error.to_string());
                if let Err(problem) = &read {
                    definitions.problems.push(format!("cohort {id:?} cannot be read: {problem}"));
                }
                definitions.cohorts.insert(id, read);
            }
        }
        definitions.version_2 = either("property_matching_version", "propertyMatchingVersion")
            .is_some_and(|version| version.parse() == Ok(2.0));
        Ok(definitions)
    }

    /// How many flags there are, repeated keys included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flags.len()
    }

    /// Whether there are no flags.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty()
    }

    fn add_flag(&mut self, index: usize, text: &str) {
        match json::parse(text) {
            Ok(flag @ Value::Object(_)) => self.flags.push(FlagDefinition::Read(flag)),
            Ok(_) => self
                .problems
                .push(format!("flag number {} is not an object: it is left out", index + 1)),
            Err(error) => {
                let key = json::members(text)
                    .ok()
                    .and_then(|members| {
                        members.into_iter().rev().find(|(name, _)| name.as_bytes() == b"key")
                    })
                    .and_then(|(_, key)| json::parse(key.get()).ok());
                self.problems.push(format!("flag number {} cannot be read: {error}", index + 1));
                self.flags.extend(key.map(|key| FlagDefinition::Unreadable { key }));
            }
        }
    }
}
