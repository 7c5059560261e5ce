//! A user as the npm package sends one: what goes into a kept context is looked up beforehand.

#![allow(unreachable_pub, reason = "several programs use it")]

use std::collections::BTreeMap;

use flagpost_engine::ecma::Host;
use flagpost_engine::{Context, Property, Ruleset, Span, Text, User, Value};

/// From here on JavaScript does not write a whole number digit by digit; with a fraction it never does.
const EXACT: f64 = (1_u64 << 53) as f64;

pub struct Packed<'u> {
    sizes: [usize; 2],
    distinct_id: &'u Text,
    /// Group type, key, whether the caller gave properties for it.
    groups: Vec<(u32, &'u Text, bool)>,
    /// The group type or `None` for the person, the slot, the value.
    values: Vec<(Option<u32>, u32, Packing<'u>)>,
}

enum Packing<'u> {
    Plain(&'u Value),
    /// A number with its `String(number)`.
    Number(f64, String),
}

impl<'u> Packed<'u> {
    pub fn new(ruleset: &Ruleset, user: &'u User, host: &dyn Host) -> Self {
        let (slots, group_types) = (ruleset.slots(), ruleset.group_types());
        let mut packed = Packed {
            sizes: [slots.len(), group_types.len()],
            distinct_id: &user.distinct_id,
            groups: Vec::new(),
            values: Vec::new(),
        };
        packed.properties(None, &slots, &user.person_properties, host);
        for (number, name) in (0..).zip(&group_types) {
            let Some(key) = user.groups.get(name) else { continue };
            let properties = user.group_properties.get(name);
            packed.groups.push((number, key, properties.is_some()));
            if let Some(properties) = properties {
                packed.properties(Some(number), &slots, properties, host);
            }
        }
        packed
    }

    fn properties(
        &mut self,
        group_type: Option<u32>,
        slots: &[Text],
        map: &'u BTreeMap<Text, Value>,
        host: &dyn Host,
    ) {
        for (slot, name) in (0..).zip(slots) {
            let packing = match map.get(name) {
                None => continue,
                Some(Value::Number(number)) if number.fract() != 0.0 || number.abs() >= EXACT => {
                    Packing::Number(*number, host.number_to_string(*number))
                }
                Some(value) => Packing::Plain(value),
            };
            self.values.push((group_type, slot, packing));
        }
    }

    /// Puts the user in the place of the one before. Allocates nothing once the context has grown, unless
    /// some value is neither a text, a number, a boolean nor `null`. `None` if the context is another ruleset's.
    pub fn fill(&self, context: &mut Context, host: &dyn Host) -> Option<()> {
        let [slots, group_types] = self.sizes;
        context.clear(slots, group_types);
        let id = add(context, self.distinct_id);
        context.set_distinct_id(id);
        for (group_type, key, has_properties) in &self.groups {
            let key = add(context, key);
            context.set_group(*group_type, key, *has_properties)?;
        }
        for (group_type, slot, packing) in &self.values {
            let property = match packing {
                Packing::Number(number, text) => {
                    Property::Number(*number, Some(add(context, text.as_bytes())))
                }
                Packing::Plain(value) => context.property(value, host),
            };
            context.set(*group_type, *slot, property)?;
        }
        Some(())
    }
}

fn add(context: &mut Context, text: &[u8]) -> Span {
    let bytes = context.bytes();
    let start = bytes.len() as u32;
    bytes.extend_from_slice(text);
    Span { start, length: text.len() as u32 }
}
