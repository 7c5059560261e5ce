//! A user laid out for one ruleset.

use crate::ruleset::Ruleset;
use crate::text::Text;
use crate::user::User;
use crate::value::Value;

/// A user as the evaluator sees it: for each of [`Ruleset::slots`] the person's value, and for each
/// of [`Ruleset::group_types`] the group the user is in, with the same slots.
///
/// `None` in a slot: the user has no such property (a property holding `undefined` is
/// [`Value::Undefined`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    pub distinct_id: Text,
    pub person: Vec<Option<Value>>,
    pub groups: Vec<Option<GroupContext>>,
}

/// One group a user is in.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupContext {
    pub key: Text,
    /// The group's slots, or `None` when the caller gave no property map for it.
    pub properties: Option<Vec<Option<Value>>>,
}

impl Context {
    /// Lays a user out as it stands, adding nothing.
    #[must_use]
    pub fn new(ruleset: &Ruleset, user: &User) -> Self {
        let slots = |properties: &std::collections::BTreeMap<Text, Value>| {
            ruleset.slots().iter().map(|key| properties.get(key).cloned()).collect::<Vec<_>>()
        };
        Context {
            distinct_id: user.distinct_id.clone(),
            person: slots(&user.person_properties),
            groups: ruleset
                .group_types()
                .iter()
                .map(|name| {
                    user.groups.get(name).map(|key| GroupContext {
                        key: key.clone(),
                        properties: user.group_properties.get(name).map(slots),
                    })
                })
                .collect(),
        }
    }
}
