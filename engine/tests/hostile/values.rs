//! Users' values and the values of filters: long lists, deep lists, odd numbers, odd texts.

use std::collections::BTreeMap;

use flagpost_engine::{Text, User, Value};
use serde_json::json;

use super::{answer, ends, flag};

const OPERATORS: [&str; 27] = [
    "exact",
    "is_not",
    "is_set",
    "is_not_set",
    "icontains",
    "not_icontains",
    "starts_with",
    "not_starts_with",
    "ends_with",
    "not_ends_with",
    "regex",
    "not_regex",
    "gt",
    "gte",
    "lt",
    "lte",
    "is_date_before",
    "is_date_after",
    "semver_eq",
    "semver_neq",
    "semver_gt",
    "semver_gte",
    "semver_lt",
    "semver_lte",
    "semver_tilde",
    "semver_caret",
    "semver_wildcard",
];

/// The value or the reason when a person's `k` is asked with an operator for a value.
fn ask(property: Value, operator: &str, value: &str) -> String {
    let user = User {
        distinct_id: "u".into(),
        person_properties: BTreeMap::from([("k".into(), property)]),
        ..User::default()
    };
    let definitions = format!(
        r#"{{"flags":[{{"key":"f","active":true,"filters":{{"groups":[{{"properties":[{{"key":"k","operator":"{operator}","value":{value}}}]}}]}}}}]}}"#
    );
    let answer = ends(move || answer(&definitions, &user, "f", 0.0));
    answer["reason"].as_str().map_or_else(|| answer["value"].to_string(), str::to_owned)
}

fn lone(text: &str) -> Text {
    Text::from_wtf8([text.as_bytes(), &[0xed, 0xa0, 0x80]].concat())
}

