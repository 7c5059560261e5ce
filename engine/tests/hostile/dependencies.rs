//! Flags that depend on flags: rings, long chains, and many ways to the same flag.

use serde_json::json;

use super::{
    Answer, N_IS_ABOVE_5, Reason, answer, answers_and_filters, depends_on, ends, flag, flag_text,
    is_true, reason, user,
};

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
fn flags_that_all_depend_on_each_other_are_unresolved() {
    let keys: Vec<String> = (0..400).map(|n| format!("\"f{n}\"")).collect();
    let chain = keys.join(",");
    let flags: Vec<String> = (0..400)
        .map(|n| {
            let next = (n + 1) % 400;
            let filter = format!(
                r#"{{"key":"f{next}","type":"flag","value":true,"dependency_chain":[{chain}]}}"#
            );
            flag_text(&format!("f{n}"), &filter)
        })
        .collect();
    let definitions = format!(r#"{{"flags":[{}]}}"#, flags.join(","));
    let (answers, _) = ends(move || answers_and_filters(&definitions));
    assert_eq!(answers.len(), 400);
    assert!(
        answers.iter().all(|answer| *answer == Answer::Unresolved(Reason::UnresolvedDependency))
    );
}

#[test]
fn a_flag_that_three_hundred_others_reach_on_endlessly_many_ways_is_evaluated_once() {
    let mut flags = vec![flag_text("f0", N_IS_ABOVE_5)];
    let mut chain = String::from("\"f0\"");
    for n in 1..300_usize {
        let filters: Vec<String> = (0..n)
            .map(|below| format!(r#"{{"key":"f{below}","type":"flag","value":true,"dependency_chain":[{chain}]}}"#))
            .collect();
        flags.push(flag_text(&format!("f{n}"), &filters[n.saturating_sub(3)..].join(",")));
        chain.push_str(&format!(",\"f{n}\""));
    }
    let definitions = format!(r#"{{"flags":[{}]}}"#, flags.join(","));
    let (answers, filters) = ends(move || answers_and_filters(&definitions));
    assert!(answers.iter().all(is_true));
    assert_eq!(filters, 1 + 1 + 2 + 3 * 297);
}

#[test]
fn flags_and_cohorts_nested_in_turn_without_end_are_unresolved() {
    let mut flags = vec![];
    let mut cohorts = vec![];
    for n in 0..20_000 {
        flags.push(flag_text(&format!("f{n}"), &format!(r#"{{"type":"cohort","value":{n}}}"#)));
        let next = n + 1;
        cohorts.push(format!(
            r#""{n}":{{"type":"AND","values":[{{"type":"flag","key":"f{next}","value":true,"dependency_chain":["f{next}"]}}]}}"#
        ));
    }
    flags.push(flag_text("f20000", ""));
    let definitions =
        format!(r#"{{"flags":[{}],"cohorts":{{{}}}}}"#, flags.join(","), cohorts.join(","));
    let (answers, _) = ends(move || answers_and_filters(&definitions));
    assert!(matches!(answers[0], Answer::Unresolved(_)));
    assert!(is_true(&answers[20_000]));
}

#[test]
fn a_chain_that_names_a_flag_a_million_times_is_walked() {
    let chain = vec!["\"f\""; 1_000_000].join(",");
    let filter =
        format!(r#"{{"key":"f","type":"flag","value":true,"dependency_chain":[{chain}]}}"#);
    let definitions =
        format!(r#"{{"flags":[{},{}]}}"#, flag_text("f", N_IS_ABOVE_5), flag_text("g", &filter));
    let (answers, filters) = ends(move || answers_and_filters(&definitions));
    assert!(answers.iter().all(is_true));
    assert_eq!(filters, 2);
}
