//! From definitions to a ruleset.

mod cohort;
mod condition;
mod filter;
mod flag;
mod support;

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::definitions::{Definitions, FlagDefinition};
use crate::ecma::{Host, text_of};
use crate::ruleset::{FlagId, Ruleset, StringId};
use crate::text::Text;
use crate::value::Value;

const UNDEFINED: &Value = &Value::Undefined;

/// Choices made when definitions are compiled.
#[derive(Clone, Debug, Default)]
pub struct CompileOptions {
    /// Keep only flags without evaluation contexts and those that share one with this list; empty keeps
    /// all. Dependencies on a flag left out see `false`.
    pub evaluation_contexts: Vec<String>,
}

/// Compiles definitions. Never fails: what cannot be used becomes unresolved, and
/// [`Ruleset::problems`] says so.
///
/// PARITY: `updateFlagState` (posthog-node), where looking a flag up by key lets the last of several
/// definitions of one key win.
#[must_use]
pub fn compile(definitions: &Definitions, options: &CompileOptions, host: &dyn Host) -> Ruleset {
    let mut compiler = Compiler {
        definitions,
        host,
        ruleset: Ruleset { problems: definitions.problems.clone(), ..Ruleset::default() },
        slot_ids: HashMap::new(),
        string_ids: HashMap::new(),
        group_type_ids: HashMap::new(),
        removed: HashSet::new(),
        cohort_nodes: HashMap::new(),
        cohort_ids: HashMap::new(),
        cohorts_to_compile: Vec::new(),
        unsupported_cohorts: None,
    };
    let flags = compiler.number_flags(&options.evaluation_contexts);
    compiler.ruleset.flags = flags.into_iter().map(|flag| compiler.flag(flag)).collect();
    compiler.finish_cohorts();
    compiler.ruleset
}

struct Compiler<'a> {
    definitions: &'a Definitions,
    host: &'a dyn Host,
    ruleset: Ruleset,
    slot_ids: HashMap<Text, usize>,
    string_ids: HashMap<Text, StringId>,
    group_type_ids: HashMap<Text, usize>,
    /// Keys of flags that the evaluation contexts left out.
    removed: HashSet<Text>,
    cohort_nodes: HashMap<Text, usize>,
    /// The ids of [`Self::cohort_nodes`] by their node.
    cohort_ids: HashMap<usize, Text>,
    /// Cohorts with a node reserved, to be compiled when their turn comes: they may refer to each other.
    cohorts_to_compile: Vec<(usize, &'a Value)>,
    /// Ids of cohorts that hold, or lead to, a filter that cannot be evaluated; made when first asked for.
    unsupported_cohorts: Option<BTreeSet<Text>>,
}

impl<'a> Compiler<'a> {
    /// Gives every flag that stays its id, so that dependencies can name flags defined later.
    fn number_flags(&mut self, contexts: &[String]) -> Vec<&'a FlagDefinition> {
        let mut flags: Vec<&FlagDefinition> = Vec::new();
        for definition in &self.definitions.flags {
            let key = match definition {
                FlagDefinition::Read(flag) => flag.get("key"),
                FlagDefinition::Unreadable { key } => Some(key),
            };
            let Some(key) = text_of(key.unwrap_or(UNDEFINED), self.host) else {
                self.ruleset.problems.push("a flag's key is an object: it is left out".to_owned());
                continue;
            };
            if !self.is_in(definition, contexts) {
                self.removed.insert(key);
                continue;
            }
            match self.ruleset.flag_ids.get(&key).and_then(|id| flags.get_mut(id.0 as usize)) {
                Some(earlier) => {
                    self.ruleset
                        .problems
                        .push(format!("flag {key:?} is defined twice: the last definition counts"));
                    *earlier = definition;
                }
                None => {
                    self.ruleset.flag_ids.insert(key.clone(), FlagId(flags.len() as u32));
                    self.ruleset.flag_keys.push(key);
                    flags.push(definition);
                }
            }
        }
        self.removed.retain(|key| !self.ruleset.flag_ids.contains_key(key));
        flags
    }

    /// PARITY: `filterFlagsByEvaluationContexts` (posthog-node).
    fn is_in(&self, definition: &FlagDefinition, contexts: &[String]) -> bool {
        let FlagDefinition::Read(flag) = definition else { return true };
        let tags = ["evaluation_contexts", "evaluation_tags"]
            .into_iter()
            .filter_map(|name| flag.get(name))
            .find(|tags| !tags.is_nullish());
        match tags {
            Some(Value::Array(tags)) if !contexts.is_empty() && !tags.is_empty() => tags.iter().any(|tag| {
                matches!(tag, Value::String(tag) if contexts.iter().any(|context| context.as_bytes() == tag.as_bytes()))
            }),
            _ => true,
        }
    }

    /// `String(value)` of a member that may be absent.
    fn text(&self, value: Option<&Value>) -> Option<Text> {
        text_of(value.unwrap_or(UNDEFINED), self.host)
    }

    /// The slot of a property key.
    fn slot(&mut self, key: Text) -> usize {
        let slots = &mut self.ruleset.slots;
        *self.slot_ids.entry(key).or_insert_with_key(|key| {
            slots.push(key.clone());
            slots.len() - 1
        })
    }

    fn string(&mut self, text: &Text) -> StringId {
        if let Some(id) = self.string_ids.get(text) {
            return *id;
        }
        let id = StringId(self.ruleset.strings.len() as u32);
        self.ruleset.strings.push(text.clone());
        self.string_ids.insert(text.clone(), id);
        id
    }

    /// The group type that a group type index names: `Ok(None)` if none, `Err` where the reference throws.
    fn group_type(&mut self, index: &Value) -> Result<Option<usize>, Throws> {
        let index = self.text(Some(index)).ok_or(Throws)?;
        let name = match &self.definitions.group_type_mapping {
            Value::Object(mapping) => mapping.get(&index),
            Value::Array(names) => index.as_str().and_then(|index| {
                let position: usize = index.parse().ok()?;
                names.get(position).filter(|_| position.to_string() == index)
            }),
            _ => None,
        };
        let Some(name) = name.filter(|name| name.is_truthy()) else { return Ok(None) };
        let name = self.text(Some(name)).ok_or(Throws)?;
        let names = &mut self.ruleset.group_types;
        Ok(Some(*self.group_type_ids.entry(name).or_insert_with_key(|name| {
            names.push(name.clone());
            names.len() - 1
        })))
    }
}

/// A place where the reference's JavaScript throws.
#[derive(Clone, Copy, Debug)]
struct Throws;

/// What `for (const item of value || [])` goes through.
fn iterate(value: Option<&Value>) -> Result<Vec<Value>, Throws> {
    match value {
        Some(Value::Array(items)) => Ok(items.clone()),
        // A string is iterated by its characters.
        Some(Value::String(text)) => Ok(text
            .to_str_lossy()
            .chars()
            .map(|character| Value::String(character.to_string().into()))
            .collect()),
        Some(value) if value.is_truthy() => Err(Throws),
        _ => Ok(Vec::new()),
    }
}
