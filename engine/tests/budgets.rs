//! What evaluating may cost, in counts: see tests/budgets.json.

#![cfg(all(feature = "compile", feature = "native"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/cost.rs"]
mod cost;
#[path = "support/packed.rs"]
mod packed;

use std::path::PathBuf;

use cost::Cost;
use flagpost_engine::ecma::{Host, NativeHost};
use flagpost_engine::{CompileOptions, Definitions, Ruleset, User, compile};
use packed::Packed;
use serde_json::{Value as Json, json};

/// 26 April 2026.
const NOW: f64 = 1_777_161_600_000.0;

/// The native host. How it reads a date that is no ISO date is its own matter: its allocations do not count.
struct Counted(NativeHost);

impl Host for Counted {
    fn parse_date(&self, text: &str) -> f64 {
        let mut time = f64::NAN;
        allocation_counter::opt_out(|| time = self.0.parse_date(text));
        time
    }

    fn to_lower_case(&self, text: &str) -> String {
        self.0.to_lower_case(text)
    }

    fn number_to_string(&self, number: f64) -> String {
        self.0.number_to_string(number)
    }

    fn parse_float(&self, text: &str) -> f64 {
        self.0.parse_float(text)
    }

    fn to_number(&self, text: &str) -> f64 {
        self.0.to_number(text)
    }
}

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A number of tests/budgets.json by its path.
fn budget(path: &str) -> f64 {
    let budgets: Json = serde_json::from_str(&read("budgets.json")).unwrap();
    budgets.pointer(path).and_then(Json::as_f64).unwrap_or_else(|| panic!("no budget {path}"))
}

fn ruleset(definitions: &str) -> Ruleset {
    let host = NativeHost::new();
    let definitions = Definitions::parse(definitions.as_bytes(), &host).unwrap();
    compile(&definitions, &CompileOptions::default(), &host).unwrap()
}

fn users(texts: &[Json]) -> Vec<User> {
    let host = NativeHost::new();
    let users = texts.iter().map(|text| User::from_json(&text.to_string(), &host).unwrap());
    users
        .map(|mut user| {
            user.complete();
            user
        })
        .collect()
}

/// What these users cost, all flags in one call and one call per flag.
fn costs(ruleset: &Ruleset, users: &[User]) -> [Vec<Cost>; 2] {
    let host = Counted(NativeHost::new());
    let users: Vec<_> = users.iter().map(|user| Packed::new(ruleset, user, &host)).collect();
    let together = cost::together(ruleset, &users, &host, NOW).unwrap();
    let alone = cost::alone(ruleset, &users, &host, NOW).unwrap();
    for (together, alone) in together.iter().zip(&alone) {
        assert_eq!(together.codes, alone.codes);
        assert!(together.hashes <= alone.hashes);
    }
    [together, alone]
}

fn fixture() -> (String, Ruleset, Vec<User>) {
    let definitions = read("fixtures/definitions.json");
    let ruleset = ruleset(&definitions);
    let texts: Vec<Json> = serde_json::from_str(&read("fixtures/users.json")).unwrap();
    (definitions, ruleset, users(&texts))
}

