//! The command line as typed; nothing is checked here beyond its grammar. See [`crate::config`].

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, Parser, Subcommand};
use jiff::{SignedDuration, Timestamp};

use crate::log;
use crate::outcome::Exit;
use crate::secret;
use crate::watch::WatchArguments;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold());

const EXIT_CODES: &str = "\
Exit codes:
  0   done: updated, unchanged, empty, or skipped for a newer snapshot
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
Whatever happens, the last good snapshot in the store is kept.";

const EXAMPLES: &str = "\
Examples:
  Refresh a local folder:
    export POSTHOG_PROJECT_KEY=phc_… POSTHOG_PERSONAL_API_KEY=phx_…
    refresher run --store file:./snapshots
  Refresh a Workers KV namespace from cron:
    refresher run --store kv:0f2ac74b498b48028cb68387c421e279
  Ask a snapshot about a user:
    refresher eval snapshots/flags.snapshot --user '{\"distinctId\":\"user-1\"}'

";

const RUN_HELP: &str = "\
Stores:
  file:DIR[#NAME]       DIR/NAME.snapshot, NAME is `flags` unless given; DIR is made
  kv:NAMESPACE_ID[/KEY] Cloudflare Workers KV, KEY is `flagpost` unless given
  s3://BUCKET[/KEY]     S3, R2 and whatever speaks S3, KEY is `flagpost` unless given

Environment (an empty variable counts as not set):
  POSTHOG_HOST               as --host
  POSTHOG_PROJECT_KEY        as --project-key; also POSTHOG_PROJECT_API_KEY, POSTHOG_PROJECT_TOKEN
  POSTHOG_PERSONAL_API_KEY   the secret key that may read definitions: a personal API key (phx_…)
                             with the scope feature_flag:read, or a project's secret key (phs_…);
                             also POSTHOG_SECRET_KEY
  FLAGPOST_STORE             as --store
  CLOUDFLARE_ACCOUNT_ID      kv: the account that owns the namespace
  CLOUDFLARE_API_TOKEN       kv: a token with the permission Workers KV Storage: Edit
  CLOUDFLARE_API_BASE_URL    kv: another API, such as `wrangler dev`'s
                             http://127.0.0.1:8787/cdn-cgi/explorer/api
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL_S3, …
                             s3: the variables of the AWS tools

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
    Run(RunArguments),
    Watch(WatchCommand),
    Compile(CompileArguments),
    Eval(EvalArguments),
}

/// Refresh a store once and exit; for cron.
///
/// Asks PostHog whether the definitions changed, checks that the evaluator can use what came, writes
/// a snapshot, reads it back, and only then counts it as done.
#[derive(Debug, Args)]
#[command(after_help = format!("{RUN_HELP}{EXIT_CODES}"), args_override_self = true)]
pub struct RunArguments {
    /// Where the snapshot is kept, see Stores below [default: file:./snapshots].
    #[arg(long, value_name = "URL", help_heading = "What and where")]
    pub store: Option<String>,

    /// PostHog's address [default: https://us.i.posthog.com; the EU's is https://eu.i.posthog.com].
    #[arg(long, value_name = "URL", help_heading = "What and where")]
    pub host: Option<String>,

    /// The project's public key (phc_…).
    #[arg(long, value_name = "KEY", help_heading = "What and where")]
    pub project_key: Option<String>,

    /// File that holds the personal or secret API key, instead of POSTHOG_PERSONAL_API_KEY.
    #[arg(long, value_name = "PATH", help_heading = "What and where")]
    pub personal_api_key_file: Option<PathBuf>,

    /// File that holds the Cloudflare API token, instead of CLOUDFLARE_API_TOKEN.
    #[arg(long, value_name = "PATH", help_heading = "What and where")]
    pub cloudflare_api_token_file: Option<PathBuf>,

    /// S3 endpoint other than AWS, such as R2's or MinIO's; as AWS_ENDPOINT_URL_S3.
    #[arg(long, value_name = "URL", help_heading = "What and where")]
    pub s3_endpoint: Option<String>,

    /// S3 region; as AWS_REGION.
    #[arg(long, value_name = "REGION", help_heading = "What and where")]
    pub s3_region: Option<String>,

    /// When nothing changed, renew the snapshot's checked-at this often; 0 never writes for that.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration, help_heading = "Policy")]
    pub heartbeat: Duration,

    /// Let an empty list of flags replace a list that was not.
    #[arg(long, help_heading = "Policy")]
    pub allow_empty: bool,

    /// How often a failed request is made again.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(..=20), help_heading = "Patience")]
    pub retries: u16,

    /// Pause before the first retry; it doubles from one to the next, with jitter.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration, help_heading = "Patience")]
    pub retry_delay: Duration,

    /// Longest pause before a retry; a Retry-After beyond it ends the run.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, help_heading = "Patience")]
    pub max_retry_delay: Duration,

    /// Longest time for one request with its answer.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = some_duration, help_heading = "Patience")]
    pub timeout: Duration,

    /// Longest time to get a connection.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = some_duration, help_heading = "Patience")]
    pub connect_timeout: Duration,

    /// Largest definitions taken, in MiB, after decompression.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Patience")]
    pub max_size: u16,

    /// Print the outcome as one line of JSON on stdout.
    #[arg(long)]
    pub json: bool,

    /// Secrets people try to pass as arguments: taken only to be refused without an echo.
    #[arg(long = "personal-api-key", hide = true, num_args = 0.., allow_hyphen_values = true)]
    #[arg(aliases = ["secret-key", "api-key", "api-token", "cloudflare-api-token", "s3-secret-access-key", "aws-secret-access-key"])]
    pub refused_secret: Option<Vec<String>>,
}

/// Refresh a store again and again until told to end; a daemon.
///
/// SIGTERM and SIGINT end it after a refresh in progress, a second one at once. SIGHUP refreshes now.
/// Keys are read from their files again for every refresh. Speaks systemd's notify protocol.
#[derive(Debug, Args)]
#[command(after_help = format!("{RUN_HELP}{EXIT_CODES}"), args_override_self = true)]
pub struct WatchCommand {
    #[command(flatten)]
    pub watch: WatchArguments,

    #[command(flatten)]
    pub run: RunArguments,
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

/// `90s`, `1h 30m`, `500ms`, or `0`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let fix = || "give a time such as 500ms, 30s, 5m or 1h".to_owned();
    let parsed: SignedDuration = text.parse().map_err(|_| fix())?;
    Duration::try_from(parsed).map_err(|_| fix())
}

pub(crate) fn some_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be more than 0".to_owned()),
        time => Ok(time),
    }
}
