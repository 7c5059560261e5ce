//! Which definitions are newer.

use std::cmp::Ordering::{self, Equal, Greater, Less};

use refresher::order::order;
use serde_json::json;

fn definitions(versions: &[(i64, i64)]) -> Vec<u8> {
    let flags: Vec<_> = versions
        .iter()
        .map(|(id, version)| json!({"id": id, "key": format!("flag-{id}"), "version": version}))
        .collect();
    json!({"flags": flags, "cohorts": {}}).to_string().into_bytes()
}

/// Asks both ways round.
fn both_ways(a: &[u8], b: &[u8], expected: Option<Ordering>) {
    assert_eq!(order(a, b), expected);
    assert_eq!(order(b, a), expected.map(Ordering::reverse));
}

#[test]
fn greater_versions_and_none_less_are_newer() {
    let old = definitions(&[(1, 3), (2, 9), (3, 1)]);
    both_ways(&definitions(&[(1, 4), (2, 9), (3, 1)]), &old, Some(Greater));
    both_ways(&definitions(&[(3, 2), (2, 10), (1, 4)]), &old, Some(Greater));
    both_ways(&definitions(&[(1, 3), (2, 8), (3, 1)]), &old, Some(Less));
}

#[test]
fn flags_on_one_side_only_do_not_tell() {
    both_ways(&definitions(&[(1, 4), (9, 1)]), &definitions(&[(1, 3), (2, 7)]), Some(Greater));
    both_ways(&definitions(&[(1, 3)]), &definitions(&[(1, 3), (2, 7)]), None);
    both_ways(&definitions(&[(1, 3)]), &definitions(&[(2, 7)]), None);
}

#[test]
fn versions_that_contradict_each_other_do_not_tell() {
    both_ways(&definitions(&[(1, 4), (2, 6)]), &definitions(&[(1, 3), (2, 7)]), None);
    both_ways(
        &definitions(&[(1, 2), (2, 8), (3, 1)]),
        &definitions(&[(1, 3), (2, 7), (3, 1)]),
        None,
    );
}

#[test]
fn the_same_json_is_equal_however_it_is_spaced() {
    let one = definitions(&[(1, 3), (2, 7)]);
    both_ways(&one, &one, Some(Equal));
    let value: serde_json::Value = serde_json::from_slice(&one).unwrap();
    both_ways(&one, &serde_json::to_vec_pretty(&value).unwrap(), Some(Equal));
    both_ways(b"{\"flags\":[]}", b"{ \"flags\" : [] }", Some(Equal));
}

#[test]
fn the_same_versions_with_other_contents_do_not_tell() {
    let one = br#"{"flags":[{"id":1,"version":3}],"cohorts":{"7":{}}}"#;
    let other = br#"{"flags":[{"id":1,"version":3}],"cohorts":{}}"#;
    both_ways(one, other, None);
}

#[test]
fn what_cannot_be_read_does_not_tell() {
    let one = definitions(&[(1, 3)]);
    for odd in [&b"{"[..], b"[]", b"{}", b"\xff", br#"{"flags":{}}"#, b""] {
        both_ways(&one, odd, None);
        assert_eq!(order(odd, odd), None);
    }
    for flag in [
        r#"{"id":1}"#,
        r#"{"id":1,"version":"9"}"#,
        r#"{"id":1,"version":9.5}"#,
        r#"{"id":1,"version":null}"#,
        r#"{"id":"1","version":9}"#,
        r#"{"version":9}"#,
        "null",
        "7",
        // Given twice, with two versions.
        r#"{"id":1,"version":9},{"id":1,"version":2}"#,
    ] {
        both_ways(&one, format!(r#"{{"flags":[{flag}]}}"#).as_bytes(), None);
    }
}

#[test]
fn an_odd_flag_does_not_hide_what_the_others_tell() {
    let newer = br#"{"flags":[null,{"id":5,"version":"x"},{"id":1,"version":4,"deep":1e400}]}"#;
    both_ways(newer, &definitions(&[(1, 3), (5, 2)]), Some(Greater));
}
