//! Words for values, filters, conditions and cohorts.

use serde_json::{Map, Value};

/// Characters of one name or value that are shown.
const NAME: usize = 60;

/// Elements of a list that are shown.
const LISTED: usize = 8;

/// Conditions of a flag that are shown where it is summed up.
const SUMMED_UP: usize = 4;

/// Groups within groups of a cohort that are told.
const MAX_DEPTH: usize = 8;

/// A text cut to so many characters.
pub(super) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A name as it is, or in quotes where it could be taken for more than one word of ours.
pub(super) fn quoted(text: &str) -> String {
    let odd = |c: char| c.is_control() || matches!(c, ',' | ';' | '(' | ')' | '"');
    if text.is_empty() || text.trim() != text || text.contains(odd) {
        return spelled(text);
    }
    cut(text, NAME)
}

/// A text in quotes.
pub(super) fn spelled(text: &str) -> String {
    format!("\"{}\"", cut(text, NAME))
}

/// A value in short.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Number(number) => match number.as_f64() {
            // Whole numbers without a fraction, and nothing in powers of ten.
            Some(float) if number.is_f64() => cut(&float.to_string(), NAME),
            _ => number.to_string(),
        },
        Value::Array(items) => {
            format!("({})", listed(&items.iter().map(shown).collect::<Vec<_>>()))
        }
        Value::Object(_) => cut(&value.to_string(), NAME),
        other => other.to_string(),
    }
}

/// Some texts, the first of them if they are many.
pub(super) fn listed(texts: &[String]) -> String {
    if texts.len() <= LISTED {
        return texts.join(", ");
    }
    format!("{} … {} more", texts[..LISTED].join(", "), texts.len() - LISTED)
}

/// A share of users.
pub(super) fn percent(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "100%".to_owned(),
        Some(Value::Number(number)) if number.is_f64() => {
            format!("{}%", without_noise(number.as_f64().unwrap_or_default()))
        }
        Some(Value::Number(number)) => format!("{number}%"),
        Some(other) => shown(other),
    }
}

/// A share without what adding decimal fractions leaves behind: 0.3 for 0.30000000000000004.
fn without_noise(share: f64) -> f64 {
    format!("{share:.11e}").parse().unwrap_or(share)
}

/// A group type by the index that stands for it.
pub(super) fn group_type(index: Option<&Value>, groups: &Map<String, Value>) -> String {
    match index {
        None | Some(Value::Null) => "person".to_owned(),
        Some(index) => match groups.get(&shown(index)) {
            Some(Value::String(name)) => quoted(name),
            _ => format!("group type {}", shown(index)),
        },
    }
}

/// One filter: `plan is pro`.
pub(super) fn filter(filter: &Value, groups: &Map<String, Value>) -> String {
    let member = |name| filter.get(name);
    let text = |name| member(name).and_then(Value::as_str);
    let key = member("key").map_or("?".to_owned(), shown);
    let value = member("value");
    let one = value.map_or(String::new(), shown);
    match text("type") {
        Some("cohort") => {
            let out = if text("operator") == Some("not_in") { "not in" } else { "in" };
            return format!("{out} cohort {one}");
        }
        Some("flag") => return format!("flag {key} is {one}"),
        Some("behavioral") => return format!("{} {key}", one.replace('_', " ")),
        _ => {}
    }
    let group = match (text("type"), member("group_type_index")) {
        (Some("group"), index @ Some(_)) => format!("{} ", group_type(index, groups)),
        _ => String::new(),
    };
    let (value, many) = match value {
        Some(Value::Array(items)) if items.len() == 1 => (shown(&items[0]), false),
        Some(Value::Array(_)) => (one, true),
        _ => (one, false),
    };
    let operator = match text("operator") {
        None | Some("exact") => if many { "in" } else { "is" }.to_owned(),
        Some("is_not") => if many { "not in" } else { "is not" }.to_owned(),
        Some("is_set") => return format!("{group}{key} is set"),
        Some("is_not_set") => return format!("{group}{key} is not set"),
        Some("icontains") => "contains".to_owned(),
        Some("not_icontains") => "does not contain".to_owned(),
        Some("starts_with") => "starts with".to_owned(),
        Some("not_starts_with") => "does not start with".to_owned(),
        Some("ends_with") => "ends with".to_owned(),
        Some("not_ends_with") => "does not end with".to_owned(),
        Some("regex") => "matches".to_owned(),
        Some("not_regex") => "does not match".to_owned(),
        Some("gt") => ">".to_owned(),
        Some("gte") => ">=".to_owned(),
        Some("lt") => "<".to_owned(),
        Some("lte") => "<=".to_owned(),
        Some("is_date_before") => "before".to_owned(),
        Some("is_date_after") => "after".to_owned(),
        Some(semver) if semver.starts_with("semver_") => match &semver[7..] {
            "eq" => "is version".to_owned(),
            "neq" => "is not version".to_owned(),
            "gt" => "> version".to_owned(),
            "gte" => ">= version".to_owned(),
            "lt" => "< version".to_owned(),
            "lte" => "<= version".to_owned(),
            other => format!("{} version", cut(other, NAME)),
        },
        Some(other) => quoted(&other.replace('_', " ")),
    };
    format!("{group}{key} {operator} {value}")
}

