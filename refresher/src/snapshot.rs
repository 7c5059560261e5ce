//! A stored snapshot as the refresher sees it: checked, or known to be damaged.

use flagpost_engine::snapshot::{DEFS, FORMAT, HEAD, Header, Snapshot, Upstream, seal};
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
        Ok(Held { header, bytes: stored.bytes, version: stored.version })
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
        ruleset(Snapshot::open(&self.bytes)?.definitions())
    }

    /// The same snapshot with another `ETag` and time of check. Members and sections that a newer
    /// version wrote stay as they are.
    ///
    /// # Errors
    /// The header is no JSON object, or the parts do not fit a snapshot; neither happens to an
    /// opened one.
    pub fn renewed(&self, etag: Option<&str>, checked_at: Timestamp) -> Result<Vec<u8>, String> {
        let snapshot = Snapshot::open(&self.bytes).map_err(|error| error.to_string())?;
        let mut header: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(snapshot.header_json()).map_err(|error| error.to_string())?;
        match etag {
            Some(etag) => header.insert("etag".to_owned(), etag.into()),
            None => header.remove("etag"),
        };
        header.insert("checked_at".to_owned(), rfc3339(checked_at).into());
        let header = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
        let sections: Vec<_> = snapshot
            .sections()
            .filter_map(|(tag, _)| match tag {
                HEAD => Some((tag, header.as_slice())),
                tag => snapshot.section(tag).map(|body| (tag, body)),
            })
            .collect();
        seal(&sections).map_err(|error| error.to_string())
    }
}

/// Definitions sealed with a header of their own. `upstream` and `etag` are those that sent them.
///
/// # Errors
/// They do not fit a snapshot.
pub fn sealed(
    definitions: &[u8],
    etag: Option<String>,
    upstream: Option<Upstream>,
    at: Timestamp,
) -> Result<Vec<u8>, String> {
    let header = Header {
        format: FORMAT,
        etag,
        digest: digest(definitions),
        fetched_at: rfc3339(at),
        checked_at: rfc3339(at),
        generator: AGENT.to_owned(),
        upstream,
        pinned: false,
        filter: None,
    };
    let header = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
    seal(&[(HEAD, &header), (DEFS, definitions)]).map_err(|error| error.to_string())
}

/// Compiles definitions as the edge will: what this refuses must not be published.
///
/// # Errors
/// [`Error::is_json`] or [`Error::is_shape`].
pub fn ruleset(definitions: &[u8]) -> Result<Ruleset, Error> {
    let host = NativeHost::default();
    let definitions = Definitions::parse(definitions, &host)?;
    Ok(compile(&definitions, &CompileOptions::default(), &host))
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
