//! Definitions as posthog-node caches them. `tests/e2e/node-cache.test.mjs` compares with posthog-node.

use refresher::node_cache::from_definitions;

fn cached(definitions: &str) -> String {
    String::from_utf8(from_definitions(definitions.as_bytes()).unwrap()).unwrap()
}

#[test]
fn both_spellings_are_written_and_the_parts_stay_byte_for_byte() {
    let definitions = r#"{"etag":"x","flags":[ {"key":"a","n":1.0} ,{"key":"\ud800","n":1e400}],
        "cohorts":{"1" : {}},"group_type_mapping":{"0":"org" },
        "minimal_flag_called_events":true,"property_matching_version":2.0}"#;
    assert_eq!(
        cached(definitions),
        concat!(
            r#"{"flags":[{"key":"a","n":1.0},{"key":"\ud800","n":1e400}],"#,
            r#""group_type_mapping":{"0":"org" },"cohorts":{"1" : {}},"#,
            r#""minimal_flag_called_events":true,"#,
            r#""property_matching_version":2.0,"propertyMatchingVersion":2.0,"#,
            r#""groupTypeMapping":{"0":"org" },"minimalFlagCalledEvents":true}"#
        )
    );
}

#[test]
fn what_is_absent_or_falsy_gets_its_default_and_no_version_stays_none() {
    let empty = concat!(
        r#"{"flags":[],"group_type_mapping":{},"cohorts":{},"minimal_flag_called_events":false,"#,
        r#""groupTypeMapping":{},"minimalFlagCalledEvents":false}"#
    );
    assert_eq!(cached(r#"{"flags":null}"#), empty);
    for falsy in ["null", "false", "0", "-0.0", "\"\""] {
        let definitions = format!(
            r#"{{"flags":[],"cohorts":{falsy},"group_type_mapping":{falsy},"minimal_flag_called_events":1}}"#
        );
        assert_eq!(cached(&definitions), empty, "{falsy}");
    }
}

#[test]
fn a_null_among_the_flags_is_left_out() {
    assert!(
        cached(r#"{"flags":[null,{"key":"a"}, null]}"#).starts_with(r#"{"flags":[{"key":"a"}],"#)
    );
}

#[test]
fn a_repeated_member_counts_as_in_javascript() {
    let definitions =
        r#"{"flags":[1],"cohorts":{"1":{}},"flags":[{"key":"b"}],"coh\u006frts":{"2":{}}}"#;
    let cached = cached(definitions);
    assert!(cached.starts_with(r#"{"flags":[{"key":"b"}],"#), "{cached}");
    assert!(cached.contains(r#""cohorts":{"2":{}}"#), "{cached}");
}

#[test]
fn what_posthog_node_would_not_load_is_refused_with_the_reason() {
    for (definitions, reason) in [
        ("{", "the definitions are not JSON: EOF while parsing an object at line 1 column 1"),
        ("[]", "the definitions are not an object with a `flags` list"),
        ("{}", "the definitions have no `flags`"),
        (r#"{"flags":{}}"#, "`flags` in the definitions is not a list"),
    ] {
        assert_eq!(from_definitions(definitions.as_bytes()).unwrap_err(), reason);
    }
}
