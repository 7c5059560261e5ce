//! Arguments of the commands that look at stores and steer them.

use std::time::Duration;

use clap::Args;

use super::options::{
    PatienceArguments, StoreArguments, UpstreamArguments, duration, some_duration,
};

/// What these commands have in common.
#[derive(Debug, Args)]
pub struct Common {
    #[command(flatten)]
    pub stores: StoreArguments,

    #[command(flatten)]
    pub patience: PatienceArguments,

    /// Print one line of JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

const STATUS_HELP: &str = "\
Examples:
  refresher status
  refresher status --store kv:0f2ac74b498b48028cb68387c421e279 --interval 5m
  refresher status --max-age 90m --json     # for monitoring: exit code 13 when too old

A pinned snapshot is never too old: it stays by a person's wish, and refreshes do not check it.
When nothing changes, refreshes renew the time of the check once a heartbeat: give --max-age more
than that.

Exit codes: 0 all is well, 8 what is stored cannot be used, 9 the store cannot be read,
12 some stores failed, 13 checked longer ago than --max-age, or nothing is stored";

/// Say what is stored, how old it is, what went wrong last, and what the schedule costs.
#[derive(Debug, Args)]
#[command(after_help = STATUS_HELP)]
pub struct StatusArguments {
    #[command(flatten)]
    pub common: Common,

    /// End with exit code 13 when PostHog last confirmed the snapshot longer ago than this.
    #[arg(long, value_name = "TIME", value_parser = some_duration)]
    pub max_age: Option<Duration>,

    /// How often the refresher runs, for the estimate.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = some_duration, help_heading = "Estimate")]
    pub interval: Duration,

    /// How often the definitions change, for the estimate.
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "Estimate")]
    pub changes_per_day: u32,

    /// As given to run or watch.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration, help_heading = "Estimate")]
    pub heartbeat: Duration,

    /// As given to run or watch.
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Estimate")]
    pub history: u16,

    /// As given to run or watch.
    #[arg(long, value_name = "TIME", value_parser = some_duration, help_heading = "Estimate")]
    pub lease: Option<Duration>,

    /// As given to run or watch.
    #[arg(long, help_heading = "Estimate")]
    pub posthog_node_cache: bool,
}

/// List the versions that can be gone back to, newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  refresher history
  refresher history --store s3://my-bucket/flagpost --json

Exit codes: 0 listed, 9 the store cannot be read, 12 some stores failed")]
pub struct HistoryArguments {
    #[command(flatten)]
    pub common: Common,
}

/// Make an old version what readers read again, and keep refreshes from undoing it.
///
/// The version is opened and checked first. Without a digest it is the one before the current one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  refresher rollback                    # the version before the current one
  refresher rollback 3f9a1c04           # see `refresher history`
  refresher unpin                       # let refreshes go on

Exit codes: 0 done, 8 no such version or one that cannot be used, 9 the store cannot be read,
10 it could not be written, 12 some stores failed")]
pub struct RollbackArguments {
    /// The version's digest or the beginning of it, 6 digits at least.
    #[arg(value_name = "DIGEST")]
    pub digest: Option<String>,

    #[command(flatten)]
    pub common: Common,
}

/// Keep a version, the current one unless another is given, until `refresher unpin`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  refresher pin                         # what is current stays
  refresher pin 3f9a1c04                # as `refresher rollback 3f9a1c04`

Exit codes: as of `refresher rollback`")]
pub struct PinArguments {
    /// The version's digest or the beginning of it, 6 digits at least.
    #[arg(value_name = "DIGEST")]
    pub digest: Option<String>,

    #[command(flatten)]
    pub common: Common,
}

/// Let refreshes change the snapshot again.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  refresher unpin && refresher run      # what PostHog has now is stored again

Exit codes: as of `refresher rollback`")]
pub struct UnpinArguments {
    #[command(flatten)]
    pub common: Common,
}

const DIFF_HELP: &str = "\
Sides:
  none given       what is stored, and what PostHog has now: it is asked, nothing is written
  A                A, and what is stored
  A B              A, and B
  Each is a snapshot, definitions as JSON, or a stored version's digest or its beginning.

Examples:
  refresher diff                        # what would the next refresh change?
  refresher diff 3f9a1c04               # what changed since that version?
  refresher diff old.snapshot new.json --exit-code

Exit codes: 0 compared, whether they differ or not; 14 they differ, with --exit-code;
3 to 7 PostHog gave no answer, 8 one side cannot be used, 9 the store cannot be read,
12 some stores failed";

/// Say what differs between the stored snapshot and PostHog, or between two versions or files.
#[derive(Debug, Args)]
#[command(after_help = DIFF_HELP)]
pub struct DiffArguments {
    /// The older side: a file, or a digest.
    #[arg(value_name = "A")]
    pub before: Option<String>,

    /// The newer side: a file, or a digest.
    #[arg(value_name = "B")]
    pub after: Option<String>,

    /// End with exit code 14 when they differ.
    #[arg(long)]
    pub exit_code: bool,

    #[command(flatten)]
    pub common: Common,

    #[command(flatten)]
    pub upstream: UpstreamArguments,
}

/// Show what a snapshot holds: its header, its sections, its flags.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  refresher inspect                     # what is stored
  refresher inspect flags.snapshot
  refresher inspect 3f9a1c04            # a stored version
  refresher inspect --definitions > definitions.json

Exit codes: 0 shown, 1 the file cannot be read, 8 it is no snapshot or a damaged one, 9 the store
cannot be read, 12 some stores failed")]
pub struct InspectArguments {
    /// A snapshot's file, - for stdin, or a stored version's digest [default: what is stored].
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: Option<String>,

    /// Print the definitions byte for byte, and nothing else.
    #[arg(long, conflicts_with = "json")]
    pub definitions: bool,

    #[command(flatten)]
    pub common: Common,
}

/// Check keys, network, clock and stores, and say how to put right what is wrong.
///
/// Writes nothing but a probe beside the snapshot, and removes it again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  refresher doctor
  refresher doctor --store kv:0f2ac74b498b48028cb68387c421e279 --json

Exit codes: 0 nothing is wrong (✓ and !), otherwise that of the first ✗: 2 settings, 3 to 7
PostHog, 8 what is stored cannot be used, 9 a store cannot be read, 10 it cannot be written")]
pub struct DoctorArguments {
    #[command(flatten)]
    pub common: Common,

    #[command(flatten)]
    pub upstream: UpstreamArguments,
}
