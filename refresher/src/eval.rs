//! `refresher eval`: answers from a snapshot, natively.

use std::collections::BTreeMap;

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::snapshot::is_snapshot;
use flagpost_engine::{Answer, Context, Evaluator, FlagId, FlagValue, Payload, Ruleset, User};
use serde::Serialize;
use serde_json::to_string_pretty;
use serde_json::value::RawValue;

use crate::cli::EvalArguments;
use crate::clock::Clock;
use crate::compile::{name, read};
use crate::outcome::Exit;
use crate::snapshot::{Held, ruleset};

/// All answers, named as PostHog's SDKs name them.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Answers {
    feature_flags: BTreeMap<String, Value>,
    feature_flag_payloads: BTreeMap<String, Box<RawValue>>,
    unresolved: BTreeMap<String, &'static str>,
}

/// One answer.
#[derive(Serialize)]
#[serde(untagged)]
enum Single {
    Decided {
        value: Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Box<RawValue>>,
    },
    Unresolved {
        unresolved: &'static str,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Bool(bool),
    Json(Box<RawValue>),
}

/// Evaluates. Gives the JSON to print, or why there is none.
///
/// # Errors
/// [`Exit::Machine`] for files, [`Exit::Invalid`] for a snapshot or user that cannot be used,
/// [`Exit::UnknownFlag`].
pub fn run(arguments: &EvalArguments, clock: &dyn Clock) -> Result<String, (Exit, String)> {
    let invalid = |error: String| (Exit::Invalid, error);
    let ruleset = load(arguments)?;
    let host = NativeHost::default();
    let mut user = User::from_json(&arguments.user, &host).map_err(|e| invalid(e.to_string()))?;
    user.complete();
    let context = Context::new(&ruleset, &user, &host);
    let now = arguments.now.unwrap_or_else(|| clock.now()).as_millisecond() as f64;
    let mut evaluator = Evaluator::new(context);
    let json = match &arguments.flag {
        Some(key) => {
            let id = ruleset
                .flag(key.as_bytes())
                .ok_or_else(|| (Exit::UnknownFlag, unknown(key, &ruleset)))?;
            single(&ruleset, evaluator.flag(&ruleset, id, &host, now))
                .and_then(|answer| to_string_pretty(&answer))
        }
        None => all(&ruleset, |ids| evaluator.flags(&ruleset, ids, &host, now))
            .and_then(|answers| to_string_pretty(&answers)),
    };
    json.map_err(|error| invalid(error.to_string()))
}

fn load(arguments: &EvalArguments) -> Result<Ruleset, (Exit, String)> {
    let bytes = read(&arguments.snapshot)?;
    let named = |error: String| (Exit::Invalid, format!("{}: {error}", name(&arguments.snapshot)));
    if !is_snapshot(&bytes) {
        return ruleset(&bytes).map_err(|error| named(error.to_string()));
    }
    let held = Held::from_bytes(bytes).map_err(named)?;
    held.ruleset().map_err(|error| named(error.to_string()))
}

fn all(
    ruleset: &Ruleset,
    evaluate: impl FnOnce(&[FlagId]) -> Vec<Answer>,
) -> serde_json::Result<Answers> {
    let mut answers = Answers::default();
    let ids: Vec<_> = ruleset.flag_ids().collect();
    for (key, answer) in ruleset.flag_keys().iter().zip(evaluate(&ids)) {
        let key = key.to_str_lossy().into_owned();
        match answer {
            Answer::Unresolved(reason) => drop(answers.unresolved.insert(key, reason.as_str())),
            Answer::Value { value, payload } => {
                let payload = payload.and_then(|id| ruleset.payload(id));
                // The reference's bulk call leaves falsy payloads out.
                if let Some(payload) =
                    payload.filter(|payload| payload.truthy).and_then(|it| raw(&it))
                {
                    answers.feature_flag_payloads.insert(key.clone(), payload);
                }
                answers.feature_flags.insert(key, plain(ruleset, value)?);
            }
        }
    }
    Ok(answers)
}

fn single(ruleset: &Ruleset, answer: Answer) -> serde_json::Result<Single> {
    Ok(match answer {
        Answer::Unresolved(reason) => Single::Unresolved { unresolved: reason.as_str() },
        Answer::Value { value, payload } => Single::Decided {
            value: plain(ruleset, value)?,
            payload: payload.and_then(|id| ruleset.payload(id)).and_then(|it| raw(&it)),
        },
    })
}

fn plain(ruleset: &Ruleset, value: FlagValue) -> serde_json::Result<Value> {
    let json = match value {
        FlagValue::Bool(value) => return Ok(Value::Bool(value)),
        FlagValue::Variant(id) => ruleset.string(id).map(|text| text.to_json()),
        FlagValue::Json(id) => ruleset.string(id).map(|json| json.to_str_lossy().into_owned()),
    };
    RawValue::from_string(json.unwrap_or_default()).map(Value::Json)
}

/// A payload as it stands: read into numbers it could change.
fn raw(payload: &Payload) -> Option<Box<RawValue>> {
    RawValue::from_string(payload.json.clone()).ok()
}

/// Says that there is no such flag, and what it may have been meant to be.
fn unknown(key: &str, ruleset: &Ruleset) -> String {
    let wanted = key.to_lowercase();
    let mut close: Vec<_> = ruleset
        .flag_keys()
        .into_iter()
        .map(|key| key.to_str_lossy().into_owned())
        .filter(|key| key.to_lowercase().contains(&wanted) || wanted.contains(&key.to_lowercase()))
        .take(5)
        .collect();
    close.sort();
    let count = ruleset.len();
    match close.as_slice() {
        [] => format!("no flag {key:?} among the {count} in the snapshot"),
        close => format!(
            "no flag {key:?} among the {count} in the snapshot: did you mean {}?",
            close.join(", ")
        ),
    }
}
