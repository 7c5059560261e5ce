//! What a person on call reads of a change.

use proptest::prelude::*;
use refresher::diff::{Diff, diff};
use serde_json::{Value, json};

const FIXTURE: &[u8] = include_bytes!("../../tests/fixtures/definitions.json");

fn fixture() -> Value {
    serde_json::from_slice(FIXTURE).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

fn between(before: &Value, after: &Value) -> Diff {
    diff(&bytes(before), &bytes(after)).unwrap()
}

fn place(definitions: &Value, key: &str) -> usize {
    definitions["flags"].as_array().unwrap().iter().position(|flag| flag["key"] == key).unwrap()
}

/// The lines for one change of one flag of the fixture.
fn lines_of(key: &str, change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut after = fixture();
    let place = place(&after, key);
    change(&mut after["flags"][place]);
    diff(FIXTURE, &bytes(&after)).unwrap().lines()
}

/// The lines for flags that the test makes itself.
fn lines(before: Value, after: Value) -> Vec<String> {
    between(&json!({"flags": before}), &json!({"flags": after})).lines()
}

fn flag(id: u32, key: &str, filters: Value) -> Value {
    json!({"id": id, "key": key, "active": true, "version": 1, "filters": filters})
}

fn groups(groups: Value) -> Value {
    json!({"groups": groups})
}

#[test]
fn equal_json_has_no_difference_however_it_is_written() {
    for same in
        [FIXTURE.to_vec(), bytes(&fixture()), serde_json::to_vec_pretty(&fixture()).unwrap()]
    {
        let diff = diff(FIXTURE, &same).unwrap();
        assert!(diff.is_empty() && diff.lines().is_empty(), "{:?}", diff.lines());
        assert_eq!(diff.markdown(), "No changes.\n");
        assert_eq!(diff.headline(), "no changes");
    }
    assert!(
        diff(b"{\"flags\":[{\"a\":1.0}]}", b"\xef\xbb\xbf{\"flags\":[{\"a\":1}]}")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn what_is_not_definitions_is_an_error() {
    for odd in [&b"{"[..], b"[]", b"{}", b"\xff", br#"{"flags":7}"#] {
        assert!(diff(FIXTURE, odd).is_err());
        assert!(diff(odd, FIXTURE).is_err());
    }
}

#[test]
fn rollouts_are_told_with_their_condition_if_there_are_several() {
    let rollout = |condition: usize, share: Value| {
        move |flag: &mut Value| flag["filters"]["groups"][condition]["rollout_percentage"] = share
    };
    assert_eq!(
        lines_of("checkout-redesign", rollout(0, json!(10))),
        ["~ checkout-redesign: rollout 50% -> 10%"]
    );
    assert_eq!(
        lines_of("free-shipping-bar", rollout(0, json!(0.1 + 0.2))),
        ["~ free-shipping-bar: rollout 33.3% -> 0.3%"]
    );
    assert_eq!(
        lines_of("pricing-experiment", rollout(0, json!(50))),
        ["~ pricing-experiment: condition 1 (plan is enterprise): rollout 100% -> 50%"]
    );
    assert_eq!(
        lines_of("pricing-experiment", rollout(1, json!("x"))),
        ["~ pricing-experiment: condition 2 (everybody): rollout 100% -> x"]
    );
    // The same to evaluation, and still another text.
    assert_eq!(
        lines_of("dark-theme", rollout(0, json!(100))),
        ["~ dark-theme: other changes (filters.groups.rollout_percentage)"]
    );
}

#[test]
fn flags_added_and_removed_are_told_with_their_rollout() {
    let before = json!([flag(1, "old", groups(json!([])))]);
    let mut off = flag(4, "off", groups(json!([{"rollout_percentage": 20}])));
    off["active"] = json!(false);
    let filter =
        json!({"key": "country", "type": "person", "value": ["DE", "FR"], "operator": "exact"});
    let plan = json!({"key": "plan", "value": "pro"});
    let after = json!([
        flag(2, "half", groups(json!([{"rollout_percentage": 50}]))),
        flag(3, "some", groups(json!([{"properties": [plan, filter]}, {"rollout_percentage": 0}]))),
        off,
        flag(
            5,
            "test",
            json!({"groups": [{}], "multivariate": {"variants": [
            {"key": "a", "rollout_percentage": 33.3}, {"key": "b", "rollout_percentage": 66.7}]}})
        ),
    ]);
    let told = between(&json!({"flags": before}), &json!({"flags": after}));
    assert_eq!(
        told.lines(),
        [
            "+ half: 50% of everybody",
            "+ some: 100% where plan is pro, country in (DE, FR); 0% of everybody",
            "+ off: off; 20% of everybody",
            "+ test: 100% of everybody (variants a 33.3%, b 66.7%)",
            "- old: was nobody",
        ]
    );
    assert_eq!(told.headline(), "4 flags added, 1 removed");
    assert_eq!(told.removed_keys, ["old"]);
}

#[test]
fn switches_are_told() {
    assert_eq!(
        lines_of("dark-theme", |flag| flag["active"] = json!(false)),
        ["~ dark-theme: switched off"]
    );
    assert_eq!(
        lines_of("halloween-theme", |flag| flag["active"] = json!(true)),
        ["~ halloween-theme: switched on"]
    );
    for (member, value, told) in [
        ("ensure_experience_continuity", json!(true), "experience continuity off -> on"),
        ("evaluation_runtime", json!("server"), "evaluation runtime client -> server"),
        ("evaluation_contexts", json!(["docs"]), "evaluation contexts (storefront) -> (docs)"),
        ("bucketing_identifier", json!("device_id"), "bucketing distinct_id -> device_id"),
        ("name", json!("Claim"), "name \"Headline on the home page\" -> \"Claim\""),
        ("version", json!(24), "other changes (version)"),
        ("has_encrypted_payloads", json!(true), "other changes (has_encrypted_payloads)"),
        ("new", json!(null), "other changes (new)"),
        ("active", json!(0), "active true -> 0"),
    ] {
        let lines = lines_of("hero-headline", |flag| flag[member] = value.clone());
        assert_eq!(lines, [format!("~ hero-headline: {told}")]);
    }
    for (member, value, told) in [
        ("early_exit", json!(true), "early exit off -> on"),
        (
            "holdout",
            json!({"id": 727, "exclusion_percentage": 10}),
            "holdout 727 (25%) -> 727 (10%)",
        ),
        ("holdout", json!(null), "holdout 727 (25%) -> none"),
        ("aggregation_group_type_index", json!(1), "rolled out by person -> store"),
        ("super_groups", json!([]), "other changes (filters.super_groups)"),
    ] {
        let change = |flag: &mut Value| flag["filters"][member] = value.clone();
        let lines = lines_of("search-ranking-experiment", change);
        assert_eq!(lines, [format!("~ search-ranking-experiment: {told}")]);
    }
}

#[test]
fn conditions_are_found_again_when_others_come_and_go() {
    let gift_cards = |change: fn(&mut Vec<Value>)| {
        lines_of("gift-cards", |flag| change(flag["filters"]["groups"].as_array_mut().unwrap()))
    };
    fn plan() -> Value {
        json!({"key": "plan", "type": "person", "value": ["pro"], "operator": "exact"})
    }
    assert_eq!(
        gift_cards(
            |groups| groups.insert(0, json!({"properties": [plan()], "rollout_percentage": 5}))
        ),
        ["~ gift-cards: condition added: 5% where plan is pro"]
    );
    assert_eq!(
        gift_cards(|groups| groups.clear()),
        ["~ gift-cards: condition removed: 100% where country in (DE, AT, CH, FR)"]
    );
    assert_eq!(
        gift_cards(|groups| groups[0]["properties"].as_array_mut().unwrap().push(plan())),
        ["~ gift-cards: condition: now also asks plan is pro"]
    );
    assert_eq!(
        gift_cards(|groups| groups[0]["properties"] = json!([])),
        ["~ gift-cards: condition: country in (DE, AT, CH, FR) -> everybody"]
    );
    assert_eq!(
        gift_cards(|groups| groups[0]["properties"][0]["value"] = json!(["DE"])),
        ["~ gift-cards: condition: country in (DE, AT, CH, FR) -> country is DE"]
    );
    assert_eq!(
        gift_cards(|groups| {
            groups[0]["properties"][0]["value"] = json!(["DE"]);
            groups.insert(0, json!({"properties": [plan()]}));
        }),
        [
            "~ gift-cards: condition added: 100% where plan is pro",
            "~ gift-cards: condition 2: country in (DE, AT, CH, FR) -> country is DE",
        ]
    );
    assert_eq!(
        gift_cards(|groups| groups[0]["properties"][0]["type"] = json!("event")),
        ["~ gift-cards: other changes (filters.groups.properties.type)"]
    );
    assert_eq!(
        lines_of("pricing-experiment", |flag| {
            flag["filters"]["groups"].as_array_mut().unwrap().reverse();
        }),
        ["~ pricing-experiment: conditions in another order"]
    );
    assert_eq!(
        lines_of("pricing-experiment", |flag| flag["filters"]["groups"][0]["variant"] =
            json!(null)),
        [
            "~ pricing-experiment: condition 1 (plan is enterprise): variant three-tiers -> by chance"
        ]
    );
}

#[test]
fn variants_and_payloads_are_told_by_key() {
    let told = lines_of("pricing-experiment", |flag| {
        let filters = &mut flag["filters"];
        let variants = filters["multivariate"]["variants"].as_array_mut().unwrap();
        variants[0]["rollout_percentage"] = json!(50);
        variants[1] = json!({"key": "two-tiers", "name": "secret", "rollout_percentage": 17});
        filters["payloads"]["three-tiers"] = json!("\"secret\"");
        filters["payloads"]["two-tiers"] = json!("\"secret\"");
        filters["payloads"].as_object_mut().unwrap().remove("annual-first");
    });
    assert_eq!(
        told,
        [
            "~ pricing-experiment: variant control 34% -> 50%",
            "~ pricing-experiment: variant two-tiers added (17%)",
            "~ pricing-experiment: variant annual-first removed (was 33%)",
            "~ pricing-experiment: payload of annual-first removed",
            "~ pricing-experiment: payload of three-tiers changed",
            "~ pricing-experiment: payload of two-tiers added",
        ]
    );
    let order = lines_of("pricing-experiment", |flag| {
        flag["filters"]["multivariate"]["variants"].as_array_mut().unwrap().reverse();
    });
    assert_eq!(order, ["~ pricing-experiment: variants in another order"]);
}

#[test]
fn flags_are_known_by_their_id_and_then_by_their_key() {
    let filters = || groups(json!([{}]));
    let renamed = between(
        &json!({"flags": [flag(1, "a", filters()), flag(2, "b", filters())]}),
        &json!({"flags": [flag(1, "c", filters()), flag(9, "b", filters())]}),
    );
    assert_eq!(renamed.lines(), ["~ c: renamed a -> c", "~ b: made anew: id 2 -> 9"]);
    assert_eq!(renamed.removed_keys, ["a"]);
    let swapped = between(
        &json!({"flags": [flag(1, "a", filters()), flag(2, "b", filters())]}),
        &json!({"flags": [flag(1, "b", filters()), flag(2, "a", filters())]}),
    );
    assert_eq!(swapped.lines(), ["~ b: renamed a -> b", "~ a: renamed b -> a"]);
    assert!(swapped.removed_keys.is_empty());
    assert_eq!(
        lines(
            json!([flag(1, "a", filters()), flag(2, "b", filters())]),
            json!([flag(2, "b", filters()), flag(1, "a", filters())])
        ),
        ["~ other changes (order of flags)"]
    );
}

#[test]
fn odd_flags_are_told_and_lose_nothing() {
    assert_eq!(
        lines(json!([{"x": 1}, null, 7]), json!([{"x": 2}, null, "seven", "seven"])),
        [
            "+ (a flag without a key): not an object",
            "~ (a flag without a key): other changes (x)",
            "~ (a flag without a key): other changes (its JSON type)",
        ]
    );
    let twice = |second: u32| json!([flag(1, "a", json!({})), flag(1, "a", json!({"x": second}))]);
    assert_eq!(lines(twice(1), twice(2)), ["~ a: other changes (filters.x)"]);
    let once = between(&json!({"flags": twice(1)}), &json!({"flags": [flag(1, "a", json!({}))]}));
    assert_eq!(once.lines(), ["- a: was nobody"]);
    assert!(once.removed_keys.is_empty(), "another flag of that key is left");
    let deep = |leaf: &str| {
        format!(
            r#"{{"flags":[{{"id":1,"key":"a","x":{}{leaf}{}}}]}}"#,
            "[".repeat(3000),
            "]".repeat(3000)
        )
    };
    let told = diff(deep("1").as_bytes(), deep("2").as_bytes()).unwrap().lines();
    assert_eq!(told, ["~ a: other changes (it cannot be read in full)"]);
}

#[test]
fn cohorts_are_told_in_words_with_the_flags_that_use_them() {
    let mut after = fixture();
    after["cohorts"]["101"]["values"][1]["values"].as_array_mut().unwrap().pop();
    after["cohorts"].as_object_mut().unwrap().remove("105");
    after["cohorts"]["200"] = json!({"type": "AND", "values": [{"key": "a", "value": "b"}]});
    assert_eq!(
        between(&fixture(), &after).lines(),
        [
            concat!(
                "~ cohort 101: (lifetime_value > 5000 and email is set) or (plan is enterprise and not ",
                "(account_state is suspended)) -> (lifetime_value > 5000 and email is set) or plan is ",
                "enterprise (used by standard-support-hours, vip-support, win-back-offer)"
            ),
            concat!(
                "- cohort 105: removed: performed event multiple order completed ",
                "(used by repeat-buyer-badge)"
            ),
            "+ cohort 200: added: a is b (no flag uses it)",
        ]
    );
}

#[test]
fn what_belongs_to_no_flag_is_told() {
    let mut after = fixture();
    after["group_type_mapping"] = json!({"1": "shop", "2": "brand"});
    after["property_matching_version"] = json!(1);
    after["minimal_flag_called_events"] = json!(true);
    assert_eq!(
        between(&fixture(), &after).lines(),
        [
            "~ group type 0 removed: organization",
            "~ group type 1 store -> shop",
            "~ group type 2 added: brand",
            "~ property matching version 2 -> 1",
            "~ other changes (minimal_flag_called_events)",
        ]
    );
}

#[test]
fn nothing_a_key_holds_reaches_the_terminal_or_the_table() {
    let key = "a|b`c`\n<script>\u{1b}[31m\u{202e}@team \\| *x* _y_ https://evil.example";
    let told = between(&json!({"flags": []}), &json!({"flags": [flag(1, key, json!({}))]}));
    assert_eq!(
        told.lines(),
        ["+ a|b`c`\\n<script>\\u{1b}[31m\\u{202e}@team \\| *x* _y_ https://evil.example: nobody"]
    );
    assert_eq!(
        told.markdown(),
        concat!(
            "**1 flag added**\n\n|   | flag | change |\n|---|---|---|\n| ➕ | <code>",
            "a&#124;b&#96;c&#96;&#92;n&lt;script&gt;&#92;u{1b}&#91;31m&#92;u{202e}&#64;team &#92;&#124; ",
            "&#42;x&#42; &#95;y&#95; https&#58;//evil.example</code> | nobody |\n"
        )
    );
}

#[test]
fn machines_read_the_same() {
    let mut after = fixture();
    after["flags"][0]["filters"]["groups"][0]["rollout_percentage"] = json!(10);
    after["flags"][0]["key"] = json!("checkout");
    after["flags"].as_array_mut().unwrap().pop();
    assert_eq!(
        serde_json::to_value(between(&fixture(), &after)).unwrap(),
        json!({
            "added": [],
            "removed": [{
                "key": "guest-cart-test",
                "summary": "100% of everybody (variants drawer 50%, page 50%)",
            }],
            "changed": [{"key": "checkout", "keyBefore": "checkout-redesign", "changes": [
                {"what": "key", "text": "renamed checkout-redesign -> checkout",
                    "before": "checkout-redesign", "after": "checkout"},
                {"what": "rollout", "text": "rollout 50% -> 10%", "before": "50%", "after": "10%"},
            ]}],
            "cohorts": [],
            "definitions": [],
            "removedKeys": ["checkout-redesign", "guest-cart-test"],
        })
    );
}

#[test]
fn a_table_of_very_many_changes_ends() {
    let flags: Vec<_> = (0..3000).map(|id| flag(id, &format!("f{id}"), json!({}))).collect();
    let told = between(&json!({"flags": []}), &json!({"flags": flags}));
    assert_eq!(told.lines().len(), 3000);
    assert!(told.markdown().ends_with("\n… and 2000 more changes\n"));
}

/// A place in the value, found by choosing a child again and again.
fn walk<'v>(mut value: &'v mut Value, choices: &[usize]) -> &'v mut Value {
    for choice in choices {
        let count = match &*value {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            _ => 0,
        };
        if count == 0 {
            break;
        }
        value = match value {
            Value::Array(items) => &mut items[choice % count],
            Value::Object(members) => members.values_mut().nth(choice % count).unwrap(),
            _ => unreachable!(),
        };
    }
    value
}

fn spoil(value: &mut Value, how: usize, number: usize) {
    let odd = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1.5),
        json!(-7),
        json!(""),
        json!("x\u{7}|"),
        json!([]),
        json!({}),
        json!([null]),
        json!({"key": "k", "values": [3]}),
        json!([{"key": "a"}, {"key": "a"}]),
    ];
    match value {
        Value::Array(items) if how == 0 && !items.is_empty() => {
            drop(items.remove(number % items.len()))
        }
        Value::Array(items) if how == 1 && !items.is_empty() => {
            items.push(items[number % items.len()].clone());
        }
        Value::Array(items) if how == 2 => items.reverse(),
        Value::Array(items) if how == 3 => items.insert(0, odd[number % odd.len()].clone()),
        Value::Object(members) if how == 0 && !members.is_empty() => {
            let name = members.keys().nth(number % members.len()).unwrap().clone();
            members.remove(&name);
        }
        Value::Object(members) if how < 4 => {
            members.insert(
                ["x", "key", "id", "values", "type"][number % 5].to_owned(),
                odd[number % 13].clone(),
            );
        }
        Value::String(text) if how < 4 => text.push(['a', '\n', '|', '\u{9b}'][how]),
        Value::Number(found) if how < 4 => {
            *value = json!(found.as_f64().unwrap() + [1.0, 0.1, -1e9, 1e-13][how])
        }
        _ => *value = odd[number % odd.len()].clone(),
    }
}

