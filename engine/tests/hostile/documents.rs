//! Documents: deep, long, cut short, and of any shape.

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{CompileOptions, Definitions, compile};
use serde_json::json;

use super::{answer, depends_on, ends, flag, flag_text, user};

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

#[test]
fn brackets_without_end_in_any_place_are_passed_over_or_spoil_what_they_stand_in() {
    let deep = format!("{}{}", "[".repeat(300_000), "]".repeat(300_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(200_000), "}".repeat(200_000));
    let good = flag_text("good", "");
    for deep in [deep, objects] {
        for document in [
            format!(r#"{{"unknown":{deep},"flags":[{good}]}}"#),
            format!(r#"{{"cohorts":{deep},"flags":[{good}]}}"#),
            format!(r#"{{"cohorts":{{"1":{deep}}},"flags":[{good}]}}"#),
            format!(r#"{{"group_type_mapping":{deep},"flags":[{good}]}}"#),
            format!(r#"{{"property_matching_version":{deep},"flags":[{good}]}}"#),
            format!(
                r#"{{"flags":[{deep},{{"key":{deep}}},{{"key":"deep","filters":{deep}}},{good}]}}"#
            ),
        ] {
            let answer = ends(move || answer(&document, &user(), "good", 0.0));
            assert_eq!(answer["value"], true);
        }
        let error =
            |text: &str| Definitions::parse(text.as_bytes(), &NativeHost::new()).unwrap_err();
        assert!(error(&deep).is_shape());
        assert!(error(&deep[..deep.len() - 1]).is_json());
    }
}

#[test]
fn a_payload_that_is_json_nested_deep_is_given_as_it_is() {
    let nested = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let broken = format!("{}1{}", "[".repeat(5000), "]".repeat(4999));
    for (payload, expected) in [(&nested, nested.clone()), (&broken, format!("\"{broken}\""))] {
        let definitions = json!({ "flags": [{ "key": "f", "active": true, "filters": { "groups": [{}], "payloads": { "true": payload } } }] });
        let host = NativeHost::new();
        let definitions = Definitions::parse(definitions.to_string().as_bytes(), &host).unwrap();
        let ruleset = compile(&definitions, &CompileOptions::default(), &host).unwrap();
        assert!(ruleset.payload(flagpost_engine::PayloadId(1)).is_none());
        let payload = ruleset.payload(flagpost_engine::PayloadId(0)).unwrap();
        assert!(payload.json == expected && payload.truthy);
    }
}

#[test]
fn a_member_repeated_without_end_has_its_last_value() {
    let repeated = r#""active":false,"#.repeat(300_000);
    let text = format!(
        r#"{{"flags":[{{"key":"f",{repeated}"active":true,"filters":{{"groups":[{{}}]}}}}]}}"#
    );
    assert_eq!(ends(move || answer(&text, &user(), "f", 0.0))["value"], true);
    let lists = r#""flags":[{"key":"f"}],"#.repeat(100_000);
    let text = format!("{{{lists}\"flags\":[{}]}}", flag_text("f", ""));
    assert_eq!(ends(move || answer(&text, &user(), "f", 0.0))["value"], true);
}

#[test]
fn flags_that_are_none_by_the_thousand_are_counted_not_listed() {
    for item in ["1", "{}", "null", "[[]]", r#"{"key":{"toString":1}}"#] {
        let text =
            format!(r#"{{"flags":[{},{}]}}"#, vec![item; 200_000].join(","), flag_text("f", ""));
        let (problems, answer) = ends(move || {
            let host = NativeHost::new();
            let definitions = Definitions::parse(text.as_bytes(), &host).unwrap();
            let ruleset = compile(&definitions, &CompileOptions::default(), &host).unwrap();
            (ruleset.problems(), answer(&text, &user(), "f", 0.0))
        });
        assert_eq!(problems.len(), 101, "{item}");
        // The first `{}` is a flag named undefined.
        let more = if item == "{}" { "199899 more" } else { "199900 more" };
        assert!(problems[100].starts_with(more), "{}", problems[100]);
        assert_eq!(answer["value"], true);
    }
}

#[test]
fn long_texts_in_place_of_lists_count_as_one_entry() {
    let long = "x".repeat(2_000_000);
    let conditions =
        format!(r#"{{"flags":[{{"key":"f","active":true,"filters":{{"groups":"{long}"}}}}]}}"#);
    assert_eq!(ends(move || answer(&conditions, &user(), "f", 0.0))["value"], true);
    let filters = format!(
        r#"{{"flags":[{{"key":"f","active":true,"filters":{{"groups":[{{"properties":"{long}"}}]}}}}]}}"#
    );
    assert_eq!(
        ends(move || answer(&filters, &user(), "f", 0.0))["reason"],
        "unsupported_definition"
    );
    let variants = format!(
        r#"{{"flags":[{{"key":"f","active":true,"filters":{{"groups":[{{"variant":"x"}}],"multivariate":{{"variants":"{long}"}}}}}}]}}"#
    );
    assert_eq!(
        ends(move || answer(&variants, &user(), "f", 0.0))["reason"],
        "unsupported_definition"
    );
}

#[test]
fn definitions_cut_anywhere_are_refused() {
    let fixture = json!({ "flags": [flag("é", json!([{ "key": "k", "value": [1.5e3, "\\u0001", null] }])), depends_on("f")], "cohorts": {} }).to_string();
    let host = NativeHost::new();
    assert!(Definitions::parse(fixture.as_bytes(), &host).is_ok());
    for end in 0..fixture.len() {
        assert!(
            Definitions::parse(&fixture.as_bytes()[..end], &host).unwrap_err().is_json(),
            "{end}"
        );
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_refused_wherever_they_stand() {
    let text = json!({ "flags": [flag("e", json!([]))], "cohorts": {} }).to_string().into_bytes();
    for at in 0..text.len() {
        for byte in [0x80, 0xc0, 0xed, 0xf8, 0xff] {
            let mut broken = text.clone();
            broken[at] = byte;
            assert!(Definitions::parse(&broken, &NativeHost::new()).unwrap_err().is_json(), "{at}");
        }
    }
    let surrogate = b"{\"flags\":[{\"key\":\"\xed\xa0\x80\"}]}";
    assert!(Definitions::parse(surrogate, &NativeHost::new()).unwrap_err().is_json());
}

#[test]
fn a_document_beyond_the_limit_is_refused_before_it_is_read() {
    let error = Definitions::parse(&vec![b' '; (256 << 20) + 1], &NativeHost::new()).unwrap_err();
    assert!(error.is_shape());
    assert!(error.to_string().contains("256 MiB"), "{error}");
}
