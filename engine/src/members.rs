//! The members of a plain object.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use crate::text::Text;
use crate::value::Value;

/// The members of an object by name, in code point order of their names: the order canonical text wants.
///
/// A sorted list, because the code of a tree is large and objects are written once.
#[derive(Clone, Debug, Default)]
pub struct Members(Vec<Member>);

/// A member of an object. Members compare by their names.
#[derive(Clone, Debug)]
pub struct Member {
    pub name: Text,
    pub value: Value,
}

impl Members {
    /// These members, no two of one name.
    #[must_use]
    pub fn new(members: Vec<Member>) -> Self {
        // A heap sorts in little code, and never in quadratic time.
        Members(BinaryHeap::from(members).into_sorted_vec())
    }

    /// A member by its name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Value> {
        let found = self.0.binary_search_by(|member| member.name.as_bytes().cmp(name)).ok()?;
        self.0.get(found).map(|member| &member.value)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members by rising names.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.0.iter()
    }

    /// The members' values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.iter_mut().map(|member| &mut member.value)
    }

    /// The members by name.
    #[must_use]
    pub fn into_map(self) -> BTreeMap<Text, Value> {
        self.0.into_iter().map(|Member { name, value }| (name, value)).collect()
    }
}

impl From<BTreeMap<Text, Value>> for Members {
    fn from(members: BTreeMap<Text, Value>) -> Self {
        Members(members.into_iter().map(|(name, value)| Member { name, value }).collect())
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.iter().zip(other.iter()).all(|(a, b)| a == b && a.value == b.value)
    }
}

impl PartialEq for Member {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Member {}

impl PartialOrd for Member {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Member {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }
}
