//! `refresher`: one run, one outcome, one exit code.

use std::process::ExitCode;

use refresher::cli::{self, Command};
use refresher::clock::SystemClock;
use refresher::outcome::{Exit, Outcome, say};
use refresher::upstream::Upstream;
use refresher::{compile, config, eval, log, refresh, store};

fn main() -> ExitCode {
    let arguments = match cli::read() {
        Ok(arguments) => arguments,
        Err(exit) => return exit.into(),
    };
    log::start(log::Options { verbose: arguments.verbose, ..log::Options::default() });
    match arguments.command {
        Command::Run(arguments) => run(&arguments),
        Command::Compile(arguments) => done(compile::run(&arguments, &SystemClock)),
        Command::Eval(arguments) => done(eval::run(&arguments, &SystemClock)),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: &cli::RunArguments) -> ExitCode {
    let outcome = match config::check(arguments, &config::environment) {
        Ok(config) => match (store::open(&config.store), Upstream::new(config.upstream)) {
            (Ok(store), Ok(upstream)) => {
                refresh::run(&config.policy, &upstream, store.as_ref(), &SystemClock).await
            }
            (Err(error), _) => Outcome::usage(&error),
            (_, Err(error)) => Outcome::usage(&error),
        },
        Err(error) => Outcome::usage(&error),
    };
    outcome.print(arguments.json);
    outcome.exit.into()
}

fn done(result: Result<String, (Exit, String)>) -> ExitCode {
    match result {
        Ok(text) => {
            say(&text);
            Exit::Ok.into()
        }
        Err((exit, message)) => {
            eprintln!("error: {message}");
            exit.into()
        }
    }
}
