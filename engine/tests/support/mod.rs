//! Reading vector files and asking the engine, natively.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::path::PathBuf;

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{
    Answer, CompileOptions, Context, Definitions, Evaluator, FlagValue, Ruleset, User, Value,
    compile,
};
use serde_json::value::RawValue;

/// The folder with the vectors: `FLAGPOST_VECTORS`, else the shared one beside the project, else the
/// project's copy.
pub fn vectors() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let candidates = std::env::var_os("FLAGPOST_VECTORS")
        .map(PathBuf::from)
        .into_iter()
        .chain([root.join("../shared/vectors"), root.join("tests/vectors")]);
    candidates
        .into_iter()
        .find(|folder| folder.join("posthog-node.json").exists())
        .expect("no folder of vectors found")
}

/// The JSON files below a folder of the vectors, with their texts.
pub fn files(folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let mut found: Vec<_> = std::fs::read_dir(vectors().join(folder))
        .expect("the folder can be listed")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), path))
        .filter(|(name, _)| name != "index.json" && wanted(name))
        .map(|(name, path)| (name, std::fs::read_to_string(path).expect("the file can be read")))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no vector files in {folder:?}");
    found
}

/// An object's members as text, so that numbers keep their spelling.
pub struct Case<'a>(std::collections::HashMap<String, &'a RawValue>);

impl<'a> Case<'a> {
    pub fn new(text: &'a str) -> Self {
        Case(serde_json::from_str(text).expect("a vector is an object"))
    }

    pub fn all(text: &'a str) -> Vec<Self> {
        let raw: Vec<&RawValue> = serde_json::from_str(text).expect("a file of vectors is a list");
        raw.into_iter().map(|case| Case::new(case.get())).collect()
    }

    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|raw| raw.get())
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.json(name)?.as_str().map(str::to_owned)
    }

    pub fn json(&self, name: &str) -> Option<serde_json::Value> {
        self.raw(name).map(|raw| serde_json::from_str(raw).expect("JSON"))
    }

    /// `now` in milliseconds since the epoch.
    pub fn now(&self) -> f64 {
        use flagpost_engine::ecma::Host;
        self.text("now").map_or(1.7e12, |now| NativeHost::new().parse_date(&now))
    }
}

pub fn ruleset(definitions: &str, host: &NativeHost) -> Ruleset {
    let definitions =
        Definitions::parse(definitions.as_bytes(), host).expect("the definitions can be read");
    compile(&definitions, &CompileOptions::default(), host).expect("it can be compiled")
}

/// The answer in the vectors' own shape: `{status, value, payload?}` or `{status, reason}`.
pub fn answer(definitions: &str, user: &User, flag: &str, now: f64) -> serde_json::Value {
    let host = NativeHost::new();
    let ruleset = ruleset(definitions, &host);
    let context = Context::new(&ruleset, user, &host);
    let Some(id) = ruleset.flag(flag.as_bytes()) else {
        return serde_json::json!({ "status": "unknown_flag" });
    };
    shape(&ruleset, Evaluator::new(context).flag(&ruleset, id, &host, now))
}

pub fn shape(ruleset: &Ruleset, answer: Answer) -> serde_json::Value {
    match answer {
        Answer::Unresolved(reason) => {
            serde_json::json!({ "status": "inconclusive", "reason": reason.as_str() })
        }
        Answer::Value { value, payload } => {
            let value = match value {
                FlagValue::Bool(value) => serde_json::Value::from(value),
                FlagValue::Json(id) => {
                    let text = ruleset.string(id).expect("the number exists");
                    serde_json::from_str(&text.to_str_lossy()).expect("a number")
                }
                FlagValue::Variant(id) => {
                    ruleset.string(id).expect("the variant exists").to_str_lossy().into()
                }
            };
            let mut shaped = serde_json::json!({ "status": "value", "value": value });
            if let Some(id) = payload {
                // A number beyond a double's range is Infinity, which vectors write as null.
                shaped["payload"] =
                    serde_json::from_str(&ruleset.payload(id).expect("the payload exists").json)
                        .unwrap_or_default();
            }
            shaped
        }
    }
}

pub fn user(text: &str, js_values: Option<serde_json::Value>) -> User {
    let mut user = User::from_json(text, &NativeHost::new()).expect("the user can be read");
    for odd in js_values.iter().flat_map(|list| list.as_array().expect("a list")) {
        let path: Vec<&str> = odd["path"]
            .as_array()
            .expect("a path")
            .iter()
            .filter_map(|step| step.as_str())
            .collect();
        let value = match odd["kind"].as_str().expect("a kind") {
            "undefined" => Value::Undefined,
            "NaN" => Value::Number(f64::NAN),
            "Infinity" => Value::Number(f64::INFINITY),
            "-Infinity" => Value::Number(f64::NEG_INFINITY),
            "Date" | "date" => {
                use flagpost_engine::ecma::Host;
                let ms = odd["value"].as_f64().unwrap_or_else(|| {
                    NativeHost::new().parse_date(odd["value"].as_str().expect("a date"))
                });
                Value::Date { ms, text: "a date".into() }
            }
            kind => panic!("unknown kind of JavaScript value: {kind} in {odd}"),
        };
        let [.., "person_properties", key] = path.as_slice() else {
            panic!("unexpected path {path:?}")
        };
        user.person_properties.insert((*key).into(), value);
    }
    user
}

/// Equal as JavaScript sees it: 1 and 1.0 are one number.
pub fn same(left: &serde_json::Value, right: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

/// Whether an answer meets an expectation; reason "any" and status "error" forbid only a value.
pub fn meets(actual: &serde_json::Value, expected: &serde_json::Value) -> bool {
    match (expected["status"].as_str(), expected["reason"].as_str()) {
        (Some("inconclusive"), Some("any")) | (Some("error"), _) => {
            actual["status"] == "inconclusive"
        }
        _ => same(actual, expected),
    }
}

/// Panics with the first mismatches if there are any, prints the count otherwise.
pub fn report(name: &str, count: usize, mismatches: &[String]) {
    assert!(count > 0, "{name}: no vectors were run");
    println!("{name}: {count} vectors");
    assert!(
        mismatches.is_empty(),
        "{name}: {} of {count} vectors differ\n{}",
        mismatches.len(),
        mismatches.iter().take(12).cloned().collect::<Vec<_>>().join("\n")
    );
}
