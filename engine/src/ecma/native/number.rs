//! `parseFloat` and `Number` of a text.

use crate::ecma::text::is_space;

/// `parseFloat(text)`.
pub(super) fn parse_float(text: &str) -> f64 {
    let text = text.trim_start_matches(is_space);
    let number = decimal_prefix(text);
    if !number.is_empty() {
        return number.parse().unwrap_or(f64::NAN);
    }
    infinity(text, str::starts_with).unwrap_or(f64::NAN)
}

/// `Number(text)`.
pub(super) fn to_number(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    if text.is_empty() {
        return 0.0;
    }
    let radix = match text.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => 10,
    };
    if radix != 10 {
        return text.get(2..).map_or(f64::NAN, |digits| digits_of_radix(digits, radix));
    }
    if decimal_prefix(text).len() == text.len() {
        return text.parse().unwrap_or(f64::NAN);
    }
    infinity(text, |text, word| text == word).unwrap_or(f64::NAN)
}

/// Digits of a power-of-two radix, rounded as `f64` does when the number outgrows 128 bits.
fn digits_of_radix(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() {
        return f64::NAN;
    }
    let mut value = 0_u128;
    let mut scale = 1.0_f64;
    for digit in digits.chars() {
        let Some(digit) = digit.to_digit(radix) else { return f64::NAN };
        if value >> 100 == 0 {
            value = value * u128::from(radix) + u128::from(digit);
        } else {
            // Bits this far down only matter as "not zero" when rounding.
            value |= u128::from(digit != 0);
            scale *= f64::from(radix);
        }
    }
    value as f64 * scale
}

fn infinity(text: &str, is: impl Fn(&str, &'static str) -> bool) -> Option<f64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    is(rest, "Infinity").then_some(sign * f64::INFINITY)
}

/// The longest prefix that is a decimal literal with an optional sign, fraction and exponent; empty
/// if there is none.
fn decimal_prefix(text: &str) -> &str {
    let bytes = text.as_bytes();
    let digits =
        |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(end);
    end += whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return "";
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{parse_float, to_number};

    #[test]
    fn parse_float_reads_the_longest_decimal_prefix() {
        for (text, number) in [
            ("5px", 5.0),
            ("0x10", 0.0),
            ("1,000", 1.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e", 1.0),
            ("1e+", 1.0),
            ("-1e-400", -0.0),
            ("\u{feff} 7", 7.0),
            ("1.2.3", 1.2),
            ("1e400", f64::INFINITY),
            ("-Infinityx", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse_float(text), number, "{text:?}");
        }
        for text in ["", ".", "-", "e5", "infinity", "NaN", "٣", "\u{180e}5"] {
            assert!(parse_float(text).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn number_wants_the_whole_text() {
        for (text, number) in [
            ("", 0.0),
            (" 50 ", 50.0),
            ("0x32", 50.0),
            ("0b11", 3.0),
            ("+5", 5.0),
            ("5.", 5.0),
            ("Infinity", f64::INFINITY),
        ] {
            assert_eq!(to_number(text), number, "{text:?}");
        }
        for text in ["5px", "0x", "-0x10", "1_000", "infinity", "Infinityx", "inf", "nan"] {
            assert!(to_number(text).is_nan(), "{text:?}");
        }
    }
}