#[test]
fn lists_of_a_million_entries_are_answered() {
    let texts = |count: usize| Value::Array(vec![Value::from("x"); count]);
    let million = texts(1_000_000);
    for (operator, value, expected) in [
        ("exact", r#""x""#, "false"),
        ("is_not", r#"["x","y"]"#, "true"),
        ("icontains", r#""X,x""#, "true"),
        ("starts_with", r#""x,x,x""#, "true"),
        ("not_ends_with", r#""x,x""#, "false"),
        ("regex", r#""^(?:x,)+x$""#, "true"),
        ("gt", r#""x""#, "true"),
        ("is_date_after", r#""-1d""#, "missing_context"),
        ("semver_gt", r#""1.0.0""#, "missing_context"),
    ] {
        assert_eq!(ask(million.clone(), operator, value), expected, "{operator}");
    }
    let list = |last: &str| format!("[{}\"{last}\"]", r#""x","#.repeat(1_000_000));
    assert_eq!(ask("z".into(), "exact", &list("z")), "true");
    assert_eq!(ask("z".into(), "is_not", &list("y")), "true");
    assert_eq!(ask(million, "exact", &format!("[{}]", list("x"))), "false");
    assert_eq!(ask(texts(1_000_001), "exact", &format!("[{}]", list("x"))), "true");
}

#[test]
fn every_operator_answers_every_odd_value() {
    let deep = |levels| (0..levels).fold(Value::from("x"), |inner, _| Value::Array(vec![inner]));
    let nested = (0..400)
        .fold(Value::Null, |inner, _| Value::Object(BTreeMap::from([("a".into(), inner)]).into()));
    let properties = [
        Value::Number(f64::NAN),
        Value::Number(f64::INFINITY),
        Value::Number(f64::NEG_INFINITY),
        Value::Number(-0.0),
        Value::Number(f64::MAX),
        Value::Number(f64::MIN_POSITIVE),
        Value::String(lone("a")),
        Value::from(""),
        Value::from("\0"),
        Value::from("\u{10ffff}"),
        Value::Undefined,
        Value::Null,
        Value::Date { ms: f64::NAN, text: "Invalid Date".into() },
        Value::Date { ms: f64::INFINITY, text: "".into() },
        Value::Exotic(None),
        Value::Exotic(Some("[object Map]".into())),
        Value::Symbol("Symbol(s)".into()),
        Value::Array(vec![Value::Undefined, Value::Exotic(None)]),
        deep(400),
        nested,
    ];
    let digits = "9".repeat(1000);
    let long = format!("\"{}\"", "é".repeat(10_000));
    let values = [
        "null",
        "true",
        "0",
        "-0",
        "1e400",
        "-1e400",
        "1e-400",
        digits.as_str(),
        r#""""#,
        r#""NaN""#,
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        "[]",
        "[[[]]]",
        "{}",
        r#"{"toString":1}"#,
        r#""99999-99-99T99:99:99""#,
        r#""-99999999999999d""#,
        r#""1.99999999999999999999.0""#,
        r#""(((((""#,
        long.as_str(),
    ];
    let mut asked = 0;
    for property in &properties {
        for operator in OPERATORS {
            for value in values {
                let definitions = format!(
                    r#"{{"flags":[{{"key":"f","active":true,"filters":{{"groups":[{{"properties":[{{"key":"k","operator":"{operator}","value":{value}}}]}}]}}}}]}}"#
                );
                let user = User {
                    distinct_id: lone("u"),
                    person_properties: BTreeMap::from([("k".into(), property.clone())]),
                    ..User::default()
                };
                let answer = answer(&definitions, &user, "f", f64::NAN);
                assert!(answer["status"] == "value" || answer["status"] == "inconclusive");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, properties.len() * OPERATORS.len() * values.len());
}

#[test]
fn odd_numbers_have_the_answers_of_javascript() {
    for (number, operator, value, expected) in [
        (-0.0, "icontains", r#""-""#, "false"),
        (-0.0, "gte", "0", "true"),
        (0.0, "gte", "-0", "true"),
        (f64::NAN, "icontains", r#""nan""#, "true"),
        (f64::NAN, "gt", r#""M""#, "true"),
        (f64::INFINITY, "gt", "5", "true"),
        (f64::INFINITY, "exact", r#""Infinity""#, "missing_context"),
        (f64::NEG_INFINITY, "starts_with", r#""-inf""#, "true"),
        (1e21, "exact", r#""1e+21""#, "missing_context"),
        (1e21, "icontains", r#""1e+21""#, "true"),
        (f64::MAX, "lt", "1e400", "true"),
        (9_007_199_254_740_993.0, "gte", "9007199254740993", "true"),
    ] {
        assert_eq!(
            ask(Value::Number(number), operator, value),
            expected,
            "{number} {operator} {value}"
        );
    }
}

#[test]
fn numbers_of_a_million_digits_are_read() {
    let nines = "9".repeat(1_000_000);
    let tiny = format!("0.{}1", "0".repeat(1_000_000));
    let exponent = format!("1e{}", "9".repeat(1_000_000));
    // Where a side is infinite, texts are compared: "5" comes behind "1e9…" and before "Infinity".
    for (limit, number, text) in
        [(&nines, "false", "false"), (&tiny, "true", "true"), (&exponent, "false", "true")]
    {
        assert_eq!(ask(Value::Number(5.0), "gt", limit), number);
        assert_eq!(ask("5".into(), "gt", &format!("\"{limit}\"")), text);
    }
    let huge = Value::String(nines.as_str().into());
    assert_eq!(ask(huge.clone(), "gt", "5"), "true");
    assert_eq!(ask(huge.clone(), "semver_gt", r#""1.0.0""#), "true");
    assert_eq!(ask(huge.clone(), "is_date_after", r#""2020-01-01""#), "missing_context");
    assert_eq!(ask(huge, "is_date_before", &format!("\"-{nines}d\"")), "unsupported_definition");
}

#[test]
fn texts_of_four_megabytes_are_answered_by_every_operator() {
    let giant = Value::String("ab".repeat(2 << 20).into());
    for operator in OPERATORS {
        let answer = ask(giant.clone(), operator, r#""1.2.3""#);
        assert!(
            ["true", "false", "missing_context"].contains(&answer.as_str()),
            "{operator}: {answer}"
        );
    }
    assert_eq!(ask(giant.clone(), "ends_with", r#""BAB""#), "true");
    assert_eq!(ask(giant, "regex", r#""^(?:ab)+$""#), "true");
}

#[test]
fn texts_with_half_a_surrogate_pair_are_searched_in_linear_time() {
    let text = Value::String(lone(&"a".repeat(1_000_000)));
    let part = |end: &str| format!("\"{}{end}\"", "a".repeat(500_000));
    assert_eq!(ask(text.clone(), "icontains", &part("b")), "false");
    assert_eq!(ask(text.clone(), "icontains", &part("\\ud800")), "true");
    assert_eq!(ask(text.clone(), "icontains", &part("\\ud801")), "false");
    assert_eq!(ask(text, "ends_with", &part("\\ud800")), "true");
    // Half a pair is found inside the pair, and no other half is.
    assert_eq!(ask("x\u{1f600}y".into(), "icontains", r#""\ud83d""#), "true");
    assert_eq!(ask("x\u{1f600}y".into(), "icontains", r#""\ude00Y""#), "true");
    assert_eq!(ask("x\u{1f600}y".into(), "icontains", r#""\ud83dy""#), "false");
    assert_eq!(ask("\u{1d800}".into(), "icontains", r#""\ud800""#), "false");
}

#[test]
fn the_text_of_a_long_text_inside_many_lists_is_made_once() {
    let inner = Value::String("a".repeat(4 << 20).into());
    let value = (0..480).fold(inner, |inner, _| Value::Array(vec![inner]));
    assert_eq!(ask(value, "icontains", r#""aaa""#), "true");
}

#[test]
fn users_nested_too_deep_or_of_the_wrong_shape_are_refused() {
    let host = flagpost_engine::ecma::NativeHost::new();
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let deep = format!(r#"{{"distinctId":"u","personProperties":{{"k":{deep}}}}}"#);
    assert!(User::from_json(&deep, &host).unwrap_err().to_string().contains("500 levels"));
    for wrong in
        ["", "[]", "{}", r#"{"distinctId":{"toString":1}}"#, r#"{"distinctId":"u","groups":1}"#]
    {
        assert!(User::from_json(wrong, &host).is_err(), "{wrong}");
    }
    let flags = json!({ "flags": [flag("f", json!([]))] }).to_string();
    let odd = User::from_json(r#"{"distinctId":[[1e400],-0,"\ud800"]}"#, &host).unwrap();
    assert_eq!(answer(&flags, &odd, "f", 0.0)["value"], true);
}
