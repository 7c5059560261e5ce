//! What evaluating costs, in counts.

use std::error::Error;

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{CompileOptions, Definitions, Evaluator, User, compile};
use serde_json::{Value as Json, json};

use crate::packed::Packed;
use crate::{Now, text};

/// For every user what evaluating all flags together costs an evaluator that has met all of them before, and
/// each flag alone: `{"hashes", "filters", "allocations", "alone": {…, most and sum}}`; and the ruleset's bytes.
pub(crate) fn measure(question: &Json, host: &NativeHost) -> Result<Json, Box<dyn Error>> {
    let definitions = Definitions::parse(text(&question["measure"]).as_bytes(), host)?;
    let ruleset = compile(&definitions, &CompileOptions::default(), host)?;
    let now = question["now"].as_f64().ok_or("`now` is missing")?;
    let now = Now { host, now };
    let users = question["users"].as_array().ok_or("`users` is missing")?;
    let users = users.iter().map(|user| {
        let mut user = User::from_json(text(user), host)?;
        user.complete();
        Ok::<_, Box<dyn Error>>(user)
    });
    let users = users.collect::<Result<Vec<_>, _>>()?;
    let users: Vec<_> = users.iter().map(|user| Packed::new(&ruleset, user, host)).collect();
    let mut evaluator = Evaluator::default();
    let mut codes = Vec::new();
    let mut all = |user: &Packed<'_>| {
        codes.clear();
        let counted = allocation_counter::measure(|| {
            let filled = user.fill(evaluator.context());
            let asked = ruleset.flag_ids().filter(|_| filled.is_some());
            evaluator.codes(&ruleset, asked, now.host, now.now, &mut codes);
        });
        let cost = json!({
            "hashes": evaluator.hashes(),
            "filters": evaluator.filters(),
            "allocations": counted.count_total,
        });
        (cost, codes.clone())
    };
    // Until the evaluator has grown to what these users need.
    users.iter().for_each(|user| drop(all(user)));
    let together: Vec<_> = users.iter().map(&mut all).collect();

    let mut evaluator = Evaluator::default();
    let mut alone = |user: &Packed<'_>| {
        let (mut hashes, mut most_hashes, mut filters, mut allocations) = (0, 0, 0, 0);
        let mut codes = Vec::new();
        for id in ruleset.flag_ids() {
            let mut code = 0;
            let counted = allocation_counter::measure(|| {
                if user.fill(evaluator.context()).is_some() {
                    code = evaluator.code(&ruleset, id, now.host, now.now).0;
                }
            });
            codes.push(code);
            hashes += evaluator.hashes();
            most_hashes = most_hashes.max(evaluator.hashes());
            filters += evaluator.filters();
            allocations += counted.count_total;
        }
        let cost = json!({
            "hashes": hashes,
            "mostHashes": most_hashes,
            "filters": filters,
            "allocations": allocations,
        });
        (cost, codes)
    };
    users.iter().for_each(|user| drop(alone(user)));
    let alone: Vec<_> = users.iter().map(&mut alone).collect();
    if together.iter().zip(&alone).any(|((_, together), (_, alone))| together != alone) {
        return Err("asked together the flags give other codes than alone".into());
    }
    let costs = |list: Vec<(Json, _)>| list.into_iter().map(|(cost, _): (_, Vec<i32>)| cost);
    Ok(json!({
        "flags": ruleset.len(),
        "bytes": ruleset.bytes().len(),
        "together": costs(together).collect::<Json>(),
        "alone": costs(alone).collect::<Json>(),
    }))
}
