//! Versions of a store by the beginning of their digest.

use super::{Trouble, time};
use crate::history::{Entry, History};
use crate::outcome::Exit;
use crate::report::{count, printable};
use crate::snapshot::{Held, hex, short};

/// Fewest digits that name a version.
const FEWEST: usize = 6;
/// Most versions named in a message.
const NAMED: usize = 10;

/// The digits of a digest or of its beginning, `None` for anything else.
pub(super) fn prefix(text: &str) -> Option<String> {
    let digits = hex(text.trim()).to_ascii_lowercase();
    let fits = (FEWEST..=64).contains(&digits.len());
    (fits && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
}

/// The digest of the version that a prefix names: one of the list, the current one, or, spelled out,
/// any.
pub(super) fn find(
    history: &History,
    current: Option<&Held>,
    wanted: &str,
) -> Result<String, Trouble> {
    let invalid = |text: String| Err((Exit::Invalid, text));
    let Some(digits) = prefix(wanted) else {
        // Without the text: it may be anything, a secret too.
        return invalid(format!(
            "what was given is no version: give the first {FEWEST} digits of its digest or more, as `refresher history` shows them"
        ));
    };
    let mut found: Vec<&str> = digests(history, current)
        .into_iter()
        .filter(|digest| hex(digest).starts_with(&digits))
        .collect();
    found.dedup();
    match found.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] if digits.len() == 64 => Ok(format!("sha256:{digits}")),
        [] => invalid(format!("no version begins with {digits}{}", known(history))),
        several => {
            let several: Vec<_> = several.iter().map(|digest| short(digest)).collect();
            invalid(format!(
                "{} begin with {digits}, give more digits: {}",
                count(several.len(), "version"),
                several.join(", ")
            ))
        }
    }
}

/// The version that was current before the current one.
pub(super) fn before<'a>(
    history: &'a History,
    current: Option<&Held>,
) -> Result<&'a Entry, Trouble> {
    let digest = current.map(|held| held.header.digest.as_str());
    let place = history.versions.iter().position(|known| Some(known.digest.as_str()) == digest);
    let next = place.map_or(0, |place| place + 1);
    history.versions.get(next).ok_or_else(|| {
        let text = "there is no version before the current one";
        (Exit::Invalid, format!("{text}{}", known(history)))
    })
}

fn digests<'a>(history: &'a History, current: Option<&'a Held>) -> Vec<&'a str> {
    let listed = history.versions.iter().map(|entry| entry.digest.as_str());
    let mut all: Vec<_> = listed.chain(current.map(|held| held.header.digest.as_str())).collect();
    all.sort_unstable();
    all
}

/// What there is to choose from.
fn known(history: &History) -> String {
    let shown: Vec<_> = history
        .versions
        .iter()
        .take(NAMED)
        .map(|entry| format!("{} ({})", printable(short(&entry.digest)), time(&entry.stored_at)))
        .collect();
    match shown.as_slice() {
        [] => ": the store keeps no versions".to_owned(),
        shown => format!("; there are {}", shown.join(", ")),
    }
}
