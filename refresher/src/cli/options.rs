//! Options that several commands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use crate::filter::Runtime;
use crate::refresh::OnQuota;

/// Everything a refresh can be told.
#[derive(Debug, Args)]
pub struct RefreshArguments {
    #[command(flatten)]
    pub stores: StoreArguments,

    #[command(flatten)]
    pub upstream: UpstreamArguments,

    #[command(flatten)]
    pub policy: PolicyArguments,

    #[command(flatten)]
    pub patience: PatienceArguments,
}

/// Where snapshots are.
#[derive(Debug, Args)]
pub struct StoreArguments {
    /// Where the snapshot is kept, see `refresher run --help`; may be given several times, and every
    /// store is dealt with on its own [default: file:./snapshots].
    #[arg(long = "store", value_name = "URL", help_heading = "Stores")]
    pub stores: Vec<String>,

    /// File that holds the Cloudflare API token, instead of CLOUDFLARE_API_TOKEN.
    #[arg(long, value_name = "PATH", help_heading = "Stores")]
    pub cloudflare_api_token_file: Option<PathBuf>,

    /// File that holds the Convex deploy key, instead of CONVEX_DEPLOY_KEY.
    #[arg(long, value_name = "PATH", help_heading = "Stores")]
    pub convex_deploy_key_file: Option<PathBuf>,

    /// S3 endpoint other than AWS, such as R2's or MinIO's; as AWS_ENDPOINT_URL_S3.
    #[arg(long, value_name = "URL", help_heading = "Stores")]
    pub s3_endpoint: Option<String>,

    /// S3 region; as AWS_REGION.
    #[arg(long, value_name = "REGION", help_heading = "Stores")]
    pub s3_region: Option<String>,

    /// Secrets people try to pass as arguments: taken only to be refused without an echo.
    #[arg(long = "personal-api-key", hide = true, num_args = 0.., allow_hyphen_values = true)]
    #[arg(aliases = ["secret-key", "api-key", "api-token", "cloudflare-api-token", "s3-secret-access-key", "aws-secret-access-key", "convex-deploy-key"])]
    pub refused_secret: Option<Vec<String>>,
}

/// Who is asked for definitions.
#[derive(Debug, Args)]
pub struct UpstreamArguments {
    /// PostHog's address [default: https://us.i.posthog.com; the EU's is https://eu.i.posthog.com].
    #[arg(long, value_name = "URL", help_heading = "PostHog")]
    pub host: Option<String>,

    /// The project's public key (phc_…).
    #[arg(long, value_name = "KEY", help_heading = "PostHog")]
    pub project_key: Option<String>,

    /// File that holds the personal or secret API key, instead of POSTHOG_PERSONAL_API_KEY.
    #[arg(long, value_name = "PATH", help_heading = "PostHog")]
    pub personal_api_key_file: Option<PathBuf>,
}

/// What a refresh may do.
#[derive(Debug, Args)]
pub struct PolicyArguments {
    /// When nothing changed, renew the snapshot's checked-at this often; 0 never writes for that.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration, help_heading = "Policy")]
    pub heartbeat: Duration,

    /// Let an empty list of flags replace a list that was not.
    #[arg(long, help_heading = "Policy")]
    pub allow_empty: bool,

    /// Refuse definitions that lack more than this share of the stored flags (and 3 at least).
    #[arg(long, value_name = "PERCENT", default_value = "50%", value_parser = percent, help_heading = "Policy")]
    pub max_removed: u8,

    /// What a used-up quota (402) does to the snapshot; posthog-node and @posthog/convex clear it.
    #[arg(long, value_name = "WHAT", default_value = "keep", help_heading = "Policy")]
    pub on_quota: OnQuota,

    /// Clear a snapshot that was last checked so long ago when PostHog's cache is cold (503), as
    /// @posthog/convex does after 5m [default: keep it].
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Policy")]
    pub clear_cold_after: Option<Duration>,

    /// Versions kept for a rollback; 0 keeps none.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(..=1000), help_heading = "Policy")]
    pub history: u16,

    /// Keep other refreshers out for this long, or until this one is done; not needed for safety
    /// [default: no lease].
    #[arg(long, value_name = "TIME", value_parser = some_duration, help_heading = "Policy")]
    pub lease: Option<Duration>,

    /// Also write the definitions as a plain posthog-node reads them, under
    /// posthog:flags:PROJECT_KEY.
    #[arg(long, help_heading = "Policy")]
    pub posthog_node_cache: bool,

    /// Store only flags with one of these evaluation contexts or tags, and what they depend on.
    #[arg(long, value_name = "TAG,…", value_delimiter = ',', help_heading = "Policy")]
    pub only_tags: Vec<String>,

    /// Store only flags that are evaluated there, and what they depend on.
    #[arg(long, value_name = "WHERE", help_heading = "Policy")]
    pub runtime: Option<Runtime>,

    /// Store no names and descriptions.
    #[arg(long, help_heading = "Policy")]
    pub drop_names: bool,
}

/// How patient a run is.
#[derive(Debug, Args)]
pub struct PatienceArguments {
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

/// `50%` or `50`.
fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    let parsed = number.parse().ok().filter(|percent| *percent <= 100);
    parsed.ok_or_else(|| "give a share from 0% to 100%".to_owned())
}
