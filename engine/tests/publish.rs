//! The publish gate's table, tests/policy/gate.json, which flagpost/refresh holds as well.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use flagpost_engine::Definitions;
use flagpost_engine::ecma::NativeHost;
use flagpost_engine::publish::{
    Incoming, NO_FLAGS, Policy, Refused, Spelling, Stored, gate, is_of_this_version,
};
use serde_json::Value;

const TABLE: &str = include_str!("../../tests/policy/gate.json");
const SPELLING: Spelling = Spelling { allow_empty: "A", max_removed: "M", force: "F" };
const DEFAULT: Policy = Policy { allow_empty: false, max_removed: 50, force: false };

fn reason(
    policy: Policy,
    stored: Stored<'_>,
    sent: &[u8],
    cleared: bool,
) -> Result<(), (&'static str, String)> {
    let host = NativeHost::default();
    let keys = Definitions::parse(sent, &host).unwrap().keys(&host);
    let incoming = Incoming { definitions: sent, keys: &keys, cleared };
    gate(policy, SPELLING, stored, incoming, &host).map_err(|refusal| {
        let reason = match refusal.reason {
            Refused::Empty => "empty-refused",
            Refused::MassDeletion => "mass-deletion",
            Refused::Older => "older",
        };
        (reason, refusal.text)
    })
}

#[test]
fn every_row_of_the_gate_holds() {
    let table: Value = serde_json::from_str(TABLE).unwrap();
    let rows = table["rows"].as_array().unwrap();
    assert!(rows.len() >= 24);
    for row in rows {
        let (stored, sent) = (row["stored"].to_string(), row["sent"].to_string());
        let held = match &row["stored"] {
            Value::Null => Stored::Nothing,
            Value::String(_) => Stored::Damaged,
            _ => Stored::Good {
                definitions: stored.as_bytes(),
                same_project: row["otherProject"] != true,
            },
        };
        let policy = Policy {
            allow_empty: row["policy"]["allowEmpty"] == true,
            force: row["policy"]["force"] == true,
            max_removed: row["policy"]["maxRemoved"].as_u64().unwrap_or(50) as u8,
        };
        let found = reason(policy, held, sent.as_bytes(), false);
        let told = found.as_ref().err().map(|(reason, _)| *reason);
        assert_eq!(told, row["reason"].as_str(), "{}: {found:?}", row["name"]);
        for says in row["says"].as_array().into_iter().flatten() {
            let text = &found.as_ref().unwrap_err().1;
            assert!(text.contains(says.as_str().unwrap()), "{}: {text}", row["name"]);
        }
    }
}

#[test]
fn what_a_policy_clears_passes_and_a_refusal_names_the_option() {
    let flags = br#"{"flags":[{"key":"a"}]}"#;
    let held = Stored::Good { definitions: flags, same_project: true };
    assert!(reason(DEFAULT, held, NO_FLAGS, true).is_ok());
    let (_, text) = reason(DEFAULT, held, NO_FLAGS, false).unwrap_err();
    assert!(text.ends_with("run once with A"), "{text}");
}

#[test]
fn what_cannot_be_read_is_something_to_lose() {
    let unreadable = Stored::Good { definitions: b"{\"flags\":{}}", same_project: true };
    assert!(reason(DEFAULT, unreadable, NO_FLAGS, false).is_err());
    assert!(reason(DEFAULT, unreadable, br#"{"flags":[{"key":"a"}]}"#, false).is_ok());
}

#[test]
fn writers_of_this_version_have_this_compiler() {
    let version = env!("CARGO_PKG_VERSION");
    for name in ["flagpost", "flagpost-refresher"] {
        assert!(is_of_this_version(&format!("{name}/{version}")));
    }
    for other in ["flagpost/0.0.0", "flagpost", "other/0.1.0", "", "flagpost-refresher/"] {
        assert!(!is_of_this_version(other), "{other}");
    }
}
