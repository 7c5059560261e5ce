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
