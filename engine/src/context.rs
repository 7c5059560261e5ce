//! A user laid out for a ruleset: property values by slot, groups by group type.

mod derived;

pub(crate) use derived::{Asked, Derived};

use crate::ecma::{Host, template_text_of, text_of};
use crate::operator::{canonical_lower, is_json, truth};
use crate::ruleset::Ruleset;
use crate::user::User;
use crate::value::Value;

/// A piece of the bytes of a [`Context`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub length: u32,
}

/// A property's value. Texts lie in the context's bytes, as WTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Property {
    /// The user has no such property (one that holds `undefined` is [`Property::Undefined`]).
    #[default]
    Absent,
    Undefined,
    Null,
    Bool(bool),
    /// A number, with `String(number)` if that is known.
    Number(f64, Option<Span>),
    Text(Span),
    /// Any other value: see [`Context::odd`].
    Odd(u32),
}

/// All that operators ask of a value that is neither a text, a number, a boolean, `null` nor `undefined`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Odd {
    /// `String(value)`; `None` where JavaScript throws.
    pub text: Option<Span>,
    /// Whether `${value}` throws: as `String(value)` does, and for symbols.
    pub throws_in_template: bool,
    /// The canonical text, lower-cased; `None` where the reference refuses to write it.
    pub lower: Option<Span>,
    /// The time of a `Date` in milliseconds since the epoch, NaN of an invalid one.
    pub time: Option<f64>,
    /// Whether it can stand in JSON.
    pub is_json: bool,
    /// Whether the reference takes it for true.
    pub truth: bool,
}

/// The user of one evaluation. It is kept and filled again for the next: nothing is allocated then.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The texts of the user; what is derived from them is added behind.
    bytes: Vec<u8>,
    distinct_id: Span,
    person: Properties,
    groups: Vec<Group>,
    odd: Vec<Odd>,
}

/// The properties of a person or group by slot.
#[derive(Clone, Debug, Default)]
struct Properties {
    slots: Vec<Slot>,
    /// The slots with a property.
    set: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    property: Property,
    derived: Derived,
}

#[derive(Clone, Debug, Default)]
struct Group {
    /// The group's key; `None` if the user is in no such group.
    key: Option<Span>,
    /// Whether the caller gave a property map for it.
    has_properties: bool,
    properties: Properties,
}

/// Whose properties filters read: 0 the person's, 1 + n those of the group of type n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope(u32);

impl Scope {
    pub(crate) const PERSON: Self = Scope(0);

    pub(crate) fn group(group_type: u32) -> Self {
        Scope(group_type.saturating_add(1))
    }

