//! The command line as typed; nothing is checked here beyond its grammar. See [`crate::config`].

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, Parser, Subcommand};
use jiff::Timestamp;

use crate::log;
use crate::outcome::Exit;
use crate::secret;
use crate::watch::WatchArguments;

mod commands;
pub(crate) mod options;

pub use commands::{
    Common, DiffArguments, DoctorArguments, HistoryArguments, InspectArguments, PinArguments,
    RollbackArguments, StatusArguments, UnpinArguments,
};

pub use options::{
    PatienceArguments, PolicyArguments, RefreshArguments, StoreArguments, UpstreamArguments,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold());

const EXIT_CODES: &str = "\
Exit codes:
  0   done: updated, unchanged, empty, or skipped (a newer snapshot, a pin, a lease)
  1   this machine failed: a file could not be read or written
  2   wrong arguments or settings
  3   PostHog refused the keys (401, 403)
  4   PostHog's quota is used up (402)
  5   PostHog limits the rate of requests (429)
  6   PostHog could not answer (5xx, cold cache, redirect, any other status)
  7   no answer from PostHog: DNS, connection, TLS, timeout, answer cut short
  8   what came, or what was given, is no valid definitions, snapshot or user
  9   the store could not be read
  10  the store could not be written, or what was written did not read back
  11  no such flag (eval)
  12  some stores failed, and others did not
  13  the snapshot was checked longer ago than --max-age (status)
  14  the two sides differ (diff --exit-code)
Whatever happens, the last good snapshot in the store is kept, unless an option asks to clear it.";

const EXAMPLES: &str = "\
Examples:
  Refresh a local folder:
    export POSTHOG_PROJECT_KEY=phc_… POSTHOG_PERSONAL_API_KEY=phx_…
    refresher run --store file:./snapshots
  Refresh a Workers KV namespace from cron:
    refresher run --store kv:0f2ac74b498b48028cb68387c421e279
  See what is stored, how old it is, and what the schedule costs:
    refresher status --store kv:0f2ac74b498b48028cb68387c421e279
  Go back to the version before, and stay there:
    refresher rollback
  Find out what is wrong, and how to put it right:
    refresher doctor
  Ask a snapshot about a user:
    refresher eval snapshots/flags.snapshot --user '{\"distinctId\":\"user-1\"}'

";

const RUN_HELP: &str = "\
Stores (--store may be given several times):
  file:DIR[#NAME]       DIR/NAME.snapshot, NAME is `flags` unless given; DIR is made
  kv:NAMESPACE_ID[/KEY] Cloudflare Workers KV, KEY is `flagpost` unless given
  s3://BUCKET[/KEY]     S3, R2 and whatever speaks S3, KEY is `flagpost` unless given
  convex:[URL][#NAME]   a Convex deployment, https://….convex.cloud; NAME is `flagpost` unless given
  memory:               nowhere: for trials, the snapshot is gone when the program ends

Environment (an empty variable counts as not set):
  POSTHOG_HOST               as --host
  POSTHOG_PROJECT_KEY        as --project-key; also POSTHOG_PROJECT_API_KEY, POSTHOG_PROJECT_TOKEN
  POSTHOG_PERSONAL_API_KEY   the secret key that may read definitions: a personal API key (phx_…)
                             with the scope feature_flag:read, or a project's secret key (phs_…);
                             also POSTHOG_SECRET_KEY
  FLAGPOST_STORE             as --store; several are separated by white space
  CLOUDFLARE_ACCOUNT_ID      kv: the account that owns the namespace
  CLOUDFLARE_API_TOKEN       kv: a token with the permission Workers KV Storage: Edit
  CLOUDFLARE_API_BASE_URL    kv: another API, such as `wrangler dev`'s
                             http://127.0.0.1:8787/cdn-cgi/explorer/api
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL_S3, …
                             s3: the variables of the AWS tools
  CONVEX_URL                 convex: the deployment, if --store does not say it
  CONVEX_DEPLOY_KEY          convex: a deploy key of this deployment

Examples:
  refresher run --store file:/var/lib/flagpost
  refresher run --store kv:0f2ac74b498b48028cb68387c421e279 --json
  refresher run --store s3://my-bucket/flagpost \\
      --s3-endpoint https://ACCOUNT.r2.cloudflarestorage.com --s3-region auto
  refresher run --personal-api-key-file /run/secrets/posthog

";

/// Copies PostHog's feature flag definitions to where the edge reads them.
#[derive(Debug, Parser)]
#[command(name = "refresher", version, styles = STYLES, max_term_width = 110)]
#[command(after_help = format!("{EXAMPLES}{EXIT_CODES}"), disable_help_subcommand = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,

    /// Say more on stderr: -v what is done, -vv every request and answer. Never a secret.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// How logs look [default: text]; also FLAGPOST_LOG_FORMAT.
    #[arg(long, global = true, value_name = "FORMAT")]
    pub log_format: Option<log::Format>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<RunArguments>),
    Watch(Box<WatchCommand>),
    Status(Box<StatusArguments>),
    History(Box<HistoryArguments>),
    Rollback(Box<RollbackArguments>),
    Pin(Box<PinArguments>),
    Unpin(Box<UnpinArguments>),
    Diff(Box<DiffArguments>),
    Inspect(Box<InspectArguments>),
    Doctor(Box<DoctorArguments>),
    Compile(CompileArguments),
    Eval(EvalArguments),
}

