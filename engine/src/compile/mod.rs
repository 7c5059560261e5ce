//! From definitions to a ruleset.

mod cohort;
mod condition;
mod encode;
mod filter;
mod flag;
mod model;
mod needs;
mod operation;
mod pool;
mod support;

use std::borrow::Cow;
use std::collections::BTreeMap;

use xxhash_rust::xxh64::xxh64;

use crate::definitions::{Definitions, FlagDefinition};
use crate::ecma::{Host, text_of};
use crate::error::Error;
use crate::problems::{Problems, named};
use crate::ruleset::{FlagId, Ruleset, StringId};
use crate::text::Text;
use crate::value::Value;
pub(crate) use model::Names;
use model::{Flag, Model};

/// Steps for walking malformed cohorts, a filter at a time, before their definitions' reasons are left
/// open.
const COHORT_STEPS: u32 = 1_000_000;

const UNDEFINED: &Value = &Value::Undefined;

/// Choices made when definitions are compiled.
#[derive(Clone, Debug, Default)]
pub struct CompileOptions {
    /// Keep only flags without evaluation contexts and those that share one with this list; empty keeps
    /// all. Dependencies on a flag left out see `false`.
    pub evaluation_contexts: Vec<String>,
}

/// Compiles definitions: what cannot be used becomes unresolved, and [`Ruleset::problems`] says so.
///
/// # Errors
/// See [`compile_to_bytes`].
pub fn compile(
    definitions: &Definitions,
    options: &CompileOptions,
    host: &dyn Host,
) -> Result<Ruleset, Error> {
    Ruleset::open(seal_ruleset(definitions, options, host)?, 0, &[])
}

/// Compiles definitions to bytes that [`Ruleset::open`] takes, with the ruleset at their start.
///
/// # Errors
/// See [`compile_to_bytes`].
pub fn seal_ruleset(
    definitions: &Definitions,
    options: &CompileOptions,
    host: &dyn Host,
) -> Result<Vec<u8>, Error> {
    let mut bytes = compile_to_bytes(definitions, options, host)?;
    bytes.extend_from_slice(&xxh64(&bytes, 0).to_le_bytes());
    Ok(bytes)
}

/// Compiles definitions to the bytes of a ruleset, without the hash that [`Ruleset::open`] wants behind them:
/// a snapshot's hash includes more.
///
/// PARITY: `updateFlagState` (posthog-node), where looking a flag up by key lets the last of several
/// definitions of one key win.
///
/// # Errors
/// [`Error::is_shape`] for a ruleset beyond 4 GiB.
pub fn compile_to_bytes(
    definitions: &Definitions,
    options: &CompileOptions,
    host: &dyn Host,
) -> Result<Vec<u8>, Error> {
    let mut compiler = Compiler {
        definitions,
        host,
        model: Model::default(),
        problems: definitions.problems.clone(),
        left_out: Names::default(),
        loose: Vec::new(),
        cohort_nodes: BTreeMap::new(),
        cohort_ids: Vec::new(),
        cohorts_to_compile: Vec::new(),
        unsupported_cohorts: None,
        cohort_steps: COHORT_STEPS,
        odd_variants: BTreeMap::new(),
    };
    let flags = compiler.number_flags(&options.evaluation_contexts);
    compiler.model.flags = flags.into_iter().map(|flag| compiler.flag(flag)).collect();
    if !options.evaluation_contexts.is_empty() {
        compiler.model.flags.iter_mut().for_each(|flag| flag.contexts = None);
    }
    let count = compiler.model.chained.len();
    compiler.model.flags.resize_with(count, Flag::inactive);
    compiler.finish_cohorts();
    let model = &mut compiler.model;
    model.order_shows = compiler.loose.iter().any(|id| model.is_chained(*id));
    model.contexts_need_definitions |= model.order_shows;
    let model = Model { problems: compiler.problems.into_lines(), ..compiler.model };
    encode::encode(&model)
}

