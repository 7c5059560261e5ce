//! A stored snapshot as the refresher sees it: checked, or known to be damaged.

use std::ops::Range;

use flagpost_engine::publish::{self, resealed};
use flagpost_engine::snapshot::{DEFS, FORMAT, Header, Snapshot, Upstream};
use flagpost_engine::{CompileOptions, Definitions, Error, Ruleset, compile, ecma::NativeHost};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::clock::rfc3339;
use crate::http::AGENT;
use crate::store::{Stored, Version};

/// A good snapshot out of a store.
#[derive(Debug, Clone)]
pub struct Held {
    pub header: Header,
    pub bytes: Vec<u8>,
    pub version: Version,
    /// Where the definitions lie in `bytes`.
    definitions: Range<usize>,
}

impl Held {
    /// Checks what a store gave: whole, and holding the definitions its header names.
    ///
    /// # Errors
    /// What is wrong with it, as text.
    pub fn open(stored: Stored) -> Result<Held, String> {
        let snapshot = Snapshot::open(&stored.bytes).map_err(|error| error.to_string())?;
        let header = snapshot.header().map_err(|error| error.to_string())?;
        let found = digest(snapshot.definitions());
        if header.digest != found {
            return Err(format!(
                "its header names {}, and its definitions are {}",
                short(&header.digest),
                short(&found)
            ));
        }
        let definitions = snapshot.range(DEFS).unwrap_or_default();
        Ok(Held { header, bytes: stored.bytes, version: stored.version, definitions })
    }

    /// The same of a snapshot that is in no store.
    ///
    /// # Errors
    /// As [`Held::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Held, String> {
        Held::open(Stored { bytes, version: Version(String::new()) })
    }

    /// The definitions' `ETag`, if this upstream gave it.
    #[must_use]
    pub fn etag_from(&self, upstream: &Upstream) -> Option<&str> {
        let same = self.header.upstream.as_ref() == Some(upstream);
        self.header.etag.as_deref().filter(|etag| same && !etag.is_empty())
    }

    /// Its definitions, compiled.
    ///
    /// # Errors
    /// This build cannot read them.
    pub fn ruleset(&self) -> Result<Ruleset, Error> {
        ruleset(self.definitions())
    }

    /// The same snapshot with another `ETag` and time of check.
    ///
    /// # Errors
    /// As [`Held::with_header`].
    pub fn renewed(&self, etag: Option<&str>, checked_at: Timestamp) -> Result<Vec<u8>, String> {
        self.with_header(|header| {
            match etag {
                Some(etag) => header.insert("etag".to_owned(), etag.into()),
                None => header.remove("etag"),
            };
            header.insert("checked_at".to_owned(), rfc3339(checked_at).into());
        })
    }

    /// The same snapshot, to be kept by refreshes or no longer.
    ///
    /// # Errors
    /// As [`Held::with_header`].
    pub fn pinned(&self, pinned: bool) -> Result<Vec<u8>, String> {
        self.with_header(|header| match pinned {
            true => drop(header.insert("pinned".to_owned(), true.into())),
            false => drop(header.remove("pinned")),
        })
    }

    /// The same snapshot with another header, and compiled anew unless this version compiled it: what was
    /// mended in the compiler reaches the edge although no flag changes. Members and other sections that
    /// another version wrote stay as they are.
    ///
    /// # Errors
    /// The header is no JSON object, or the parts do not fit a snapshot; neither happens to an
    /// opened one.
    fn with_header(
        &self,
        change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
    ) -> Result<Vec<u8>, String> {
        let snapshot = Snapshot::open(&self.bytes).map_err(|error| error.to_string())?;
        let mut header: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(snapshot.header_json()).map_err(|error| error.to_string())?;
        change(&mut header);
        header.insert("generator".to_owned(), AGENT.into());
        let header = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
        resealed(&snapshot, &header, &self.header.generator, &NativeHost::default())
            .map_err(|error| error.to_string())
    }

    /// Its definitions.
    #[must_use]
    pub fn definitions(&self) -> &[u8] {
        self.bytes.get(self.definitions.clone()).unwrap_or_default()
    }
}

