//! `is_date_before` and `is_date_after`.

use super::{Outcome, Support};
use crate::ecma::{Host, RelativeDate, template_text_of, text_of, time_clip};
use crate::value::Value;

#[derive(Debug)]
pub(crate) struct DateMatch {
    pub(crate) before: bool,
    limit: Limit,
}

#[derive(Debug)]
enum Limit {
    Relative(RelativeDate),
    /// Milliseconds since the epoch.
    Absolute(f64),
    Unsupported,
    Throws,
}

impl DateMatch {
    /// PARITY: `parseDateFilter` (@posthog/core).
    pub(crate) fn compile(before: bool, value: &Value, host: &dyn Host) -> (Self, Support) {
        let limit = match value {
            Value::Bool(_) => Limit::Unsupported,
            _ => match text_of(value, host) {
                None => Limit::Throws,
                Some(text) => match text.as_str().and_then(RelativeDate::parse) {
                    Some(relative) => Limit::Relative(relative),
                    None => time_of(value, host).map_or(Limit::Unsupported, Limit::Absolute),
                },
            },
        };
        let support = match limit {
            Limit::Relative(_) | Limit::Absolute(_) => Support::Supported,
            Limit::Unsupported => Support::Unsupported,
            Limit::Throws => Support::Throws,
        };
        (DateMatch { before, limit }, support)
    }

    /// PARITY: `matchPropertyValue`, cases `is_date_before` and `is_date_after` (@posthog/core).
    pub(crate) fn matches(&self, property: &Value, now: f64, host: &dyn Host) -> Outcome {
        let limit = match self.limit {
            Limit::Relative(relative) => relative.before(now),
            Limit::Absolute(time) => time,
            Limit::Unsupported => return Outcome::Unsupported,
            Limit::Throws => return Outcome::Throws,
        };
        let time = match property {
            // The reference takes a Date as it is, an invalid one included: it is never before or after.
            Value::Date { ms, .. } => *ms,
            _ => match time_of(property, host) {
                Some(time) => time,
                // The reference's complaint about it holds its text.
                None if template_text_of(property, host).is_none() => return Outcome::Throws,
                None => return Outcome::Missing,
            },
        };
        Outcome::Is(if self.before { time < limit } else { time > limit })
    }
}

/// PARITY: `convertToDateTime` (@posthog/core), but for Date objects.
fn time_of(value: &Value, host: &dyn Host) -> Option<f64> {
    let time = match value {
        Value::Number(ms) => time_clip(*ms),
        Value::String(text) => host.parse_date(&text.to_str_lossy()),
        _ => return None,
    };
    (!time.is_nan()).then_some(time)
}
