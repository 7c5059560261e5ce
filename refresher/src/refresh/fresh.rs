//! Definitions that upstream just called current.

use std::sync::OnceLock;

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::publish::NO_FLAGS;
use flagpost_engine::{Answer, Context, Evaluator, Reason as Undecided, Ruleset, User};
use jiff::Timestamp;
use tracing::info;

use super::{Job, Refusal};
use crate::clock::rfc3339;
use crate::outcome::{Reason, Status};
use crate::report::{Report, Undecidable, size};
use crate::snapshot::{self, Held, Origin};

/// Definitions, and where they come from. Checked when they are first to be written.
pub(super) struct Fresh {
    pub(super) definitions: Vec<u8>,
    pub(super) digest: String,
    pub(super) origin: Origin,
    /// When upstream was asked.
    pub(super) at: Timestamp,
    /// Why a policy put these in the place of definitions that did not come.
    pub(super) cleared: Option<Reason>,
    checked: OnceLock<Result<Checked, Refusal>>,
}

/// What the evaluator makes of definitions.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) ruleset: Ruleset,
    undecidable: Vec<Undecidable>,
}

impl Fresh {
    /// What a 200 brought, less what the filter leaves out.
    pub(super) fn received(
        job: &Job,
        body: Vec<u8>,
        etag: Option<String>,
        at: Timestamp,
    ) -> Result<Fresh, Refusal> {
        let filter = &job.policy.filter;
        let mut checked = OnceLock::new();
        let definitions = match filter.is_none() {
            true => body,
            false => {
                // As it came, so that what is refused is what PostHog sent.
                let whole = check(&body)?;
                let kept = filter.apply(&body).map_err(|error| {
                    let text = format!("what posthog sent cannot be filtered: {error}");
                    Refusal::new(Status::Error, Reason::InvalidShape, text)
                })?;
                if kept == body {
                    checked = OnceLock::from(Ok(whole));
                }
                kept
            }
        };
        let fetched_at = rfc3339(at);
        Ok(Fresh {
            digest: snapshot::digest(&definitions),
            definitions,
            origin: Origin {
                upstream: Some(job.upstream.identity().clone()),
                etag,
                checked_at: fetched_at.clone(),
                fetched_at,
                filter: filter.canonical(),
            },
            at,
            cleared: None,
            checked,
        })
    }

    /// What a 304 said of a snapshot's definitions. The answer may carry another etag.
    pub(super) fn confirmed(held: &Held, etag: Option<String>, at: Timestamp) -> Fresh {
        let header = &held.header;
        Fresh {
            definitions: held.definitions().to_vec(),
            digest: header.digest.clone(),
            origin: Origin {
                upstream: header.upstream.clone(),
                etag: etag.or_else(|| header.etag.clone()),
                fetched_at: header.fetched_at.clone(),
                checked_at: rfc3339(at),
                filter: header.filter.clone(),
            },
            at,
            cleared: None,
            checked: OnceLock::new(),
        }
    }

    /// No flags, because a policy wants it so. Without an etag: the next answer is a whole one.
    pub(super) fn cleared(job: &Job, reason: Reason, at: Timestamp) -> Fresh {
        let checked_at = rfc3339(at);
        Fresh {
            definitions: NO_FLAGS.to_vec(),
            digest: snapshot::digest(NO_FLAGS),
            origin: Origin {
                upstream: Some(job.upstream.identity().clone()),
                etag: None,
                fetched_at: checked_at.clone(),
                checked_at,
                filter: job.policy.filter.canonical(),
            },
            at,
            cleared: Some(reason),
            checked: OnceLock::new(),
        }
    }

    /// Whether these are the definitions that a snapshot holds, from the same upstream.
    pub(super) fn is_held(&self, held: &Held) -> bool {
        held.header.digest == self.digest
            && held.header.upstream == self.origin.upstream
            && held.header.filter == self.origin.filter
    }

    /// What the evaluator makes of them, compiled once however many stores want to know.
    pub(super) fn checked(&self) -> Result<&Checked, &Refusal> {
        self.checked.get_or_init(|| check(&self.definitions)).as_ref()
    }

    /// Adds what is known of them to a report.
    pub(super) fn describe(&self, report: Report) -> Report {
        match self.checked.get() {
            Some(Ok(checked)) => Report {
                flags: Some(checked.ruleset.len()),
                problems: checked.ruleset.problems(),
                undecidable: checked.undecidable.clone(),
                ..report
            },
            _ => report,
        }
    }
}

fn check(definitions: &[u8]) -> Result<Checked, Refusal> {
    let ruleset = snapshot::ruleset(definitions).map_err(|error| {
        let reason = if error.is_json() { Reason::ParseFailed } else { Reason::InvalidShape };
        let length = size(definitions.len());
        let text = format!("posthog answered 200 with {length}, not definitions: {error}");
        Refusal::new(Status::Error, reason, text)
    })?;
    for problem in ruleset.problems() {
        info!("definitions: {problem}");
    }
    Ok(Checked { undecidable: undecidable(&ruleset), ruleset })
}

/// Flags that stay undecided for a user of whom nothing is known, for another reason than that.
pub(crate) fn undecidable(ruleset: &Ruleset) -> Vec<Undecidable> {
    let host = NativeHost::default();
    let context = Context::new(ruleset, &User::default(), &host);
    let ids: Vec<_> = ruleset.flag_ids().collect();
    let answers = Evaluator::new(context).flags(ruleset, &ids, &host, 0.0);
    let keys = ruleset.flag_keys().into_iter();
    keys.zip(answers)
        .filter_map(|(key, answer)| match answer {
            Answer::Unresolved(Undecided::MissingContext) | Answer::Value { .. } => None,
            Answer::Unresolved(reason) => {
                Some(Undecidable { key: key.to_str_lossy().into_owned(), reason: reason.as_str() })
            }
        })
        .collect()
}
