//! Flags that are the same for every user.

use crate::answer::{Code, FlagValue, Reason};
use crate::compile::model::{
    Aggregation, Condition, Conditions, Filters, Flag, Holdout, Override, Plan, Rollout, Rules,
    Subject, VariantKey, Variants,
};
use crate::ruleset::layout::{ROLLOUT_ALL, ROLLOUT_MALFORMED, ROLLOUT_NOBODY, ROLLOUT_SHARE};

/// What the flag is for everybody, if it can be told.
pub(super) fn fixed(flag: &Flag) -> Option<Code> {
    match &flag.plan {
        _ if !flag.active => Some(FlagValue::Bool(false).into()),
        Plan::Unresolved(reason) => Some((*reason).into()),
        Plan::Rules(rules) => rules_for_everybody(rules),
    }
}

/// What a rollout asks of the hash. Positions lie between 0 and 1, so that neither a full rollout nor an
/// empty one asks anything.
///
/// DIFFERENCE: the position of one in 2^60 users is 0 itself, and the reference lets it into an empty
/// rollout.
pub(super) fn rollout(rollout: Rollout) -> (u32, f64) {
    match rollout {
        Rollout::Malformed => (ROLLOUT_MALFORMED, 0.0),
        Rollout::Share(share) if share <= 0.0 => (ROLLOUT_NOBODY, 0.0),
        Rollout::Share(share) if share < 1.0 => (ROLLOUT_SHARE, share),
        // NaN lets everybody in as well.
        Rollout::Share(_) | Rollout::All => (ROLLOUT_ALL, 0.0),
    }
}

/// A holdout that nobody is in needs no hash either.
pub(super) fn holdout(rules: &Rules) -> Option<&Holdout> {
    rules.holdout.as_ref().filter(|holdout| holdout.percentage > 0.0)
}

fn rules_for_everybody(rules: &Rules) -> Option<Code> {
    let throws = Code::from(Reason::UnsupportedDefinition);
    if rules.subject != Subject::Person {
        return None;
    }
    match holdout(rules) {
        None => {}
        Some(Holdout { percentage, value }) if *percentage >= 100.0 => {
            return Some(value.map_or(throws, |id| FlagValue::Variant(id).into()));
        }
        Some(_) => return None,
    }
    let Conditions::List(conditions) = &rules.conditions else { return Some(throws) };
    for condition in conditions {
        match condition.aggregation {
            Aggregation::Inherit => {}
            Aggregation::Skip => continue,
            Aggregation::Malformed => return Some(throws),
            Aggregation::Group(_) => return None,
        }
        match &condition.filters {
            Filters::Malformed => return Some(throws),
            Filters::List(filters) if !filters.is_empty() => return None,
            Filters::List(_) => {}
        }
        match rollout(condition.rollout).0 {
            ROLLOUT_ALL => return matched(rules, condition),
            ROLLOUT_NOBODY if rules.early_exit => return Some(FlagValue::Bool(false).into()),
            ROLLOUT_NOBODY => {}
            ROLLOUT_MALFORMED => return Some(throws),
            _ => return None,
        }
    }
    Some(FlagValue::Bool(false).into())
}

fn matched(rules: &Rules, condition: &Condition) -> Option<Code> {
    let key = match (condition.variant, &rules.variants) {
        (Override::To(key), _) => key,
        (Override::None, Variants::Table(table)) if table.is_empty() => VariantKey::True,
        (Override::None, Variants::Table(_)) => return None,
        (Override::None, Variants::Malformed) | (Override::Malformed, _) => {
            return Some(Reason::UnsupportedDefinition.into());
        }
    };
    Some(match key {
        VariantKey::Text(id) => FlagValue::Variant(id).into(),
        VariantKey::Json(id) => FlagValue::Json(id).into(),
        VariantKey::True => FlagValue::Bool(true).into(),
    })
}
