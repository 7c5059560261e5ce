//! What was wrong with definitions, told to people.

use crate::json::quoted;
use crate::text::Text;

/// Problems that are listed; of further ones only the number is told.
const LISTED: usize = 100;

/// Characters of a name that a problem tells.
const NAME: usize = 200;

/// A list of problems that does not grow with what is wrong: every byte of some definitions is a flag
/// that is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems {
    lines: Vec<String>,
    unlisted: usize,
}

impl Problems {
    pub(crate) fn add(&mut self, problem: impl FnOnce() -> String) {
        if self.lines.len() < LISTED {
            self.lines.push(problem());
        } else {
            self.unlisted += 1;
        }
    }

    pub(crate) fn into_lines(mut self) -> Vec<String> {
        if self.unlisted > 0 {
            self.lines.push(format!("{} more problems are not listed", self.unlisted));
        }
        self.lines
    }
}

/// A key or an id in quotes, cut if it is long.
pub(crate) fn named(name: &Text) -> String {
    let text = name.to_str_lossy();
    match text.char_indices().nth(NAME) {
        Some((end, _)) => {
            format!("{}…", quoted(&text.get(..end).unwrap_or_default().into()))
        }
        None => quoted(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_problems_are_listed_and_the_rest_counted() {
        let mut problems = Problems::default();
        (0..100).for_each(|number| problems.add(|| number.to_string()));
        assert_eq!(problems.clone().into_lines().len(), 100);
        (0..7).for_each(|_| problems.add(String::new));
        let lines = problems.into_lines();
        assert_eq!((lines.len(), lines[100].as_str()), (101, "7 more problems are not listed"));
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(named(&"é".repeat(200).into()), format!("\"{}\"", "é".repeat(200)));
        assert_eq!(named(&"é".repeat(201).into()), format!("\"{}\"…", "é".repeat(200)));
    }
}
