//! The stored form of definitions: a header, a compiled ruleset, the exact definitions, and room for more
//! sections.
//!
//! Layout, little-endian:
//!
//! ```text
//! 0   8   magic "FLAGPOST"
//! 8   4   number of sections N
//! 12  16N section table: tag (4 ASCII bytes), reserved (4 zero bytes), offset u32, length u32
//! …       the sections, in table order, each right behind the one before; CODE ends with 8 bytes, the
//!         xxHash64 (seed 0) of everything before them
//! end-8   xxHash64 (seed 0) of everything before it
//! ```
//!
//! This container never changes and `DEFS` is always there, so every reader can use every snapshot:
//! a reader skips tags it does not know, and what a later version adds goes into a section of its own. The
//! checksums find damage; they are no signatures.
//!
//! The header and `CODE` come first and have a checksum of their own, so that a reader at the edge need not
//! look at the definitions, which are longer: see [`Snapshot::ruleset`].

use std::ops::Range;

use xxhash_rust::xxh64::xxh64;

use crate::error::Error;
use crate::ruleset::Ruleset;

const MAGIC: &[u8; 8] = b"FLAGPOST";
const ENTRY: usize = 16;
const CHECKSUM: usize = 8;
const MAX_SECTIONS: usize = 64;

/// The header: JSON text, an object (see [`Header`] behind the `native` feature).
pub const HEAD: [u8; 4] = *b"HEAD";
/// The compiled ruleset: see `ruleset/layout.rs`.
pub const CODE: [u8; 4] = *b"CODE";
/// The definitions, byte for byte as PostHog sent them.
pub const DEFS: [u8; 4] = *b"DEFS";

/// A snapshot's contents, borrowed from its bytes.
#[derive(Clone, Debug)]
pub struct Snapshot<'a> {
    bytes: &'a [u8],
    sections: Vec<([u8; 4], Range<usize>)>,
}

/// Whether bytes begin like a snapshot; anything else may be definitions as JSON.
#[must_use]
pub fn is_snapshot(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Writes sections into one snapshot, and behind [`CODE`] its checksum. Lengths and offsets are 32 bits: 4 GiB in all.
///
/// # Errors
/// More than 64 sections, or more than 4 GiB.
pub fn seal(sections: &[([u8; 4], &[u8])]) -> Result<Vec<u8>, Error> {
    let start = MAGIC.len() + 4 + sections.len() * ENTRY;
    let length = |tag, body: &[u8]| body.len() + if tag == CODE { CHECKSUM } else { 0 };
    let lengths = sections.iter().map(|(tag, body)| length(*tag, body));
    let total = lengths.clone().sum::<usize>() + start + CHECKSUM;
    if sections.len() > MAX_SECTIONS || u32::try_from(total).is_err() {
        return Err(Error::damaged(format!(
            "a snapshot holds at most {MAX_SECTIONS} sections and 4 GiB, not {} and {total} bytes",
            sections.len()
        )));
    }
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&(sections.len() as u32).to_le_bytes());
    let mut offset = start;
    for ((tag, _), length) in sections.iter().zip(lengths) {
        out.extend_from_slice(tag);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(offset as u32).to_le_bytes());
        out.extend_from_slice(&(length as u32).to_le_bytes());
        offset += length;
    }
    for (tag, body) in sections {
        out.extend_from_slice(body);
        if *tag == CODE {
            out.extend_from_slice(&xxh64(&out, 0).to_le_bytes());
        }
    }
    out.extend_from_slice(&xxh64(&out, 0).to_le_bytes());
    Ok(out)
}

