//! Hostile definitions and users: an answer or an error, soon, and never a panic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{Definitions, User};
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

#[test]
fn flags_in_a_ring_are_unresolved_whichever_is_asked_first() {
    let ring = json!({ "flags": [flag("a", json!([depends_on("b")])), flag("b", json!([depends_on("c")])), flag("c", json!([depends_on("a")]))] });
    for key in ["a", "b", "c"] {
        assert_eq!(reason(&ring, key), "unresolved_dependency");
    }
}

#[test]
fn a_ring_of_ten_thousand_flags_ends() {
    let flags: Vec<_> = (0..10_000)
        .map(|n| flag(&format!("f{n}"), json!([depends_on(&format!("f{}", (n + 1) % 10_000))])))
        .collect();
    assert_eq!(reason(&json!({ "flags": flags }), "f0"), "unresolved_dependency");
}

#[test]
fn a_chain_of_a_thousand_flags_listed_deepest_first_is_decided() {
    let keys: Vec<String> = (0..1000).map(|n| format!("f{n}")).collect();
    let mut flags = vec![flag("f0", json!([]))];
    for n in 1..keys.len() {
        let property = json!({ "key": keys[n - 1], "type": "flag", "value": true, "dependency_chain": keys[..n] });
        flags.push(flag(&keys[n], json!([property])));
    }
    let answer = answer(&json!({ "flags": flags }).to_string(), &user(), "f999", 0.0);
    assert_eq!(answer, json!({ "status": "value", "value": true }));
}

#[test]
fn failing_dependencies_met_twice_at_each_of_150_levels_do_not_double_the_work() {
    let mut flags = vec![flag("f0", json!([{ "key": "missing", "value": 1.5 }]))];
    for n in 1..150 {
        let below = depends_on(&format!("f{}", n - 1));
        flags.push(flag(&format!("f{n}"), json!([below, below])));
    }
    assert_eq!(reason(&json!({ "flags": flags }), "f149"), "unresolved_dependency");
}

#[test]
fn cohorts_that_contain_each_other_twice_end() {
    let cohort = |id: u32| json!({ "type": "OR", "values": [{ "type": "cohort", "key": "id", "value": id }, { "type": "cohort", "key": "id", "value": id }] });
    let mut cohorts: serde_json::Map<String, serde_json::Value> =
        (0..100).map(|n| (n.to_string(), cohort(n + 1))).collect();
    let definitions = |cohorts: &serde_json::Map<String, serde_json::Value>| json!({ "flags": [flag("a", json!([{ "type": "cohort", "key": "id", "value": 0 }]))], "cohorts": cohorts });
    cohorts
        .insert("100".into(), json!({ "type": "AND", "values": [{ "key": "k", "value": "x" }] }));
    assert_eq!(reason(&definitions(&cohorts), "a"), "missing_context");
    cohorts.insert("100".into(), cohort(0));
    assert_eq!(reason(&definitions(&cohorts), "a"), "unsupported_definition");
}

#[test]
fn a_flag_nested_too_deep_spoils_only_itself() {
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let good = flag("good", json!([]));
    let definitions =
        format!(r#"{{"flags":[{{"key":"deep","active":true,"filters":{deep}}},{good}]}}"#);
    assert_eq!(answer(&definitions, &user(), "deep", 0.0)["reason"], "unsupported_definition");
    assert_eq!(answer(&definitions, &user(), "good", 0.0)["value"], true);
}

#[test]
fn definitions_of_any_shape_load_or_say_what_is_wrong() {
    for (text, problem) in [
        ("", "not JSON"),
        ("nonsense", "not JSON"),
        ("{\"flags\":[", "not JSON"),
        ("[]", "not an object"),
        ("null", "not an object"),
        ("{}", "no `flags`"),
        ("{\"flags\":5}", "not a list"),
        ("{\"flags\":{}}", "not a list"),
    ] {
        let error =
            Definitions::parse(text.as_bytes(), &NativeHost::new()).unwrap_err().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
    for text in [
        r#"{"flags":null}"#,
        r#"{"flags":[null,5,"x",[],{}]}"#,
        r#"{"flags":[{"key":{"toString":1}}],"cohorts":[],"group_type_mapping":5}"#,
        "\u{feff}{\"flags\":[]}",
    ] {
        Definitions::parse(text.as_bytes(), &NativeHost::new()).expect(text);
    }
    assert!(
        Definitions::parse(b"{\"flags\":[\"\xff\"]}", &NativeHost::new()).unwrap_err().is_json()
    );
}

#[test]
fn every_odd_member_in_every_place_gives_an_answer() {
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1.5),
        json!(""),
        json!("x"),
        json!([]),
        json!([null]),
        json!({}),
        json!({ "toString": 1 }),
        json!({ "length": 2 }),
        json!([[["deep"]]]),
    ];
    let template = json!({
        "key": "f", "active": true, "ensure_experience_continuity": false, "bucketing_identifier": null,
        "filters": {
            "groups": [{ "properties": [
                { "key": "k", "value": "x", "operator": "exact", "type": "person" },
                { "key": "id", "value": 1, "type": "cohort" },
                { "key": "f", "value": true, "type": "flag", "dependency_chain": ["g"] },
            ], "rollout_percentage": 50, "variant": "a", "aggregation_group_type_index": null }],
            "multivariate": { "variants": [{ "key": "a", "rollout_percentage": 100 }] },
            "payloads": { "true": "1", "a": "{" }, "early_exit": false,
            "holdout": { "id": 1, "exclusion_percentage": 1 }, "aggregation_group_type_index": null,
        },
    });
    let mut paths = Vec::new();
    collect(&template, String::new(), &mut paths);
    assert!(paths.len() > 30);
    let mut asked = 0;
    for path in &paths {
        for value in &odd {
            let mut mutated = template.clone();
            *mutated.pointer_mut(path).unwrap() = value.clone();
            let definitions = json!({ "flags": [mutated, { "key": "g", "active": true }], "cohorts": { "1": { "type": "AND", "values": [value] } }, "group_type_mapping": { "0": value } });
            let key = definitions["flags"][0]["key"].as_str().unwrap_or("undefined").to_owned();
            answer(&definitions.to_string(), &user(), &key, 0.0);
            asked += 1;
        }
    }
    assert_eq!(asked, paths.len() * odd.len());
}

fn collect(value: &serde_json::Value, path: String, paths: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => {
            members
                .iter()
                .for_each(|(key, member)| collect(member, format!("{path}/{key}"), paths));
        }
        serde_json::Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| collect(item, format!("{path}/{index}"), paths));
        }
        _ => {}
    }
    if !path.is_empty() {
        paths.push(path);
    }
}
