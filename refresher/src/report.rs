//! What became of a run: lines for people, a line for machines, an exit code.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

pub(crate) use flagpost_engine::publish::acts;
pub use flagpost_engine::publish::{count, printable};
use serde::{Serialize, Serializer};

use crate::outcome::{Exit, Outcome, Reason, Status};

/// A flag that only PostHog's server can decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Undecidable {
    pub key: String,
    /// One of posthog-node's reasons.
    pub reason: &'static str,
}

/// What became of one run; serialised, it is the line of `--json`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The stores' status if it is the same for all; otherwise the most serious one.
    pub status: Status,
    pub reason: Option<Reason>,
    #[serde(rename = "exitCode", serialize_with = "exit_code")]
    pub exit: Exit,
    /// The same for people.
    pub message: String,
    /// How often PostHog was asked.
    pub attempts: u32,
    /// How long PostHog wants to be left alone, if it said so last.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    /// Flags among the definitions that came; null when none came or they are those stored.
    pub flags: Option<usize>,
    /// What the evaluator had to pass over in those definitions.
    pub problems: Vec<String>,
    /// Flags among those definitions that are undecided for a user of whom nothing is known, for
    /// another reason than that.
    pub undecidable: Vec<Undecidable>,
    pub stores: Vec<Outcome>,
}

impl Report {
    /// A run that ended before anything was asked.
    #[must_use]
    pub fn usage(message: &str) -> Self {
        Report {
            status: Status::Error,
            reason: Some(Reason::Config),
            exit: Exit::Usage,
            message: message.to_owned(),
            attempts: 0,
            retry_after: None,
            flags: None,
            problems: Vec::new(),
            undecidable: Vec::new(),
            stores: Vec::new(),
        }
    }

    /// Sums the stores up: at least one.
    #[must_use]
    pub fn of(stores: Vec<Outcome>, attempts: u32) -> Self {
        let failed = stores.iter().filter(|store| store.exit() != Exit::Ok).count();
        let worst = stores.iter().max_by_key(|store| (store.exit() != Exit::Ok, store.status));
        let partial = failed > 0 && failed < stores.len();
        let reason = match partial {
            true => Some(Reason::Partial),
            false => worst.and_then(|store| store.reason),
        };
        let message = match (partial, stores.as_slice()) {
            (true, _) => format!("{failed} of {} stores failed", stores.len()),
            (false, [store]) => store.message.clone(),
            (false, _) => format!("{} stores", stores.len()),
        };
        Report {
            status: worst.map_or(Status::Error, |store| store.status),
            exit: reason.map_or(Exit::Ok, Reason::exit),
            reason,
            message,
            stores,
            attempts,
            ..Report::usage("")
        }
    }

    /// Prints it: for people on stdout or, if it failed, on stderr; for machines on stdout.
    pub fn print(&self, json: bool) {
        if json {
            say(&serde_json::to_string(self).unwrap_or_default());
        }
        match (json, self.exit) {
            (true, Exit::Ok) => {}
            (false, Exit::Ok) => self.lines().iter().for_each(|line| say(line)),
            _ => self.lines().iter().for_each(|line| eprintln!("{line}")),
        }
    }

    /// For people: a line for each store, what changed there, and what is to be known of the
    /// definitions.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        if self.stores.is_empty() {
            return vec![format!("{}: {}", self.status.as_str(), self.message)];
        }
        let mut lines = Vec::new();
        for (index, store) in self.stores.iter().enumerate() {
            lines.push(format!("{}: {}", store.status.as_str(), store.message));
            lines.extend(store.warnings.iter().map(|warning| format!("  warning: {warning}")));
            // Stores that were equal before change alike.
            let repeated = self.stores[..index].iter().any(|other| other.changes == store.changes);
            let changes = store.changes.iter().filter(|_| !repeated);
            let changes: Vec<_> = changes.flat_map(|diff| diff.lines()).collect();
            lines.extend(changes.iter().take(LINES).map(|line| format!("  {line}")));
            if changes.len() > LINES {
                lines.push(format!("  … {} more", changes.len() - LINES));
            }
        }
        if self.stores.iter().any(|store| store.written) {
            lines.extend(self.about_definitions());
        }
        lines
    }

    /// Appends what was done to a file, as Markdown.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append_markdown(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(self.markdown().as_bytes())
    }

    fn markdown(&self) -> String {
        let mut text = "### Feature flags\n\n".to_owned();
        for (index, store) in self.stores.iter().enumerate() {
            let icon = if store.exit() == Exit::Ok { "✅" } else { "❌" };
            let message = escaped(&store.message);
            text += &format!("{icon} **{}**: {message}\n\n", store.status.as_str());
            for warning in &store.warnings {
                text += &format!("⚠️ {}\n\n", escaped(warning));
            }
            let repeated = self.stores[..index].iter().any(|other| other.changes == store.changes);
            let changes = store.changes.iter().filter(|diff| !repeated && !diff.is_empty());
            text.extend(changes.map(|diff| format!("{}\n\n", diff.markdown())));
        }
        if self.stores.is_empty() {
            text += &format!("❌ **{}**: {}\n\n", self.status.as_str(), escaped(&self.message));
        }
        for line in self.about_definitions() {
            text += &format!("{}\n\n", escaped(line.trim()));
        }
        text
    }

    fn about_definitions(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.problems.is_empty() {
            lines.push(format!(
                "  {} in the definitions, -v lists them",
                count(self.problems.len(), "problem")
            ));
        }
        if !self.undecidable.is_empty() {
            let shown = self.undecidable.iter().take(SHOWN);
            let mut list: Vec<_> =
                shown.map(|flag| format!("{} ({})", printable(&flag.key), flag.reason)).collect();
            if self.undecidable.len() > SHOWN {
                list.push(format!("{} more", self.undecidable.len() - SHOWN));
            }
            lines.push(format!(
                "  {} only PostHog's server can decide: {}",
                count(self.undecidable.len(), "flag"),
                list.join(", ")
            ));
        }
        lines
    }
}

/// A text as Markdown shows it as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        if c.is_ascii_punctuation()
            && !matches!(c, '.' | ',' | ':' | ';' | '/' | '-' | '%' | '(' | ')')
        {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Most changes shown to people; JSON and Markdown have all.
const LINES: usize = 40;
/// Most flags named in one line.
const SHOWN: usize = 8;

fn exit_code<S: Serializer>(exit: &Exit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(*exit as u8)
}

/// Prints a line on stdout. Nobody listening (`refresher … | head`) is no failure of ours.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A size for people: `812 B`, `10.2 KB`, `1.4 MB`.
#[must_use]
pub fn size(bytes: usize) -> String {
    match bytes as f64 {
        _ if bytes < 1000 => format!("{bytes} B"),
        size if bytes < 1_000_000 => format!("{:.1} KB", size / 1e3),
        size => format!("{:.1} MB", size / 1e6),
    }
}