impl<'a> Snapshot<'a> {
    /// Checks the bytes and finds the sections.
    ///
    /// # Errors
    /// [`Error::is_damaged`] when the bytes are not a whole snapshot as it was sealed.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        let damaged = |what: &str| {
            Error::damaged(format!(
                "the snapshot is damaged ({what}): write it again with `refresher run`"
            ))
        };
        if !is_snapshot(bytes) {
            return Err(damaged("it does not begin with FLAGPOST"));
        }
        let end = bytes.len().saturating_sub(CHECKSUM);
        let (sealed, checksum) = bytes.split_at_checked(end).ok_or_else(|| damaged("cut short"))?;
        let mut reader = Reader(sealed.get(MAGIC.len()..).unwrap_or_default());
        let count = reader.u32().ok_or_else(|| damaged("cut short"))? as usize;
        if xxh64(sealed, 0).to_le_bytes() != checksum {
            return Err(damaged("its checksum does not match"));
        }
        if count > MAX_SECTIONS {
            return Err(damaged("too many sections"));
        }
        let mut sections = Vec::with_capacity(count);
        let mut next = MAGIC.len() + 4 + count * ENTRY;
        for _ in 0..count {
            let entry = reader.entry().ok_or_else(|| damaged("cut short"))?;
            let (tag, offset, length) = entry;
            let range = offset..offset.saturating_add(length);
            if range.start != next || range.end > sealed.len() {
                return Err(damaged("a section lies outside it"));
            }
            next = range.end;
            sections.push((tag, range));
        }
        if next != sealed.len() {
            return Err(damaged("bytes behind the last section"));
        }
        let snapshot = Snapshot { bytes, sections };
        if snapshot.section(DEFS).is_none() || snapshot.section(HEAD).is_none() {
            return Err(damaged("no header or no definitions in it"));
        }
        Ok(snapshot)
    }

    /// A section's bytes by its tag, without the checksum behind [`CODE`].
    #[must_use]
    pub fn section(&self, tag: [u8; 4]) -> Option<&'a [u8]> {
        let section = self.bytes.get(self.range(tag)?)?;
        if tag == CODE {
            section.split_last_chunk::<CHECKSUM>().map(|(body, _)| body)
        } else {
            Some(section)
        }
    }

    /// The compiled ruleset, if there is one, checked as the edge checks it.
    ///
    /// # Errors
    /// See [`Ruleset::open`].
    pub fn ruleset(&self, evaluation_contexts: &[String]) -> Option<Result<Ruleset, Error>> {
        let Range { start, end } = self.range(CODE)?;
        let sealed = self.bytes.get(..end)?.to_vec();
        Some(Ruleset::open(sealed, start, evaluation_contexts))
    }

    /// Where a section lies in the snapshot's bytes.
    #[must_use]
    pub fn range(&self, tag: [u8; 4]) -> Option<Range<usize>> {
        self.sections.iter().find(|(name, _)| *name == tag).map(|(_, range)| range.clone())
    }

    /// Tags and lengths in bytes of all sections, those this version does not know included.
    pub fn sections(&self) -> impl Iterator<Item = ([u8; 4], usize)> {
        self.sections.iter().map(|(tag, range)| (*tag, range.len()))
    }

    /// The header's JSON text.
    #[must_use]
    pub fn header_json(&self) -> &'a [u8] {
        self.section(HEAD).unwrap_or_default()
    }

    /// The definitions, byte for byte as PostHog sent them.
    #[must_use]
    pub fn definitions(&self) -> &'a [u8] {
        self.section(DEFS).unwrap_or_default()
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn entry(&mut self) -> Option<([u8; 4], usize, usize)> {
        let tag = self.take()?;
        self.u32()?;
        Some((tag, self.u32()? as usize, self.u32()? as usize))
    }
}

#[cfg(feature = "native")]
mod header {
    use serde::{Deserialize, Serialize};

    use super::{Error, Snapshot};

    /// The version of the format this build writes. Readers use any: see the module's text.
    pub const FORMAT: u32 = 1;

    /// What a snapshot says of itself. Times are RFC 3339, UTC. Members a newer version added are ignored.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Header {
        /// Format version of the writer, [`FORMAT`] for this build.
        pub format: u32,
        /// Upstream's `ETag` for these definitions, if it sent one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub etag: Option<String>,
        /// `sha256:` and 64 hex digits, of the definitions' bytes.
        pub digest: String,
        /// When upstream sent these definitions.
        pub fetched_at: String,
        /// When upstream last said that these definitions are current.
        pub checked_at: String,
        /// Name and version of the writer.
        pub generator: String,
        /// Who was asked, so that an `ETag` is only shown to whoever gave it; `None` for definitions
        /// that came from a file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub upstream: Option<Upstream>,
        /// Kept by a person's wish: a refresh leaves it as it is.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub pinned: bool,
        /// What was left out of the definitions that upstream sent; `None` when they are whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub filter: Option<String>,
    }

    /// The PostHog project that definitions came from.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Upstream {
        /// Scheme, host and path asked, without a slash at the end.
        pub host: String,
        /// `sha256:` and the first 16 hex digits, of the project key.
        pub project: String,
    }

    impl Snapshot<'_> {
        /// The header, read.
        ///
        /// # Errors
        /// [`Error::is_damaged`] when it is not the JSON object a writer of any version makes.
        pub fn header(&self) -> Result<Header, Error> {
            serde_json::from_slice(self.header_json()).map_err(|error| {
                Error::damaged(format!("the snapshot's header cannot be read: {error}"))
            })
        }
    }
}
#[cfg(feature = "native")]
pub use header::{FORMAT, Header, Upstream};
