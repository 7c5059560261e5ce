//! Malformed definitions on which posthog-node's way through its JavaScript decides the answer. The
//! expected answers are posthog-node 5.70.0's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use flagpost_engine::User;
use serde_json::{Value, json};
use support::{answer, user};

fn ask(definitions: &Value, user: &User) -> Value {
    answer(&definitions.to_string(), user, "f", 0.0)
}

fn nobody() -> User {
    user(r#"{"distinct_id":"u"}"#, None)
}

fn flag(key: &str, conditions: Value) -> Value {
    json!({ "key": key, "active": true, "filters": { "groups": conditions } })
}

fn unresolved(reason: &str) -> Value {
    json!({ "status": "inconclusive", "reason": reason })
}

#[test]
fn an_array_in_a_cohort_counts_as_a_group_because_arrays_have_values() {
    let conditions = json!([{ "properties": [{ "type": "cohort", "value": 1 }] }]);
    let mut definitions = json!({ "flags": [flag("f", conditions)], "cohorts": { "1": { "type": "OR", "values": [[]] } } });
    assert_eq!(ask(&definitions, &nobody())["value"], true);
    definitions["cohorts"]["1"]["values"] = json!([[1]]);
    assert_eq!(ask(&definitions, &nobody()), unresolved("unsupported_definition"));
}

#[test]
fn a_date_that_has_no_text_throws_and_an_earlier_filter_swallows_it() {
    let date = json!({ "key": "d", "operator": "is_date_after", "value": "-1d" });
    let user = user(r#"{"distinct_id":"u","person_properties":{"d":{"toString":1}}}"#, None);
    let thrown = flag("f", json!([{ "properties": [date] }, {}]));
    assert_eq!(ask(&json!({ "flags": [thrown] }), &user)["status"], "inconclusive");
    let swallowed =
        flag("f", json!([{ "properties": [{ "key": "gone", "value": "x" }, date] }, {}]));
    assert_eq!(ask(&json!({ "flags": [swallowed] }), &user)["value"], true);
}

#[test]
fn a_definition_that_cannot_be_looked_through_adds_no_reason_of_its_own() {
    let hard = flag("g", json!([{ "properties": [{ "type": "cohort", "value": "static" }] }]));
    let dependency = json!({ "properties": [{ "type": "flag", "key": "g", "value": true, "dependency_chain": ["g"] }] });
    let unsupported =
        json!({ "properties": [{ "key": "v", "operator": "semver_gt", "value": "x" }] });
    let reason = |first: Value| {
        let conditions = json!([first, dependency, unsupported]);
        ask(&json!({ "flags": [hard, flag("f", conditions)] }), &nobody())
    };
    let skipped =
        |properties: Value| json!({ "aggregation_group_type_index": 7, "properties": properties });
    assert_eq!(reason(skipped(json!([]))), unresolved("unsupported_definition"));
    assert_eq!(reason(skipped(json!([null]))), unresolved("unresolved_dependency"));
    assert_eq!(reason(skipped(json!("abc"))), unresolved("unresolved_dependency"));
}

#[test]
fn a_filter_whose_key_has_no_text_still_says_whether_it_could_be_evaluated() {
    let cohort = json!({ "type": "cohort", "value": "static" });
    let reason = |filter: Value| {
        let mut flag = flag("f", json!([{ "properties": [filter, cohort] }]));
        flag["bucketing_identifier"] = json!("device_id");
        ask(&json!({ "flags": [flag] }), &nobody())
    };
    let no_text = json!({ "toString": 1 });
    let dependency =
        |chain: Value| json!({ "type": "flag", "key": no_text, "dependency_chain": chain });
    // posthog-node asks these without their keys, and comes to the cohort.
    assert_eq!(reason(json!({ "key": no_text })), unresolved("unsupported_definition"));
    assert_eq!(reason(dependency(json!(["f"]))), unresolved("unsupported_definition"));
    // Here it throws before.
    assert_eq!(reason(dependency(json!([no_text]))), unresolved("missing_context"));
}

#[test]
fn a_list_in_place_of_a_cohort_cannot_be_looked_through() {
    let cohort = |id: &str| json!({ "type": "cohort", "value": id });
    let dependency =
        json!({ "type": "flag", "key": "g", "value": true, "dependency_chain": ["g"] });
    let hard = flag("g", json!([{ "properties": [cohort("static")] }]));
    let asked = flag(
        "f",
        json!([{ "properties": [dependency, cohort("1")] }, { "properties": [cohort("static")] }]),
    );
    let reason =
        |of_1: Value| ask(&json!({ "flags": [hard, asked], "cohorts": { "1": of_1 } }), &nobody());
    assert_eq!(reason(json!({})), unresolved("unsupported_definition"));
    assert_eq!(reason(json!([])), unresolved("unresolved_dependency"));
}

#[test]
fn half_of_a_character_can_be_the_name_of_a_group() {
    let definitions = |types: &str| {
        let mut flag = flag("f", json!([{}]));
        flag["filters"]["aggregation_group_type_index"] = json!(0);
        format!(r#"{{"flags":[{flag}],"group_type_mapping":"{types}"}}"#)
    };
    for types in [r"\ud800", "😀"] {
        let given = answer(&definitions(types), &nobody(), "f", 0.0);
        assert_eq!(given["value"], false, "{types}");
    }
}

#[test]
fn a_variant_that_only_a_condition_gives_has_its_payload() {
    let mut definition = flag("f", json!([{ "variant": "b" }]));
    definition["filters"]["multivariate"] =
        json!({ "variants": [{ "key": "b", "rollout_percentage": 0 }, null] });
    definition["filters"]["payloads"] = json!({ "b": [1] });
    let expected = json!({ "status": "value", "value": "b", "payload": [1] });
    assert_eq!(ask(&json!({ "flags": [definition] }), &nobody()), expected);
}

#[test]
fn the_length_of_a_text_is_a_member_of_it() {
    let mut grouped = flag("f", json!([{}]));
    grouped["filters"]["aggregation_group_type_index"] = json!("length");
    // posthog-node takes 3 for the name of a group that the user is not in.
    let grouped = json!({ "flags": [grouped], "group_type_mapping": "abc" });
    assert_eq!(ask(&grouped, &nobody()), json!({ "status": "value", "value": false }));

    let mut paid = flag("f", json!([{}]));
    paid["filters"]["multivariate"] =
        json!({ "variants": [{ "key": "length", "rollout_percentage": 100 }] });
    paid["filters"]["payloads"] = json!("a😀");
    let expected = json!({ "status": "value", "value": "length", "payload": 3 });
    assert_eq!(ask(&json!({ "flags": [paid] }), &nobody()), expected);
}
