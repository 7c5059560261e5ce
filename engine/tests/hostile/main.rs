//! Hostile definitions and users: an answer or an error, soon, and never a panic.
//!
//! Work is bounded by counting the filters that the evaluator looks at. Where it looks at none, a guard
//! gives the work more than enough time, far less than it would need if it grew with the square of
//! the input. Tests run on threads of 2 MB of stack.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod cohorts;
mod cost;
mod dependencies;
mod documents;
mod regexes;
mod rulesets;
#[path = "../support/mod.rs"]
mod support;
mod values;

use std::sync::mpsc;
use std::time::Duration;

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{
    Answer, CompileOptions, Context, Definitions, Evaluator, Reason, User, compile,
};
use serde_json::json;
use support::answer;

fn user() -> User {
    User { distinct_id: "u".into(), ..User::default() }
}

fn reason(definitions: &serde_json::Value, flag: &str) -> String {
    let answer = answer(&definitions.to_string(), &user(), flag, 0.0);
    assert_eq!(answer["status"], "inconclusive", "{answer}");
    answer["reason"].as_str().unwrap().to_owned()
}

fn flag(key: &str, properties: serde_json::Value) -> serde_json::Value {
    json!({ "key": key, "active": true, "filters": { "groups": [{ "properties": properties }] } })
}

fn depends_on(key: &str) -> serde_json::Value {
    json!({ "key": key, "type": "flag", "value": true, "dependency_chain": [key] })
}

/// A flag that is on for whoever passes the filters, as JSON text.
fn flag_text(key: &str, properties: &str) -> String {
    format!(
        r#"{{"key":"{key}","active":true,"filters":{{"groups":[{{"properties":[{properties}]}}]}}}}"#
    )
}

/// Runs work that must end: fails, without waiting for it, when it has not ended after two minutes.
fn ends<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(Duration::from_secs(120)).expect("the work neither fails nor takes long")
}

/// The answers to all flags for a user whose `n` is 7, and how many filters were looked at for them.
fn answers_and_filters(definitions: &str) -> (Vec<Answer>, u32) {
    let host = NativeHost::new();
    let definitions = Definitions::parse(definitions.as_bytes(), &host).expect("definitions");
    let ruleset = compile(&definitions, &CompileOptions::default(), &host).unwrap();
    let user = User::from_json(r#"{"distinctId":"u","personProperties":{"n":7}}"#, &host).unwrap();
    let ids: Vec<_> = ruleset.flag_ids().collect();
    let mut evaluator = Evaluator::new(Context::new(&ruleset, &user, &host));
    let answers = evaluator.flags(&ruleset, &ids, &host, 0.0);
    (answers, evaluator.filters())
}

const N_IS_ABOVE_5: &str = r#"{"key":"n","operator":"gt","value":"5"}"#;

fn is_true(answer: &Answer) -> bool {
    matches!(answer, Answer::Value { value: flagpost_engine::FlagValue::Bool(true), .. })
}
