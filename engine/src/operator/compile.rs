//! From an operator's name and a filter's value to an [`Operation`].

use super::date::DateMatch;
use super::exact::Exact;
use super::number::{Compare, Order};
use super::regex::RegexMatch;
use super::semver::{SemverMatch, SemverOperator};
use super::text::{Place, TextMatch};
use super::{Operation, Support};
use crate::ecma::{Host, text_of};
use crate::value::Value;

impl Operation {
    /// `operator` is the filter's member of that name, if any; anything falsy means `exact`.
    ///
    /// PARITY: `matchPropertyValue`, `assertFeatureFlagFilterSupported` (@posthog/core).
    pub(crate) fn compile(
        operator: Option<&Value>,
        value: &Value,
        version_2: bool,
        host: &dyn Host,
    ) -> (Self, Support) {
        if operator.is_some_and(|operator| text_of(operator, host).is_none()) {
            return (Operation::Throws, Support::Throws);
        }
        let name = match operator {
            Some(Value::String(name)) if !name.is_empty() => name.as_str().unwrap_or_default(),
            Some(operator) if operator.is_truthy() => "",
            _ => "exact",
        };
        let text = |place, negate| {
            (Operation::Text(TextMatch::compile(place, negate, value, host)), Support::Supported)
        };
        let compare =
            |order| (Operation::Compare(Compare::compile(order, value, host)), Support::Supported);
        let semver = |operator| {
            let (semver, support) = SemverMatch::compile(operator, value, host);
            (Operation::Semver(semver), support)
        };
        let exact = |negate| {
            let (exact, support) = Exact::compile(negate, value, version_2, host);
            (Operation::Exact(exact), support)
        };
        let regex = |negate| {
            let (regex, support) = RegexMatch::compile(negate, value, host);
            (Operation::Regex(regex), support)
        };
        let date = |before| {
            let (date, support) = DateMatch::compile(before, value, host);
            (Operation::Date(date), support)
        };
        match name {
            "exact" => exact(false),
            "is_not" => exact(true),
            "is_set" => (Operation::IsSet, Support::Supported),
            "is_not_set" => (Operation::IsNotSet, Support::Supported),
            "icontains" => text(Place::Anywhere, false),
            "not_icontains" => text(Place::Anywhere, true),
            "starts_with" => text(Place::Start, false),
            "not_starts_with" => text(Place::Start, true),
            "ends_with" => text(Place::End, false),
            "not_ends_with" => text(Place::End, true),
            "regex" => regex(false),
            "not_regex" => regex(true),
            "gt" => compare(Order::Greater),
            "gte" => compare(Order::GreaterOrEqual),
            "lt" => compare(Order::Less),
            "lte" => compare(Order::LessOrEqual),
            "is_date_before" => date(true),
            "is_date_after" => date(false),
            "semver_eq" => semver(SemverOperator::Eq),
            "semver_neq" => semver(SemverOperator::Neq),
            "semver_gt" => semver(SemverOperator::Gt),
            "semver_gte" => semver(SemverOperator::Gte),
            "semver_lt" => semver(SemverOperator::Lt),
            "semver_lte" => semver(SemverOperator::Lte),
            "semver_tilde" => semver(SemverOperator::Tilde),
            "semver_caret" => semver(SemverOperator::Caret),
            "semver_wildcard" => semver(SemverOperator::Wildcard),
            _ => (Operation::Unknown, Support::Unsupported),
        }
    }
}
