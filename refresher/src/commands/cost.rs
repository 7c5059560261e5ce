//! What a schedule costs in a month: requests, reads and writes, and money at documented prices.
//!
//! A month has 30 days. Storage, and traffic other than requests, are left out: for snapshots of a few
//! MB they come to cents. Readers' own reads are theirs.

use std::time::Duration;

use serde::Serialize;

use crate::report::size;

/// Seconds of a month.
const MONTH: f64 = 30.0 * DAY;
const DAY: f64 = 86_400.0;

/// One answer with definitions counts as so many requests, and one that nothing changed (304) as none:
/// `rust/feature-flags/src/api/flag_definitions.rs` and `docs/internal/feature-flags/billing.md` of
/// github.com/PostHog/posthog, read in November 2026. Versions from before counted a 304 as well.
const WEIGHT: f64 = 10.0;
/// Requests and the price of one in dollars, cheaper and cheaper; the first million is free.
/// https://posthog.com/docs/feature-flags/cutting-costs, read in November 2026.
const POSTHOG: [(f64, f64); 5] =
    [(1e6, 0.0), (1e6, 0.000_1), (8e6, 0.000_045), (40e6, 0.000_025), (f64::INFINITY, 0.000_01)];
/// Requests for definitions a minute that PostHog answers for one project; ten times as many if they
/// name an etag. `FLAG_DEFINITIONS_DEFAULT_RATE_PER_MINUTE` of the same source.
const POSTHOG_A_MINUTE: f64 = 600.0;

/// Workers KV: https://developers.cloudflare.com/kv/platform/pricing/, read in November 2026. Free
/// plan, a day; paid plan, a month, and dollars for each million more.
const KV_FREE_READS: f64 = 100_000.0;
const KV_FREE_WRITES: f64 = 1_000.0;
const KV_READS: (f64, f64) = (10e6, 0.50);
const KV_WRITES: (f64, f64) = (1e6, 5.00);
/// Requests to Cloudflare's API in five minutes:
/// https://developers.cloudflare.com/fundamentals/api/reference/limits/.
const KV_IN_5_MINUTES: f64 = 1_200.0;

/// S3 Standard in us-east-1, dollars for a million: https://aws.amazon.com/s3/pricing/. Deleting is free.
const S3_READS: (f64, f64) = (0.0, 0.40);
const S3_WRITES: (f64, f64) = (0.0, 5.00);
/// R2: https://developers.cloudflare.com/r2/pricing/, read in November 2026. Deleting is free.
const R2_READS: (f64, f64) = (10e6, 0.36);
const R2_WRITES: (f64, f64) = (1e6, 4.50);

/// Function calls a month that every Convex plan includes:
/// https://docs.convex.dev/production/state/limits, read in November 2026.
const CONVEX_CALLS: f64 = 1e6;

/// How the refresher runs.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    pub interval: Duration,
    /// `None` never renews.
    pub heartbeat: Option<Duration>,
    pub changes_per_day: u32,
    /// Whether versions are kept; for as many as there may be, so that each new one ends another.
    pub history: bool,
    pub lease: bool,
    pub node_cache: bool,
    /// Whether PostHog is asked with an etag.
    pub etag: bool,
}

/// What became of a run, as far as its cost goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Nothing changed, and nothing was due.
    Unchanged,
    /// Nothing changed, and the time of the check was renewed.
    Renewed,
    /// New definitions were stored.
    Changed,
}

/// What is asked of a store. Every write names what it expects to replace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    pub reads: u32,
    pub writes: u32,
    pub removes: u32,
}

impl Schedule {
    /// What one run asks of a store, whose versions are known to its history.
    #[must_use]
    pub fn calls(&self, run: Run) -> Calls {
        let (mut reads, mut writes, mut removes) = match run {
            Run::Unchanged => (1, 0, 0),
            // Written, and read back.
            Run::Renewed | Run::Changed => (2, 1, 0),
        };
        if self.history && run == Run::Changed {
            // The list is read before and after; a version and the list are written; one too many goes.
            reads += 2;
            writes += 2;
            removes += 1;
        }
        if self.lease {
            // Looked at, taken, read back; looked at again, and given back.
            reads += 3;
            writes += 1;
            removes += 1;
        }
        if self.node_cache {
            reads += 1;
            if run == Run::Changed {
                // What is stored by then is read again before, the cache itself read back after.
                reads += 2;
                writes += 1;
            }
        }
        Calls { reads, writes, removes }
    }

