//! Portable JavaScript patterns for a linear-time engine.

use regex::bytes::{Regex, RegexBuilder};

/// Compiles a pattern that has passed the portability scan; `None` if the engine finds it too large.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    build(&translate(pattern, u32::MAX))
}

/// Compiles a pattern for texts of one length only. A count beyond the text's length finds what a count
/// of one more than the length finds, so that the largest counts become small.
pub(super) fn compile_for(pattern: &str, text_length: usize) -> Option<Regex> {
    let most = u32::try_from(text_length).ok()?.checked_add(1)?;
    build(&translate(pattern, most))
}

fn build(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).unicode(false).build().ok()
}

/// Writes every character that stands for itself as its code, so that nothing means something else
/// to the engine than it does to JavaScript. Counts are cut to `most`.
fn translate(pattern: &str, most: u32) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    let mut in_class = false;
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some('b') => literal('\u{8}', &mut out),
                Some(letter) if letter.is_ascii_alphabetic() => out.extend(['\\', letter]),
                Some(other) => literal(other, &mut out),
                None => {}
            },
            '[' => {
                in_class = true;
                out.push('[');
                if rest.as_str().starts_with('^') {
                    out.extend(rest.next());
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '-' if in_class => out.push('-'),
            _ if in_class => literal(character, &mut out),
            '{' => {
                let (count, tail) = rest.as_str().split_once('}').unwrap_or_default();
                let cut = |digits: &str| match digits.parse::<u32>() {
                    Ok(number) => number.min(most).to_string(),
                    Err(_) => String::new(),
                };
                let count: Vec<String> = count.split(',').map(cut).collect();
                out.push_str(&format!("{{{}}}", count.join(",")));
                rest = tail.chars();
            }
            '.' | '^' | '$' | '|' | '(' | ')' | '*' | '+' | '?' => out.push(character),
            ':' if out.ends_with("(?") => out.push(':'),
            _ => literal(character, &mut out),
        }
    }
    out
}

fn literal(character: char, out: &mut String) {
    if character.is_ascii_alphanumeric() {
        out.push(character);
    } else {
        out.push_str(&format!("\\x{:02x}", u32::from(character)));
    }
}
