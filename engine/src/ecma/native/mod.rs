//! JavaScript's host functions for programs that do not run in JavaScript.

mod date;
mod number;

use super::Host;

/// A [`Host`] that answers as V8 under `TZ=UTC` does.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeHost(());

impl NativeHost {
    /// The host; it holds nothing.
    #[must_use]
    pub fn new() -> Self {
        NativeHost::default()
    }
}

impl Host for NativeHost {
    fn parse_date(&self, text: &str) -> f64 {
        date::parse(text).unwrap_or(f64::NAN)
    }

    /// DIFFERENCE: Rust's Unicode version decides, not that of the JavaScript which evaluates. Letters that
    /// one of them does not know yet stay as they are there. From Unicode 16.0 to 17.0 these are U+A7CE,
    /// U+A7D2, U+A7D4 and U+16EA0 to U+16EB8; from 15.0 also U+1C89, U+A7CB, U+A7CC, U+A7DA, U+A7DC and
    /// U+10D50 to U+10D65. New marks, U+0295 (since 17.0) and U+1171E (since 16.0) change how a sigma
    /// beside them is lower-cased. Nothing else differs.
    fn to_lower_case(&self, text: &str) -> String {
        text.to_lowercase()
    }

    fn number_to_string(&self, number: f64) -> String {
        ryu_js::Buffer::new().format(number).to_owned()
    }

    fn parse_float(&self, text: &str) -> f64 {
        number::parse_float(text)
    }

    fn to_number(&self, text: &str) -> f64 {
        number::to_number(text)
    }
}