/// Where definitions come from: what a header says beside their digest.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    pub upstream: Option<Upstream>,
    pub etag: Option<String>,
    /// RFC 3339.
    pub fetched_at: String,
    /// RFC 3339.
    pub checked_at: String,
    pub filter: Option<String>,
}

/// Definitions sealed with a header, and compiled if they can be.
///
/// # Errors
/// They do not fit a snapshot.
pub fn sealed(definitions: &[u8], origin: Origin) -> Result<Vec<u8>, String> {
    let ruleset = ruleset(definitions).ok();
    sealed_as(definitions, digest(definitions), ruleset.as_ref(), origin)
}

/// Definitions whose digest is known, sealed with a header and what they were compiled to.
///
/// # Errors
/// As [`sealed`].
pub(crate) fn sealed_as(
    definitions: &[u8],
    digest: String,
    ruleset: Option<&Ruleset>,
    origin: Origin,
) -> Result<Vec<u8>, String> {
    let Origin { upstream, etag, fetched_at, checked_at, filter } = origin;
    let header = Header {
        format: FORMAT,
        etag,
        digest,
        fetched_at,
        checked_at,
        generator: AGENT.to_owned(),
        upstream,
        pinned: false,
        filter,
    };
    let header = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
    publish::sealed(&header, ruleset.map(Ruleset::bytes), definitions)
        .map_err(|error| error.to_string())
}

/// Compiles definitions as the edge will: what this refuses must not be published.
///
/// # Errors
/// [`Error::is_json`] or [`Error::is_shape`].
pub fn ruleset(definitions: &[u8]) -> Result<Ruleset, Error> {
    let host = NativeHost::default();
    let definitions = Definitions::parse(definitions, &host)?;
    compile(&definitions, &CompileOptions::default(), &host)
}

/// `sha256:` and 64 hex digits.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let hex = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("sha256:{hex}")
}

/// A digest short enough for a line of text: `sha256:` and 12 digits.
#[must_use]
pub fn short(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

/// The 64 digits of a digest, by which a version is kept.
#[must_use]
pub fn hex(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use flagpost_engine::snapshot::{CODE, HEAD, seal};

    use super::*;

    const ON: &[u8] = br#"{"flags":[{"key":"a","active":true,"filters":{"groups":[{}]}}]}"#;
    const OFF: &[u8] = br#"{"flags":[{"key":"a","active":false,"filters":{"groups":[{}]}}]}"#;

    /// Definitions beside what others were compiled to, by a refresher of this name.
    fn held(generator: &str) -> Held {
        let ruleset = ruleset(OFF).unwrap();
        let bytes = sealed_as(ON, digest(ON), Some(&ruleset), Origin::default()).unwrap();
        let snapshot = Snapshot::open(&bytes).unwrap();
        let header = String::from_utf8(snapshot.header_json().to_vec()).unwrap();
        let header = header.replace(AGENT, generator);
        let sections =
            [(HEAD, header.as_bytes()), (CODE, ruleset.bytes()), (DEFS, snapshot.definitions())];
        Held::from_bytes(seal(&sections).unwrap()).unwrap()
    }

    fn compiled(bytes: &[u8]) -> Vec<u8> {
        Snapshot::open(bytes).unwrap().ruleset(&[]).unwrap().unwrap().bytes().to_vec()
    }

    #[test]
    fn what_another_version_compiled_is_compiled_anew_and_what_this_one_did_is_kept() {
        let [on, off] = [ON, OFF].map(|definitions| ruleset(definitions).unwrap().bytes().to_vec());
        assert_ne!(on, off);
        let renewed = |held: &Held| held.renewed(None, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(compiled(&renewed(&held(AGENT))), off);
        let anew = renewed(&held("flagpost-refresher/0.0.1"));
        assert_eq!(compiled(&anew), on);
        assert_eq!(Held::from_bytes(anew).unwrap().header.generator, AGENT);
    }
}
