//! The JavaScript around the module: dates, letter case and number text.

use flagpost_engine::ecma::Host;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Date, js_name = parse)]
    fn parse_date(text: &str) -> f64;

    #[wasm_bindgen(js_namespace = ["String", "prototype", "toLowerCase"], js_name = call)]
    fn to_lower_case(text: &str) -> String;

    #[wasm_bindgen(js_name = String)]
    fn string_of(number: f64) -> String;

    #[wasm_bindgen(js_name = parseFloat)]
    fn parse_float(text: &str) -> f64;

    #[wasm_bindgen(js_name = Number)]
    fn number_of(text: &str) -> f64;
}

pub(crate) struct JsHost;

impl Host for JsHost {
    fn parse_date(&self, text: &str) -> f64 {
        parse_date(text)
    }

    fn to_lower_case(&self, text: &str) -> String {
        to_lower_case(text)
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