/// Refresh the stores once and exit; for cron.
///
/// Asks PostHog whether the definitions changed, checks that the evaluator can use what came, writes
/// a snapshot, reads it back, and only then counts it as done.
#[derive(Debug, Args)]
#[command(after_help = format!("{RUN_HELP}{EXIT_CODES}"), args_override_self = true)]
pub struct RunArguments {
    #[command(flatten)]
    pub refresh: RefreshArguments,

    /// Pass the publish gate once: store what came whatever it lacks, if the evaluator can read it.
    #[arg(long, help_heading = "Policy")]
    pub force: bool,

    /// Append what was done to a file, as Markdown; $GITHUB_STEP_SUMMARY is such a file.
    #[arg(long, value_name = "PATH")]
    pub summary: Option<PathBuf>,

    /// Print the outcome as one line of JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Refresh the stores again and again until told to end; a daemon.
///
/// SIGTERM and SIGINT end it after a refresh in progress, a second one at once. SIGHUP refreshes now.
/// Keys are read from their files again for every refresh. Speaks systemd's notify protocol.
#[derive(Debug, Args)]
#[command(after_help = format!("{RUN_HELP}{EXIT_CODES}"), args_override_self = true)]
pub struct WatchCommand {
    #[command(flatten)]
    pub watch: WatchArguments,

    #[command(flatten)]
    pub refresh: RefreshArguments,
}

/// Make a snapshot from definitions in a file, without network.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  curl … | refresher compile - -o flags.snapshot")]
pub struct CompileArguments {
    /// PostHog's definitions as JSON; - reads stdin.
    #[arg(value_name = "DEFINITIONS.json")]
    pub definitions: PathBuf,

    /// The snapshot to write; an existing one is replaced whole or not at all.
    #[arg(short, long, value_name = "SNAPSHOT")]
    pub output: PathBuf,
}

/// Answer flags for a user from a snapshot, without network.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  refresher eval flags.snapshot --user '{\"distinctId\":\"user-1\",\"personProperties\":{\"plan\":\"pro\"}}'
  refresher eval flags.snapshot --flag checkout --user '{
      \"distinctId\":\"user-1\", \"groups\":{\"company\":\"acme\"},
      \"groupProperties\":{\"company\":{\"size\":12}}}'

Exit codes: 0 answered (unresolved is an answer), 8 snapshot or user cannot be used, 11 no such flag")]
pub struct EvalArguments {
    /// A snapshot, or PostHog's definitions as JSON; - reads stdin.
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: PathBuf,

    /// {distinctId, groups?, personProperties?, groupProperties?} as JSON.
    #[arg(long, value_name = "JSON")]
    pub user: String,

    /// Answer this flag alone.
    #[arg(long, value_name = "KEY")]
    pub flag: Option<String>,

    /// The time to evaluate at, as 2026-01-31T12:00:00Z [default: now].
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<Timestamp>,
}

/// Reads the process's arguments. On help, version or a mistake everything is printed already and
/// only the exit code is left.
pub fn read() -> Result<Arguments, Exit> {
    Arguments::try_parse().map_err(|error| {
        if error.use_stderr() {
            eprint!("{}", secret::hide_keys(&error.render().to_string()));
            Exit::Usage
        } else {
            // Nobody listening (`refresher --help | head`) is no failure of ours.
            let _ = error.print();
            Exit::Ok
        }
    })
}
