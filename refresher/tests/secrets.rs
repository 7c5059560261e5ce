//! No secret shows in anything the program prints, whatever it does and however much it logs.

mod support;

use std::process::Command;

use support::{Folder, PERSONAL_KEY, Run, answer, command, definitions, finish, ok, refresh, s3};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "cloudflareApiToken0123456789";
const SESSION: &str = "awsSessionToken0123456789";
const FROM_FILE: &str = "phx_fromFile0123456789";
const SECRETS: [&str; 5] = [PERSONAL_KEY, TOKEN, s3::SECRET_KEY, SESSION, FROM_FILE];

/// Every secret set, and everything that could make the program or its libraries talk.
fn talkative(mut command: Command) -> Command {
    command
        .args(["-vvv", "--retries", "1"])
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .env("CLOUDFLARE_ACCOUNT_ID", "account")
        .env("CLOUDFLARE_API_TOKEN", TOKEN)
        .env("AWS_ACCESS_KEY_ID", s3::ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", s3::SECRET_KEY)
        .env("AWS_SESSION_TOKEN", SESSION);
    command
}

fn checked(run: &Run) {
    let output = run.output();
    for secret in SECRETS {
        assert!(!output.contains(secret), "{secret} in {output}");
        // Nor the first part of one, as a cut text would show it.
        assert!(!output.contains(&secret[..secret.len() - 4]), "a part of {secret} in {output}");
    }
    assert!(!output.contains("token=") && !output.contains("Bearer p"), "{output}");
}

/// A server that gives back what it was sent, behind some padding, as error pages do.
async fn echo(server: &MockServer, status: u16, padding: usize) {
    server.reset().await;
    Mock::given(any())
        .respond_with(move |request: &wiremock::Request| {
            let padding = ".".repeat(padding);
            let body = format!("{padding}{:?} {}", request.headers, request.url);
            let secrets = SECRETS.join(" ");
            ResponseTemplate::new(status)
                .insert_header("Location", format!("/x?key={PERSONAL_KEY}").as_str())
                .set_body_string(format!("{body} {secrets}"))
        })
        .mount(server)
        .await;
}

#[tokio::test]
async fn success_shows_no_secret() {
    let (server, folder, bucket) = (MockServer::start().await, Folder::new(), s3::start().await);
    answer(&server, ok(&definitions(2)).insert_header("ETag", "\"one\"")).await;
    for store in [folder.store.as_str(), "s3://flags/x"] {
        let mut command = talkative(refresh(&server.uri(), store, &[]));
        command.envs(s3::environment(&bucket)).env_remove("AWS_SESSION_TOKEN");
        let run = finish(command).await;
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stderr.contains("asking for definitions"), "logs are on: {run:?}");
        checked(&run);
    }
    let snapshot = String::from_utf8_lossy(&folder.bytes()).into_owned();
    assert!(SECRETS.iter().all(|secret| !snapshot.contains(secret)));
}

#[tokio::test]
async fn a_server_that_echoes_a_secret_is_not_repeated() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    for status in [200, 301, 400, 401, 402, 403, 404, 429, 500, 503] {
        for padding in [0, 60, 120, 150, 180, 190] {
            echo(&server, status, padding).await;
            let run = finish(talkative(refresh(&server.uri(), &folder.store, &[]))).await;
            assert_ne!(run.code, 0, "{run:?}");
            checked_but_others(&run, PERSONAL_KEY);
        }
    }
}

#[tokio::test]
async fn a_store_that_echoes_a_secret_is_not_repeated() {
    let (server, store) = (MockServer::start().await, MockServer::start().await);
    answer(&server, ok(&definitions(2))).await;
    for status in [301, 400, 401, 403, 404, 409, 429, 500] {
        for padding in [0, 100, 150, 190] {
            echo(&store, status, padding).await;
            let mut kv = talkative(refresh(&server.uri(), "kv:ns", &[]));
            kv.env("CLOUDFLARE_API_BASE_URL", store.uri());
            let run = finish(kv).await;
            assert_eq!(run.code, 9, "{run:?}");
            checked_but_others(&run, TOKEN);
            let mut s3 =
                talkative(refresh(&server.uri(), "s3://bucket/x", &["--retry-delay", "1ms"]));
            s3.env("AWS_ENDPOINT_URL_S3", store.uri());
            let run = finish(s3).await;
            assert_ne!(run.code, 2, "{run:?}");
            checked_but_others(&run, s3::SECRET_KEY);
            checked_but_others(&run, SESSION);
        }
    }
}

/// A server can only repeat the secrets it was sent: those must not show. That the stand-in knows
/// the others too is beside the point.
fn checked_but_others(run: &Run, secret: &str) {
    let output = run.output();
    assert!(!output.contains(&secret[..secret.len() - 4]), "{secret} in {output}");
}

#[tokio::test]
async fn faults_of_the_network_show_no_secret() {
    let folder = Folder::new();
    for host in ["http://127.0.0.1:1", "https://127.0.0.1:1", "https://no-such-host.invalid"] {
        let run = finish(talkative(refresh(host, &folder.store, &["--retry-delay", "1ms"]))).await;
        assert_eq!(run.code, 7, "{run:?}");
        checked(&run);
    }
    for store in ["kv:ns", "s3://bucket/x"] {
        let mut command =
            talkative(refresh("http://127.0.0.1:1", store, &["--retry-delay", "1ms"]));
        command.env("CLOUDFLARE_API_BASE_URL", "http://127.0.0.1:1");
        command.env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1");
        let run = finish(command).await;
        assert_eq!(run.code, 9, "{run:?}");
        checked(&run);
    }
}

