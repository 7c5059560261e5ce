//! The small tables JavaScript reads once per load.

use std::borrow::Cow;

use flagpost_engine::{Ruleset, Text};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// All that answers and packed users refer to by index. Texts that are no Unicode have U+FFFD where
/// a surrogate stood alone.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tables<'a> {
    keys: Vec<Cow<'a, str>>,
    slots: Vec<Cow<'a, str>>,
    group_types: Vec<Cow<'a, str>>,
    strings: Vec<Cow<'a, str>>,
    payloads: Vec<PayloadRow<'a>>,
    problems: &'a [String],
    header: Option<&'a str>,
}

#[derive(Serialize)]
struct PayloadRow<'a> {
    json: &'a str,
    truthy: bool,
}

impl<'a> Tables<'a> {
    pub(crate) fn of(ruleset: &'a Ruleset, header: Option<&'a str>) -> Self {
        let texts = |texts: &'a [Text]| texts.iter().map(Text::to_str_lossy).collect();
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
        Ok(self.serialize(&Serializer::json_compatible())?)
    }
}
