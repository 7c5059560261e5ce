//! What a person sees while a run takes its time, under a real terminal (`script` makes one).
#![cfg(target_os = "linux")]

mod support;

use std::process::Command;
use std::time::Duration;

use support::{Folder, Run, answer, definitions, finish, ok, refresh_plainly};
use wiremock::MockServer;

type Variables<'a> = &'a [(&'a str, &'a str)];

/// The same run with a terminal for its output.
fn on_terminal(run: &Command, environment: Variables<'_>) -> Command {
    let words = std::iter::once(run.get_program()).chain(run.get_args());
    let line: Vec<String> =
        words.map(|word| word.to_str().unwrap()).map(|word| format!("'{word}'")).collect();
    let mut command = Command::new("script");
    command.env_clear().envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", "/usr/bin:/bin").env("TERM", "xterm").env("SHELL", "/bin/sh");
    command.envs(environment.iter().copied());
    command.args(["-qec", &line.join(" "), "/dev/null"]);
    command
}

async fn runs(delay: Duration, environment: Variables<'_>, more: &[&str]) -> (Run, String) {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(1)).set_delay(delay)).await;
    let run = refresh_plainly(&server.uri(), &folder.store, more);
    let run = finish(on_terminal(&run, environment)).await;
    assert_eq!(run.code, 0, "{run:?}");
    (run, server.address().to_string())
}

#[tokio::test]
async fn what_takes_longer_than_a_second_is_told_and_is_gone_at_the_end() {
    let (run, host) = runs(Duration::from_millis(2500), &[], &[]).await;
    assert!(run.stdout.contains(&format!("asking {host} (1 s)")), "{run:?}");
    assert!(run.stdout.contains(&format!("asking {host} (2 s)")), "{run:?}");
    let (_, last) = run.stdout.rsplit_once("\r\x1b[K").unwrap();
    assert!(last.starts_with("updated: 1 flag") && !last.contains("asking"), "{last:?}");
}

#[tokio::test]
async fn nothing_moves_in_ci_on_dumb_terminals_beside_logs_and_for_what_is_quick() {
    let (slow, quick) = (Duration::from_millis(1800), Duration::ZERO);
    let rows: [(Duration, Variables<'_>, &[&str]); 4] = [
        (slow, &[("CI", "1")], &[]),
        (slow, &[("TERM", "dumb")], &[]),
        (slow, &[("NO_COLOR", "1")], &["-v"]),
        (quick, &[], &[]),
    ];
    for (delay, environment, more) in rows {
        let (run, host) = runs(delay, environment, more).await;
        assert!(run.stdout.contains("updated: 1 flag"), "{run:?}");
        assert!(!run.stdout.contains(&format!("asking {host} (")), "{environment:?}: {run:?}");
        assert!(!run.stdout.contains('\x1b'), "{environment:?}: {run:?}");
    }
}

#[tokio::test]
async fn nothing_moves_in_a_pipe() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    answer(&server, ok(&definitions(1)).set_delay(Duration::from_millis(1800))).await;
    let mut command = refresh_plainly(&server.uri(), &folder.store, &[]);
    command.env("TERM", "xterm");
    let run = finish(command).await;
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[tokio::test]
async fn a_warning_makes_the_line_go_away_first() {
    let (server, folder) = (MockServer::start().await, Folder::new());
    let late = wiremock::ResponseTemplate::new(500).set_delay(Duration::from_millis(1500));
    answer(&server, late).await;
    let run = refresh_plainly(&server.uri(), &folder.store, &["--retries", "1"]);
    let run = finish(on_terminal(&run, &[("NO_COLOR", "1")])).await;
    assert_eq!(run.code, 6, "{run:?}");
    let (before, _) = run.stdout.split_once(" WARN definitions: attempt 1 of 2").unwrap();
    assert!(before.contains("asking") && before.ends_with("\r\x1b[K"), "{before:?}");
}
