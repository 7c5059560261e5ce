//! The native evaluator as a program that answers questions, so that tests written in JavaScript can
//! ask it: one JSON object a line on standard input, one JSON line back for each.
//!
//! - `{"definitions": text, "contexts": […], "now": ms, "users": [text, …]}` gives, for every user, a
//!   list with the answer of every flag in order: `{"value", "payload"?}`, the payload as JSON text, or
//!   `{"unresolved"}`. Users are completed as the public APIs complete them.
//!   Other ways of asking must agree (see `ways`), else that is the error.
//! - `{"measure": text of definitions, "now": ms, "users": [text, …]}` gives what evaluating costs: `{"flags",
//!   "bytes", "together": [{"hashes", "mostHashes", "filters", "allocations"}, …], "alone": […]}`: bytes of the
//!   ruleset, and by user the cost of one call for all flags and the sum of one call per flag (see `cost`).
//! - `{"dates": [text, …]}`, `{"numbers": [text, …]}`, `{"floats": [text, …]}`, `{"lower": [text, …]}`
//!   and `{"texts": [number, …]}` give what the native host makes of each, numbers as their bits.
//! - `{"unicode": true}` gives the version of Unicode whose letters the native host knows: `"17.0.0"`.
//!
//! A question that cannot be answered gives `{"error": text}`. A user holds what JSON cannot carry as
//! `{"$js": kind, "text"?, "ms"?, "value"?}`.

#[path = "../../tests/support/cost.rs"]
mod cost;
mod measure;
#[path = "../../tests/support/packed.rs"]
mod packed;
mod ways;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write};

use flagpost_engine::ecma::{Host, NativeHost};
use flagpost_engine::{
    Answer, CompileOptions, Context, Definitions, Evaluator, FlagValue, Ruleset, Text, User, Value,
    compile,
};
use serde_json::{Value as Json, json};

/// The host, and the time in milliseconds since the epoch.
#[derive(Clone, Copy)]
struct Now<'a> {
    host: &'a NativeHost,
    now: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let answer = answer(&serde_json::from_str(&line?)?, &NativeHost::new());
        let answer = answer.unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(question: &Json, host: &NativeHost) -> Result<Json, Box<dyn Error>> {
    let bits = |number: f64| json!(format!("{:016x}", number.to_bits()));
    let texts = |name: &str| question[name].as_array().map(|list| list.iter().map(text));
    if let Some(dates) = texts("dates") {
        Ok(dates.map(|date| bits(host.parse_date(date))).collect())
    } else if let Some(numbers) = texts("numbers") {
        Ok(numbers.map(|number| bits(host.to_number(number))).collect())
    } else if let Some(floats) = texts("floats") {
        Ok(floats.map(|float| bits(host.parse_float(float))).collect())
    } else if let Some(lower) = texts("lower") {
        Ok(lower.map(|upper| json!(host.to_lower_case(upper))).collect())
    } else if let Some(numbers) = texts("texts") {
        let number = |bits: &str| u64::from_str_radix(bits, 16).map(f64::from_bits);
        numbers.map(|bits| Ok(json!(host.number_to_string(number(bits)?)))).collect()
    } else if question["measure"].is_string() {
        measure::measure(question, host)
    } else if question["unicode"] == true {
        let (major, minor, update) = char::UNICODE_VERSION;
        Ok(json!(format!("{major}.{minor}.{update}")))
    } else {
        answers(question, host)
    }
}

fn answers(question: &Json, host: &NativeHost) -> Result<Json, Box<dyn Error>> {
    let definitions = Definitions::parse(text(&question["definitions"]).as_bytes(), host)?;
    let contexts = question["contexts"].as_array().into_iter().flatten();
    let options = CompileOptions {
        evaluation_contexts: contexts.map(|context| text(context).to_owned()).collect(),
    };
    let ruleset = compile(&definitions, &options, host)?;
    let selected = ways::selected(&definitions, &options, host)?;
    let now = question["now"].as_f64().ok_or("`now` is missing")?;
    let now = Now { host, now };
    let mut kept = Evaluator::default();
    let mut all = Vec::new();
    for user in question["users"].as_array().ok_or("`users` is missing")? {
        let mut user = User::from_json(text(user), host)?;
        user.person_properties.values_mut().for_each(revive);
        user.group_properties.values_mut().flat_map(BTreeMap::values_mut).for_each(revive);
        user.complete();
        let mut evaluator = Evaluator::new(Context::new(&ruleset, &user, host));
        let mut codes = Vec::new();
        let mut answers = Vec::new();
        for id in ruleset.flag_ids() {
            let code = evaluator.code(&ruleset, id, host, now.now);
            codes.push(code.0);
            answers.push(shape(&ruleset, ruleset.answer(id, code))?);
        }
        let answers = Json::from(answers);
        ways::together(&ruleset, &user, &codes, &mut kept, now)?;
        ways::restricted(&ruleset, &user, &codes, now)?;
        if let Some(selected) = &selected {
            ways::of_selected(selected, &user, &answers, now)?;
        }
        all.push(answers);
    }
    Ok(all.into())
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// Puts JavaScript's own values in the place of what stands for them.
fn revive(value: &mut Value) {
    if let Some(Value::String(kind)) = value.get("$js") {
        let text = match value.get("text") {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        let ms = match value.get("ms") {
            Some(Value::Number(ms)) => *ms,
            _ => f64::NAN,
        };
        *value = match kind.as_bytes() {
            b"undefined" => Value::Undefined,
            b"NaN" => Value::Number(f64::NAN),
            b"Infinity" => Value::Number(f64::INFINITY),
            b"-Infinity" => Value::Number(f64::NEG_INFINITY),
            b"-0" => Value::Number(-0.0),
            b"Date" => Value::Date { ms, text: text.unwrap_or_else(|| Text::from("")) },
            b"styled" => {
                let mut inner = value.get("value").cloned().unwrap_or_default();
                revive(&mut inner);
                Value::Styled { text, value: Box::new(inner) }
            }
            b"symbol" => Value::Symbol(text.unwrap_or_else(|| Text::from(""))),
            _ => Value::Exotic(text),
        };
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(revive),
        Value::Object(members) => members.values_mut().for_each(revive),
        _ => {}
    }
}

fn shape(ruleset: &Ruleset, answer: Answer) -> Result<Json, Box<dyn Error>> {
    let (value, payload) = match answer {
        Answer::Unresolved(reason) => return Ok(json!({ "unresolved": reason.as_str() })),
        Answer::Value { value, payload } => (value, payload),
    };
    let text = |id| ruleset.string(id).ok_or("an unknown string");
    // As JSON text: this writer's strings cannot hold half of a surrogate pair.
    let value = match value {
        FlagValue::Bool(value) => json!(value),
        FlagValue::Variant(id) => json!({ "json": text(id)?.to_json() }),
        FlagValue::Json(id) => json!({ "json": text(id)?.to_str_lossy() }),
    };
    // As text: a number beyond a double's range is no number to this reader.
    let payload = payload.and_then(|id| ruleset.payload(id));
    Ok(match payload {
        Some(payload) => json!({ "value": value, "payload": payload.json }),
        None => json!({ "value": value }),
    })
}
