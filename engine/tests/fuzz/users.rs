//! Mutated users, with values that only JavaScript has, asked all definitions of the corpus.

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{CompileOptions, Definitions, Text, User, Value, compile};

use crate::definitions::answers;
use crate::mutate::{mutated, recipes};
use crate::run::{corpus, fuzz};

/// Values beyond JSON, one of them in place of the property that the input's length names.
fn odd_value(number: usize) -> Value {
    let text = |text: &str| Text::from(text);
    match number % 9 {
        0 => Value::Undefined,
        1 => Value::Number(f64::NAN),
        2 => Value::Number(f64::NEG_INFINITY),
        3 => Value::Date { ms: f64::NAN, text: text("Invalid Date") },
        4 => Value::Date { ms: 1.7e12, text: text("Tue Nov 14 2023") },
        5 => Value::Exotic(None),
        6 => Value::Exotic(Some(text("[object Map]"))),
        7 => Value::Symbol(text("Symbol(s)")),
        _ => Value::String(Text::from_wtf8(vec![0xff, 0xed, 0xa0, 0xc3])),
    }
}

#[test]
fn users_have_answers_or_are_refused() {
    let seeds = corpus("users");
    let host = NativeHost::new();
    let rulesets: Vec<_> = corpus("definitions")
        .iter()
        .map(|bytes| Definitions::parse(bytes, &host).expect("definitions of the corpus"))
        .map(|definitions| {
            compile(&definitions, &CompileOptions::default(), &host).expect("compiled")
        })
        .collect();
    fuzz(
        "evaluate",
        recipes(),
        |recipe| mutated(&seeds, recipe),
        |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let Ok(mut user) = User::from_json(&text, &host) else { return Ok(()) };
            let place = bytes.len() % user.person_properties.len().max(1);
            if let Some((_, value)) = user.person_properties.iter_mut().nth(place) {
                *value = odd_value(bytes.len() / 7);
            }
            for ruleset in &rulesets {
                // Patterns are kept by their id, so that every ruleset has a host of its own.
                let [first, second] =
                    [(), ()].map(|()| answers(ruleset, &user, &NativeHost::new()));
                if first? != second? {
                    return Err("two runs give different answers".to_owned());
                }
            }
            Ok(())
        },
    );
}
