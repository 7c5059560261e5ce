//! Mutated definitions: parsed as JSON is, compiled, and evaluated for the users of the corpus.

use flagpost_engine::ecma::NativeHost;
use flagpost_engine::{
    Answer, CompileOptions, Context, Definitions, Evaluator, FlagValue, Ruleset, User, compile,
};
use serde::de::IgnoredAny;

use crate::mutate::{mutated, recipes};
use crate::run::{corpus, fuzz};

const NOW: f64 = 1.715e12;

pub(crate) fn is_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

pub(crate) fn users() -> Vec<User> {
    let host = NativeHost::new();
    let texts = corpus("users").into_iter().map(|bytes| String::from_utf8(bytes).unwrap());
    texts.map(|text| User::from_json(&text, &host).expect("a user of the corpus")).collect()
}

/// The answers to all flags, asked together; checked to refer to what exists.
pub(crate) fn answers(
    ruleset: &Ruleset,
    user: &User,
    host: &NativeHost,
) -> Result<Vec<Answer>, String> {
    let mut user = user.clone();
    user.complete();
    let context = Context::new(ruleset, &user, host);
    let ids: Vec<_> = ruleset.flag_ids().collect();
    let answers = Evaluator::new(context).flags(ruleset, &ids, host, NOW);
    for answer in &answers {
        let Answer::Value { value, payload } = answer else { continue };
        if let FlagValue::Variant(id) | FlagValue::Json(id) = value {
            ruleset.string(*id).ok_or("a variant that does not exist")?;
        }
        if let Some(payload) = payload {
            let payload = ruleset.payload(*payload).ok_or("no such payload")?;
            if !is_json(payload.json.as_bytes()) {
                return Err(format!("a payload that is no JSON: {}", payload.json));
            }
        }
    }
    Ok(answers)
}

/// Compiles twice with hosts of their own, and asks for everybody.
pub(crate) fn compile_and_ask(bytes: &[u8], users: &[User]) -> Result<(), String> {
    let hosts = [NativeHost::new(), NativeHost::new()];
    let Ok(definitions) = Definitions::parse(bytes, &hosts[0]) else { return Ok(()) };
    let options = CompileOptions::default();
    let rulesets =
        hosts.each_ref().map(|host| compile(&definitions, &options, host).expect("compiled"));
    for user in users {
        let [first, second] = [0, 1].map(|index| answers(&rulesets[index], user, &hosts[index]));
        if first? != second? {
            return Err("two runs give different answers".to_owned());
        }
    }
    let contexts = CompileOptions { evaluation_contexts: vec!["web".to_owned()] };
    let kept = compile(&definitions, &contexts, &hosts[0]).expect("compiled").flag_keys().len();
    if kept > rulesets[0].flag_keys().len() {
        return Err("evaluation contexts added flags".to_owned());
    }
    Ok(())
}

#[test]
fn definitions_are_read_or_refused_as_json_is() {
    let seeds = corpus("definitions");
    fuzz(
        "parse",
        recipes(),
        |recipe| mutated(&seeds, recipe),
        |bytes| {
            let read = Definitions::parse(bytes, &NativeHost::new());
            let refused_as_json = read.as_ref().is_err_and(flagpost_engine::Error::is_json);
            if refused_as_json == is_json(bytes) {
                return Err(format!(
                    "JSON: {}, but it was read as {:?}",
                    is_json(bytes),
                    read.err()
                ));
            }
            let again = Definitions::parse(bytes, &NativeHost::new());
            match (read, again) {
                (Ok(read), Ok(again)) if read.len() == again.len() => Ok(()),
                (Err(error), Err(again)) if error.to_string() == again.to_string() => Ok(()),
                _ => Err("two runs differ".to_owned()),
            }
        },
    );
}

#[test]
fn definitions_that_are_read_have_answers() {
    let (seeds, users) = (corpus("definitions"), users());
    let build = |recipe: &_| mutated(&seeds, recipe);
    fuzz("compile", recipes(), build, |bytes| compile_and_ask(bytes, &users));
}