#[tokio::test]
async fn wrong_arguments_show_no_secret() {
    let folder = Folder::new();
    let file = folder.folder.path().join("key");
    std::fs::write(&file, FROM_FILE).unwrap();
    let file = file.to_str().unwrap();
    let swapped = folder.folder.path().join("swapped");
    std::fs::write(&swapped, format!("{FROM_FILE}\n{PERSONAL_KEY}")).unwrap();
    let rows: [&[&str]; 9] = [
        &["--personal-api-key", PERSONAL_KEY],
        &[PERSONAL_KEY],
        &["--project-key", PERSONAL_KEY],
        &["--host", PERSONAL_KEY],
        &["--store", PERSONAL_KEY],
        &["--store", concat!("s3://AK:", "phx_fromFile0123456789", "@bucket/key")],
        &["--heartbeat", PERSONAL_KEY],
        &["--personal-api-key-file", swapped.to_str().unwrap()],
        &["--personal-api-key-file", file, "--store", "nothing"],
    ];
    for row in rows {
        let run = finish(talkative(refresh("https://127.0.0.1:1", &folder.store, row))).await;
        assert_eq!(run.code, 2, "{run:?}");
        checked(&run);
    }
}

#[tokio::test]
async fn commands_without_network_show_no_secret() {
    let folder = Folder::new();
    let (input, output) = (folder.folder.path().join("d.json"), folder.path());
    std::fs::write(&input, definitions(1)).unwrap();
    let (input, output) = (input.to_str().unwrap(), output.to_str().unwrap());
    let user = "{\"distinctId\":\"u\"}";
    for arguments in [
        vec!["compile", input, "-o", output],
        vec!["eval", output, "--user", user],
        vec!["eval", output, "--user", user, "--flag", "nothing"],
        vec!["--help"],
        vec!["run", "--help"],
    ] {
        let mut command = command(arguments.iter().chain(&["-vvv"]));
        command.env("RUST_LOG", "trace").env("POSTHOG_PERSONAL_API_KEY", PERSONAL_KEY);
        command.env("CLOUDFLARE_API_TOKEN", TOKEN).env("AWS_SECRET_ACCESS_KEY", s3::SECRET_KEY);
        checked(&finish(command).await);
    }
}

/// The commands that read stores, and ask PostHog.
const COMMANDS: [&[&str]; 11] = [
    &["status"],
    &["history"],
    &["rollback"],
    &["rollback", PERSONAL_KEY],
    &["inspect", PERSONAL_KEY],
    &["diff", PERSONAL_KEY],
    &["pin"],
    &["unpin"],
    &["inspect"],
    &["diff"],
    &["doctor"],
];

/// A command with every secret set. Only some of them take PostHog's address as an argument.
fn looking(arguments: &[&str], host: &str, stores: &[&str]) -> Command {
    let mut command = talkative(command(arguments));
    command.args(stores.iter().flat_map(|store| ["--store", store]));
    command.args(["--retry-delay", "1ms"]).env("POSTHOG_HOST", host);
    command.env("POSTHOG_PROJECT_KEY", "phc_public-project-key");
    command.env("POSTHOG_PERSONAL_API_KEY", PERSONAL_KEY);
    command
}

#[tokio::test]
async fn commands_on_stores_show_no_secret() {
    let (server, folder, bucket) = (MockServer::start().await, Folder::new(), s3::start().await);
    for flags in [2, 3] {
        answer(&server, ok(&definitions(flags))).await;
        assert_eq!(finish(refresh(&server.uri(), &folder.store, &[])).await.code, 0);
    }
    for arguments in COMMANDS {
        for json in [&[][..], &["--json"]] {
            let stores = [folder.store.as_str(), "s3://flags/x"];
            let mut command = looking(&[arguments, json].concat(), &server.uri(), &stores);
            command.envs(s3::environment(&bucket)).env_remove("AWS_SESSION_TOKEN");
            let run = finish(command).await;
            assert!(!run.output().is_empty(), "{arguments:?}");
            checked(&run);
        }
    }
}

#[tokio::test]
async fn commands_repeat_no_secret_that_a_server_or_a_store_echoes() {
    let echoing = MockServer::start().await;
    for status in [200, 301, 401, 403, 404, 429, 500] {
        for padding in [0, 150, 190] {
            echo(&echoing, status, padding).await;
            for arguments in COMMANDS {
                let mut command = looking(arguments, &echoing.uri(), &["kv:ns", "s3://bucket/x"]);
                command.env("CLOUDFLARE_API_BASE_URL", echoing.uri());
                command.env("AWS_ENDPOINT_URL_S3", echoing.uri()).env("AWS_REGION", "auto");
                let run = finish(command).await;
                assert!(!run.output().is_empty(), "{arguments:?}");
                // Whoever echoes knows the others' secrets, too: each must not show with its own.
                for line in run.output().lines() {
                    for (about, secret) in [
                        ("kv", TOKEN),
                        ("s3://", s3::SECRET_KEY),
                        ("s3://", SESSION),
                        ("posthog answered", PERSONAL_KEY),
                    ] {
                        let part = &secret[..secret.len() - 4];
                        assert!(!line.contains(about) || !line.contains(part), "{run:?}");
                    }
                }
            }
        }
    }
    let folder = Folder::new();
    answer(&echoing, ok(&definitions(2))).await;
    assert_eq!(finish(refresh(&echoing.uri(), &folder.store, &[])).await.code, 0);
    for status in [301, 401, 403, 404, 429, 500] {
        echo(&echoing, status, 120).await;
        for name in ["diff", "doctor"] {
            let run = finish(looking(&[name], &echoing.uri(), &[&folder.store])).await;
            assert_ne!(run.code, 0, "{run:?}");
            checked_but_others(&run, PERSONAL_KEY);
        }
    }
}
