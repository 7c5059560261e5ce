//! `refresher`: one command, one exit code.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use refresher::cli::{self, Command};
use refresher::clock::SystemClock;
use refresher::outcome::Exit;
use refresher::report::{Report, say};
use refresher::{commands, compile, config, daemon, eval, log, progress, refresh};

/// Definitions are many small values: with the system's allocator a third of a refresh is its work.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments = match cli::read() {
        Ok(arguments) => arguments,
        Err(exit) => return exit.into(),
    };
    let format = match log::Format::chosen(arguments.log_format, &config::environment) {
        Ok(format) => format,
        Err(error) => return done(Err((Exit::Usage, error))),
    };
    let is_daemon = matches!(arguments.command, Command::Watch(_));
    let verbose = arguments.verbose;
    let _logging = log::start(log::Options { verbose, format, daemon: is_daemon });
    match arguments.command {
        Command::Run(arguments) => {
            progress::start(verbose == 0 && !arguments.json);
            run(&arguments)
        }
        Command::Watch(arguments) => done(daemon::run(&arguments).map(|()| String::new())),
        Command::Status(arguments) => commands::status::run(&arguments, &SystemClock).into(),
        Command::History(arguments) => commands::history::run(&arguments).into(),
        Command::Rollback(arguments) => commands::rollback::run(&arguments, &SystemClock).into(),
        Command::Pin(arguments) => commands::pin::run(&arguments, &SystemClock).into(),
        Command::Unpin(arguments) => commands::pin::unpin(&arguments).into(),
        Command::Diff(arguments) => commands::diff::run(&arguments, &SystemClock).into(),
        Command::Inspect(arguments) => commands::inspect::run(&arguments, &SystemClock).into(),
        Command::Doctor(arguments) => commands::doctor::run(&arguments, &SystemClock).into(),
        Command::Compile(arguments) => done(compile::run(&arguments, &SystemClock)),
        Command::Eval(arguments) => done(eval::run(&arguments, &SystemClock)),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: &cli::RunArguments) -> ExitCode {
    let report = match config::job(&arguments.refresh, arguments.force, &config::environment) {
        Ok(job) => refresh::run(&job, &SystemClock).await,
        Err(error) => Report::usage(&error),
    };
    report.print(arguments.json);
    if let Some(path) = &arguments.summary
        && let Err(error) = report.append_markdown(path)
    {
        eprintln!("warning: the summary is not written to {}: {error}", path.display());
    }
    report.exit.into()
}

/// Prints what a command has to say, if anything.
fn done(result: Result<String, (Exit, String)>) -> ExitCode {
    match result {
        Ok(text) => {
            if !text.is_empty() {
                say(&text);
            }
            Exit::Ok.into()
        }
        Err((exit, message)) => {
            eprintln!("error: {message}");
            exit.into()
        }
    }
}
