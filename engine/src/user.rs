//! Who a flag is evaluated for.

use std::collections::BTreeMap;

use crate::text::Text;
use crate::value::Value;

/// A user: the shape of PostHog's evaluation context.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct User {
    pub distinct_id: Text,
    /// Group type -> group key.
    pub groups: BTreeMap<Text, Text>,
    pub person_properties: BTreeMap<Text, Value>,
    /// Group type -> its properties.
    pub group_properties: BTreeMap<Text, BTreeMap<Text, Value>>,
    /// Ids that are not strings, as they came in JSON: as properties they keep their type.
    pub odd_ids: OddIds,
}

/// See [`User::odd_ids`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OddIds {
    distinct_id: Option<Value>,
    groups: BTreeMap<Text, Value>,
}

impl User {
    /// Adds what posthog-node's public client adds: the distinct id as the person property
    /// `distinct_id` and each group's key as its property `$group_key`, unless the caller gave them.
    ///
    /// PARITY: `personPropertiesForLocalEvaluation`, `addLocalPersonAndGroupProperties` (posthog-node).
    pub fn complete(&mut self) {
        let odd = self.odd_ids.distinct_id.clone();
        let id = odd.unwrap_or_else(|| Value::String(self.distinct_id.clone()));
        self.person_properties.entry("distinct_id".into()).or_insert(id);
        for (group_type, key) in &self.groups {
            let odd = self.odd_ids.groups.get(group_type).cloned();
            let key = odd.unwrap_or_else(|| Value::String(key.clone()));
            let properties = self.group_properties.entry(group_type.clone()).or_default();
            properties.entry("$group_key".into()).or_insert(key);
        }
    }
}

#[cfg(feature = "compile")]
impl User {
    /// Reads a user from JSON: an object with `distinctId` and, if wanted, `groups`,
    /// `personProperties`, `groupProperties`; the snake-case names are read as well. Ids and group keys
    /// that are not strings count as their JavaScript string.
    ///
    /// # Errors
    /// [`Error::is_json`](crate::Error::is_json) or [`Error::is_shape`](crate::Error::is_shape), naming
    /// the member.
    pub fn from_json(text: &str, host: &dyn crate::ecma::Host) -> Result<Self, crate::Error> {
        use crate::ecma::text_of;
        use crate::{Error, json};

        let user =
            json::parse(text, host).map_err(|error| Error::json(format!("the user is {error}")))?;
        if !matches!(user, Value::Object(_)) {
            return Err(Error::shape("the user is not an object: pass {\"distinctId\": \"…\"}"));
        }
        let member = |camel: &str, snake: &str| {
            user.get(camel).or_else(|| user.get(snake)).filter(|value| !value.is_nullish())
        };
        let text = |value: &Value, name: &str| {
            text_of(value, host)
                .ok_or_else(|| Error::shape(format!("the user's `{name}` is not a string")))
        };
        let object = |value: Option<&Value>, name: &str| match value {
            None => Ok(BTreeMap::new()),
            Some(Value::Object(members)) => Ok(members.clone().into_map()),
            Some(_) => Err(Error::shape(format!("the user's `{name}` is not an object"))),
        };
        let distinct_id = member("distinctId", "distinct_id")
            .ok_or_else(|| Error::shape("the user has no `distinctId`: add one"))?;
        let groups = object(member("groups", "groups"), "groups")?;
        let group_properties =
            object(member("groupProperties", "group_properties"), "groupProperties")?;
        let is_odd = |value: &&Value| !matches!(value, Value::String(_));
        let odd_ids = OddIds {
            distinct_id: Some(distinct_id).filter(is_odd).cloned(),
            groups: groups
                .iter()
                .filter(|(_, key)| is_odd(key))
                .map(|(name, key)| (name.clone(), key.clone()))
                .collect(),
        };
        Ok(User {
            odd_ids,
            distinct_id: text(distinct_id, "distinctId")?,
            groups: groups
                .into_iter()
                .map(|(name, key)| Ok((name, text(&key, "groups")?)))
                .collect::<Result<_, Error>>()?,
            person_properties: object(
                member("personProperties", "person_properties"),
                "personProperties",
            )?,
            group_properties: group_properties
                .into_iter()
                .map(|(name, properties)| Ok((name, object(Some(&properties), "groupProperties")?)))
                .collect::<Result<_, Error>>()?,
        })
    }
}
