//! The stored form: whole or refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use flagpost_engine::snapshot::{DEFS, HEAD, Snapshot, is_snapshot, seal};

const DEFINITIONS: &[u8] = br#"{"flags":[],"spelling":1.0}"#;

fn sealed() -> Vec<u8> {
    let header = br#"{"format":1,"digest":"sha256:00","fetched_at":"2026-01-01T00:00:00Z","checked_at":"2026-01-01T00:00:00Z","generator":"test","later":true}"#;
    seal(&[(HEAD, header), (DEFS, DEFINITIONS), (*b"LATE", b"from a later version")]).unwrap()
}

#[test]
fn definitions_come_back_byte_for_byte_beside_sections_of_a_later_version() {
    let bytes = sealed();
    assert!(is_snapshot(&bytes));
    let snapshot = Snapshot::open(&bytes).unwrap();
    assert_eq!(snapshot.definitions(), DEFINITIONS);
    assert_eq!(snapshot.section(*b"LATE"), Some(&b"from a later version"[..]));
    assert_eq!(snapshot.section(*b"NONE"), None);
    assert_eq!(snapshot.sections().map(|(tag, _)| tag).collect::<Vec<_>>(), [HEAD, DEFS, *b"LATE"]);
    let header = snapshot.header().unwrap();
    assert_eq!((header.format, header.etag, header.generator.as_str()), (1, None, "test"));
}

#[test]
fn a_snapshot_cut_anywhere_is_refused() {
    let bytes = sealed();
    for length in 0..bytes.len() {
        let error = Snapshot::open(&bytes[..length]).unwrap_err();
        assert!(error.is_damaged(), "{length}");
    }
}

#[test]
fn a_snapshot_with_any_flipped_bit_is_refused() {
    let bytes = sealed();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Snapshot::open(&damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn a_section_table_that_lies_is_refused_though_its_checksum_matches() {
    let bytes = sealed();
    let end = bytes.len() - 8;
    for (position, value) in
        [(8, u32::MAX), (8, 0), (8, 2), (20, 0), (20, u32::MAX), (24, u32::MAX), (24, 0)]
    {
        let mut forged = bytes[..end].to_vec();
        forged[position..position + 4].copy_from_slice(&value.to_le_bytes());
        let checksum = xxhash_rust::xxh64::xxh64(&forged, 0);
        forged.extend_from_slice(&checksum.to_le_bytes());
        assert!(Snapshot::open(&forged).unwrap_err().is_damaged(), "{value} at {position}");
    }
}

#[test]
fn a_snapshot_without_definitions_or_header_is_refused() {
    for sections in [&[(HEAD, &b"{}"[..])][..], &[(DEFS, &b"{}"[..])], &[]] {
        assert!(Snapshot::open(&seal(sections).unwrap()).unwrap_err().is_damaged());
    }
    let bytes = seal(&[(HEAD, b"not json"), (DEFS, b"{}")]).unwrap();
    assert!(Snapshot::open(&bytes).unwrap().header().unwrap_err().is_damaged());
}
