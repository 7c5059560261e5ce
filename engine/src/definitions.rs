//! PostHog's flag definitions as sent: tolerant of what a single flag may hold.

use std::collections::BTreeMap;

use crate::ecma::{Host, text_of};
use crate::error::Error;
use crate::json::{Fault, MAX_MEMORY, Reader};
use crate::problems::{Problems, named};
use crate::text::Text;
use crate::value::Value;

/// Bytes of definitions that are read.
const MAX_BYTES: usize = 256 << 20;

/// The body of PostHog's `GET /flags/definitions?send_cohorts`, or posthog-node's cached copy of it in
/// either key style.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    pub(crate) flags: Vec<FlagDefinition>,
    pub(crate) group_type_mapping: Value,
    /// Cohort id -> property group; `None` for one that is nested too deep.
    pub(crate) cohorts: BTreeMap<Text, Option<Value>>,
    /// `cohorts` is a truthy value that holds nothing: the reference throws when it looks one up.
    pub(crate) cohorts_throw: bool,
    /// Whether properties match explicitly (version 2) or by the older, looser rules.
    pub(crate) version_2: bool,
    pub(crate) problems: Problems,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FlagDefinition {
    Read(Value),
    /// A flag nested too deep, under its key.
    Unreadable {
        key: Value,
    },
}

impl FlagDefinition {
    /// What it is asked by; `None` for a key that is an object.
    pub(crate) fn key(&self, host: &dyn Host) -> Option<Text> {
        let key = match self {
            FlagDefinition::Read(flag) => flag.get("key"),
            FlagDefinition::Unreadable { key } => Some(key),
        };
        text_of(key.unwrap_or(&Value::Undefined), host)
    }
}

impl Definitions {
    /// Reads definitions from JSON; the host reads its longer numbers.
    ///
    /// Only the frame must be right: an object with a `flags` list. A flag that cannot be read becomes
    /// one unresolved flag, and members this version does not know are passed over.
    ///
    /// DIFFERENCE: definitions of more than 256 MiB, or that would take about 2 GiB once read, are refused:
    /// they would exhaust the memory of the evaluator at the edge, where a `u32` counts the bytes.
    ///
    /// # Errors
    /// [`Error::is_json`] if it is not JSON, [`Error::is_shape`] if it is something else's JSON or too
    /// large.
    pub fn parse(bytes: &[u8], host: &dyn Host) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(too_large());
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Error::json(format!("the definitions are not UTF-8 at byte {}", error.valid_up_to()))
        })?;
        let invalid = |error: Error| Error::json(format!("the definitions are {error}"));
        let mut reader = Reader::new(text, host);
        let mut frame = Frame::default();
        let read = if reader.peek() == Some(b'{') {
            reader.members(|reader, name| frame.member(reader, &name, text, host))
        } else {
            reader.skip().map(|()| frame.flags = Flags::NoObject)
        };
        read.map_err(|fault| match fault {
            Fault::Size => too_large(),
            Fault::Syntax | Fault::Depth => invalid(reader.error(fault)),
        })?;
        reader.end().map_err(invalid)?;
        frame.finish()
    }

    /// How many flags there are, repeated keys included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flags.len()
    }

    /// The keys of the flags that the evaluator can be asked for, repeated ones included.
    #[must_use]
    pub fn keys(&self, host: &dyn Host) -> Vec<Text> {
        self.flags.iter().filter_map(|flag| flag.key(host)).collect()
    }

    /// Whether there are no flags.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty()
    }
}

fn too_large() -> Error {
    Error::shape(format!(
        "the definitions are too large: at most {} MiB, and about {} MiB once read",
        MAX_BYTES >> 20,
        MAX_MEMORY >> 20
    ))
}

/// The members of the definitions, as they come; a repeated one replaces the one before.
#[derive(Default)]
struct Frame {
    definitions: Definitions,
    flags: Flags,
    /// Members with two spellings: snake case, camel case.
    group_type_mapping: [Option<Value>; 2],
    version: [Option<Value>; 2],
}

#[derive(Default)]
enum Flags {
    NoObject,
    #[default]
    Absent,
    NoList,
    Read,
}