/// A flag for every operator with every filter value that it can have.
fn every_operator() -> String {
    let values = [
        ("exact", json!(["Ärger", "a", "25", "1.5", "true", "null", "2024-05-01"])),
        ("exact", json!("Ärger")),
        ("exact", json!(true)),
        ("is_not", json!(["b", 2.5])),
        ("is_set", json!("is_set")),
        ("is_not_set", json!("is_not_set")),
        ("icontains", json!("RGER")),
        ("not_icontains", json!("é")),
        ("starts_with", json!("ä")),
        ("not_starts_with", json!("2")),
        ("ends_with", json!("R")),
        ("not_ends_with", json!(5)),
        ("regex", json!("^[a-z]+\\d{1,3}|5$")),
        ("not_regex", json!("a.*b")),
        ("gt", json!(7)),
        ("gte", json!("7.25")),
        ("lt", json!("m")),
        ("lte", json!("é")),
        ("is_date_before", json!("-3m")),
        ("is_date_after", json!("2024-05-01")),
        ("semver_gte", json!("1.2.3")),
        ("semver_tilde", json!("1.2")),
        ("semver_wildcard", json!("1.*")),
    ];
    let flags: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(number, (operator, value))| {
            let filter = |group: bool| {
                json!({"key": "p", "type": if group { "group" } else { "person" },
                    "operator": operator, "value": value})
            };
            json!({"key": format!("flag-{number}-{operator}"), "active": true, "filters": {
                "groups": [
                    {"properties": [filter(false)], "rollout_percentage": 40},
                    {"properties": [filter(true)], "aggregation_group_type_index": 0},
                ],
                "multivariate": {"variants": [
                    {"key": "control", "rollout_percentage": 50},
                    {"key": "tést", "rollout_percentage": 50},
                ]},
                "holdout": {"id": 1, "exclusion_percentage": 2},
            }})
        })
        .collect();
    json!({"flags": flags, "group_type_mapping": {"0": "company"}, "property_matching_version": 2})
        .to_string()
}

/// A user for whom the person and the company have this value.
fn holder(number: usize, value: &Json) -> Json {
    json!({
        "distinctId": format!("user-{number}-{value}"),
        "personProperties": {"p": value},
        "groups": {"company": format!("company-{number}")},
        "groupProperties": {"company": {"p": value}},
    })
}

#[test]
fn evaluating_allocates_nothing_once_an_evaluator_has_grown() {
    let values = [
        json!("a text"),
        json!("AN25"),
        json!("Ärger à l'École ß ÿ ×"),
        json!(""),
        json!("1.20.3-rc.1"),
        json!("2024-05-01"),
        json!("2024-05-01T10:30:00.250+02:00"),
        json!("-12.75"),
        json!("12e3"),
        json!(7),
        json!(-25),
        json!(1.5),
        json!(1e300),
        json!(9_007_199_254_740_993_u64),
        json!(true),
        json!(false),
        Json::Null,
    ];
    let texts: Vec<_> =
        values.iter().enumerate().map(|(number, value)| holder(number, value)).collect();
    let every_operator = ruleset(&every_operator());
    let (_, fixture, known) = fixture();
    for (name, ruleset, users) in
        [("every operator", &every_operator, users(&texts)), ("the fixture", &fixture, known)]
    {
        let [together, alone] = costs(ruleset, &users);
        let sum = |costs: &[Cost]| costs.iter().map(|cost| cost.allocations).sum::<u64>();
        let answered = together.iter().flat_map(|cost| &cost.codes).filter(|code| **code > 0);
        let answered = answered.count();
        println!(
            "{name}: {} flags, {} users, {answered} answers are on: {} allocations in {} calls for all \
             flags, {} in {} calls for one",
            ruleset.len(),
            users.len(),
            sum(&together),
            together.len(),
            sum(&alone),
            ruleset.len() * alone.len(),
        );
        assert!(answered > users.len());
        for (user, (together, alone)) in users.iter().zip(together.iter().zip(&alone)) {
            let most = budget("/allocations/perCall") as u64;
            assert_eq!((together.allocations, alone.allocations), (most, most), "{user:?}");
        }
    }
}

#[test]
fn only_what_the_host_lowers_is_allocated_once_per_text() {
    let texts = ["Привет", "東京", "Škoda", "ΟΔΟΣ"].map(|text| json!(text));
    let texts: Vec<_> =
        texts.iter().enumerate().map(|(number, text)| holder(number, text)).collect();
    let [together, _] = costs(&ruleset(&every_operator()), &users(&texts));
    let counts: Vec<_> = together.iter().map(|cost| cost.allocations).collect();
    println!("texts beyond Latin-1, of a person and of a group: {counts:?} allocations by user");
    // Each user has such a text twice.
    let most = 2 * budget("/allocations/perTextBeyondLatin1") as u64;
    assert!(counts.iter().all(|count| *count == most), "{counts:?}");
}

