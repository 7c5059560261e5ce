//! Commands that look at stores and steer them: one page for each store, for people or as JSON.

use std::io::{IsTerminal, stdout};

use flagpost_engine::snapshot::Header;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::runtime::Builder;

use crate::cli::Common;
use crate::config;
use crate::outcome::Exit;
use crate::report::{printable, say};
use crate::secret::hide_keys;
use crate::snapshot::short;
use crate::store::{Item, Store, StoreError, Stored};

pub mod cost;
pub mod diff;
pub mod doctor;
pub mod history;
pub mod inspect;
pub mod pin;
pub mod rollback;
pub mod status;
mod versions;

/// Where a line's label ends at the latest.
const LABEL: usize = 24;
/// Fewest columns that text is folded to.
const NARROW: usize = 20;

/// Said of a store without a snapshot.
const NOTHING_STORED: &str = "nothing is stored yet: `refresher run` stores it";

/// Why a command did not do what it was asked.
pub type Trouble = (Exit, String);

/// What a command has to say of one store or file.
#[derive(Debug)]
pub struct Page {
    /// For people, below the store's address.
    pub lines: Vec<String>,
    /// For machines.
    pub data: Map<String, Value>,
    pub exit: Exit,
}

impl Page {
    /// `data` is an object.
    fn new(lines: Vec<String>, data: Value) -> Self {
        let data = match data {
            Value::Object(data) => data,
            _ => Map::new(),
        };
        Page { lines, data, exit: Exit::Ok }
    }
}

/// What each is about, and what there is to say of it.
type Pages = Vec<(String, Result<Page, Trouble>)>;

/// Runs a command on the stores given, and prints what it gives.
fn with_stores(common: &Common, command: impl AsyncFnOnce(&[Box<dyn Store>]) -> Pages) -> Exit {
    match config::stores(&common.stores, &common.patience, &config::environment) {
        Ok(stores) => show(&block_on(command(&stores)), common.json),
        Err(error) => failed(Exit::Usage, &error, common.json),
    }
}

/// Runs a command on each of the stores given, all at once, and prints what it gives. The command
/// learns the store's place among them.
fn with_each(
    common: &Common,
    command: impl AsyncFn(usize, &dyn Store) -> Result<Page, Trouble>,
) -> Exit {
    with_stores(common, async |stores| {
        let pages = stores
            .iter()
            .enumerate()
            .map(async |(place, store)| (store.describe(), command(place, store.as_ref()).await));
        join_all(pages).await
    })
}

/// Runs to its end what waits for networks. Without threads of its own.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            eprintln!("error: this machine gives no means to wait for the network: {error}");
            std::process::exit(Exit::Machine as i32)
        }
    }
}

/// Prints why nothing was done at all.
fn failed(exit: Exit, error: &str, json: bool) -> Exit {
    if json {
        say(&json!({ "exitCode": exit as u8, "error": error }).to_string());
    }
    eprintln!("error: {error}");
    exit
}

/// Prints all pages, and sums their exit codes up.
fn show(pages: &Pages, json: bool) -> Exit {
    let exit = summed(pages);
    if json {
        let stores: Vec<Value> = pages.iter().map(|(name, page)| as_json(name, page)).collect();
        say(&json!({ "exitCode": exit as u8, "stores": stores }).to_string());
    }
    for (name, page) in pages {
        match page {
            Ok(page) if !json => {
                say(&shown(name));
                page.lines.iter().for_each(|line| say_folded(&format!("  {line}")));
            }
            Ok(_) => {}
            Err((_, error)) => eprintln!("error: {}: {}", shown(name), shown(error)),
        }
    }
    exit
}

/// A text that may hold an argument: keys end up in the wrong place.
fn shown(text: &str) -> String {
    printable(&hide_keys(text))
}

/// Prints a line, on a terminal folded at its width: what follows stands where its text begins.
fn say_folded(line: &str) {
    let width = match stdout().is_terminal() {
        true => terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
        false => None,
    };
    fold(line.trim_end(), width.unwrap_or(usize::MAX)).iter().for_each(|line| say(line));
}

fn fold(line: &str, width: usize) -> Vec<String> {
    let indent = line.chars().take_while(|c| *c == ' ').count();
    // Behind a label, where there is one.
    let chars: Vec<char> = line.chars().collect();
    let label = chars.windows(3).take(LABEL).enumerate().skip(indent).rev();
    let label = label
        .filter(|(_, of)| matches!(of, [' ', ' ', c] if *c != ' '))
        .map(|(place, _)| place + 2)
        .next();
    let hang = label.unwrap_or(indent + 2);
    if chars.len() <= width || width < hang + NARROW {
        return vec![line.to_owned()];
    }
    let (mut lines, mut last) = (Vec::new(), String::new());
    for word in line.split_inclusive(' ') {
        let length = last.chars().count() + word.trim_end().chars().count();
        if length > width && last.chars().count() > hang {
            lines.push(last.trim_end().to_owned());
            last = " ".repeat(hang);
        }
        last.push_str(word);
    }
    lines.push(last.trim_end().to_owned());
    lines
}

