//! JavaScript's host functions for programs that do not run in JavaScript.

mod date;
mod number;
mod regex;

use std::cell::RefCell;
use std::collections::HashMap;

use super::Host;

/// A [`Host`] that answers as V8 under `TZ=UTC` does.
///
/// DIFFERENCE: a regular expression that the linear-time engine finds too large stays undecided.
#[derive(Debug, Default)]
pub struct NativeHost {
    patterns: RefCell<HashMap<u32, Option<::regex::bytes::Regex>>>,
}

impl NativeHost {
    /// A host for one ruleset: it keeps compiled patterns by their id.
    #[must_use]
    pub fn new() -> Self {
        NativeHost::default()
    }
}

impl Host for NativeHost {
    fn regex_test(&self, id: u32, pattern: &str, text: &str) -> Option<bool> {
        let mut patterns = self.patterns.borrow_mut();
        let compiled = patterns.entry(id).or_insert_with(|| regex::compile(pattern));
        match compiled {
            Some(regex) => Some(regex.is_match(text.as_bytes())),
            None => {
                regex::compile_for(pattern, text.len()).map(|regex| regex.is_match(text.as_bytes()))
            }
        }
    }

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
