//! Cohorts inside cohorts: cycles, depth, and many ways to the same cohort.

use serde_json::json;

use super::{
    Answer, N_IS_ABOVE_5, Reason, answers_and_filters, ends, flag, flag_text, is_true, reason,
};

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

/// A flag on the first of so many cohorts, each of which holds the next one twice.
fn doubled(cohorts: u32, operator: &str, last: &str) -> String {
    let mut listed = Vec::new();
    for n in 0..cohorts {
        let next = format!(r#"{{"type":"cohort","value":{}}}"#, n + 1);
        listed.push(format!(r#""{n}":{{"type":"{operator}","values":[{next},{next}]}}"#));
    }
    listed.push(format!(r#""{cohorts}":{last}"#));
    let flag = flag_text("f", r#"{"type":"cohort","value":0}"#);
    format!(r#"{{"flags":[{flag}],"cohorts":{{{}}}}}"#, listed.join(","))
}

#[test]
fn a_cohort_met_on_two_to_the_sixty_ways_is_decided_once() {
    let last = format!(r#"{{"type":"AND","values":[{N_IS_ABOVE_5}]}}"#);
    for (operator, looked_at) in [("AND", 1 + 2 * 60 + 1), ("OR", 1 + 60 + 1)] {
        let definitions = doubled(60, operator, &last);
        let (answers, filters) = ends(move || answers_and_filters(&definitions));
        assert!(is_true(&answers[0]));
        assert_eq!(filters, looked_at, "{operator}");
    }
    let undecided = r#"{"type":"AND","values":[{"key":"absent","value":"x"}]}"#;
    let definitions = doubled(60, "OR", undecided);
    let (answers, _) = ends(move || answers_and_filters(&definitions));
    assert_eq!(answers, [Answer::Unresolved(Reason::MissingContext)]);
}

#[test]
fn cohorts_nested_beyond_the_limit_are_unresolved() {
    let everybody = r#"{"type":"AND","values":[]}"#;
    // The flag itself is one of the 200.
    for (cohorts, decided) in [(198, true), (199, false), (20_000, false)] {
        let definitions = doubled(cohorts, "AND", everybody);
        let (answers, _) = ends(move || answers_and_filters(&definitions));
        assert_eq!(is_true(&answers[0]), decided, "{cohorts}");
        assert_eq!(answers[0] == Answer::Unresolved(Reason::UnsupportedDefinition), !decided);
    }
}

#[test]
fn groups_nested_as_deep_as_json_is_read_are_unresolved_and_spoil_nothing_else() {
    let cohort = (0..240)
        .fold(N_IS_ABOVE_5.to_owned(), |inner, _| format!(r#"{{"type":"OR","values":[{inner}]}}"#));
    let flags = [flag_text("f", r#"{"type":"cohort","value":1}"#), flag_text("good", N_IS_ABOVE_5)];
    let definitions = format!(r#"{{"flags":[{}],"cohorts":{{"1":{cohort}}}}}"#, flags.join(","));
    let (answers, _) = ends(move || answers_and_filters(&definitions));
    assert_eq!(answers[0], Answer::Unresolved(Reason::UnsupportedDefinition));
    assert!(is_true(&answers[1]));
}

#[test]
fn three_hundred_cohorts_that_all_hold_each_other_are_unresolved() {
    let members: Vec<String> =
        (0..300).map(|n| format!(r#"{{"type":"cohort","value":{n}}}"#)).collect();
    let members = members.join(",");
    let cohorts: Vec<String> =
        (0..300).map(|n| format!(r#""{n}":{{"type":"OR","values":[{members}]}}"#)).collect();
    let flags: Vec<String> = (0..300)
        .map(|n| flag_text(&format!("f{n}"), &format!(r#"{{"type":"cohort","value":{n}}}"#)))
        .collect();
    let definitions =
        format!(r#"{{"flags":[{}],"cohorts":{{{}}}}}"#, flags.join(","), cohorts.join(","));
    let (answers, _) = ends(move || answers_and_filters(&definitions));
    assert!(
        answers.iter().all(|answer| *answer == Answer::Unresolved(Reason::UnsupportedDefinition))
    );
}