fn as_json(name: &str, page: &Result<Page, Trouble>) -> Value {
    let mut data = Map::new();
    data.insert("store".to_owned(), hide_keys(name).into());
    match page {
        Ok(page) => {
            data.insert("exitCode".to_owned(), (page.exit as u8).into());
            data.extend(page.data.clone());
        }
        Err((exit, error)) => {
            data.insert("exitCode".to_owned(), (*exit as u8).into());
            data.insert("error".to_owned(), hide_keys(error).into());
        }
    }
    Value::Object(data)
}

/// One exit code for all: findings count less than failures, and a failure of some is partial.
fn summed(pages: &Pages) -> Exit {
    let exits: Vec<Exit> =
        pages.iter().map(|(_, page)| page.as_ref().map_or_else(|(e, _)| *e, |p| p.exit)).collect();
    let is_failure = |exit: &&Exit| !matches!(exit, Exit::Ok | Exit::TooOld | Exit::Differs);
    let failures = exits.iter().filter(is_failure).count();
    match exits.iter().find(is_failure) {
        Some(_) if failures < exits.len() => Exit::Partial,
        Some(first) => *first,
        None => exits.into_iter().find(|exit| *exit != Exit::Ok).unwrap_or(Exit::Ok),
    }
}

/// Reads what readers read.
async fn current(store: &dyn Store) -> Result<Option<Stored>, Trouble> {
    store.read(&Item::Current).await.map_err(unreadable)
}

fn unreadable(error: StoreError) -> Trouble {
    (Exit::StoreRead, error.to_string())
}

/// What is stored or given cannot be used.
fn invalid(error: String) -> Trouble {
    (Exit::Invalid, error)
}

/// A version in a sentence: the beginning of its digest, and when it was fetched.
fn called(header: &Header) -> String {
    format!("{}… of {}", short(&header.digest), time(&header.fetched_at))
}

/// A time with how long ago it was.
fn when(rfc3339: &str, now: Timestamp) -> String {
    format!("{} UTC, {}", time(rfc3339), ago(rfc3339, now))
}

/// A time for people: `2026-11-21 19:50:27`, in UTC.
fn time(rfc3339: &str) -> String {
    match rfc3339.parse::<Timestamp>() {
        Ok(time) => time.strftime("%F %T").to_string(),
        Err(_) => printable(rfc3339),
    }
}

/// How long ago: `20 s ago`, `3 min ago`, `2 h ago`, `5 days ago`.
fn ago(rfc3339: &str, now: Timestamp) -> String {
    let Ok(then) = rfc3339.parse::<Timestamp>() else {
        return "a time that is none".to_owned();
    };
    let seconds = now.duration_since(then).as_secs();
    match seconds {
        i64::MIN..=-2 => format!("in {}: a clock is wrong", span(-seconds)),
        -1..=1 => "just now".to_owned(),
        _ => format!("{} ago", span(seconds)),
    }
}

/// A length of time in its largest unit, rounded down.
fn span(seconds: i64) -> String {
    match seconds {
        i64::MIN..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_fold_behind_their_label() {
        let line = "✗ tls            cannot connect to the proxy that the environment names";
        assert_eq!(
            fold(line, 50),
            [
                "✗ tls            cannot connect to the proxy that",
                "                 the environment names"
            ]
        );
        assert_eq!(fold("  no label here at all", 22), ["  no label here at all"]);
        assert_eq!(fold("  one two three four five", 24), ["  one two three four", "    five"]);
        assert_eq!(fold(line, 20), [line]);
    }

    #[test]
    fn ages_are_said_in_their_largest_unit() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        for (then, said) in [
            ("2026-01-31T11:59:59.500Z", "just now"),
            ("2026-01-31T11:59:20Z", "40 s ago"),
            ("2026-01-31T11:30:00Z", "30 min ago"),
            ("2026-01-31T02:00:00Z", "10 h ago"),
            ("2026-01-01T12:00:00Z", "30 days ago"),
            ("2026-01-31T12:10:00Z", "in 10 min: a clock is wrong"),
            ("yesterday", "a time that is none"),
        ] {
            assert_eq!(ago(then, now), said);
        }
    }
}
