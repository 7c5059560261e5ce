//! `refresher compile`: a snapshot from definitions in a file.

use std::fs;
use std::io::Read;
use std::path::Path;

use flagpost_engine::snapshot::is_snapshot;
use tracing::warn;

use crate::cli::CompileArguments;
use crate::clock::{Clock, rfc3339};
use crate::outcome::Exit;
use crate::report::{count, size};
use crate::snapshot::{Origin, digest, ruleset, sealed_as, short};
use crate::store::replace_file;

/// Makes the snapshot. Gives the line to print, or why there is none.
///
/// # Errors
/// [`Exit::Machine`] for files, [`Exit::Invalid`] for what is in them.
pub fn run(arguments: &CompileArguments, clock: &dyn Clock) -> Result<String, (Exit, String)> {
    let definitions = read(&arguments.definitions)?;
    let name = name(&arguments.definitions);
    if is_snapshot(&definitions) {
        return Err((
            Exit::Invalid,
            format!("{name} is a snapshot already: give definitions as JSON"),
        ));
    }
    let ruleset =
        ruleset(&definitions).map_err(|error| (Exit::Invalid, format!("{name}: {error}")))?;
    for problem in ruleset.problems() {
        warn!("{problem}");
    }
    let now = rfc3339(clock.now());
    let origin = Origin { fetched_at: now.clone(), checked_at: now, ..Origin::default() };
    let digest = digest(&definitions);
    let bytes = sealed_as(&definitions, digest.clone(), Some(&ruleset), origin)
        .map_err(|error| (Exit::Invalid, error))?;
    let output = arguments.output.display();
    replace_file(&arguments.output, &bytes)
        .map_err(|error| (Exit::Machine, format!("cannot write {output}: {error}")))?;
    Ok(format!(
        "compiled: {}, {}, digest {}…, {output}",
        count(ruleset.len(), "flag"),
        size(bytes.len()),
        short(&digest)
    ))
}

/// A file for people.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

/// Reads a file, or stdin for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, (Exit, String)> {
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        fs::read(path).map(|read| bytes = read)
    };
    match result {
        Ok(()) => Ok(bytes),
        Err(error) => Err((Exit::Machine, format!("cannot read {}: {error}", name(path)))),
    }
}