impl Frame {
    fn member(
        &mut self,
        reader: &mut Reader<'_>,
        name: &[u8],
        text: &str,
        host: &dyn Host,
    ) -> Result<(), Fault> {
        let [mapping, mapping_camel] = &mut self.group_type_mapping;
        let [version, version_camel] = &mut self.version;
        let place = match name {
            b"flags" => return self.flags(reader, text, host),
            b"cohorts" => return self.cohorts(reader),
            b"group_type_mapping" => mapping,
            b"groupTypeMapping" => mapping_camel,
            b"property_matching_version" => version,
            b"propertyMatchingVersion" => version_camel,
            _ => return reader.skip(),
        };
        *place = reader.value_or_skip()?;
        Ok(())
    }

    fn flags(&mut self, reader: &mut Reader<'_>, text: &str, host: &dyn Host) -> Result<(), Fault> {
        let definitions = &mut self.definitions;
        definitions.flags.clear();
        if reader.peek() != Some(b'[') {
            let is_null = reader.value_or_skip()? == Some(Value::Null);
            self.flags = if is_null { Flags::Read } else { Flags::NoList };
            return Ok(());
        }
        self.flags = Flags::Read;
        let mut number = 0;
        reader.elements(|reader| {
            number += 1;
            let start = reader.position();
            match reader.value_or_skip()? {
                Some(flag @ Value::Object(_)) => definitions.flags.push(FlagDefinition::Read(flag)),
                // DIFFERENCE: on null the reference loads nothing.
                Some(Value::Null) => definitions
                    .problems
                    .add(|| format!("flag number {number} is null: it is left out")),
                // To the reference, an inactive flag without a key.
                Some(_) => {
                    definitions
                        .problems
                        .add(|| format!("flag number {number} is not an object: it is inactive"));
                    let keyless = FlagDefinition::Read(Value::Bool(true));
                    if definitions.flags.last() != Some(&keyless) {
                        definitions.flags.push(keyless);
                    }
                }
                None => {
                    definitions
                        .problems
                        .add(|| format!("flag number {number} is nested too deep to be read"));
                    let flag = text.get(start..reader.position()).unwrap_or_default();
                    let key = key_of(flag, host);
                    definitions.flags.extend(key.map(|key| FlagDefinition::Unreadable { key }));
                }
            }
            Ok(())
        })
    }

    fn cohorts(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let definitions = &mut self.definitions;
        definitions.cohorts.clear();
        definitions.cohorts_throw = false;
        if reader.peek() != Some(b'{') {
            match reader.value_or_skip()? {
                Some(Value::Array(cohorts)) => {
                    let ids =
                        (0..cohorts.len()).map(|index| Text::from(index.to_string().as_str()));
                    let length = Value::Number(cohorts.len() as f64);
                    definitions.cohorts.extend(ids.zip(cohorts.into_iter().map(Some)));
                    // Every list has a member of this name.
                    definitions.cohorts.insert("length".into(), Some(length));
                }
                Some(other) => definitions.cohorts_throw = other.is_truthy(),
                None => definitions
                    .problems
                    .add(|| "`cohorts` is nested too deep to be read".to_owned()),
            }
            return Ok(());
        }
        reader.members(|reader, id| {
            let cohort = reader.value_or_skip()?;
            if cohort.is_none() {
                definitions
                    .problems
                    .add(|| format!("cohort {} is nested too deep to be read", named(&id)));
            }
            definitions.cohorts.insert(id, cohort);
            Ok(())
        })
    }

    /// PARITY: `updateFlagState` (posthog-node).
    fn finish(mut self) -> Result<Definitions, Error> {
        let problem = match self.flags {
            Flags::Read => None,
            Flags::NoList => Some("`flags` in the definitions is not a list"),
            Flags::NoObject => Some("the definitions are not an object with a `flags` list"),
            Flags::Absent => Some("the definitions have no `flags`"),
        };
        if let Some(problem) = problem {
            return Err(Error::shape(format!(
                "{problem}: pass the body of PostHog's /flags/definitions, or a snapshot"
            )));
        }
        let first = |values: [Option<Value>; 2]| {
            values.into_iter().flatten().find(|value| !value.is_nullish()).unwrap_or_default()
        };
        self.definitions.group_type_mapping = first(self.group_type_mapping);
        self.definitions.version_2 = first(self.version) == Value::Number(2.0);
        Ok(self.definitions)
    }
}

/// The `key` of a flag whose other members may be nested too deep.
fn key_of(flag: &str, host: &dyn Host) -> Option<Value> {
    let mut key = None;
    let mut reader = Reader::new(flag, host);
    let read = reader.members(|reader, name| {
        let value = reader.value_or_skip()?;
        if name.as_bytes() == b"key" {
            key = value;
        }
        Ok(())
    });
    read.ok().and(key)
}