/// The filters of a condition, each in words.
pub(super) fn filters(condition: &Value, groups: &Map<String, Value>) -> Vec<String> {
    let properties = condition.get("properties").and_then(Value::as_array);
    properties.into_iter().flatten().map(|property| filter(property, groups)).collect()
}

/// Who a condition is for: `50% where plan is pro`.
pub(super) fn condition(condition: &Value, groups: &Map<String, Value>) -> String {
    let share = percent(condition.get("rollout_percentage"));
    let who = match filters(condition, groups) {
        filters if filters.is_empty() => "of everybody".to_owned(),
        filters => format!("where {}", listed(&filters)),
    };
    match condition.get("variant") {
        None | Some(Value::Null) => format!("{share} {who}"),
        Some(variant) => format!("{share} {who} as {}", shown(variant)),
    }
}

/// A flag in short.
pub(super) fn flag(flag: &Value, groups: &Map<String, Value>) -> String {
    if !flag.is_object() {
        return "not an object".to_owned();
    }
    let filters = flag.get("filters");
    let conditions: Vec<String> = filters
        .and_then(|filters| filters.get("groups")?.as_array())
        .into_iter()
        .flatten()
        .map(|group| condition(group, groups))
        .collect();
    let mut text = match conditions.as_slice() {
        [] => "nobody".to_owned(),
        all if all.len() <= SUMMED_UP => all.join("; "),
        all => format!("{}; … {} more", all[..SUMMED_UP].join("; "), all.len() - SUMMED_UP),
    };
    let variants: Vec<String> = filters
        .and_then(|filters| filters.get("multivariate")?.get("variants")?.as_array())
        .into_iter()
        .flatten()
        .map(|variant| {
            let key = variant.get("key").map_or("?".to_owned(), shown);
            format!("{key} {}", percent(variant.get("rollout_percentage")))
        })
        .collect();
    if !variants.is_empty() {
        text = format!("{text} (variants {})", listed(&variants));
    }
    match flag.get("active") {
        Some(Value::Bool(true)) => text,
        _ => format!("off; {text}"),
    }
}

/// A cohort: `plan is pro or (age > 3 and in cohort 7)`.
pub(super) fn cohort(group: &Value, groups: &Map<String, Value>) -> String {
    cohort_within(group, groups, MAX_DEPTH)
}

fn cohort_within(group: &Value, groups: &Map<String, Value>, depth: usize) -> String {
    let Some(values) = group.get("values") else {
        let words = filter(group, groups);
        return match group.get("negation") {
            Some(Value::Bool(true)) => format!("not ({words})"),
            _ => words,
        };
    };
    let (Some(values), Some(depth)) = (values.as_array(), depth.checked_sub(1)) else {
        return "…".to_owned();
    };
    let word = if group.get("type").and_then(Value::as_str) == Some("OR") { "or" } else { "and" };
    let parts: Vec<String> = values
        .iter()
        .map(|value| {
            let words = cohort_within(value, groups, depth);
            let several = value.get("values").and_then(Value::as_array);
            match several.map(Vec::len) {
                Some(2..) if values.len() > 1 => format!("({words})"),
                _ => words,
            }
        })
        .collect();
    match parts.as_slice() {
        [] => "nothing".to_owned(),
        parts => parts.join(&format!(" {word} ")),
    }
}
