//! Definitions made smaller, and the answers that must not change by it.

use std::collections::{BTreeMap, HashSet};

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{
    Answer, CompileOptions, Context, Definitions, Evaluator, FlagValue, Ruleset, User, compile,
};
use proptest::prelude::*;
use refresher::filter::{Filter, Runtime};
use serde_json::{Value, json};

const FIXTURE: &[u8] = include_bytes!("../../tests/fixtures/definitions.json");
const USERS: &str = include_str!("../../tests/fixtures/users.json");
const NOW: f64 = 1_790_000_000_000.0;

fn ruleset(definitions: &[u8]) -> Ruleset {
    let host = NativeHost::default();
    let definitions = Definitions::parse(definitions, &host).unwrap();
    compile(&definitions, &CompileOptions::default(), &host).unwrap()
}

fn told(ruleset: &Ruleset, answer: Answer) -> String {
    match answer {
        Answer::Unresolved(reason) => format!("unresolved: {}", reason.as_str()),
        Answer::Value { value, payload } => {
            let value = match value {
                FlagValue::Bool(value) => value.to_string(),
                FlagValue::Variant(id) | FlagValue::Json(id) => {
                    ruleset.string(id).unwrap().to_json()
                }
            };
            let payload = payload.map(|id| ruleset.payload(id).unwrap().json.clone());
            format!("{value} {payload:?}")
        }
    }
}

/// Every flag's answer for a user, asked for alone and among all.
fn answers(ruleset: &Ruleset, user: &str) -> BTreeMap<String, [String; 2]> {
    let host = NativeHost::default();
    let mut user = User::from_json(user, &host).unwrap();
    user.complete();
    let mut evaluator = Evaluator::new(Context::new(ruleset, &user, &host));
    let ids: Vec<_> = ruleset.flag_ids().collect();
    let together = evaluator.flags(ruleset, &ids, &host, NOW);
    let mut answers = BTreeMap::new();
    for ((key, id), together) in ruleset.flag_keys().iter().zip(&ids).zip(together) {
        let alone = evaluator.flag(ruleset, *id, &host, NOW);
        let both = [told(ruleset, alone), told(ruleset, together)];
        answers.insert(key.to_str_lossy().into_owned(), both);
    }
    answers
}

/// Filters, and checks that every flag that is left answers as before. Gives the keys that are left.
fn filtered(filter: &Filter, definitions: &[u8], users: &[String]) -> (Vec<u8>, HashSet<String>) {
    let smaller = filter.apply(definitions).unwrap();
    serde_json::from_slice::<serde::de::IgnoredAny>(&smaller).unwrap();
    let (whole, kept) = (ruleset(definitions), ruleset(&smaller));
    let mut keys = HashSet::new();
    for user in users {
        let before = answers(&whole, user);
        for (key, answer) in answers(&kept, user) {
            assert_eq!(Some(&answer), before.get(&key), "{key} for {user}");
            keys.insert(key);
        }
    }
    assert_eq!(filter.apply(&smaller).unwrap(), smaller, "filtering again changes nothing");
    (smaller, keys)
}

fn fixture_users() -> Vec<String> {
    let users: Vec<Value> = serde_json::from_str(USERS).unwrap();
    let mut texts: Vec<String> = users.iter().map(Value::to_string).collect();
    for index in 0..40 {
        let mut user = users[index % users.len()].clone();
        user["distinctId"] = json!(format!("user-{index}"));
        texts.push(user.to_string());
    }
    texts
}

fn tags(tags: &[&str]) -> Filter {
    Filter { tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), ..Filter::default() }
}

fn on(runtime: Runtime) -> Filter {
    Filter { runtime: Some(runtime), ..Filter::default() }
}

fn no_names() -> Filter {
    Filter { drop_names: true, ..Filter::default() }
}

