//! `JSON.stringify`, but for numbers that it does not keep.

#[cfg(feature = "compile")]
use crate::ecma::Host;
#[cfg(feature = "compile")]
use crate::members::Member;
#[cfg(feature = "compile")]
use crate::text::Text;
#[cfg(feature = "compile")]
use crate::value::Value;

#[cfg(feature = "compile")]
/// `JSON.stringify` of a value that came from JSON.
pub(crate) fn to_json(value: &Value, host: &dyn Host) -> String {
    let mut out = Vec::new();
    write(value, host, &mut out);
    text(out)
}

#[cfg(feature = "compile")]
fn write(value: &Value, host: &dyn Host, out: &mut Vec<u8>) {
    let text = match value {
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        // `JSON.stringify` would write 0, but what was read as -0 must be read so again.
        Value::Number(number) if *number == 0.0 && number.is_sign_negative() => "-0",
        Value::Number(number) if number.is_finite() => &host.number_to_string(*number),
        // This is how a number beyond a double's range stays one.
        Value::Number(number) if number.is_infinite() && *number > 0.0 => "1e999",
        Value::Number(number) if number.is_infinite() => "-1e999",
        Value::String(text) => return write_string(text, out),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                out.push(if index == 0 { b'[' } else { b',' });
                write(item, host, out);
            }
            if items.is_empty() { "[]" } else { "]" }
        }
        Value::Object(members) => {
            for (index, Member { name, value }) in members.iter().enumerate() {
                out.push(if index == 0 { b'{' } else { b',' });
                write_string(name, out);
                out.push(b':');
                write(value, host, out);
            }
            if members.is_empty() { "{}" } else { "}" }
        }
        _ => "null",
    };
    out.extend_from_slice(text.as_bytes());
}

#[cfg(feature = "compile")]
/// A text in quotes, for a message.
pub(crate) fn quoted(of: &Text) -> String {
    let mut out = Vec::new();
    write_string(of, &mut out);
    text(out)
}

#[cfg(feature = "compile")]
/// A JSON text in which escapes spell the lone surrogates that UTF-8 cannot hold.
pub(crate) fn with_escaped_surrogates(json: &Text) -> String {
    let mut out = Vec::new();
    let mut rest = json.as_bytes();
    while let Some(byte) = rest.split_off_first() {
        if !write_surrogate(*byte, &mut rest, &mut out) {
            out.push(*byte);
        }
    }
    text(out)
}

#[cfg(feature = "compile")]
fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap_or_default()
}

/// `JSON.stringify` of WTF-8.
pub(crate) fn write_string(mut text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    while let Some(byte) = text.split_off_first() {
        let letter = match byte {
            b'"' | b'\\' => *byte,
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..=0x1f => {
                write_escape((*byte).into(), out);
                continue;
            }
            _ => {
                if !write_surrogate(*byte, &mut text, out) {
                    out.push(*byte);
                }
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', letter]);
    }
    out.push(b'"');
}

/// Writes the lone surrogate that this byte and the next two are, and passes them over; `false` if they
/// are none.
fn write_surrogate(first: u8, rest: &mut &[u8], out: &mut Vec<u8>) -> bool {
    let (0xed, [second @ 0xa0..=0xbf, third, after @ ..]) = (first, *rest) else { return false };
    let bits = |byte: &u8| u16::from(byte & 0x3f);
    write_escape(0xd000 | bits(second) << 6 | bits(third), out);
    *rest = after;
    true
}

fn write_escape(unit: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        let digit = (unit >> shift & 0xf) as u8;
        out.push(digit + if digit < 10 { b'0' } else { b'a' - 10 });
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
