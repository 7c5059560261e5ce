//! `JSON.stringify`, but for numbers that it does not keep.

#[cfg(feature = "compile")]
use crate::ecma::Host;
use crate::text::Text;
#[cfg(feature = "compile")]
use crate::value::Value;

#[cfg(feature = "compile")]
/// `JSON.stringify` of a value that came from JSON.
pub(crate) fn to_json(value: &Value, host: &dyn Host) -> String {
    let mut out = String::new();
    write(value, host, &mut out);
    out
}

#[cfg(feature = "compile")]
fn write(value: &Value, host: &dyn Host, out: &mut String) {
    match value {
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        // `JSON.stringify` would write 0, but what was read as -0 must be read so again.
        Value::Number(number) if *number == 0.0 && number.is_sign_negative() => out.push_str("-0"),
        Value::Number(number) if number.is_finite() => {
            out.push_str(&host.number_to_string(*number));
        }
        // This is how a number beyond a double's range stays one.
        Value::Number(number) if number.is_infinite() => {
            out.push_str(if *number > 0.0 { "1e999" } else { "-1e999" });
        }
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                out.push(if index == 0 { '[' } else { ',' });
                write(item, host, out);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Object(members) => {
            for (index, (key, member)) in members.iter().enumerate() {
                out.push(if index == 0 { '{' } else { ',' });
                write_string(key, out);
                out.push(':');
                write(member, host, out);
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
        _ => out.push_str("null"),
    }
}

/// A text in quotes, for a message.
pub(crate) fn quoted(text: &Text) -> String {
    let mut out = String::new();
    write_string(text, &mut out);
    out
}

/// `JSON.stringify` of a string.
pub(crate) fn write_string(text: &Text, out: &mut String) {
    out.push('"');
    match text.as_str() {
        Some(text) => text.chars().for_each(|character| write_character(character, out)),
        None => {
            for unit in char::decode_utf16(text.to_utf16()) {
                match unit {
                    Ok(character) => write_character(character, out),
                    Err(lone) => write_escape(u32::from(lone.unpaired_surrogate()), out),
                }
            }
        }
    }
    out.push('"');
}

#[cfg(feature = "compile")]
/// A JSON text in which escapes spell the lone surrogates that UTF-8 cannot hold.
pub(crate) fn with_escaped_surrogates(json: &Text) -> String {
    if let Some(json) = json.as_str() {
        return json.to_owned();
    }
    let mut out = String::new();
    for unit in char::decode_utf16(json.to_utf16()) {
        match unit {
            Ok(character) => out.push(character),
            Err(lone) => write_escape(u32::from(lone.unpaired_surrogate()), &mut out),
        }
    }
    out
}

fn write_character(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..='\u{1f}' => write_escape(u32::from(character), out),
        _ => out.push(character),
    }
}

fn write_escape(unit: u32, out: &mut String) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        out.extend(char::from_digit(unit >> shift & 0xf, 16));
    }
}

#[cfg(all(test, feature = "native"))]
mod tests {
    use super::to_json;
    use crate::ecma::NativeHost;
    use crate::json::parse;

    #[test]
    fn a_value_is_written_as_json_that_reads_back_the_same() {
        let host = NativeHost::new();
        for text in [
            r#"{"a":[1.5,null,true,"x\n\u0001\\"],"b":{}}"#,
            r#"["\ud800😀",[],1e999,-1e999]"#,
            r#""\ud800é\u001f""#,
        ] {
            assert_eq!(to_json(&parse(text, &host).unwrap(), &host), text);
        }
    }
}