    /// Its place among all scopes.
    #[inline(always)]
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Context {
    /// Lays a user out as it stands, adding nothing.
    #[must_use]
    pub fn new(ruleset: &Ruleset, user: &User, host: &dyn Host) -> Self {
        let (slots, group_types) = (ruleset.slots(), ruleset.group_types());
        let mut context = Context::default();
        context.clear(slots.len(), group_types.len());
        context.distinct_id = context.add(&user.distinct_id);
        let fill = |context: &mut Context, group, map: &std::collections::BTreeMap<_, _>| {
            for (number, slot) in (0..).zip(&slots) {
                if let Some(value) = map.get(slot) {
                    let property = context.property(value, host);
                    context.set(group, number, property);
                }
            }
        };
        fill(&mut context, None, &user.person_properties);
        for (number, name) in (0..).zip(&group_types) {
            let Some(key) = user.groups.get(name) else { continue };
            let properties = user.group_properties.get(name);
            let key = context.add(key);
            context.set_group(number, key, properties.is_some());
            if let Some(properties) = properties {
                fill(&mut context, Some(number), properties);
            }
        }
        context
    }

    /// Forgets the user, for a ruleset with so many slots and group types.
    pub fn clear(&mut self, slots: usize, group_types: usize) {
        self.bytes.clear();
        self.odd.clear();
        self.distinct_id = Span::default();
        self.person.clear(slots);
        if self.groups.len() != group_types {
            self.groups = (0..group_types).map(|_| Group::default()).collect();
        }
        for group in &mut self.groups {
            if group.key.take().is_some() {
                group.properties.clear(slots);
            }
        }
    }

    /// The bytes that [`Span`]s are of.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The distinct id.
    pub fn set_distinct_id(&mut self, id: Span) {
        self.distinct_id = id;
    }

    /// Puts the user into a group. `None` if there is no such group type.
    pub fn set_group(&mut self, group_type: u32, key: Span, has_properties: bool) -> Option<()> {
        let slots = self.person.slots.len();
        let group = self.groups.get_mut(group_type as usize)?;
        group.key = Some(key);
        group.has_properties = has_properties;
        group.properties.clear(slots);
        Some(())
    }

    /// Sets a property of the person, or of a group by its group type. `None` if there is no such slot.
    #[inline]
    pub fn set(&mut self, group_type: Option<u32>, slot: u32, property: Property) -> Option<()> {
        let properties = match group_type {
            None => &mut self.person,
            Some(group_type) => &mut self.groups.get_mut(group_type as usize)?.properties,
        };
        let at = properties.slots.get_mut(slot as usize)?;
        at.property = property;
        at.derived.forget();
        properties.set.push(slot);
        Some(())
    }

    /// Keeps what is known of a value that is neither a text, a number, a boolean, `null` nor `undefined`.
    pub fn odd(&mut self, odd: Odd) -> Property {
        self.odd.push(odd);
        Property::Odd(self.odd.len() as u32 - 1)
    }

    /// A value as a property; its texts are added to the bytes.
    pub fn property(&mut self, value: &Value, host: &dyn Host) -> Property {
        match value {
            Value::Undefined => Property::Undefined,
            Value::Null => Property::Null,
            Value::Bool(value) => Property::Bool(*value),
            Value::Number(number) => Property::Number(*number, None),
            Value::String(text) => Property::Text(self.add(text)),
            value => {
                let odd = Odd {
                    text: text_of(value, host).map(|text| self.add(&text)),
                    throws_in_template: template_text_of(value, host).is_none(),
                    lower: canonical_lower(value, host).map(|lower| self.add(lower.as_bytes())),
                    time: match value {
                        Value::Date { ms, .. } => Some(*ms),
                        _ => None,
                    },
                    is_json: is_json(value),
                    truth: truth(value),
                };
                self.odd(odd)
            }
        }
    }

    fn add(&mut self, text: &[u8]) -> Span {
        add(&mut self.bytes, text)
    }

    /// A text.
    pub(crate) fn text(&self, span: Span) -> &[u8] {
        slice(&self.bytes, span)
    }

    pub(crate) fn distinct_id(&self) -> Span {
        self.distinct_id
    }

    /// The key of the group of this type that the user is in, and whether its properties are known.
    pub(crate) fn group(&self, group_type: u32) -> Option<(Span, bool)> {
        let group = self.groups.get(group_type as usize)?;
        Some((group.key?, group.has_properties))
    }

    /// A slot; `None` where no properties are known.
    pub(crate) fn asked<'c, H: ?Sized>(
        &'c mut self,
        scope: Scope,
        slot: u32,
        host: &'c H,
    ) -> Option<Asked<'c, H>> {
        let properties = match scope.index().checked_sub(1) {
            None => &mut self.person,
            Some(group_type) => {
                let group = self.groups.get_mut(group_type)?;
                if group.key.is_none() || !group.has_properties {
                    return None;
                }
                &mut group.properties
            }
        };
        let Slot { property, derived } = properties.slots.get_mut(slot as usize)?;
        Some(Asked { property: *property, derived, bytes: &mut self.bytes, odd: &self.odd, host })
    }
}

impl Properties {
    fn clear(&mut self, slots: usize) {
        for slot in &self.set {
            if let Some(slot) = self.slots.get_mut(*slot as usize) {
                slot.property = Property::Absent;
            }
        }
        self.set.clear();
        if self.slots.len() != slots {
            self.slots = (0..slots).map(|_| Slot::default()).collect();
        }
    }
}

fn add(bytes: &mut Vec<u8>, text: &[u8]) -> Span {
    let start = bytes.len() as u32;
    bytes.extend_from_slice(text);
    Span { start, length: text.len() as u32 }
}

fn slice(bytes: &[u8], span: Span) -> &[u8] {
    let rest = bytes.get(span.start as usize..).unwrap_or_default();
    rest.get(..span.length as usize).unwrap_or_default()
}
