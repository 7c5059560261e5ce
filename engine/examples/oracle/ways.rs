//! Ways of asking that must give the same: each flag alone, all together, with no more of the user than a
//! flag says it reads, and of a ruleset whose evaluation contexts are selected after compiling.

use std::error::Error;

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{
    CompileOptions, Context, Definitions, Evaluator, FlagId, Ruleset, User, seal_ruleset,
};
use serde_json::Value as Json;

use crate::packed::Packed;
use crate::{Now, shape};

/// Word 1 of a ruleset; see `ruleset::layout`.
const ORDER_SHOWS: u32 = 2;
/// Words of a flag.
const FLAG: u32 = 11;
/// In the place of a list of slots: all.
const ALL_SLOTS: u32 = u32::MAX;

/// Asks all flags together, of an evaluator that was asked for other users before.
///
/// DIFFERENCE: where the order of evaluation shows, what is decided alone may be unresolved here.
pub(crate) fn together(
    ruleset: &Ruleset,
    user: &User,
    codes: &[i32],
    kept: &mut Evaluator,
    Now { host, now }: Now<'_>,
) -> Result<(), Box<dyn Error>> {
    Packed::new(ruleset, user, host).fill(kept.context(), host).ok_or("no such slot")?;
    let mut together = Vec::new();
    kept.codes(ruleset, ruleset.flag_ids(), host, now, &mut together);
    let order_shows = word(ruleset, 1) & ORDER_SHOWS != 0;
    let same = |(alone, together): (&i32, &i32)| {
        alone == together || order_shows && (-4..0).contains(together)
    };
    match codes.len() == together.len() && codes.iter().zip(&together).all(same) {
        true => Ok(()),
        false => Err(format!("asked together flags give {together:?}, alone {codes:?}").into()),
    }
}

/// Asks each flag for a user of whom nothing is known but what the flag says it reads.
pub(crate) fn restricted(
    ruleset: &Ruleset,
    user: &User,
    codes: &[i32],
    Now { host, now }: Now<'_>,
) -> Result<(), Box<dyn Error>> {
    let (slots, group_types) = (ruleset.slots(), ruleset.group_types());
    for (FlagId(flag), code) in ruleset.flag_ids().zip(codes) {
        let [read_slots, read_types] = [8, 9].map(|place| read(ruleset, flag, place));
        let is_read = |names: &[flagpost_engine::Text], read: &Option<Vec<u32>>, name: &_| {
            let number = names.iter().position(|it| it == name);
            number.is_some_and(|it| read.as_ref().is_none_or(|read| read.contains(&(it as u32))))
        };
        let mut user = user.clone();
        user.person_properties.retain(|name, _| is_read(&slots, &read_slots, name));
        user.groups.retain(|name, _| is_read(&group_types, &read_types, name));
        for properties in user.group_properties.values_mut() {
            properties.retain(|name, _| is_read(&slots, &read_slots, name));
        }
        let mut evaluator = Evaluator::new(Context::new(ruleset, &user, host));
        let restricted = evaluator.code(ruleset, FlagId(flag), host, now).0;
        if restricted != *code {
            return Err(format!(
                "flag {flag} is {code}, but {restricted} of what it says it reads"
            )
            .into());
        }
    }
    Ok(())
}

/// The numbers in a list of a flag's record; `None` for all.
fn read(ruleset: &Ruleset, flag: u32, place: u32) -> Option<Vec<u32>> {
    let [flags, pool] = [5, 23].map(|table| word(ruleset, table) / 4);
    let list = word(ruleset, flags + FLAG * flag + place);
    let at = pool.checked_add(list).filter(|_| list != ALL_SLOTS)?;
    Some((1..=word(ruleset, at)).map(|number| word(ruleset, at + number)).collect())
}

fn word(ruleset: &Ruleset, index: u32) -> u32 {
    let words = ruleset.bytes().as_chunks().0;
    words.get(index as usize).map_or(0, |word| u32::from_le_bytes(*word))
}

/// The flags of these evaluation contexts, selected after compiling; `None` where that cannot be.
pub(crate) fn selected(
    definitions: &Definitions,
    options: &CompileOptions,
    host: &NativeHost,
) -> Result<Option<Ruleset>, Box<dyn Error>> {
    let all = seal_ruleset(definitions, &CompileOptions::default(), host)?;
    match Ruleset::open(all, 0, &options.evaluation_contexts) {
        Ok(ruleset) => Ok(Some(ruleset)),
        Err(error) if error.is_unknown_ruleset() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Asks each flag of the ruleset that [`selected`] gave.
pub(crate) fn of_selected(
    selected: &Ruleset,
    user: &User,
    answers: &Json,
    Now { host, now }: Now<'_>,
) -> Result<(), Box<dyn Error>> {
    let mut evaluator = Evaluator::new(Context::new(selected, user, host));
    let same = selected
        .flag_ids()
        .map(|id| shape(selected, evaluator.flag(selected, id, host, now)))
        .collect::<Result<Json, _>>()?;
    match same == *answers {
        true => Ok(()),
        false => Err("selecting compiled flags by their contexts gives other answers".into()),
    }
}
