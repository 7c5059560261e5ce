//! From the model to bytes: see [`crate::ruleset::layout`].

mod filter;
mod fixed;
mod flag;

use std::collections::BTreeMap;

use super::model::{Model, Names, Support};
use super::operation::Operand;
use super::pool::Pool;
use crate::error::Error;
use crate::operator::{SUPPORT, SUPPORT_THROWS, SUPPORTED, UNSUPPORTED};
use crate::ruleset::layout::{CONTEXTS_NEED_DEFINITIONS, HEADER, ORDER_SHOWS, PREDICATE, VERSION};

/// The bytes of a ruleset, without a hash.
pub(super) fn encode(model: &Model) -> Result<Vec<u8>, Error> {
    let mut encoder = Encoder { model, pool: Pool::new(), predicates: Vec::new() };
    // The keys first, so that they lie together.
    encoder.names(&model.flag_keys);
    let order: Vec<u32> = model.flag_keys.sorted().map(|number| number as u32).collect();
    let slots = encoder.names(&model.slots);
    let group_types = encoder.names(&model.group_types);
    let predicates = encoder.predicates();
    let flags: Vec<_> = (0..model.flags.len()).map(|flag| encoder.flag(flag)).collect();
    let cohorts: Vec<_> = model.cohorts.iter().map(|node| encoder.cohort(node)).collect();
    let strings = encoder.names(&model.strings);
    let payloads: Vec<[u32; 3]> = model
        .payloads
        .iter()
        .map(|payload| {
            let [offset, length] = encoder.pool.text(payload.json.as_bytes());
            [offset, length, u32::from(payload.truthy)]
        })
        .collect();
    let problems: Vec<_> =
        model.problems.iter().map(|problem| encoder.pool.text(problem.as_bytes())).collect();
    let Pool { words, texts, .. } = encoder.pool;
    let tables = [
        (flags.as_flattened(), flags.len()),
        (&order, order.len()),
        (slots.as_flattened(), slots.len()),
        (group_types.as_flattened(), group_types.len()),
        (strings.as_flattened(), strings.len()),
        (payloads.as_flattened(), payloads.len()),
        (predicates.as_flattened(), predicates.len()),
        (cohorts.as_flattened(), cohorts.len()),
        (problems.as_flattened(), problems.len()),
        (&words, words.len()),
    ];
    let size = 4 * (HEADER + tables.iter().map(|(words, _)| words.len()).sum::<usize>());
    let length = u32::try_from(size + texts.len())
        .map_err(|_| Error::shape("the definitions are too large: compiled, beyond 4 GiB"))?;
    let mut bits = 0;
    for (holds, bit) in [
        (model.contexts_need_definitions, CONTEXTS_NEED_DEFINITIONS),
        (model.order_shows, ORDER_SHOWS),
    ] {
        bits |= if holds { bit } else { 0 };
    }
    let keyed = model.flag_keys.len();
    let mut header = vec![VERSION, bits, length, keyed as u32, (model.flags.len() - keyed) as u32];
    let mut offset = 4 * HEADER;
    for (words, count) in tables {
        header.extend([offset as u32, count as u32]);
        offset += 4 * words.len();
    }
    header.extend([offset as u32, texts.len() as u32]);
    let mut bytes = Vec::with_capacity(size + texts.len() + 8);
    for words in [header.as_slice()].into_iter().chain(tables.map(|(words, _)| words)) {
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }
    bytes.extend_from_slice(&texts);
    Ok(bytes)
}

struct Encoder<'a> {
    model: &'a Model,
    pool: Pool,
    /// By predicate of the model, its number among those that differ.
    predicates: Vec<u32>,
}

impl Encoder<'_> {
    fn names(&mut self, names: &Names) -> Vec<[u32; 2]> {
        names.iter().map(|name| self.pool.text(name)).collect()
    }

    /// The predicates that differ: many flags ask the same, which is then answered once.
    fn predicates(&mut self) -> Vec<[u32; PREDICATE]> {
        let model = self.model;
        let mut numbers = BTreeMap::new();
        let mut records = Vec::new();
        for predicate in &model.predicates {
            let support = match predicate.support {
                Support::Supported => SUPPORTED,
                Support::Unsupported => UNSUPPORTED,
                Support::Throws => SUPPORT_THROWS,
            };
            let head = [predicate.slot as u32, predicate.operation.code | support << SUPPORT];
            let pool = &mut self.pool;
            let (words, in_pool) = match &predicate.operation.operand {
                Operand::Words(words) => (words.to_vec(), false),
                Operand::Text(text) => (pool.text(text).to_vec(), false),
                Operand::Texts(texts) => {
                    let references = texts.iter().flat_map(|text| pool.text(text.as_bytes()));
                    ([texts.len() as u32].into_iter().chain(references).collect(), true)
                }
                Operand::Limit(number, text) => {
                    ([super::operation::words(*number), pool.text(text)].concat(), true)
                }
                Operand::Block(words) => (words.clone(), true),
            };
            let next = records.len() as u32;
            let number = *numbers.entry((head, words.clone())).or_insert(next);
            if number == next {
                let [first, second] = match (in_pool, words.as_slice()) {
                    (true, words) => [pool.block(words), 0],
                    (false, [first, second]) => [*first, *second],
                    (false, _) => [0, 0],
                };
                let [slot, operation] = head;
                records.push([slot, operation, first, second]);
            }
            self.predicates.push(number);
        }
        records
    }
}
