//! Patterns that make backtracking engines run for ever, and patterns of great size.

use serde_json::json;

use super::{answer, ends, flag};
use crate::support::user;

fn ask(pattern: String, text: String) -> serde_json::Value {
    ends(move || {
        let filter = json!({ "key": "k", "operator": "regex", "value": pattern });
        let definitions = json!({ "flags": [flag("f", json!([filter]))] }).to_string();
        let user = json!({ "distinctId": "u", "personProperties": { "k": text } }).to_string();
        answer(&definitions, &user_of(&user), "f", 0.0)
    })
}

fn user_of(text: &str) -> flagpost_engine::User {
    user(text, None)
}

#[test]
fn patterns_that_backtrack_for_ever_end_soon() {
    for (pattern, found) in [
        ("(a+)+$", false),
        ("^(a+)+$", false),
        ("(a*)*$", true),
        ("(a|a)*$", true),
        ("(a|aa)+$", false),
        ("(?:a+a+)+$", false),
        ("^(?:.*a){12}$", false),
        ("^([a-z]+)*$", false),
        ("(a?){30}a{30}$", false),
        ("(?:(?:a*)*)*$", true),
        ("a*a*a*a*a*a*a*a*b", false),
        ("(x+x+)+y", false),
    ] {
        let answer = ask(pattern.to_owned(), format!("{}!", "a".repeat(20_000)));
        assert!(
            answer["value"] == found || answer["status"] == "inconclusive",
            "{pattern}: {answer}"
        );
        // On a text of a few letters every engine has the time to say what is right.
        let answer = ask(pattern.to_owned(), "aaa!".to_owned());
        assert_eq!(answer["value"], found, "{pattern}");
    }
}

#[test]
fn patterns_of_great_size_are_answered_or_left_to_the_server() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    for (name, pattern) in [
        ("a long word", "a".repeat(200_000)),
        ("optional letters", "a?".repeat(20_000)),
        ("choices", vec!["ab"; 20_000].join("|")),
        ("a large class", format!("[{}]", "a".repeat(200_000))),
        ("groups in groups", nested(100_000)),
        ("open groups", "(".repeat(300_000)),
        ("counts of counts", "(?:(?:(?:(?:a{1000}){1000}){1000}){1000}){1000}".to_owned()),
        ("the largest count", "a{4294967295}".to_owned()),
        ("a range of counts", "(?:a{0,4294967295}){0,4294967295}b".to_owned()),
        ("counts in a row", "a{1,1000}".repeat(100)),
        ("open braces", "a{".repeat(300_000)),
        ("open classes", "[a".repeat(300_000)),
        ("backslashes", "\\".repeat(999_999)),
    ] {
        let answer = ask(pattern, "aaaa".to_owned());
        assert!(
            answer["value"].is_boolean() || answer["status"] == "inconclusive",
            "{name}: {answer}"
        );
        let sure = match name {
            "a long word" => Some(false),
            "optional letters" | "a large class" => Some(true),
            _ => None,
        };
        if let (Some(expected), Some(value)) = (sure, answer["value"].as_bool()) {
            assert_eq!(value, expected, "{name}");
        }
    }
}