/// With every number as JavaScript has it, so that 7 and 7.0 are one.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        ),
        other => other.clone(),
    }
}

/// A few flags and all the rest of the fixture, so that many cases take no time.
fn small(first: usize) -> Value {
    let mut definitions = fixture();
    let flags = definitions["flags"].as_array_mut().unwrap();
    let count = flags.len();
    flags.rotate_left(first % count);
    flags.truncate(4);
    definitions
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_spoiled_place_shows(
        first in 0_usize..72,
        in_flags in any::<bool>(),
        spoils in prop::collection::vec((prop::collection::vec(0_usize..60, 0..11), 0_usize..6, 0_usize..13), 1..3),
    ) {
        let before = small(first);
        let mut after = before.clone();
        for (choices, how, number) in spoils {
            let inside = if in_flags { &mut after["flags"] } else { &mut after };
            spoil(walk(inside, &choices), how, number);
        }
        for (one, other) in [(&before, &after), (&after, &before)] {
            let Ok(diff) = diff(&bytes(one), &bytes(other)) else {
                prop_assert!(!after.get("flags").is_some_and(|flags| flags.is_array() || flags.is_null()));
                continue;
            };
            prop_assert_eq!(diff.is_empty(), plain(one) == plain(other), "{:?}", diff);
            for line in diff.lines() {
                prop_assert!(["+ ", "- ", "~ "].iter().any(|sign| line.starts_with(sign)), "{}", line);
                prop_assert!(!line.contains(char::is_control), "{:?}", line);
            }
            if !diff.is_empty() {
                let markdown = diff.markdown();
                let rows: Vec<_> = markdown.lines().skip(4).collect();
                prop_assert_eq!(rows.len(), diff.lines().len());
                for row in rows {
                    prop_assert_eq!(row.matches('|').count(), 4, "{}", row);
                }
            }
        }
    }
}
