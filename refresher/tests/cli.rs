//! The command line as a person meets it.

mod support;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::{Run, command, definitions, finish, open};

type Variables<'a> = &'a [(&'a str, &'a str)];

async fn run(arguments: &[&str]) -> Run {
    finish(command(arguments)).await
}

async fn run_with(arguments: &[&str], environment: Variables<'_>) -> Run {
    let mut command = command(arguments);
    command.envs(environment.iter().copied());
    finish(command).await
}

#[tokio::test]
async fn help_teaches_stores_environment_and_exit_codes() {
    for arguments in [&["--help"][..], &["run", "--help"]] {
        let help = run(arguments).await;
        assert_eq!((help.code, help.stderr.as_str()), (0, ""));
        for code in 0..=14 {
            let row = format!("\n  {code:<4}");
            assert!(help.stdout.contains(&row), "exit code {code} in {arguments:?}");
        }
        assert!(help.stdout.contains("Examples:"));
    }
    let help = run(&["run", "--help"]).await.stdout;
    for word in [
        "file:DIR[#NAME]",
        "kv:NAMESPACE_ID[/KEY]",
        "s3://BUCKET[/KEY]",
        "POSTHOG_HOST",
        "POSTHOG_PROJECT_KEY",
        "POSTHOG_PERSONAL_API_KEY",
        "POSTHOG_SECRET_KEY",
        "CLOUDFLARE_API_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "--heartbeat",
        "--allow-empty",
    ] {
        assert!(help.contains(word), "{word} in the help of run");
    }
    assert!(!help.contains("--personal-api-key "), "what is refused is not offered");
}

