//! The engine gives posthog-node's answer on every conformance vector.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{Context, Evaluator, User, Value};
use support::{Case, answer, files, meets, report, ruleset, shape, user, vectors};

#[test]
fn flags_get_the_recorded_answers() {
    let (mut count, mut mismatches) = (0, Vec::new());
    let is_flag_suite =
        |name: &str| !name.ends_with(".properties.json") && name != "hash-primitives.json";
    for (file, text) in files("", is_flag_suite) {
        for case in Case::all(&text) {
            count += 1;
            let user = user(case.raw("context").expect("a context"), case.json("js_values"));
            let flag = case.text("flag_key").expect("a flag key");
            let actual =
                answer(case.raw("definitions").expect("definitions"), &user, &flag, case.now());
            let expected = case.json("expected").expect("an expectation");
            if !meets(&actual, &expected) {
                mismatches.push(format!(
                    "{file} {}: {actual} instead of {expected}",
                    case.text("id").unwrap_or_default()
                ));
            }
        }
    }
    report("flags", count, &mismatches);
}

#[test]
fn properties_get_the_recorded_answers() {
    let (mut count, mut mismatches) = (0, Vec::new());
    for (file, text) in files("", |name| name.ends_with(".properties.json")) {
        for case in Case::all(&text) {
            count += 1;
            let version = case.raw("property_matching_version").unwrap_or("null");
            let definitions = one_filter(case.raw("property").expect("a property"), version);
            let values = case.raw("property_values").expect("values");
            let context = format!(r#"{{"distinct_id":"u","person_properties":{values}}}"#);
            let js_values = case.json("js_values").map(|mut odd| {
                for value in odd.as_array_mut().expect("a list") {
                    value["path"][0] = "person_properties".into();
                }
                odd
            });
            let actual = answer(&definitions, &user(&context, js_values), "f", case.now());
            let expected = match case.json("expected").expect("an expectation") {
                serde_json::Value::Bool(value) => {
                    serde_json::json!({ "status": "value", "value": value })
                }
                _ => {
                    serde_json::json!({ "status": "inconclusive", "reason": case.text("reason").unwrap_or("any".into()) })
                }
            };
            if !meets(&actual, &expected) {
                mismatches.push(format!(
                    "{file} {}: {actual} instead of {expected}",
                    case.text("id").unwrap_or_default()
                ));
            }
        }
    }
    report("properties", count, &mismatches);
}

#[test]
fn tables_of_operators_and_values_get_the_recorded_outcomes() {
    let (mut count, mut mismatches) = (0, Vec::new());
    for (file, text) in files("tables", |_| true) {
        let table = Case::new(&text);
        let list = |name| {
            serde_json::from_str::<Vec<&serde_json::value::RawValue>>(table.raw(name).expect(name))
                .expect(name)
        };
        let (filters, contexts) = (list("filters"), list("contexts"));
        let users: Vec<User> = contexts
            .iter()
            .map(|value| {
                user(&format!(r#"{{"distinct_id":"u","person_properties":{{"k":{value}}}}}"#), None)
            })
            .chain([user(r#"{"distinct_id":"u"}"#, None)])
            .collect();
        for block in list("results") {
            let block = Case::new(block.get());
            let (operator, version) = (
                block.raw("operator").expect("an operator"),
                block.raw("property_matching_version").unwrap_or("null"),
            );
            let rows: Vec<Option<String>> =
                serde_json::from_str(block.raw("rows").expect("rows")).expect("rows");
            for (filter, row) in filters.iter().zip(&rows) {
                let Some(row) = row else { continue };
                let host = NativeHost::new();
                let definitions = one_filter(
                    &format!(r#"{{"key":"k","operator":{operator},"value":{filter}}}"#),
                    version,
                );
                let ruleset = ruleset(&definitions, &host);
                let id = ruleset.flag(b"f").expect("the flag");
                assert_eq!(
                    row.len(),
                    users.len(),
                    "{file}: a row has an outcome for each value and for none"
                );
                for (index, (letter, user)) in row.chars().zip(&users).enumerate() {
                    count += 1;
                    let context = Context::new(&ruleset, user, &host);
                    let actual = shape(
                        &ruleset,
                        Evaluator::new(context).flag(&ruleset, id, &host, table.now()),
                    );
                    let outcome = match (actual["value"].as_bool(), actual["reason"].as_str()) {
                        (Some(true), _) => 't',
                        (Some(false), _) => 'f',
                        (_, Some("unsupported_definition")) => 'u',
                        (_, Some("missing_context")) => 'm',
                        _ => '?',
                    };
                    if outcome != letter {
                        let value = contexts.get(index).map_or("(none)", |value| value.get());
                        mismatches.push(format!("{file} {operator} v{version} filter {filter} value {value}: {outcome} instead of {letter}"));
                    }
                }
            }
        }
    }
    report("tables", count, &mismatches);
}

#[test]
fn users_fall_into_the_recorded_buckets() {
    let (mut count, mut mismatches) = (0, Vec::new());
    for (file, text) in files("bulk", |_| true) {
        let case = Case::new(&text);
        let host = NativeHost::new();
        let ruleset = ruleset(case.raw("definitions").expect("definitions"), &host);
        let id = ruleset.flag(case.text("flag_key").expect("a key").as_bytes()).expect("the flag");
        let template = case.json("context_template").expect("a template");
        for row in case.json("rows").expect("rows").as_array().expect("rows") {
            count += 1;
            let mut context = template.clone();
            context["distinct_id"] = row[0].clone();
            let user = user(&context.to_string(), None);
            let context = Context::new(&ruleset, &user, &host);
            let actual = shape(&ruleset, Evaluator::new(context).flag(&ruleset, id, &host, 0.0));
            if actual["value"] != row[1] {
                mismatches.push(format!("{file} {}: {actual} instead of {}", row[0], row[1]));
            }
        }
    }
    report("buckets", count, &mismatches);
}

#[test]
fn hazards_of_the_reference_get_the_recommended_answers() {
    let (mut count, mut mismatches) = (0, Vec::new());
    let text = std::fs::read_to_string(vectors().join("special/hazards.json")).expect("the file");
    for case in Case::all(&text) {
        count += 1;
        let user = user(case.raw("context").expect("a context"), case.json("js_values"));
        let flag = case.text("flag_key").expect("a flag key");
        let actual =
            answer(case.raw("definitions").expect("definitions"), &user, &flag, case.now());
        let expected = case.json("recommended").expect("a recommendation");
        if !meets(&actual, &expected) {
            mismatches.push(format!(
                "{}: {actual} instead of {expected}",
                case.text("name").unwrap_or_default()
            ));
        }
    }
    report("hazards", count, &mismatches);
}

#[test]
fn where_other_sdks_differ_posthog_node_wins() {
    let (mut count, mut mismatches) = (0, Vec::new());
    let text =
        std::fs::read_to_string(vectors().join("special/sdk-differences.json")).expect("the file");
    let mut definitions = std::collections::HashMap::new();
    let suites = files("", |name| name != "hash-primitives.json");
    for case in suites.iter().flat_map(|(_, text)| Case::all(text)) {
        if let (Some(id), Some(text)) = (case.text("id"), case.raw("definitions")) {
            definitions.insert(id, text);
        }
    }
    for case in Case::all(&text) {
        let vector = case.text("vector").expect("a vector");
        let Some((_, found)) = definitions.iter().find(|(id, _)| id.ends_with(&vector)) else {
            continue;
        };
        count += 1;
        let user = user(case.raw("context").expect("a context"), None);
        let actual = answer(found, &user, &case.text("flag_key").expect("a key"), case.now());
        let expected = case.json("posthog_node").expect("an expectation");
        if !meets(&actual, &expected) {
            mismatches.push(format!("{vector}: {actual} instead of {expected}"));
        }
    }
    report("sdk differences", count, &mismatches);
}

/// Definitions of one flag `f` with one filter.
fn one_filter(property: &str, version: &str) -> String {
    format!(
        r#"{{"property_matching_version":{version},"flags":[{{"key":"f","active":true,"filters":{{"groups":[{{"properties":[{property}],"rollout_percentage":100}}]}}}}]}}"#
    )
}

#[test]
fn a_vector_that_is_wrong_is_noticed() {
    let user = User {
        distinct_id: "u".into(),
        person_properties: [("k".into(), Value::from("a"))].into(),
        ..User::default()
    };
    let actual = answer(&one_filter(r#"{"key":"k","value":"a"}"#, "null"), &user, "f", 0.0);
    assert!(meets(&actual, &serde_json::json!({ "status": "value", "value": true })));
    assert!(!meets(&actual, &serde_json::json!({ "status": "value", "value": false })));
    assert!(!meets(&actual, &serde_json::json!({ "status": "inconclusive", "reason": "any" })));
}