#[test]
fn the_fixture_stays_within_its_budgets() {
    let (definitions, ruleset, users) = fixture();
    let [together, alone] = costs(&ruleset, &users);
    let most = |of: fn(&Cost) -> u32, costs: &[Cost]| costs.iter().map(of).max().unwrap();
    let (hashes, filters) =
        (most(|cost| cost.hashes, &together), most(|cost| cost.filters, &together));
    let hashes_of_one = most(|cost| cost.most_hashes, &alone);
    let bytes = ruleset.bytes().len() as f64 / ruleset.len() as f64;
    println!(
        "the fixture, {} flags and {} users: at most {hashes} hashes and {filters} filters for all flags, \
         {hashes_of_one} hashes for one; {bytes:.1} bytes of ruleset per flag, beside {} of definitions",
        ruleset.len(),
        users.len(),
        definitions.len() / ruleset.len(),
    );
    assert!(hashes > 0 && f64::from(hashes) <= budget("/hashes/fixture/most"));
    assert!(f64::from(hashes_of_one) <= budget("/hashes/fixture/mostOfOneFlag"));
    assert!(f64::from(filters) <= budget("/filters/fixture/most"));
    assert!(bytes <= budget("/bytesPerFlag/fixture"), "{bytes}");
}

/// Nine flags with two conditions for each of these subjects: the person, or a group type.
fn flags_of_several_subjects(subjects: &[Option<u32>]) -> String {
    let conditions: Vec<_> = [subjects, subjects]
        .concat()
        .into_iter()
        .map(|group| {
            let mut condition = json!({
                "properties": [{"key": "distinct_id", "operator": "regex", "value": "(?=a)"}],
            });
            if let Some(group) = group {
                condition["aggregation_group_type_index"] = group.into();
            }
            condition
        })
        .collect();
    // Left open by their filters, conditions still ask which variant they would have given.
    let flags: Vec<_> = (0..9)
        .map(|number| {
            json!({"key": format!("flag-{number}"), "active": true, "filters": {
                "groups": conditions,
                "multivariate": {"variants": [{"key": "on", "rollout_percentage": 100}]},
            }})
        })
        .collect();
    json!({"flags": flags, "group_type_mapping": {"0": "company", "1": "project"}}).to_string()
}

#[test]
fn conditions_of_a_person_and_of_any_groups_are_hashed_once_for_each() {
    let properties = json!({"distinct_id": "a"});
    let user = users(&[json!({
        "distinctId": "a", "groups": {"company": "c", "project": "p"},
        "groupProperties": {"company": properties, "project": properties},
    })]);
    let subjects = [None, Some(0), Some(1)];
    for count in 1..=subjects.len() {
        let ruleset = ruleset(&flags_of_several_subjects(&subjects[..count]));
        let [together, alone] = costs(&ruleset, &user).map(|costs| costs[0].hashes as usize);
        println!("9 flags of {count} subjects: {together} hashes together, {alone} alone");
        assert_eq!((together, alone), (9 * count, 9 * count));
    }
}

#[test]
fn the_position_of_another_subject_is_one_flags_alone() {
    let properties = json!({});
    let user = users(&[json!({
        "distinctId": "a", "groups": {"company": "c", "project": "p"},
        "groupProperties": {"company": properties, "project": properties},
    })]);
    let condition = |group: u32, rollout: u32| {
        json!({
            "properties": [], "rollout_percentage": rollout,
            "aggregation_group_type_index": group,
        })
    };
    let flags: Vec<_> = (0..40)
        .map(|number| {
            json!({"key": format!("flag-{number}"), "active": true, "filters": {
                "groups": [condition(0, 30), condition(1, 30), condition(0, 40)],
            }})
        })
        .collect();
    let types = json!({"0": "company", "1": "project"});
    let ruleset = ruleset(&json!({"flags": flags, "group_type_mapping": types}).to_string());
    // Together and alone give the same, which `costs` asserts; alone nothing is remembered of other flags.
    let [together, _] = costs(&ruleset, &user);
    let on = together[0].codes.iter().filter(|code| **code == 1).count();
    assert!((10..35).contains(&on), "{on} of 40 flags are on");
}
