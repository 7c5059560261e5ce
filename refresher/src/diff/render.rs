//! A diff for terminals and for GitHub.

use super::words::{cut, listed, quoted};
use super::{ChangedCohort, Diff, Kind};
use crate::report::acts;

/// Rows of a table: GitHub shows summaries of up to 1 MiB.
const MAX_ROWS: usize = 1000;

/// Characters of a cell or a line.
const MAX_TEXT: usize = 700;

/// Characters of a key.
const MAX_KEY: usize = 200;

impl Diff {
    /// Whether both were the same JSON.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows().next().is_none()
    }

    /// How much there is: `2 flags added, 1 changed, 1 cohort changed`.
    #[must_use]
    pub fn headline(&self) -> String {
        let flags = [
            (self.added.len(), "added"),
            (self.removed.len(), "removed"),
            (self.changed.len(), "changed"),
        ];
        let mut parts: Vec<String> = Vec::new();
        for (count, what) in flags.into_iter().filter(|(count, _)| *count > 0) {
            let noun = match (parts.is_empty(), count) {
                (false, _) => "",
                (true, 1) => "flag ",
                (true, _) => "flags ",
            };
            parts.push(format!("{count} {noun}{what}"));
        }
        match self.cohorts.len() {
            0 => {}
            1 => parts.push("1 cohort changed".to_owned()),
            count => parts.push(format!("{count} cohorts changed")),
        }
        if !self.definitions.is_empty() {
            parts.push("changes outside flags".to_owned());
        }
        if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") }
    }

    /// One line for each change, beginning with `+`, `-` or `~`. Nothing in them controls a terminal.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.rows()
            .map(|row| {
                let text = cut(&row.text, MAX_TEXT);
                match row.name {
                    Some(name) => {
                        printable(&format!("{} {}: {text}", row.sign, cut(&name, MAX_KEY)))
                    }
                    None => printable(&format!("{} {text}", row.sign)),
                }
            })
            .collect()
    }

    /// A table in GitHub's Markdown, after a line that says how much there is. Cells are text: what they
    /// hold is neither Markdown nor HTML.
    #[must_use]
    pub fn markdown(&self) -> String {
        let headline = self.headline();
        if self.is_empty() {
            return "No changes.\n".to_owned();
        }
        let mut table = format!("**{headline}**\n\n|   | flag | change |\n|---|---|---|\n");
        let mut rows = self.rows();
        for row in rows.by_ref().take(MAX_ROWS) {
            let name = match row.name {
                Some(name) => format!("<code>{}</code>", cell(&cut(&name, MAX_KEY))),
                None => String::new(),
            };
            let sign = match row.sign {
                '+' => "➕",
                '-' => "➖",
                _ => "✏️",
            };
            let text = cell(&cut(&row.text, MAX_TEXT)).replace(" -&gt; ", " → ");
            table.push_str(&format!("| {sign} | {name} | {text} |\n"));
        }
        match rows.count() {
            0 => {}
            left => table.push_str(&format!("\n… and {left} more changes\n")),
        }
        table
    }

    fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let added = self.added.iter().map(|flag| Row::of(flag.key.as_deref(), '+', &flag.summary));
        let removed = self
            .removed
            .iter()
            .map(|flag| Row::of(flag.key.as_deref(), '-', &format!("was {}", flag.summary)));
        let changed = self.changed.iter().flat_map(|flag| {
            flag.changes.iter().map(|change| Row::of(flag.key.as_deref(), '~', &change.text))
        });
        let definitions = self.definitions.iter().map(|change| Row {
            sign: '~',
            name: None,
            text: change.text.clone(),
        });
        added
            .chain(removed)
            .chain(changed)
            .chain(self.cohorts.iter().map(cohort))
            .chain(definitions)
    }
}

struct Row {
    sign: char,
    name: Option<String>,
    text: String,
}

impl Row {
    fn of(key: Option<&str>, sign: char, text: &str) -> Row {
        let name = key.map_or("(a flag without a key)".to_owned(), str::to_owned);
        Row { sign, name: Some(name), text: text.to_owned() }
    }
}

fn cohort(cohort: &ChangedCohort) -> Row {
    let sign = match cohort.kind {
        Kind::Added => '+',
        Kind::Removed => '-',
        Kind::Changed => '~',
    };
    let flags: Vec<String> = cohort.used_by.iter().map(|key| quoted(key)).collect();
    let users = match flags.as_slice() {
        [] => "no flag uses it".to_owned(),
        flags => format!("used by {}", listed(flags)),
    };
    let name = format!("cohort {}", quoted(&cohort.id));
    Row { sign, name: Some(name), text: format!("{} ({users})", cohort.text) }
}

/// Text without anything that a terminal acts on or that hides or turns what stands beside it.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if acts(c) => shown.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// Text as a cell of a table: nothing in it means anything to Markdown, HTML or GitHub.
fn cell(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let printable = printable(text);
    let (mut chars, mut in_word) = (printable.chars().peekable(), false);
    while let Some(c) = chars.next() {
        match c {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            // Between letters it emphasises nothing.
            '_' if in_word && chars.peek().is_some_and(|next| next.is_alphanumeric()) => {
                shown.push('_');
            }
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '@' | '#' | '!' => {
                shown.push_str(&format!("&#{};", u32::from(c)));
            }
            c => shown.push(c),
        }
        in_word = c.is_alphanumeric();
    }
    // An address would become a link.
    shown.replace("://", "&#58;//").replace("www.", "www&#46;")
}