fn keys(definitions: &[u8]) -> Vec<String> {
    let definitions: Value = serde_json::from_slice(definitions).unwrap();
    let flags = definitions["flags"].as_array().unwrap();
    flags.iter().map(|flag| flag["key"].as_str().unwrap_or("?").to_owned()).collect()
}

#[test]
fn without_a_filter_nothing_changes() {
    assert!(Filter::default().is_none());
    assert_eq!(Filter::default().canonical(), None);
    assert_eq!(Filter::default().apply(FIXTURE).unwrap(), FIXTURE);
    assert!(Filter::default().apply(b"{").is_err());
}

#[test]
fn the_canonical_text_is_the_same_for_filters_that_do_the_same() {
    let all = |tags: &[&str]| Filter {
        runtime: Some(Runtime::Server),
        drop_names: true,
        ..self::tags(tags)
    };
    assert_eq!(all(&["a", "b"]).canonical().unwrap(), "tags=a,b;runtime=server;names=no");
    assert_eq!(all(&["b", "a", "b"]).canonical(), all(&["a", "b"]).canonical());
    assert_eq!(on(Runtime::Client).canonical().unwrap(), "runtime=client");
    assert_eq!(no_names().canonical().unwrap(), "names=no");
    assert_ne!(tags(&["a,b"]).canonical(), tags(&["a", "b"]).canonical());
    assert_ne!(tags(&["a;names=no"]).canonical(), all(&["a"]).canonical());
}

#[test]
fn the_fixtures_kept_flags_answer_as_before() {
    let users = fixture_users();
    let everything = answers(&ruleset(FIXTURE), &users[0]).len();
    let client_tagged =
        Filter { runtime: Some(Runtime::Client), drop_names: true, ..tags(&["storefront"]) };
    for filter in [tags(&["storefront"]), on(Runtime::Server), on(Runtime::Client), client_tagged] {
        let (smaller, keys) = filtered(&filter, FIXTURE, &users);
        assert!(!keys.is_empty() && keys.len() < everything, "{:?}: {}", filter, keys.len());
        assert!(smaller.len() < FIXTURE.len());
    }
    let (smaller, keys) = filtered(&no_names(), FIXTURE, &users);
    assert_eq!(keys.len(), everything);
    assert!(!String::from_utf8(smaller).unwrap().contains("\"name\""));
}

#[test]
fn each_flag_of_the_fixture_answers_as_before_when_it_is_kept_alone() {
    let users = &fixture_users()[..6];
    let definitions: Value = serde_json::from_slice(FIXTURE).unwrap();
    for (place, flag) in definitions["flags"].as_array().unwrap().iter().enumerate() {
        let mut tagged = definitions.clone();
        tagged["flags"][place]["evaluation_contexts"] = json!(["only-this"]);
        let bytes = serde_json::to_vec(&tagged).unwrap();
        let (_, keys) = filtered(&tags(&["only-this"]), &bytes, users);
        assert!(keys.contains(flag["key"].as_str().unwrap()));
        assert!(keys.len() <= 5, "{keys:?} stayed for {}", flag["key"]);
    }
}

#[test]
fn what_stays_is_byte_for_byte_and_in_its_order() {
    let definitions = r#" {"first" : [1.0, 1e400], "flags":[
 {"key":"a", "evaluation_contexts":["web"] , "x":1.00},
 {"key":"b","evaluation_contexts":[]},
 {"key":"c","evaluation_contexts":null,"evaluation_tags":["web"],"y":"\ud800"},
 {"key":"d","evaluation_contexts":["api"],"evaluation_tags":["web"]}
 ] ,"cohorts":{ "1":{}, "2":{} }, "last":"\u0061"}"#;
    let expected = r#" {"first" : [1.0, 1e400], "flags":[
 {"key":"a", "evaluation_contexts":["web"] , "x":1.00},
 {"key":"c","evaluation_contexts":null,"evaluation_tags":["web"],"y":"\ud800"}
 ] ,"cohorts":{  }, "last":"\u0061"}"#;
    let smaller = tags(&["web", "other"]).apply(definitions.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(smaller).unwrap(), expected);
    let with_mark = ["\u{feff}", definitions].concat();
    let smaller = tags(&["web"]).apply(with_mark.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(smaller).unwrap(), ["\u{feff}", expected].concat());
}

