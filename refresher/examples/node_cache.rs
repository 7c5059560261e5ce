//! Reads definitions from stdin and writes them to stdout as posthog-node keeps them in a cache.

use std::io::{Error, Read, Write, stdin, stdout};

fn main() -> Result<(), Error> {
    let mut definitions = Vec::new();
    stdin().read_to_end(&mut definitions)?;
    let cached = refresher::node_cache::from_definitions(&definitions).map_err(Error::other)?;
    stdout().write_all(&cached)
}