    /// How many runs there are of each kind in a month.
    fn runs(&self) -> [(Run, f64); 3] {
        let all = MONTH / self.interval.as_secs_f64();
        let changed = all.min(f64::from(self.changes_per_day) * 30.0);
        let due = self.heartbeat.map_or(0.0, |time| MONTH / time.as_secs_f64());
        let renewed = due.min(all - changed);
        [
            (Run::Unchanged, all - changed - renewed),
            (Run::Renewed, renewed),
            (Run::Changed, changed),
        ]
    }

    fn total(&self, of: impl Fn(Calls) -> u32) -> f64 {
        self.runs().iter().map(|(run, count)| count * f64::from(of(self.calls(*run)))).sum()
    }

    /// What PostHog is asked in a month.
    #[must_use]
    pub fn upstream(&self, definitions: usize) -> Upstream {
        let [.., (_, changed)] = self.runs();
        let requests = MONTH / self.interval.as_secs_f64();
        let whole = if self.etag { changed } else { requests };
        Upstream {
            requests: requests.round() as u64,
            with_definitions: whole.round() as u64,
            bytes: (whole * definitions as f64) as u64,
            billed: (whole * WEIGHT).round() as u64,
            dollars: cents(tiers(whole * WEIGHT)),
            warnings: match 60.0 / self.interval.as_secs_f64() {
                rate if rate > POSTHOG_A_MINUTE => {
                    vec![format!(
                        "{} requests a minute are more than the {POSTHOG_A_MINUTE} that posthog answers: raise --interval",
                        grouped(rate.round() as u64)
                    )]
                }
                _ => Vec::new(),
            },
        }
    }

    /// What a store is asked in a month, by the beginning of its address.
    #[must_use]
    pub fn store(&self, address: &str) -> Store {
        let mut reads = self.total(|calls| calls.reads);
        let (writes, removes) =
            (self.total(|calls| calls.writes), self.total(|calls| calls.removes));
        let mut warnings = Vec::new();
        let mut prices = Vec::new();
        match address.split(':').next() {
            Some("kv") => {
                // KV compares nothing by itself: what is expected is read before each write.
                reads += writes;
                let dollars =
                    above(reads, KV_READS) + above(writes, KV_WRITES) + above(removes, KV_WRITES);
                prices.push(Price::new("paid plan, beyond its base", dollars));
                kv_limits(self, reads, writes, removes, &mut warnings);
            }
            Some("s3") => {
                prices.push(Price::new("S3", above(reads, S3_READS) + above(writes, S3_WRITES)));
                prices.push(Price::new("R2", above(reads, R2_READS) + above(writes, R2_WRITES)));
            }
            Some("convex") => {
                let calls = reads + writes + removes;
                if calls > CONVEX_CALLS {
                    warnings.push(format!(
                        "{} function calls are more than the {} a month that every plan includes, see convex.dev/pricing",
                        grouped(calls.round() as u64),
                        grouped(CONVEX_CALLS as u64)
                    ));
                } else {
                    prices.push(Price::new("within every plan's function calls", 0.0));
                }
            }
            _ => {}
        }
        let [reads, writes, removes] = [reads, writes, removes].map(|count| count.round() as u64);
        Store { reads, writes, removes, prices, warnings }
    }
}

fn kv_limits(
    schedule: &Schedule,
    reads: f64,
    writes: f64,
    removes: f64,
    warnings: &mut Vec<String>,
) {
    for (what, count, limit) in [
        ("writes", writes / 30.0, KV_FREE_WRITES),
        ("deletes", removes / 30.0, KV_FREE_WRITES),
        ("reads", reads / 30.0, KV_FREE_READS),
    ] {
        if count > limit {
            let fix = match schedule.lease {
                true => "raise --interval, or do without --lease, or take the paid plan",
                false => "raise --interval or --heartbeat, or take the paid plan",
            };
            warnings.push(format!(
                "{} {what} a day are more than the {} of Workers KV's free plan: {fix}",
                grouped(count.round() as u64),
                grouped(limit as u64)
            ));
        }
    }
    let in_5_minutes = (reads + writes + removes) / MONTH * 300.0;
    if in_5_minutes > KV_IN_5_MINUTES {
        warnings.push(format!(
            "{} requests in 5 minutes are more than the {} that cloudflare's API answers: raise --interval",
            grouped(in_5_minutes.round() as u64),
            grouped(KV_IN_5_MINUTES as u64)
        ));
    }
}

/// What PostHog is asked in a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upstream {
    pub requests: u64,
    pub with_definitions: u64,
    /// Of definitions, before compression.
    pub bytes: u64,
    /// Feature flag requests on the bill.
    pub billed: u64,
    pub dollars: f64,
    pub warnings: Vec<String>,
}