#[test]
fn runtimes_are_understood_as_posthog_node_does() {
    let definitions = json!({"flags": [
        {"key": "server", "evaluation_runtime": "server"},
        {"key": "client", "evaluation_runtime": "client"},
        {"key": "all", "evaluation_runtime": "all"},
        {"key": "absent"},
        {"key": "null", "evaluation_runtime": null},
        {"key": "unknown", "evaluation_runtime": "edge"},
    ]});
    let definitions = serde_json::to_vec(&definitions).unwrap();
    let kept = |runtime| keys(&on(runtime).apply(&definitions).unwrap());
    assert_eq!(kept(Runtime::Server), ["server", "all", "absent", "null", "unknown"]);
    assert_eq!(kept(Runtime::Client), ["client", "all", "absent", "null", "unknown"]);
}

#[test]
fn what_is_not_understood_stays_as_it_is() {
    let odd = [
        r#"{"name":"no key"}"#,
        r#"{"key":7,"name":"x"}"#,
        r#"{"key":"a","evaluation_contexts":"web"}"#,
        "null",
        "[3]",
        "\"text\"",
    ];
    let definitions = format!(r#"{{"flags":[{},{{"key":"gone"}}]}}"#, odd.join(","));
    let smaller = tags(&["x"]).apply(definitions.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(smaller).unwrap(), format!(r#"{{"flags":[{}]}}"#, odd.join(",")));
}

#[test]
fn dependencies_stay_through_chains_and_cohorts() {
    let flag = |key: &str, tag: &str, property: Value| {
        json!({"id": 1, "key": key, "active": true, "evaluation_contexts": [tag],
            "filters": {"groups": [{"properties": [property], "rollout_percentage": 100}]}})
    };
    let depends = |key: &str, chain: Value| json!({"type": "flag", "key": key, "value": true, "dependency_chain": chain});
    let cohort = |id: Value| json!({"type": "cohort", "key": "id", "value": id});
    let none = json!({"key": "plan", "value": "pro"});
    let definitions = json!({
        "flags": [
            flag("base", "x", cohort(json!("7"))),
            flag("middle", "x", depends("base", json!(["base"]))),
            flag("top", "web", depends("middle", json!(["base", "middle"]))),
            flag("member", "web", cohort(json!(1))),
            flag("inside", "x", none.clone()),
            flag("unused", "x", cohort(json!(9))),
        ],
        "cohorts": {
            "1": {"type": "AND", "values": [{"type": "OR", "values": [cohort(json!(2))]}]},
            "2": {"type": "OR", "values": [cohort(json!(3)), cohort(json!(1))]},
            "3": {"type": "AND", "values": [depends("inside", json!(["inside"]))]},
            "7": {"type": "AND", "values": [none.clone()]},
            "8": {"type": "AND", "values": [none]},
            "9": {"type": "AND", "values": [cohort(json!(8))]},
        },
    });
    let users = [r#"{"distinctId":"u","personProperties":{"plan":"pro"}}"#.to_owned()];
    let (smaller, _) =
        filtered(&tags(&["web"]), &serde_json::to_vec(&definitions).unwrap(), &users);
    assert_eq!(keys(&smaller), ["base", "middle", "top", "member", "inside"]);
    let smaller: Value = serde_json::from_slice(&smaller).unwrap();
    let cohorts: Vec<_> = smaller["cohorts"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(cohorts, ["1", "2", "3", "7"]);
}

#[test]
fn definitions_of_one_key_stay_or_go_together() {
    let definitions = br#"{"flags":[{"key":"a","active":true,"evaluation_contexts":["web"]},
        {"key":"b"},{"key":"a","active":false,"evaluation_contexts":[]}]}"#;
    let users = [r#"{"distinctId":"u"}"#.to_owned()];
    let (smaller, _) = filtered(&tags(&["web"]), definitions, &users);
    assert_eq!(keys(&smaller), ["a", "a"]);
}

#[test]
fn a_dependency_that_depends_on_other_questions_keeps_all_flags() {
    let odd = json!({"type": "flag", "key": "c", "value": true, "dependency_chain": ["b"]});
    let flag = |key: &str, tag: &str, properties: Value| {
        json!({"key": key, "active": true, "evaluation_contexts": [tag],
            "filters": {"groups": [{"properties": properties}]}})
    };
    let chain = json!({"type": "flag", "key": "c", "value": true, "dependency_chain": ["c"]});
    let definitions = json!({"flags": [
        flag("d", "x", json!([chain])), flag("a", "web", json!([odd])),
        flag("b", "x", json!([])), flag("c", "x", json!([])),
    ]});
    let users = [r#"{"distinctId":"u"}"#.to_owned()];
    let (smaller, _) =
        filtered(&tags(&["web"]), &serde_json::to_vec(&definitions).unwrap(), &users);
    assert_eq!(keys(&smaller).len(), 4);
}

#[test]
fn a_cohort_that_asks_about_flags_that_ask_about_cohorts_keeps_all_flags() {
    let flag = |key: &str, contexts: Value| {
        let inside = json!({"key": "id", "type": "cohort", "value": 4, "operator": "in"});
        json!({"key": key, "active": true, "evaluation_contexts": contexts,
            "filters": {"groups": [{"properties": [inside], "rollout_percentage": 0}]}})
    };
    let own = json!({"key": "f1", "type": "flag", "value": false, "dependency_chain": ["f1"]});
    let definitions = json!({
        "flags": [flag("f2", json!(["web"])), flag("f1", json!(["api", "web"]))],
        "cohorts": {"4": {"type": "OR", "values": [{"type": "AND", "values": [own]}]}},
    });
    let users = [r#"{"distinctId":"u"}"#.to_owned()];
    let (smaller, _) =
        filtered(&tags(&["api"]), &serde_json::to_vec(&definitions).unwrap(), &users);
    assert_eq!(keys(&smaller), ["f2", "f1"]);
}

#[test]
fn names_go_and_what_only_looks_like_them_stays() {
    let definitions = r#"{"flags":[{"name":"N","key":"a","description":null,"active":true,"filters":{
"groups":[{"description":"d","properties":[{"key":"name","value":"x","cohort_name":"c","label":"l"}],"name":1}],
"payloads":{"name":"p","true":"{\"name\":1}"},
"multivariate":{"variants":[{"key":"v","name":"","rollout_percentage":1},{"na\u006de":"V","key":"w"}]}}},
{"name":"no key"},{"key":"b","name":[[]]}],"cohorts":{"1":{"name":"cohort"}}}"#;
    let expected = r#"{"flags":[{"key":"a","active":true,"filters":{
"groups":[{"properties":[{"key":"name","value":"x"}],"name":1}],
"payloads":{"name":"p","true":"{\"name\":1}"},
"multivariate":{"variants":[{"key":"v","rollout_percentage":1},{"key":"w"}]}}},
{"name":"no key"},{"key":"b","name":[[]]}],"cohorts":{"1":{"name":"cohort"}}}"#;
    let smaller = no_names().apply(definitions.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(smaller).unwrap(), expected);
}

