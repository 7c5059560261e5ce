//! JavaScript values, as far as definitions and properties can hold them.

use crate::members::Members;
use crate::text::Text;

/// A JavaScript value.
///
/// Definitions and JSON users hold only the first six kinds and `Undefined` never; the others reach
/// the engine from JavaScript callers.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(f64),
    String(Text),
    Array(Vec<Value>),
    /// A plain object.
    Object(Members),
    Undefined,
    /// A `Date`: milliseconds since the epoch (NaN when invalid) and what `String(date)` gives.
    Date {
        ms: f64,
        text: Text,
    },
    /// An array or plain object by its members, with what `String(value)` gives where that is not the
    /// usual text of its kind: `None` if it throws, as for an object without a prototype.
    Styled {
        text: Option<Text>,
        value: Box<Value>,
    },
    /// Anything else (class instance, Map, function, bigint, cycle) by what `String(value)`
    /// gives; `None` if that throws.
    Exotic(Option<Text>),
    /// A symbol, by what `String(symbol)` gives; every other way to make a text of it throws.
    Symbol(Text),
}

impl Value {
    /// A member of an object by name; `None` stands for JavaScript's `undefined`, so that a
    /// primitive has no members and a missing one looks like an absent one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => members.get(key.as_bytes()),
            _ => None,
        }
    }

    /// JavaScript's `Boolean(value)`.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        match self {
            Value::Null | Value::Undefined => false,
            Value::Bool(value) => *value,
            Value::Number(value) => *value != 0.0 && !value.is_nan(),
            Value::String(text) => !text.is_empty(),
            Value::Array(_)
            | Value::Object(_)
            | Value::Date { .. }
            | Value::Styled { .. }
            | Value::Exotic(_)
            | Value::Symbol(_) => true,
        }
    }

    /// JavaScript's `value == null`.
    #[must_use]
    pub fn is_nullish(&self) -> bool {
        matches!(self, Value::Null | Value::Undefined)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.into())
    }
}
