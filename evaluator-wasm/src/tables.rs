//! The small tables JavaScript reads once per load.

use flagpost_engine::{Ruleset, Text};
use serde::{Serialize, Serializer};
use wasm_bindgen::JsValue;

/// All that answers and packed users refer to by index.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tables<'a> {
    keys: Vec<JsText<'a>>,
    slots: Vec<JsText<'a>>,
    group_types: Vec<JsText<'a>>,
    strings: Vec<JsText<'a>>,
    payloads: Vec<PayloadRow<'a>>,
    problems: &'a [String],
    header: Option<&'a str>,
}

#[derive(Serialize)]
struct PayloadRow<'a> {
    json: &'a str,
    truthy: bool,
}

/// A text as a JavaScript string, halves of surrogate pairs included: a property is looked up by it.
struct JsText<'a>(&'a Text);

impl Serialize for JsText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(text) = self.0.as_str() {
            return serializer.serialize_str(text);
        }
        // Rust has no such strings, but JSON can spell them.
        let text = js_sys::JSON::parse(&self.0.to_json()).unwrap_or_default();
        serde_wasm_bindgen::preserve::serialize(&text, serializer)
    }
}

impl<'a> Tables<'a> {
    pub(crate) fn of(ruleset: &'a Ruleset, header: Option<&'a str>) -> Self {
        let texts = |texts: &'a [Text]| texts.iter().map(JsText).collect();
        Tables {
            keys: texts(ruleset.flag_keys()),
            slots: texts(ruleset.slots()),
            group_types: texts(ruleset.group_types()),
            strings: texts(ruleset.strings()),
            payloads: ruleset
                .payloads()
                .iter()
                .map(|payload| PayloadRow { json: &payload.json, truthy: payload.truthy })
                .collect(),
            problems: ruleset.problems(),
            header,
        }
    }

    pub(crate) fn to_js(&self) -> Result<JsValue, JsValue> {
        Ok(self.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
    }
}