impl Upstream {
    /// For people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        vec![
            format!(
                "PostHog: {} requests, {} answered with definitions ({})",
                grouped(self.requests),
                grouped(self.with_definitions),
                size(usize::try_from(self.bytes).unwrap_or(usize::MAX))
            ),
            "  a 304 does not count; definitions count as 10 feature flag requests:".to_owned(),
            format!("  {} of 1,000,000 free, ${:.2}", grouped(self.billed), self.dollars),
        ]
    }
}

/// What a store is asked in a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Store {
    pub reads: u64,
    pub writes: u64,
    pub removes: u64,
    pub prices: Vec<Price>,
    pub warnings: Vec<String>,
}

impl Store {
    /// For people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let prices: Vec<_> =
            self.prices.iter().map(|price| format!("{} ${:.2}", price.of, price.dollars)).collect();
        let mut lines = vec![format!(
            "store: {} reads, {} writes, {} deletes",
            grouped(self.reads),
            grouped(self.writes),
            grouped(self.removes)
        )];
        if !prices.is_empty() {
            lines.push(format!("  {}", prices.join(", ")));
        }
        lines
    }
}

/// Dollars a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Price {
    pub of: &'static str,
    pub dollars: f64,
}

impl Price {
    fn new(of: &'static str, dollars: f64) -> Self {
        Price { of, dollars: cents(dollars) }
    }
}

/// The price of what goes beyond the included amount, at dollars for a million.
fn above(count: f64, (included, per_million): (f64, f64)) -> f64 {
    (count - included).max(0.0) / 1e6 * per_million
}

fn tiers(mut count: f64) -> f64 {
    let mut dollars = 0.0;
    for (of, price) in POSTHOG {
        let part = count.min(of);
        dollars += part * price;
        count -= part;
    }
    dollars
}

fn cents(dollars: f64) -> f64 {
    (dollars * 100.0).round() / 100.0
}

/// `43,200`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(interval: u64) -> Schedule {
        Schedule {
            interval: Duration::from_secs(interval),
            heartbeat: Some(Duration::from_secs(3600)),
            changes_per_day: 20,
            history: true,
            lease: false,
            node_cache: false,
            etag: true,
        }
    }

    #[test]
    fn a_month_of_minutes_is_counted_by_hand() {
        let upstream = every(60).upstream(1000);
        assert_eq!((upstream.requests, upstream.with_definitions), (43_200, 600));
        assert_eq!((upstream.bytes, upstream.billed, upstream.dollars), (600_000, 6_000, 0.0));
        // 41,880 runs read once, 720 renew (2 reads, 1 write), 600 change (4 reads, 3 writes).
        let file = every(60).store("file:x");
        assert_eq!((file.reads, file.writes, file.removes), (45_720, 2_520, 600));
        assert!(file.prices.is_empty() && file.warnings.is_empty());
        // Each write reads what it replaces.
        let kv = every(60).store("kv:x");
        assert_eq!((kv.reads, kv.writes, kv.warnings), (48_240, 2_520, vec![]));
        let s3 = every(60).store("s3://x");
        assert_eq!((s3.prices[0].dollars, s3.prices[1].dollars), (0.03, 0.0));
    }

    #[test]
    fn without_an_etag_every_run_counts_ten_times() {
        let upstream = Schedule { etag: false, ..every(15) }.upstream(1000);
        assert_eq!(upstream.billed, 1_728_000);
        assert_eq!(upstream.dollars, 72.8);
        assert_eq!(cents(tiers(60e6)), 100.0 + 360.0 + 1000.0 + 100.0);
    }

    #[test]
    fn schedules_beyond_a_limit_are_warned_of() {
        let lease = Schedule { lease: true, ..every(60) };
        assert!(lease.store("kv:x").warnings[0].contains("1,524 writes a day"));
        assert!(every(86_400).store("kv:x").warnings.is_empty());
        let busy = Schedule { changes_per_day: 400, ..every(60) };
        assert!(busy.store("kv:x").warnings[0].contains("more than the 1,000 of Workers KV"));
        let fast = Schedule { interval: Duration::from_millis(50), ..every(60) };
        assert!(fast.upstream(1).warnings[0].contains("1,200 requests a minute"));
        assert!(fast.store("kv:x").warnings.iter().any(|text| text.contains("in 5 minutes")));
        assert!(fast.store("convex:x").warnings[0].contains("function calls"));
    }
}