#[test]
fn a_name_nested_too_deep_still_makes_its_flag_unreadable() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let definitions = format!(r#"{{"flags":[{{"key":"a","active":true,"name":{deep}}}]}}"#);
    let users = [r#"{"distinctId":"u"}"#.to_owned()];
    let (_, keys) = filtered(&no_names(), definitions.as_bytes(), &users);
    assert_eq!(keys.len(), 1);
    let before = answers(&ruleset(definitions.as_bytes()), &users[0]);
    assert!(before["a"][0].contains("unsupported_definition"));
}

fn property() -> impl Strategy<Value = Value> {
    let key = || prop::sample::select(vec!["f0", "f1", "f2", "f3", "f4", "f5", "f6", "gone"]);
    let id = || {
        prop::sample::select(vec![
            json!(0),
            json!("1"),
            json!(2.0),
            json!([3]),
            json!(4),
            json!("none"),
        ])
    };
    prop_oneof![
        (prop::sample::select(vec!["plan", "age", "name"]), any::<bool>(), any::<bool>()).prop_map(
            |(key, pro, negation)| json!({"key": key, "type": "person", "negation": negation,
                "value": if pro { "pro" } else { "free" }, "operator": "exact", "cohort_name": "n"})
        ),
        (id(), any::<bool>()).prop_map(|(id, out)| json!({"key": "id", "type": "cohort",
            "value": id, "operator": if out { "not_in" } else { "in" }})),
        (key(), prop::collection::vec(key(), 0..3), any::<bool>(), 0..10).prop_map(
            |(key, mut chain, value, own)| {
                if own > 0 {
                    chain.push(key);
                }
                json!({"key": key, "type": "flag", "value": value, "dependency_chain": chain, "label": key})
            }
        ),
    ]
}

fn definitions() -> impl Strategy<Value = Value> {
    let condition = (prop::collection::vec(property(), 0..3), 0..=100)
        .prop_map(|(properties, share)| {
            json!({"properties": properties, "rollout_percentage": share, "description": "d"})
        });
    let conditions = prop::collection::vec(condition, 0..3);
    let choice = prop::sample::select(vec![
        json!(["web"]),
        json!(["api", "web"]),
        json!(["api"]),
        json!([]),
        json!(null),
        json!("odd"),
    ]);
    let runtime =
        prop::sample::select(vec![json!("server"), json!("client"), json!("all"), json!(null)]);
    let flag = (conditions, choice, runtime, 0..8, 0..10).prop_map(
        |(conditions, contexts, runtime, number, state)| {
            json!({"name": "n", "key": format!("f{number}"), "active": state > 0,
                "evaluation_contexts": contexts, "evaluation_runtime": runtime,
                "ensure_experience_continuity": state == 1,
                "filters": {"groups": conditions, "payloads": {"true": "\"name\""}}})
        },
    );
    let group = (prop::collection::vec(property(), 0..3), any::<bool>())
        .prop_map(|(values, or)| json!({"type": if or { "OR" } else { "AND" }, "values": values}));
    let cohort = prop::collection::vec(group, 0..3)
        .prop_map(|groups| json!({"type": "OR", "values": groups}));
    (prop::collection::vec(flag, 1..8), prop::collection::vec(cohort, 5)).prop_map(
        |(flags, cohorts)| {
            let cohorts: serde_json::Map<_, _> =
                cohorts.into_iter().enumerate().map(|(id, c)| (id.to_string(), c)).collect();
            json!({"flags": flags, "cohorts": cohorts})
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn kept_flags_answer_as_before(
        definitions in definitions(),
        tag in prop::option::of(prop::sample::select(vec!["web", "api"])),
        runtime in prop::option::of(prop::sample::select(vec![Runtime::Server, Runtime::Client])),
        drop_names in any::<bool>(),
    ) {
        let filter = Filter { tags: tag.iter().map(|tag| (*tag).to_owned()).collect(), runtime, drop_names };
        let users: Vec<String> = ["pro", "free"]
            .iter()
            .map(|plan| json!({"distinctId": format!("u-{plan}"), "personProperties": {"plan": plan}}).to_string())
            .chain([r#"{"distinctId":"nobody"}"#.to_owned()])
            .collect();
        filtered(&filter, &serde_json::to_vec(&definitions).unwrap(), &users);
    }
}