#[tokio::test]
async fn the_version_is_printed() {
    let run = run(&["--version"]).await;
    assert_eq!((run.code, run.stdout), (0, format!("refresher {}\n", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn a_secret_as_an_argument_is_refused_without_echo() {
    let rows: [&[&str]; 6] = [
        &["--personal-api-key", "verySecret"],
        &["--personal-api-key=verySecret"],
        &["--secret-key", "verySecret"],
        &["--cloudflare-api-token", "verySecret"],
        &["--aws-secret-access-key=verySecret"],
        &["--personal-api-key"],
    ];
    for row in rows {
        let run = run(&[&["run", "--project-key", "phc_x"], row].concat()).await;
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("every user of this machine can list arguments"), "{run:?}");
        assert!(!run.output().contains("verySecret"), "{run:?}");
    }
    let stray = run(&["run", "phx_verySecret"]).await;
    assert_eq!(stray.code, 2);
    assert!(!stray.output().contains("verySecret"), "{stray:?}");
    assert!(run(&[]).await.stderr.contains("POSTHOG_PERSONAL_API_KEY=phx_…"));
}

/// Settings that cannot work: the environment, the arguments, and what is said.
#[tokio::test]
async fn wrong_settings_are_named_with_their_fix() {
    let keys = [("POSTHOG_PROJECT_KEY", "phc_x"), ("POSTHOG_PERSONAL_API_KEY", "phx_x")];
    let rows: [(Variables<'_>, &[&str], &str); 21] = [
        (&[("POSTHOG_PROJECT_KEY", " ")], &[], "set POSTHOG_PROJECT_KEY"),
        (&[("POSTHOG_PROJECT_KEY", "phx_x")], &[], "the project key is a secret key"),
        (&[("POSTHOG_PERSONAL_API_KEY", "")], &[], "set POSTHOG_PERSONAL_API_KEY"),
        (&[("POSTHOG_PERSONAL_API_KEY", "phc_x")], &[], "the personal API key is a project key"),
        (&[("POSTHOG_PERSONAL_API_KEY", "phx_a\nb")], &[], "line breaks"),
        (&[], &["--personal-api-key-file", "/no/such/file"], "cannot read /no/such/file"),
        (&[], &["--host", "http://posthog.example"], "use https"),
        (&[("POSTHOG_HOST", "posthog.example")], &[], "is not an address"),
        (&[], &["--host", "ftp://posthog.example"], "is not an http(s) address"),
        (&[], &["--host", "https://u:p@posthog.example"], "must not hold a user name"),
        (&[], &["--host", "https://posthog.example/?a=b"], "must not hold a query"),
        (
            &[("FLAGPOST_STORE", "redis:x")],
            &[],
            "file:DIR[#NAME], kv:NAMESPACE_ID[/KEY], convex:URL[#NAME] or s3://",
        ),
        (&[], &["--store", "file:"], "names no directory"),
        (&[], &["--store", "file://host/x"], "the name of a machine"),
        (&[], &["--store", "file:x#../y"], "leaves its directory"),
        (&[], &["--store", "kv:"], "names no namespace"),
        (&[], &["--store", "kv:abc"], "set CLOUDFLARE_ACCOUNT_ID"),
        (&[("CLOUDFLARE_ACCOUNT_ID", "a")], &["--store", "kv:abc"], "set CLOUDFLARE_API_TOKEN"),
        (&[("CLOUDFLARE_API_BASE_URL", "http://kv.example")], &["--store", "kv:abc"], "use https"),
        (&[], &["--store", "s3:///key"], "names no bucket"),
        (&[("AWS_ENDPOINT_URL", "http://s3.example")], &["--store", "s3://b"], "use https"),
    ];
    for (environment, arguments, says) in rows {
        let run = run_with(&[&["run"], arguments].concat(), &[&keys, environment].concat()).await;
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{says}: {run:?}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(says), "{says}: {run:?}");
    }
}

#[tokio::test]
async fn values_that_are_none_are_named() {
    for arguments in [["--heartbeat", "soon"], ["--timeout", "0"], ["--retries", "99"]] {
        let run = run(&["run", arguments[0], arguments[1]]).await;
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(arguments[0]), "{run:?}");
    }
}

#[tokio::test]
async fn wrong_settings_are_json_too_when_json_is_wanted() {
    let run = run(&["run", "--json"]).await;
    assert_eq!((run.code, &run.json()["reason"]), (2, &"config".into()), "{run:?}");
    assert_eq!(run.json()["exitCode"], 2);
}

#[tokio::test]
async fn keys_may_come_by_their_other_names_and_from_files() {
    let server = wiremock::MockServer::start().await;
    support::answer(&server, support::ok(&definitions(1))).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, "phx_fromFile\n").unwrap();
    let store = format!("file:{}", folder.path().display());
    let uri = format!(" {}/ ", server.uri());
    let rows: [(Variables<'_>, &[&str], &str); 3] = [
        (&[("POSTHOG_PROJECT_API_KEY", "phc_x"), ("POSTHOG_SECRET_KEY", "phs_y\n")], &[], "phs_y"),
        (
            &[("POSTHOG_PROJECT_TOKEN", "phc_x"), ("POSTHOG_PERSONAL_API_KEY", "phx_y")],
            &[],
            "phx_y",
        ),
        (
            &[("POSTHOG_PROJECT_KEY", ""), ("POSTHOG_PERSONAL_API_KEY", "phx_y")],
            &["--project-key", "phc_x", "--personal-api-key-file", file.to_str().unwrap()],
            "phx_fromFile",
        ),
    ];
    for (environment, arguments, key) in rows {
        let host = [("POSTHOG_HOST", uri.as_str()), ("FLAGPOST_STORE", store.as_str())];
        let run = run_with(&[&["run"], arguments].concat(), &[&host, environment].concat()).await;
        assert_eq!(run.code, 0, "{run:?}");
        let requests = server.received_requests().await.unwrap();
        let last = requests.last().unwrap();
        assert_eq!(last.headers["authorization"], format!("Bearer {key}"));
        assert_eq!(last.url.query(), Some("token=phc_x&send_cohorts"));
    }
}

/// Runs with something on stdin.
async fn run_on(mut command: Command, input: &str) -> Run {
    let input = input.to_owned();
    let output = tokio::task::spawn_blocking(move || {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn compile_makes_a_snapshot_that_holds_the_definitions_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("d.json"), folder.path().join("d.snapshot"));
    let body = definitions(3);
    fs::write(&input, &body).unwrap();
    let arguments = ["compile", input.to_str().unwrap(), "-o", output.to_str().unwrap()];
    let compiled = run(&arguments).await;
    assert_eq!(compiled.code, 0, "{compiled:?}");
    assert!(compiled.stdout.starts_with("compiled: 3 flags, "), "{compiled:?}");
    let (header, stored) = open(&fs::read(&output).unwrap());
    assert_eq!((stored, header.etag, header.upstream), (body.clone(), None, None));

    fs::remove_file(&output).unwrap();
    let piped = run_on(command(["compile", "-", "-o", output.to_str().unwrap()]), &body).await;
    assert_eq!(piped.code, 0, "{piped:?}");
    assert_eq!(open(&fs::read(&output).unwrap()).1, body);
}

#[tokio::test]
async fn compile_leaves_the_old_snapshot_when_it_cannot_make_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("d.snapshot");
    let target = output.to_str().unwrap();
    run_on(command(["compile", "-", "-o", target]), &definitions(1)).await;
    let before = fs::read(&output).unwrap();
    for (input, says) in
        [("{", "stdin: the definitions"), ("[]", "the definitions are"), ("{}", "`flags`")]
    {
        let run = run_on(command(["compile", "-", "-o", target]), input).await;
        assert_eq!(run.code, 8, "{run:?}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(says), "{run:?}");
        assert_eq!(fs::read(&output).unwrap(), before);
    }
    let twice = run(&["compile", target, "-o", target]).await;
    assert_eq!(twice.code, 8);
    assert!(twice.stderr.contains("is a snapshot already"), "{twice:?}");
    let nowhere = run(&["compile", "/no/such.json", "-o", target]).await;
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.stderr.contains("cannot read /no/such.json"), "{nowhere:?}");
    assert_eq!(support::names(folder.path()), ["d.snapshot"]);
}

/// A flag for everybody with a payload, one for a plan, one for a company, one that depends on the
/// time, and one that only the server can tell.
fn product() -> String {
    let flag =
        |key: &str, filters: Value| json!({ "key": key, "active": true, "filters": filters });
    let filter = |key: &str, value: &str, operator: &str| json!([{ "key": key, "value": value, "operator": operator, "type": "person" }]);
    let group = |properties: Value| json!({ "properties": properties, "rollout_percentage": 100 });
    json!({
        "flags": [
            flag("open", json!({ "groups": [group(json!([]))], "payloads": { "true": "{\"n\":1.50}" } })),
            flag("plan", json!({
                "groups": [group(filter("plan", "pro", "exact"))],
                "multivariate": { "variants": [{ "key": "blue", "rollout_percentage": 100 }] },
                "payloads": { "blue": "\"#00f\"" },
            })),
            flag("big", json!({
                "aggregation_group_type_index": 0,
                "groups": [group(json!([{ "key": "size", "value": 10, "operator": "gt", "type": "group", "group_type_index": 0 }]))],
            })),
            flag("later", json!({ "groups": [group(filter("seen", "-7d", "is_date_before"))] })),
            json!({ "key": "sticky", "active": true, "ensure_experience_continuity": true, "filters": {} }),
        ],
        "group_type_mapping": { "0": "company" },
        "cohorts": {},
    })
    .to_string()
}

#[tokio::test]
async fn eval_answers_from_a_snapshot_and_from_json_alike() {
    let folder = tempfile::tempdir().unwrap();
    let (input, snapshot) = (folder.path().join("d.json"), folder.path().join("d.snapshot"));
    fs::write(&input, product()).unwrap();
    let (input, snapshot) = (input.to_str().unwrap(), snapshot.to_str().unwrap());
    assert_eq!(run(&["compile", input, "-o", snapshot]).await.code, 0);
    let camel = r#"{"distinctId":"u1","personProperties":{"plan":"pro","seen":"2026-01-01T00:00:00Z"},
        "groups":{"company":"acme"},"groupProperties":{"company":{"size":12}}}"#;
    let snake = camel
        .replace("distinctId", "distinct_id")
        .replace("personProperties", "person_properties")
        .replace("groupProperties", "group_properties");
    for file in [input, snapshot] {
        for user in [camel, &snake] {
            let answers =
                run(&["eval", file, "--user", user, "--now", "2026-01-31T12:00:00Z"]).await;
            assert_eq!(answers.code, 0, "{answers:?}");
            assert_eq!(
                answers.json(),
                json!({
                    "featureFlags": { "open": true, "plan": "blue", "big": true, "later": true },
                    "featureFlagPayloads": { "open": { "n": 1.5 }, "plan": "#00f" },
                    "unresolved": { "sticky": "experience_continuity" },
                })
            );
        }
    }
    assert!(
        run(&["eval", snapshot, "--user", camel]).await.stdout.contains("\n  \"featureFlags\"")
    );
}

#[tokio::test]
async fn eval_answers_one_flag_at_a_given_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("d.json");
    fs::write(&file, product()).unwrap();
    let file = file.to_str().unwrap();
    let user = r#"{"distinctId":"u1","personProperties":{"seen":"2026-01-01T00:00:00Z"}}"#;
    let rows = [
        (vec!["--flag", "open"], json!({ "value": true, "payload": { "n": 1.5 } })),
        (vec!["--flag", "big"], json!({ "value": false })),
        (vec!["--flag", "plan"], json!({ "unresolved": "missing_context" })),
        (vec!["--flag", "sticky"], json!({ "unresolved": "experience_continuity" })),
        (vec!["--flag", "later", "--now", "2026-01-31T12:00:00Z"], json!({ "value": true })),
        (vec!["--flag", "later", "--now", "2026-01-02T12:00:00Z"], json!({ "value": false })),
    ];
    for (arguments, expected) in rows {
        let answer = run(&[&["eval", file, "--user", user][..], &arguments].concat()).await;
        assert_eq!((answer.code, answer.json()), (0, expected), "{arguments:?}");
    }
}

