//! Definitions in which every entry of one list could be looked for in another.

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{CompileOptions, Definitions, compile};

use super::{answer, ends, flag_text, user};

#[test]
fn payloads_and_forced_variants_of_a_hundred_thousand_variants_are_found() {
    let variants: Vec<String> =
        (0..100_000).map(|n| format!(r#"{{"key":"v{n}","rollout_percentage":0.001}}"#)).collect();
    let payloads: Vec<String> = (0..100_000).map(|n| format!(r#""v{n}":"{n}""#)).collect();
    let mut conditions = vec![
        r#"{"properties":[{"key":"k","value":"x","operator":"gt"}],"variant":"v99999"}"#;
        50_000
    ];
    conditions.push(r#"{"variant":"v99998"}"#);
    let definitions = format!(
        r#"{{"flags":[{{"key":"f","active":true,"filters":{{"groups":[{}],"multivariate":{{"variants":[{}]}},"payloads":{{{}}}}}}}]}}"#,
        conditions.join(","),
        variants.join(","),
        payloads.join(",")
    );
    let answer = ends(move || answer(&definitions, &user(), "f", 0.0));
    assert_eq!((&answer["value"], &answer["payload"]), (&"v99998".into(), &99_998.into()));
}

#[test]
fn undecided_conditions_do_not_each_walk_through_the_variants() {
    let variants = vec![r#"{"key":"never","rollout_percentage":0}"#; 100_000].join(",");
    let undecided = r#"{"properties":[{"key":"distinct_id","operator":"regex","value":"(?=a)"}]}"#;
    let conditions = vec![undecided; 50_000].join(",");
    let definitions = format!(
        r#"{{"flags":[{{"key":"f","active":true,"filters":{{"groups":[{conditions},{{}}],"multivariate":{{"variants":[{variants}]}}}}}}]}}"#
    );
    let answer = ends(move || answer(&definitions, &user(), "f", 0.0));
    assert_eq!(answer["value"], true);
}

#[test]
fn the_hash_of_a_long_key_is_shared_by_the_conditions_of_a_flag() {
    let key = "k".repeat(1_000_000);
    let conditions = vec![r#"{"rollout_percentage":0.000001}"#; 20_000].join(",");
    let definitions = format!(
        r#"{{"flags":[{{"key":"{key}","active":true,"filters":{{"groups":[{conditions}]}}}}]}}"#
    );
    assert_eq!(ends(move || answer(&definitions, &user(), &key, 0.0))["value"], false);
}

#[test]
fn dependencies_on_flags_that_contexts_leave_out_are_looked_up_not_searched() {
    let keys: Vec<String> = (0..50_000).map(|n| format!("\"f{n}\"")).collect();
    let mut flags: Vec<String> =
        (0..50_000).map(|n| format!(r#"{{"key":"f{n}","evaluation_contexts":["a"]}}"#)).collect();
    let chain = keys.join(",");
    let filter =
        format!(r#"{{"key":"f49999","type":"flag","value":false,"dependency_chain":[{chain}]}}"#);
    flags.push(flag_text("on", &filter));
    let definitions = format!(r#"{{"flags":[{}]}}"#, flags.join(","));
    let kept = ends(move || {
        let host = NativeHost::new();
        let definitions = Definitions::parse(definitions.as_bytes(), &host).unwrap();
        let options = CompileOptions { evaluation_contexts: vec!["b".to_owned()] };
        compile(&definitions, &options, &host).unwrap().flag_keys().len()
    });
    assert_eq!(kept, 1);
}

#[test]
fn many_filters_on_one_property_are_evaluated() {
    let filters = vec![r#"{"key":"distinct_id","value":"x","operator":"is_not_set"}"#; 200_000];
    let definitions = format!(r#"{{"flags":[{}]}}"#, flag_text("f", &filters.join(",")));
    assert_eq!(ends(move || answer(&definitions, &user(), "f", 0.0))["reason"], "missing_context");
}