struct Compiler<'a> {
    definitions: &'a Definitions,
    host: &'a dyn Host,
    model: Model,
    problems: Problems,
    /// Flags that the evaluation contexts left out.
    left_out: Names,
    /// Flags that dependencies are about without having them in their chains.
    loose: Vec<FlagId>,
    cohort_nodes: BTreeMap<Text, usize>,
    /// The ids of [`Self::cohort_nodes`] with their nodes, in the order of these.
    cohort_ids: Vec<(usize, &'a Text)>,
    /// Cohorts with a node reserved, to be compiled when their turn comes: they may refer to each other.
    cohorts_to_compile: Vec<(usize, &'a Value)>,
    /// For each cohort of the definitions, in their order, whether it holds, or leads to, a filter that
    /// cannot be evaluated; made when first asked for.
    unsupported_cohorts: Option<Result<Vec<(&'a Text, bool)>, Throws>>,
    /// Steps left for walking cohorts where looking at one of them throws.
    cohort_steps: u32,
    /// The JSON of variant keys that are no text, with what a payload is looked up by.
    odd_variants: BTreeMap<StringId, Option<Text>>,
}

impl<'a> Compiler<'a> {
    /// Gives every flag that stays its id, so that dependencies can name flags defined later.
    fn number_flags(&mut self, contexts: &[String]) -> Vec<&'a FlagDefinition> {
        let definitions = self.definitions;
        let mut flags: Vec<&FlagDefinition> = Vec::new();
        for definition in &definitions.flags {
            let Some(key) = definition.key(self.host) else {
                let problem = || "a flag's key is an object: it is left out".to_owned();
                self.problems.add(problem);
                continue;
            };
            if !self.is_in(definition, contexts) {
                self.left_out.number(&key);
                continue;
            }
            let number = self.model.flag_keys.number(&key);
            match flags.get_mut(number) {
                None => flags.push(definition),
                Some(earlier) => {
                    self.problems.add(|| {
                        let key = named(&key);
                        format!("flag {key} is defined twice: the last definition counts")
                    });
                    *earlier = definition;
                    self.model.contexts_need_definitions = true;
                }
            }
        }
        self.model.chained = vec![false; self.model.flag_keys.len() + self.left_out.len()];
        flags
    }

    /// PARITY: `filterFlagsByEvaluationContexts` (posthog-node).
    fn is_in(&self, definition: &FlagDefinition, contexts: &[String]) -> bool {
        let FlagDefinition::Read(flag) = definition else { return true };
        let is_one = |tag: &Text| contexts.iter().any(|it| it.as_bytes() == tag.as_bytes());
        contexts.is_empty() || evaluation_contexts(flag).is_none_or(|tags| tags.iter().any(is_one))
    }

    /// `String(value)` of a member that may be absent.
    fn text(&self, value: Option<&Value>) -> Option<Text> {
        text_of(value.unwrap_or(UNDEFINED), self.host)
    }

    /// The slot of a property key.
    fn slot(&mut self, key: &Text) -> usize {
        self.model.slots.number(key)
    }

    fn string(&mut self, text: &Text) -> StringId {
        StringId(self.model.strings.number(text) as u32)
    }

    /// The group type that a group type index names: `Ok(None)` if none, `Err` where the reference throws.
    fn group_type(&mut self, index: &Value) -> Result<Option<usize>, Throws> {
        let index = self.text(Some(index)).ok_or(Throws)?;
        let name = own_member(&self.definitions.group_type_mapping, &index);
        let Some(name) = name.filter(|name| name.is_truthy()) else { return Ok(None) };
        let name = self.text(Some(&name)).ok_or(Throws)?;
        Ok(Some(self.model.group_types.number(&name)))
    }
}

/// The evaluation contexts a flag is in; `None`: all.
fn evaluation_contexts(flag: &Value) -> Option<Vec<Text>> {
    let tags = ["evaluation_contexts", "evaluation_tags"];
    match tags.into_iter().filter_map(|name| flag.get(name)).find(|tags| !tags.is_nullish()) {
        Some(Value::Array(tags)) if !tags.is_empty() => {
            let texts = tags.iter().filter_map(|tag| match tag {
                Value::String(tag) => Some(tag.clone()),
                _ => None,
            });
            Some(texts.collect())
        }
        _ => None,
    }
}

/// A place where the reference's JavaScript throws.
#[derive(Clone, Copy, Debug)]
struct Throws;

/// Bytes of a text that are looked at for its members: any number of flags may ask.
const LOOKED_AT: usize = 300;

/// The own member `value[key]` of a value from JSON.
///
/// DIFFERENCE: a text has its `length` if it is short, and its first hundred characters.
fn own_member<'v>(value: &'v Value, key: &Text) -> Option<Cow<'v, Value>> {
    let is_length = key.as_bytes() == b"length";
    let index = || {
        let key = key.as_str()?;
        key.parse().ok().filter(|index: &usize| index.to_string() == key)
    };
    match value {
        Value::Object(members) => members.get(key).map(Cow::Borrowed),
        Value::Array(items) if is_length => Some(Cow::Owned(Value::Number(items.len() as f64))),
        Value::Array(items) => items.get(index()?).map(Cow::Borrowed),
        Value::String(text) if is_length => (text.len() <= LOOKED_AT)
            .then(|| Cow::Owned(Value::Number(text.to_utf16().len() as f64))),
        Value::String(text) => {
            let index = index().filter(|index| *index < LOOKED_AT / 3)?;
            // No unit takes more than three bytes.
            let start = text.get(..LOOKED_AT).unwrap_or(text);
            let units = Text::from_wtf8(start.to_vec()).to_utf16();
            Some(Cow::Owned(Value::String(Text::from_unit(*units.get(index)?))))
        }
        _ => None,
    }
}

/// What `for (const item of value || [])` goes through.
fn iterate(value: Option<&Value>) -> Result<Vec<Cow<'_, Value>>, Throws> {
    match value {
        Some(Value::Array(items)) => Ok(items.iter().map(Cow::Borrowed).collect()),
        // A string is iterated by its characters. They have no members, so that one condition, filter
        // or variant made of a character is like the next, and the first of them decides.
        Some(Value::String(text)) if !text.is_empty() => {
            Ok(vec![Cow::Owned(Value::String("a".into()))])
        }
        Some(value) if value.is_truthy() => Err(Throws),
        _ => Ok(Vec::new()),
    }
}
