//! The publish gate, in the words of the command line.

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::publish::{self, Incoming, Refused, Spelling, Stored};

use super::fresh::{Checked, Fresh};
use super::{Policy, Refusal};
use crate::outcome::{Reason, Status};
use crate::snapshot::Held;

const SPELLING: Spelling =
    Spelling { allow_empty: "--allow-empty", max_removed: "--max-removed", force: "--force" };

/// Whether definitions may replace what a store holds: a snapshot, or a damaged one. Says what the
/// evaluator made of them.
pub(super) fn pass<'a>(
    policy: &Policy,
    held: Option<&Held>,
    damaged: bool,
    fresh: &'a Fresh,
) -> Result<&'a Checked, Refusal> {
    let checked = fresh.checked().map_err(Clone::clone)?;
    let stored = match held {
        Some(held) => Stored::Good {
            definitions: held.definitions(),
            same_project: held.header.upstream == fresh.origin.upstream,
        },
        None if damaged => Stored::Damaged,
        None => Stored::Nothing,
    };
    let Policy { allow_empty, max_removed, force, .. } = *policy;
    let incoming = Incoming {
        definitions: &fresh.definitions,
        keys: &checked.ruleset.flag_keys(),
        cleared: fresh.cleared.is_some(),
    };
    let policy = publish::Policy { allow_empty, max_removed, force };
    match publish::gate(policy, SPELLING, stored, incoming, &NativeHost::default()) {
        Ok(()) => Ok(checked),
        Err(publish::Refusal { reason, text }) => {
            let reason = match reason {
                Refused::Empty => Reason::EmptyRefused,
                Refused::MassDeletion => Reason::MassDeletion,
                Refused::Older => Reason::Older,
            };
            Err(Refusal::new(Status::Stale, reason, text))
        }
    }
}
