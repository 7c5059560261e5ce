//! `refresher`: one run, one outcome, one exit code; or a daemon of many.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use refresher::cli::{self, Command, RunArguments};
use refresher::clock::SystemClock;
use refresher::outcome::{Exit, Outcome, say};
use refresher::snapshot::Held;
use refresher::store::{Item, Store};
use refresher::upstream::Upstream;
use refresher::watch::{self, Holds, StoreTick, Tick};
use refresher::{compile, config, eval, log, progress, refresh, store};
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let arguments = match cli::read() {
        Ok(arguments) => arguments,
        Err(exit) => return exit.into(),
    };
    let format = match log::Format::chosen(arguments.log_format, &config::environment) {
        Ok(format) => format,
        Err(error) => return failed(Exit::Usage, &error),
    };
    let daemon = matches!(arguments.command, Command::Watch(_));
    let verbose = arguments.verbose;
    let _logging = log::start(log::Options { verbose, format, daemon });
    match arguments.command {
        Command::Run(arguments) => {
            progress::start(verbose == 0 && !arguments.json);
            run(&arguments)
        }
        Command::Watch(arguments) => watch(&arguments),
        Command::Compile(arguments) => done(compile::run(&arguments, &SystemClock)),
        Command::Eval(arguments) => done(eval::run(&arguments, &SystemClock)),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: &RunArguments) -> ExitCode {
    let outcome = refresh_once(arguments).await.0;
    outcome.print(arguments.json);
    outcome.exit.into()
}

/// Checks everything anew, keys in files too, and refreshes.
async fn refresh_once(arguments: &RunArguments) -> (Outcome, Option<Box<dyn Store>>) {
    match config::check(arguments, &config::environment) {
        Ok(config) => match (store::open(&config.store), Upstream::new(config.upstream)) {
            (Ok(store), Ok(upstream)) => {
                let outcome =
                    refresh::run(&config.policy, &upstream, store.as_ref(), &SystemClock).await;
                (outcome, Some(store))
            }
            (Err(error), _) | (_, Err(error)) => (Outcome::usage(&error), None),
        },
        Err(error) => (Outcome::usage(&error), None),
    }
}

fn watch(arguments: &cli::WatchCommand) -> ExitCode {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(Exit::Machine, &error.to_string()),
    };
    let run = &arguments.run;
    // One request in its worst case; a refresh makes some for the store as well.
    let request = (run.timeout + run.max_retry_delay) * (u32::from(run.retries) + 1);
    let settings = arguments.watch.settings((request * 10).max(Duration::from_secs(600)));
    let mut counted = None;
    let refresh = async || {
        let (outcome, store) = refresh_once(run).await;
        tick(&outcome, store.as_deref(), &mut counted).await
    };
    let result = runtime.block_on(watch::watch(&settings, Arc::new(SystemClock), refresh));
    // Whatever was cut short must not hold the end up.
    runtime.shutdown_background();
    match result {
        Ok(()) => Exit::Ok.into(),
        Err((exit, error)) => failed(exit, &error),
    }
}

/// What a refresh comes to for the daemon. Flags that were not counted, as nothing changed, are
/// counted once for each digest.
async fn tick(
    outcome: &Outcome,
    store: Option<&dyn Store>,
    counted: &mut Option<(String, usize)>,
) -> Tick {
    let mut seen = StoreTick::from(outcome);
    if let (Holds::Snapshot(held), Some(store)) = (&mut seen.holds, store) {
        if let Some(flags) = held.flags {
            *counted = Some((held.digest.clone(), flags));
        } else if counted.as_ref().is_none_or(|(digest, _)| *digest != held.digest)
            && let Ok(Some(stored)) = store.read(&Item::Current).await
            && let Ok(stored) = Held::open(stored)
            && let Ok(ruleset) = stored.ruleset()
        {
            *counted = Some((stored.header.digest, ruleset.flag_keys().len()));
        }
        let same = counted.as_ref().filter(|(digest, _)| *digest == held.digest);
        held.flags = same.map(|(_, flags)| *flags);
    }
    Tick {
        status: outcome.status,
        reason: outcome.reason,
        exit: outcome.exit,
        message: outcome.message.clone(),
        attempts: outcome.attempts,
        retry_after: outcome.retry_after,
        stores: store.map(|_| seen).into_iter().collect(),
    }
}

fn done(result: Result<String, (Exit, String)>) -> ExitCode {
    match result {
        Ok(text) => {
            say(&text);
            Exit::Ok.into()
        }
        Err((exit, message)) => failed(exit, &message),
    }
}

fn failed(exit: Exit, message: &str) -> ExitCode {
    eprintln!("error: {message}");
    exit.into()
}
