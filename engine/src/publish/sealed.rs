//! Snapshots, put together.

use crate::compile::{CompileOptions, compile_to_bytes};
use crate::definitions::Definitions;
use crate::ecma::Host;
use crate::error::Error;
use crate::snapshot::{CODE, DEFS, HEAD, Snapshot, seal};

/// Who writes snapshots with this compiler.
const WRITERS: [&str; 2] = ["flagpost-refresher", "flagpost"];

/// Whether a header's `generator` is a writer of this version, with the same compiler.
#[must_use]
pub fn is_of_this_version(generator: &str) -> bool {
    generator.rsplit_once('/').is_some_and(|(name, version)| {
        WRITERS.contains(&name) && version == env!("CARGO_PKG_VERSION")
    })
}

/// Definitions with their header, a JSON object, and what they were compiled to.
///
/// # Errors
/// They do not fit a snapshot.
pub fn sealed(header: &[u8], code: Option<&[u8]>, definitions: &[u8]) -> Result<Vec<u8>, Error> {
    let code = code.map(|code| (CODE, code));
    let sections: Vec<_> =
        [(HEAD, header)].into_iter().chain(code).chain([(DEFS, definitions)]).collect();
    seal(&sections)
}

/// The same snapshot with another header, and compiled anew unless this version compiled it, `generator`
/// being whom its header named: what was mended in the compiler reaches the edge although no flag changes.
/// Sections that another version wrote stay as they are.
///
/// # Errors
/// The parts do not fit a snapshot, which does not happen to an opened one.
pub fn resealed(
    snapshot: &Snapshot<'_>,
    header: &[u8],
    generator: &str,
    host: &dyn Host,
) -> Result<Vec<u8>, Error> {
    let known = snapshot.section(CODE);
    let anew = match known {
        Some(_) if is_of_this_version(generator) => None,
        _ => compiled(snapshot.definitions(), host).ok(),
    };
    let first = [(HEAD, Some(header)), (CODE, anew.as_deref().or(known))];
    let others = snapshot.sections().map(|(tag, _)| (tag, snapshot.section(tag)));
    let sections: Vec<_> = first
        .into_iter()
        .chain(others.filter(|(tag, _)| !matches!(*tag, HEAD | CODE)))
        .filter_map(|(tag, body)| Some((tag, body?)))
        .collect();
    seal(&sections)
}

fn compiled(definitions: &[u8], host: &dyn Host) -> Result<Vec<u8>, Error> {
    let definitions = Definitions::parse(definitions, host)?;
    compile_to_bytes(&definitions, &CompileOptions::default(), host)
}
