//! One change, and the collection of them that lets nothing fall.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Number, Value};

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub what: What,
    /// In words, complete.
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    Active,
    Aggregation,
    Bucketing,
    Condition,
    ConditionAdded,
    ConditionRemoved,
    EarlyExit,
    EvaluationContexts,
    EvaluationRuntime,
    ExperienceContinuity,
    GroupTypes,
    Holdout,
    Id,
    Key,
    Name,
    Other,
    Payload,
    PropertyMatchingVersion,
    Rollout,
    Variants,
}

/// Collects changes. What has no words of its own is collected by its path.
#[derive(Debug, Default)]
pub(super) struct Changes {
    list: Vec<Change>,
    other: BTreeSet<String>,
}

impl Changes {
    /// A value that became another: `label before -> after`. Where the words for both are the same,
    /// the path says that something differs.
    pub(super) fn moved(
        &mut self,
        what: What,
        label: &str,
        before: String,
        after: String,
        path: &str,
    ) {
        if before == after {
            return self.other(path);
        }
        let text = format!("{label} {before} -> {after}");
        self.list.push(Change { what, text, before: Some(before), after: Some(after) });
    }

    pub(super) fn said(&mut self, what: What, text: String) {
        self.list.push(Change { what, text, before: None, after: None });
    }

    pub(super) fn other(&mut self, path: &str) {
        self.other.insert(path.to_owned());
    }

    /// Members that differ and are not among the known ones.
    pub(super) fn rest(
        &mut self,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
        known: &[&str],
        path: &str,
    ) {
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names.into_iter().filter(|name| !known.contains(&name.as_str())) {
            if !same_member(before.get(name), after.get(name)) {
                self.other(&format!("{path}{}", super::words::quoted(name)));
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len() + self.other.len()
    }

    pub(super) fn finish(mut self) -> Vec<Change> {
        if !self.other.is_empty() {
            let paths: Vec<String> = self.other.into_iter().collect();
            let text = format!("other changes ({})", super::words::listed(&paths));
            self.list.push(Change { what: What::Other, text, before: None, after: None });
        }
        self.list
    }
}

/// Whether two values are the same JSON: 1 and 1.0 are.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    a == b || ((a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64())
}

pub(super) fn same_member(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        _ => false,
    }
}
