//! Ways to spoil bytes and JSON texts.

use std::ops::Range;

use proptest::prelude::*;

/// Tokens that readers get wrong.
const INTERESTING: [&str; 32] = [
    "1e400",
    "-1e400",
    "-0",
    "0.1e-400",
    "1E+2",
    "9007199254740993",
    "01",
    "1.",
    "NaN",
    "null",
    "true",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\u0000\"",
    "\"\"",
    "\"toString\"",
    "\"length\"",
    "\"__proto__\"",
    "{}",
    "[]",
    "[null]",
    "{\"toString\":1}",
    "{\"length\":1}",
    "\"(a+)+$\"",
    "\"-9999y\"",
    "\"v1.2.3\"",
    "\"regex\"",
    "\"cohort\"",
    "\"flag\"",
    "\"values\"",
    "4294967296",
    "\u{feff}",
];

/// One change: what is done, and two numbers that say where.
pub(crate) type Mutation = (u8, u32, u32);

/// Which seed, and the changes made to it.
pub(crate) type Recipe = (usize, Vec<Mutation>);

pub(crate) fn recipes() -> impl Strategy<Value = Recipe> {
    (0..1000_usize, prop::collection::vec((any::<u8>(), any::<u32>(), any::<u32>()), 0..6))
}

/// The seed of a recipe, changed in bytes and tokens.
pub(crate) fn mutated(seeds: &[Vec<u8>], (seed, mutations): &Recipe) -> Vec<u8> {
    let mut bytes = seeds[seed % seeds.len()].clone();
    for (kind, one, other) in mutations {
        let other_seed = &seeds[*other as usize % seeds.len()];
        bytes = mutate(&bytes, *kind, *one as usize, *other as usize, other_seed);
    }
    bytes
}

fn mutate(bytes: &[u8], kind: u8, one: usize, other: usize, other_seed: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    if bytes.is_empty() {
        return out;
    }
    let at = one % bytes.len();
    let tokens = tokens(bytes);
    let token = tokens.get(one % tokens.len().max(1)).cloned().unwrap_or(0..0);
    let second = tokens.get(other % tokens.len().max(1)).cloned().unwrap_or(0..0);
    let interesting = INTERESTING[other % INTERESTING.len()].as_bytes();
    match kind % 12 {
        0 => out[at] ^= 1 << (other % 8),
        1 => out.truncate(at),
        2 => out[at] = (other % 256) as u8,
        3 => {
            let from = other % other_seed.len();
            out.splice(at.., other_seed[from..].iter().copied());
        }
        4 | 5 => replace(&mut out, token, interesting),
        6 => replace(&mut out, token.start..token.start, interesting),
        7 => {
            let copy = bytes[token.clone()].to_vec();
            replace(&mut out, token.end..token.end, &copy);
        }
        8 => replace(&mut out, token, b""),
        9 => {
            let copy = bytes[second].to_vec();
            replace(&mut out, token, &copy);
        }
        10 => {
            let depth = [2, 20, 190, 600, 20_000][other % 5];
            let value = bytes[token.clone()].to_vec();
            let (open, close) = match other % 3 {
                0 => ("[", "]"),
                1 => ("{\"a\":", "}"),
                _ => ("{\"type\":\"OR\",\"values\":[", "]}"),
            };
            let wrapped =
                [open.repeat(depth).as_bytes(), &value, close.repeat(depth).as_bytes()].concat();
            replace(&mut out, token, &wrapped);
        }
        _ => {
            // A member, a filter or a flag again.
            let (from, to) = (token.start.min(second.start), token.end.max(second.end));
            let copy = [b",", &bytes[from..to]].concat();
            replace(&mut out, to..to, &copy);
        }
    }
    out
}

fn replace(bytes: &mut Vec<u8>, range: Range<usize>, with: &[u8]) {
    bytes.splice(range, with.iter().copied());
}

/// Texts, brackets with what they hold, words and single bytes, by their places.
fn tokens(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut open = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        at += 1;
        match bytes[start] {
            b'"' => {
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(bytes.len());
            }
            b'{' | b'[' => {
                open.push(start);
                continue;
            }
            b'}' | b']' => {
                if let Some(start) = open.pop() {
                    tokens.push(start..at);
                }
                continue;
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => {
                let more = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                at += bytes[at..].iter().take_while(|byte| more(byte)).count();
            }
            _ => {}
        }
        tokens.push(start..at);
    }
    tokens
}
