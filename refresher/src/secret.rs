//! Keys that must not be seen.

use std::path::Path;
use std::{fs, io};

pub use secrecy::{ExposeSecret, SecretString};

const HIDDEN: &str = "[hidden]";

/// Why a file gives no secret.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read {path}: {error}")]
    Read { path: String, error: io::Error },
    #[error("{path} is empty: write the key into it")]
    Empty { path: String },
}

/// Reads a secret from a file, without the white space around it.
pub fn from_file(path: &Path) -> Result<SecretString, FileError> {
    let name = || path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| FileError::Read { path: name(), error })?;
    match text.trim() {
        "" => Err(FileError::Empty { path: name() }),
        key => Ok(key.into()),
    }
}

/// A text from outside with a secret taken out of it, should a server have echoed it.
#[must_use]
pub fn hide(text: &str, secret: &SecretString) -> String {
    match secret.expose_secret() {
        "" => text.to_owned(),
        secret => text.replace(secret, HIDDEN),
    }
}

/// A text with everything taken out that looks like one of PostHog's secret keys.
#[must_use]
pub fn hide_keys(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["phx_", "phs_"].iter().filter_map(|start| rest.find(start)).min() {
        let (before, key) = rest.split_at(at);
        let end = key.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(key.len());
        out.push_str(before);
        // The bare beginning is how help texts speak of keys.
        out.push_str(if end > "phx_".len() { HIDDEN } else { &key[..end] });
        rest = &key[end..];
    }
    out.push_str(rest);
    out
}