#[tokio::test]
async fn eval_says_what_it_cannot_use() {
    let folder = tempfile::tempdir().unwrap();
    let (file, damaged) = (folder.path().join("d.json"), folder.path().join("x.snapshot"));
    fs::write(&file, product()).unwrap();
    fs::write(&damaged, "FLAGPOST, but not for long").unwrap();
    let (file, damaged) = (file.to_str().unwrap(), damaged.to_str().unwrap());
    let rows = [
        (vec![file, "--user", "{\"distinctId\":\"u\"}", "--flag", "ope"], 11, "did you mean open?"),
        (vec![file, "--user", "{\"distinctId\":\"u\"}", "--flag", "zzz"], 11, "among the 5"),
        (vec![file, "--user", "{}"], 8, "distinctId"),
        (vec![file, "--user", "u1"], 8, "the user is"),
        (vec![damaged, "--user", "{\"distinctId\":\"u\"}"], 8, "damaged"),
        (vec!["/no/such", "--user", "{\"distinctId\":\"u\"}"], 1, "cannot read /no/such"),
        (vec![file], 2, "--user"),
        (vec![file, "--user", "{\"distinctId\":\"u\"}", "--now", "noon"], 2, "--now"),
    ];
    for (arguments, code, says) in rows {
        let run = run(&[&["eval"][..], &arguments].concat()).await;
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{arguments:?}: {run:?}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(says), "{run:?}");
    }
}
