//! The `semver_` operators.

use super::{Operand, Operation, Support, without, words};
use crate::ecma::{Host, text_of};
use crate::operator::{
    OP_VERSION, VERSION_EQ, VERSION_GT, VERSION_GTE, VERSION_LT, VERSION_LTE, VERSION_NEQ,
    VERSION_WITHIN, Version, digits, parse_version, without_v,
};
use crate::value::Value;

#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    Tilde,
    Caret,
    Wildcard,
}

enum Range {
    Compare(u32, Version),
    /// From the first up to, not including, the second.
    Within(Version, Version),
}

/// PARITY: `computeTildeBounds`, `computeCaretBounds`, `computeWildcardBounds` (@posthog/core).
pub(super) fn compile(
    comparison: Comparison,
    value: &Value,
    host: &dyn Host,
) -> (Operation, Support) {
    let Some(text) = text_of(value, host) else { return without(Support::Throws) };
    let (detail, versions) = match range(comparison, &text.to_str_lossy(), host) {
        None => return without(Support::Unsupported),
        Some(Range::Compare(detail, version)) => (detail, version.to_vec()),
        Some(Range::Within(lower, upper)) => (VERSION_WITHIN, [lower, upper].concat()),
    };
    let block = versions.into_iter().flat_map(words).collect();
    (Operation::new(OP_VERSION, false, detail, Operand::Block(block)), Support::Supported)
}

fn range(comparison: Comparison, text: &str, host: &dyn Host) -> Option<Range> {
    if let Comparison::Wildcard = comparison {
        return wildcard(text, host);
    }
    let version @ [major, minor, patch] = parse_version(text, host)?;
    Some(match comparison {
        Comparison::Tilde => Range::Within(version, [major, minor + 1.0, 0.0]),
        Comparison::Caret if major > 0.0 => Range::Within(version, [major + 1.0, 0.0, 0.0]),
        Comparison::Caret if minor > 0.0 => Range::Within(version, [0.0, minor + 1.0, 0.0]),
        Comparison::Caret => Range::Within(version, [0.0, 0.0, patch + 1.0]),
        Comparison::Neq => Range::Compare(VERSION_NEQ, version),
        Comparison::Gt => Range::Compare(VERSION_GT, version),
        Comparison::Gte => Range::Compare(VERSION_GTE, version),
        Comparison::Lt => Range::Compare(VERSION_LT, version),
        Comparison::Lte => Range::Compare(VERSION_LTE, version),
        Comparison::Eq | Comparison::Wildcard => Range::Compare(VERSION_EQ, version),
    })
}

fn wildcard(text: &str, host: &dyn Host) -> Option<Range> {
    let text = without_v(text);
    let text = text.strip_suffix(".*").unwrap_or(text);
    let text = text.strip_suffix('*').unwrap_or(text);
    let mut parts = text.split('.');
    let major = digits(parts.next()?, host)?;
    Some(match parts.next() {
        None => Range::Within([major, 0.0, 0.0], [major + 1.0, 0.0, 0.0]),
        Some(part) => {
            let minor = digits(part, host)?;
            Range::Within([major, minor, 0.0], [major, minor + 1.0, 0.0])
        }
    })
}
