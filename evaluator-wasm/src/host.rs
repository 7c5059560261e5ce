//! The JavaScript around the module: regular expressions, dates, letter case and number text.

use std::cell::RefCell;
use std::collections::BTreeMap;

use flagpost_engine::ecma::Host;
use js_sys::{Date, JsString};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type RegExp;

    /// `new RegExp(pattern)`: throws a `SyntaxError` for a pattern it cannot read.
    #[wasm_bindgen(constructor, catch)]
    fn new(pattern: &str) -> Result<RegExp, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn test(this: &RegExp, text: &str) -> Result<bool, JsValue>;

    #[wasm_bindgen(js_name = String)]
    fn string_of(number: f64) -> String;

    #[wasm_bindgen(js_name = parseFloat)]
    fn parse_float(text: &str) -> f64;

    #[wasm_bindgen(js_name = Number)]
    fn number_of(text: &str) -> f64;
}

/// The host of one ruleset: it keeps the regular expressions it compiled, `None` for a bad pattern.
#[derive(Default)]
pub(crate) struct JsHost {
    expressions: RefCell<BTreeMap<u32, Option<RegExp>>>,
}

impl Host for JsHost {
    fn regex_test(&self, id: u32, pattern: &str, text: &str) -> Option<bool> {
        let mut expressions = self.expressions.borrow_mut();
        let expression = expressions.entry(id).or_insert_with(|| RegExp::new(pattern).ok());
        expression.as_ref()?.test(text).ok()
    }

    fn parse_date(&self, text: &str) -> f64 {
        Date::parse(text)
    }

    fn to_lower_case(&self, text: &str) -> String {
        JsString::from(text).to_lower_case().into()
    }

    fn number_to_string(&self, number: f64) -> String {
        string_of(number)
    }

    fn parse_float(&self, text: &str) -> f64 {
        parse_float(text)
    }

    fn to_number(&self, text: &str) -> f64 {
        number_of(text)
    }
}
