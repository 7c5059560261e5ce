//! What evaluating costs, in counts.

use std::error::Error;

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{CompileOptions, Definitions, User, compile};
use serde_json::{Value as Json, json};

use crate::cost::{Cost, alone, together};
use crate::packed::Packed;
use crate::text;

pub(crate) fn measure(question: &Json, host: &NativeHost) -> Result<Json, Box<dyn Error>> {
    let definitions = Definitions::parse(text(&question["measure"]).as_bytes(), host)?;
    let ruleset = compile(&definitions, &CompileOptions::default(), host)?;
    let now = question["now"].as_f64().ok_or("`now` is missing")?;
    let users = question["users"].as_array().ok_or("`users` is missing")?;
    let users = users.iter().map(|user| {
        let mut user = User::from_json(text(user), host)?;
        user.complete();
        Ok::<_, Box<dyn Error>>(user)
    });
    let users = users.collect::<Result<Vec<_>, _>>()?;
    let users: Vec<_> = users.iter().map(|user| Packed::new(&ruleset, user, host)).collect();
    let together = together(&ruleset, &users, host, now).ok_or("a user cannot be packed")?;
    let alone = alone(&ruleset, &users, host, now).ok_or("a user cannot be packed")?;
    if together.iter().zip(&alone).any(|(together, alone)| together.codes != alone.codes) {
        return Err("asked together the flags give other codes than alone".into());
    }
    Ok(json!({
        "flags": ruleset.len(),
        "bytes": ruleset.bytes().len(),
        "together": together.iter().map(shape).collect::<Json>(),
        "alone": alone.iter().map(shape).collect::<Json>(),
    }))
}

fn shape(cost: &Cost) -> Json {
    json!({
        "hashes": cost.hashes,
        "mostHashes": cost.most_hashes,
        "filters": cost.filters,
        "allocations": cost.allocations,
    })
}
