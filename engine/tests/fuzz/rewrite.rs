//! Changes to definitions that must not change answers.

use std::collections::BTreeMap;

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{CompileOptions, Context, Definitions, Evaluator, User, compile};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::definitions::users;
use crate::mutate::{mutated, recipes};
use crate::run::{corpus, fuzz};
use crate::support::shape;

/// Each flag asked alone: asked together, flags depended on are remembered for those that follow.
fn answers_alone(definitions: &str, users: &[User]) -> Option<BTreeMap<String, Vec<Value>>> {
    let host = NativeHost::new();
    let definitions = Definitions::parse(definitions.as_bytes(), &host).ok()?;
    let ruleset = compile(&definitions, &CompileOptions::default(), &host).expect("compiled");
    let contexts: Vec<Context> =
        users.iter().map(|user| Context::new(&ruleset, user, &host)).collect();
    let ask = |id, context: &Context| {
        shape(&ruleset, Evaluator::new(context.clone()).flag(&ruleset, id, &host, 1.715e12))
    };
    let keys = ruleset.flag_keys().into_iter().map(|key| key.to_json());
    Some(
        ruleset
            .flag_ids()
            .zip(keys)
            .map(|(id, key)| (key, contexts.iter().map(|context| ask(id, context)).collect()))
            .collect(),
    )
}

/// The seeds that `serde_json` reads, as it has no lone surrogates and no numbers beyond a double.
fn readable() -> Vec<Value> {
    let seeds: Vec<Value> = corpus("definitions")
        .iter()
        .filter_map(|bytes| serde_json::from_slice(bytes).ok())
        .collect();
    assert!(seeds.len() > 5);
    seeds
}

fn write(value: &Value, noise: &mut dyn FnMut() -> usize, structural: bool, out: &mut String) {
    let mut space = |out: &mut String| out.push_str(["", "", " ", "\n", "\t\r\n"][noise() % 5]);
    space(out);
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, noise, structural, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            let mut keys: Vec<&String> = members.keys().collect();
            if noise().is_multiple_of(2) {
                keys.reverse();
            }
            let unknown = structural && !members.is_empty() && noise().is_multiple_of(2);
            if unknown {
                out.push_str(r#""unheard of":{"a":[1e400,"\ud800"]}, "unheard of" : [[]],"#);
            }
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                // What hangs below these is compared or given as it is.
                let below = structural && !matches!(key.as_str(), "value" | "payloads" | "key");
                write(&members[key], noise, below, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
    let mut space = |out: &mut String| out.push_str(["", " ", "\n"][noise() % 3]);
    space(out);
}

#[test]
fn order_space_and_unknown_members_change_no_answer() {
    let (seeds, users) = (readable(), users());
    let expected: Vec<_> = seeds
        .iter()
        .map(|seed| answers_alone(&seed.to_string(), &users).expect("definitions"))
        .collect();
    let recipes = (0..seeds.len(), prop::collection::vec(any::<u8>(), 1..64));
    let build = |(seed, noise): &(usize, Vec<u8>)| {
        let mut at = 0;
        let mut next = || {
            at += 1;
            usize::from(noise[at % noise.len()]) + at / noise.len()
        };
        let mut text = String::new();
        write(&seeds[*seed], &mut next, true, &mut text);
        format!("{seed} {text}").into_bytes()
    };
    fuzz("rewritten", recipes, build, |input| {
        let (seed, text) = std::str::from_utf8(input).unwrap().split_once(' ').unwrap();
        let actual = answers_alone(text, &users).ok_or("it is refused")?;
        let expected = &expected[seed.parse::<usize>().unwrap()];
        if actual == *expected { Ok(()) } else { Err(format!("{actual:?}\nnot {expected:?}")) }
    });
}

#[test]
fn a_flag_changes_no_answer_of_flags_that_do_not_refer_to_it() {
    let users = users();
    let flags: Vec<Value> = readable()
        .iter()
        .filter_map(|seed| seed["flags"].as_array())
        .flatten()
        .filter(|flag| flag.is_object() && !flag["key"].is_array())
        .cloned()
        .collect();
    let texts: Vec<Vec<u8>> = flags.iter().map(|flag| flag.to_string().into_bytes()).collect();
    let others = json!({
        "cohorts": readable().iter().fold(json!({}), |mut all, seed| {
            let cohorts = seed["cohorts"].as_object().into_iter().flatten();
            all.as_object_mut().unwrap().extend(cohorts.map(|(id, cohort)| (id.clone(), cohort.clone())));
            all
        }),
        "group_type_mapping": { "0": "organization", "1": "store" },
    });
    let independent: Vec<&Value> =
        flags.iter().filter(|flag| !flag.to_string().contains("dependency_chain")).collect();
    let with = |changed: &str| {
        let listed: Vec<String> = independent.iter().map(|flag| flag.to_string()).collect();
        let others = others.to_string();
        format!(r#"{{"flags":[{changed},{}],{}"#, listed.join(","), &others[1..])
    };
    let expected = answers_alone(&with("{\"key\":\"nothing\"}"), &users).expect("definitions");
    let ran = std::cell::Cell::new(0);
    fuzz(
        "isolation",
        recipes(),
        |recipe| mutated(&texts, recipe),
        |bytes| {
            // What is no JSON spoils the document, as it must.
            if !crate::definitions::is_json(bytes) || bytes.starts_with(b"\xef\xbb\xbf") {
                return Ok(());
            }
            let changed = std::str::from_utf8(bytes).unwrap();
            let actual = answers_alone(&with(changed), &users).ok_or("it is refused")?;
            ran.set(ran.get() + 1);
            for flag in &independent {
                let key = flag["key"].to_string();
                if actual.get(&key) != expected.get(&key) {
                    return Err(format!(
                        "{key}: {:?}, not {:?}",
                        actual.get(&key),
                        expected.get(&key)
                    ));
                }
            }
            Ok(())
        },
    );
    assert!(ran.get() > 100, "only {} changed flags were JSON", ran.get());
}
