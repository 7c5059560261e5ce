//! What evaluating costs, in counts, once everything has grown to what the users need.

#![allow(unreachable_pub, reason = "several programs use it")]

use flagpost_engine::ecma::Host;
use flagpost_engine::{Evaluator, Ruleset};

use super::packed::Packed;

/// What one user costs, the filling of the context included.
#[derive(Clone, Debug, Default)]
pub struct Cost {
    pub hashes: u32,
    /// Of the call that made the most.
    pub most_hashes: u32,
    pub filters: u32,
    pub allocations: u64,
    /// The answers.
    pub codes: Vec<i32>,
}

/// By user, all flags in one call.
pub fn together(
    ruleset: &Ruleset,
    users: &[Packed<'_>],
    host: &dyn Host,
    now: f64,
) -> Option<Vec<Cost>> {
    let mut evaluator = Evaluator::default();
    let mut codes = Vec::new();
    second_round(users, |user| {
        codes.clear();
        let mut filled = None;
        let counted = allocation_counter::measure(|| {
            filled = user.fill(evaluator.context(), host);
            evaluator.codes(ruleset, ruleset.flag_ids(), host, now, &mut codes);
        });
        filled?;
        let hashes = evaluator.hashes();
        Some(Cost {
            hashes,
            most_hashes: hashes,
            filters: evaluator.filters(),
            allocations: counted.count_total,
            codes: codes.clone(),
        })
    })
}

/// By user, one call per flag; the sum of them.
pub fn alone(
    ruleset: &Ruleset,
    users: &[Packed<'_>],
    host: &dyn Host,
    now: f64,
) -> Option<Vec<Cost>> {
    let mut evaluator = Evaluator::default();
    second_round(users, |user| {
        let mut cost = Cost::default();
        for id in ruleset.flag_ids() {
            let mut answer = None;
            let counted = allocation_counter::measure(|| {
                let filled = user.fill(evaluator.context(), host);
                answer = filled.map(|()| evaluator.code(ruleset, id, host, now).0);
            });
            cost.codes.push(answer?);
            cost.hashes += evaluator.hashes();
            cost.most_hashes = cost.most_hashes.max(evaluator.hashes());
            cost.filters += evaluator.filters();
            cost.allocations += counted.count_total;
        }
        Some(cost)
    })
}

fn second_round<'u>(
    users: &[Packed<'u>],
    mut ask: impl FnMut(&Packed<'u>) -> Option<Cost>,
) -> Option<Vec<Cost>> {
    let mut round = || users.iter().map(&mut ask).collect::<Option<Vec<_>>>();
    round()?;
    round()
}
