//! The definitions as posthog-node keeps them in a cache that several processes share.

use crate::raw::{Member, flags, frame, get, is_truthy};

/// The JSON that posthog-node 5.70.0 hands to the `onFlagDefinitionsReceived` of a
/// `FlagDefinitionCacheProvider` when PostHog sends these definitions, and reads from its
/// `getFlagDefinitions`. It names members in snake case and again in camel case, for older versions.
///
/// Flags, cohorts and group types stay byte for byte.
///
/// PARITY: `_loadFeatureFlags`, status 200 (posthog-node).
///
/// DIFFERENCE: a flag that is `null` is left out. posthog-node loads nothing at all then.
///
/// # Errors
/// The definitions are not JSON, or hold no list of flags: posthog-node keeps what it has.
pub fn from_definitions(definitions: &[u8]) -> Result<Vec<u8>, String> {
    let frame = frame(definitions)?;
    let flags: Vec<&str> = flags(&frame)?.into_iter().filter(|flag| *flag != "null").collect();
    let group_types = truthy(&frame, "group_type_mapping");
    let cohorts = truthy(&frame, "cohorts");
    let minimal = get(&frame, "minimal_flag_called_events") == Some("true");
    let flags = flags.join(",");
    let version = get(&frame, "property_matching_version")
        .map(|version| {
            format!(r#""property_matching_version":{version},"propertyMatchingVersion":{version},"#)
        })
        .unwrap_or_default();
    Ok(format!(
        r#"{{"flags":[{flags}],"group_type_mapping":{group_types},"cohorts":{cohorts},"minimal_flag_called_events":{minimal},{version}"groupTypeMapping":{group_types},"minimalFlagCalledEvents":{minimal}}}"#
    )
    .into_bytes())
}

/// JavaScript's `definitions[name] || {}`.
fn truthy<'a>(frame: &[Member<'a>], name: &str) -> &'a str {
    get(frame, name).filter(|value| is_truthy(value)).unwrap_or("{}")
}
