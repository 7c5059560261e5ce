//! One line on a terminal that tells what takes so long, and is gone when it is over.
//!
//! Nothing is shown in pipes, in CI, beside logs, or for what takes less than a second.

use std::io::{self, IsTerminal, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::report::printable;

/// What is shorter than this is not shown.
const PATIENCE: Duration = Duration::from_secs(1);
const FRAME: Duration = Duration::from_millis(120);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
/// Back to the beginning of the line, clear it.
const CLEAR: &str = "\r\x1b[K";

static LINE: Line = Line {
    shown: Mutex::new(Shown { on: false, doing: Vec::new(), next: 0, visible: false }),
    changed: Condvar::new(),
};

struct Line {
    shown: Mutex<Shown>,
    changed: Condvar,
}

struct Shown {
    /// Whether anything is ever shown.
    on: bool,
    /// What is being done, the latest last.
    doing: Vec<Doing>,
    next: u64,
    /// Whether the line is on the terminal now.
    visible: bool,
}

struct Doing {
    id: u64,
    what: String,
    since: Instant,
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn clear(&mut self) {
        if self.visible {
            let _ = write!(io::stderr(), "{CLEAR}");
            self.visible = false;
        }
    }
}

/// Shows what is being done from now on, if somebody is there to see it. `wanted` is for what the
/// caller knows: nobody asked for logs or for output that a program reads.
pub fn start(wanted: bool) {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let ci = variable("CI").is_some_and(|value| value != "false" && value != "0");
    let dumb = variable("TERM").is_none_or(|value| value == "dumb");
    if !wanted || ci || (dumb && !cfg!(windows)) || !io::stderr().is_terminal() {
        return;
    }
    LINE.lock().on = true;
    // Without a thread to draw, nothing is shown, and all else goes on.
    let _ = thread::Builder::new().name("progress".to_owned()).spawn(draw);
}

/// Says what is being done, such as `asking us.i.posthog.com`, until the returned value is dropped.
#[must_use]
pub fn doing(what: impl FnOnce() -> String) -> Guard {
    let mut shown = LINE.lock();
    if !shown.on {
        return Guard(None);
    }
    let id = shown.next;
    shown.next += 1;
    shown.doing.push(Doing { id, what: what(), since: Instant::now() });
    LINE.changed.notify_one();
    Guard(Some(id))
}

/// Something being done.
#[derive(Debug)]
pub struct Guard(Option<u64>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Guard(Some(id)) = self {
            let mut shown = LINE.lock();
            shown.doing.retain(|doing| doing.id != *id);
            shown.clear();
        }
    }
}

/// Standard error for whole lines of others, which the moving line makes room for.
#[must_use]
pub fn stderr() -> impl Write {
    struct Stderr;
    impl Write for Stderr {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut shown = LINE.lock();
            shown.clear();
            io::stderr().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            io::stderr().flush()
        }
    }
    Stderr
}

/// Draws for as long as the process lives.
fn draw() {
    let mut shown = LINE.lock();
    for frame in FRAMES.iter().cycle() {
        while shown.doing.is_empty() {
            shown = LINE.changed.wait(shown).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(doing) = shown.doing.last()
            && doing.since.elapsed() >= PATIENCE
        {
            let seconds = doing.since.elapsed().as_secs();
            // Without wrapping: a line longer than the terminal is wide could not be cleared.
            let line =
                format!("{CLEAR}\x1b[?7l{frame} {} ({seconds} s)\x1b[?7h", printable(&doing.what));
            let _ = write!(io::stderr(), "{line}");
            shown.visible = true;
        }
        shown = LINE.changed.wait_timeout(shown, FRAME).unwrap_or_else(PoisonError::into_inner).0;
    }
}
