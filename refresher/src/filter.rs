//! Definitions made smaller before they are stored: fewer flags, no names.

mod names;
mod references;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::raw::{Member, elements, flags, frame, get, js_text, members, string};
pub(crate) use references::References;

/// What would end a tag, or the list of them, in [`Filter::canonical`].
const RESERVED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b',').add(b';').add(b'=');

/// What of the definitions is stored.
///
/// Flags that stay answer as they did: every flag and every cohort they depend on stays with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Keep flags with one of these evaluation contexts (formerly evaluation tags); empty keeps all.
    pub tags: Vec<String>,
    /// Keep flags meant to be evaluated there, and those meant for everywhere.
    pub runtime: Option<Runtime>,
    /// Leave out names, descriptions and labels, which evaluation does not read.
    pub drop_names: bool,
}

/// Where a flag is evaluated, as `evaluation_runtime` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Runtime {
    Server,
    Client,
}

impl Runtime {
    fn as_str(self) -> &'static str {
        match self {
            Runtime::Server => "server",
            Runtime::Client => "client",
        }
    }
}

impl Filter {
    /// Whether it leaves everything as it is.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.tags.is_empty() && self.runtime.is_none() && !self.drop_names
    }

    /// A short text that is the same for filters that do the same: `tags=a,b;runtime=server;names=no`.
    /// `None` when nothing is filtered.
    #[must_use]
    pub fn canonical(&self) -> Option<String> {
        let mut tags: Vec<_> =
            self.tags.iter().map(|tag| utf8_percent_encode(tag, RESERVED).to_string()).collect();
        tags.sort();
        tags.dedup();
        let tags = (!tags.is_empty()).then(|| format!("tags={}", tags.join(",")));
        let runtime = self.runtime.map(|runtime| format!("runtime={}", runtime.as_str()));
        let names = self.drop_names.then(|| "names=no".to_owned());
        let parts: Vec<_> = [tags, runtime, names].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(";"))
    }

    /// The filter that has this canonical text, if this version knows all of it.
    #[must_use]
    pub fn from_canonical(text: &str) -> Option<Filter> {
        let mut filter = Filter::default();
        for part in text.split(';') {
            match part.split_once('=')? {
                ("tags", tags) => {
                    for tag in tags.split(',') {
                        filter.tags.push(percent_decode_str(tag).decode_utf8().ok()?.into_owned());
                    }
                }
                ("runtime", "server") => filter.runtime = Some(Runtime::Server),
                ("runtime", "client") => filter.runtime = Some(Runtime::Client),
                ("names", "no") => filter.drop_names = true,
                _ => return None,
            }
        }
        (filter.canonical().as_deref() == Some(text)).then_some(filter)
    }

    /// The smaller definitions. What stays is byte for byte what it was, and in its order.
    ///
    /// A flag whose shape is not understood stays. Of flags with the same key all stay or none.
    ///
    /// # Errors
    /// The definitions are not JSON, or hold no list of flags.
    pub fn apply(&self, definitions: &[u8]) -> Result<Vec<u8>, String> {
        let frame = frame(definitions)?;
        let flags = flags(&frame)?;
        if self.is_none() {
            return Ok(definitions.to_vec());
        }
        let cohorts = cohorts(&frame);
        let (kept, reached) = self.kept(&flags, &cohorts);
        let mut cuts = Cuts { start: definitions.as_ptr() as usize, ranges: Vec::new() };
        cuts.parts(&flags, &kept, |flag| (*flag, *flag));
        if let Some(reached) = reached {
            let stays: Vec<_> =
                cohorts.iter().map(|cohort| reached.contains(&*cohort.name)).collect();
            cuts.parts(&cohorts, &stays, |cohort| (cohort.key, cohort.value));
        }
        if self.drop_names {
            for (flag, _) in flags.iter().zip(&kept).filter(|(_, kept)| **kept) {
                names::cut(flag, &mut cuts);
            }
        }
        Ok(cuts.apply(definitions))
    }

    /// Which flags stay, and which cohorts are reached from them: `None` if some of them may reach any.
    fn kept(&self, flags: &[&str], cohorts: &[Member<'_>]) -> (Vec<bool>, Option<HashSet<String>>) {
        if self.tags.is_empty() && self.runtime.is_none() {
            return (vec![true; flags.len()], None);
        }
        let parsed: Vec<_> = flags.iter().map(|flag| members(flag)).collect();
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_id: HashMap<&str, Vec<&Member<'_>>> = HashMap::new();
        let mut open = Open::default();
        for (place, flag) in parsed.iter().enumerate() {
            let key = flag.as_deref().and_then(|flag| get(flag, "key")).map(js_text);
            if self.wants(flag.as_deref()) {
                match &key {
                    Some(key) => open.flag(key, Asker::Flag),
                    None => open.places.push((place, Asker::Flag)),
                }
            }
            if let Some(key) = key {
                by_key.entry(key.into_owned()).or_default().push(place);
            }
        }
        for cohort in cohorts {
            by_id.entry(&cohort.name).or_default().push(cohort);
        }
        let mut seen = HashSet::new();
        loop {
            let (found, asker) = if let Some((place, asker)) = open.places.pop() {
                if !seen.insert((place, asker)) {
                    continue;
                }
                let mut found = References::of_flag(flags[place], parsed[place].as_deref());
                // A cohort asks about a flag that asks about a cohort. If that is the same one, the
                // reason that it has no answer depends on which flag was asked first.
                found.anything |= asker == Asker::Cohort && !found.cohorts.is_empty();
                (found, asker)
            } else if let Some((key, asker)) = open.new_flags.pop() {
                let places = by_key.get(&key).into_iter().flatten();
                open.places.extend(places.map(|place| (*place, asker)));
                continue;
            } else if let Some(id) = open.new_cohorts.pop() {
                let mut found = References::default();
                for cohort in by_id.get(&*id).into_iter().flatten() {
                    found.walk(cohort.value);
                }
                (found, Asker::Cohort)
            } else {
                let kept: HashSet<usize> = seen.into_iter().map(|(place, _)| place).collect();
                let kept = (0..flags.len()).map(|place| kept.contains(&place)).collect();
                return (kept, Some(open.cohorts));
            };
            if found.anything {
                return (vec![true; flags.len()], None);
            }
            found.flags.iter().for_each(|key| open.flag(key, asker));
            found.cohorts.iter().for_each(|id| open.cohort(id));
        }
    }

    /// Whether a flag is asked for; one that is not understood is.
    fn wants(&self, flag: Option<&[Member<'_>]>) -> bool {
        let Some(flag) = flag else { return true };
        if get(flag, "key").and_then(string).is_none() {
            return true;
        }
        self.has_tag(flag) && self.has_runtime(flag)
    }

    /// PARITY: `filterFlagsByEvaluationContexts` (posthog-node), in where the contexts are found.
    ///
    /// DIFFERENCE: posthog-node keeps flags without any context. What is asked for here are flags with
    /// one of the tags.
    fn has_tag(&self, flag: &[Member<'_>]) -> bool {
        if self.tags.is_empty() {
            return true;
        }
        let tags = ["evaluation_contexts", "evaluation_tags"]
            .into_iter()
            .filter_map(|name| get(flag, name))
            .find(|tags| *tags != "null");
        match tags.map(elements) {
            None => false,
            Some(None) => true,
            Some(Some(tags)) => tags
                .into_iter()
                .any(|tag| string(tag).is_some_and(|tag| self.tags.iter().any(|t| *t == tag))),
        }
    }

    /// PARITY: `normalizeEvaluationRuntime`, `evaluationRuntimesMatch` (posthog-node).
    fn has_runtime(&self, flag: &[Member<'_>]) -> bool {
        let Some(wanted) = self.runtime else { return true };
        let runtime = get(flag, "evaluation_runtime").and_then(string);
        match runtime.as_deref() {
            Some(found @ ("server" | "client")) => found == wanted.as_str(),
            _ => true,
        }
    }
}

/// The members of `cohorts`, all of them where it is given twice; none if it is no object.
fn cohorts<'a>(frame: &[Member<'a>]) -> Vec<Member<'a>> {
    get(frame, "cohorts").and_then(members).unwrap_or_default()
}

/// Whether a flag is asked about by flags alone, or by a cohort as well, itself or through flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Asker {
    Flag,
    Cohort,
}

/// What was reached, and what of it was not looked at yet.
#[derive(Default)]
struct Open {
    places: Vec<(usize, Asker)>,
    flags: HashSet<(String, Asker)>,
    new_flags: Vec<(String, Asker)>,
    cohorts: HashSet<String>,
    new_cohorts: Vec<String>,
}

impl Open {
    fn flag(&mut self, key: &str, asker: Asker) {
        let flag = (key.to_owned(), asker);
        if self.flags.insert(flag.clone()) {
            self.new_flags.push(flag);
        }
    }

    fn cohort(&mut self, id: &str) {
        if self.cohorts.insert(id.to_owned()) {
            self.new_cohorts.push(id.to_owned());
        }
    }
}

/// Ranges of bytes that are left out.
struct Cuts {
    /// Where the definitions start in memory: every part is a slice of them.
    start: usize,
    ranges: Vec<Range<usize>>,
}

impl Cuts {
    /// Cuts the parts of one list or object that do not stay, each with one comma.
    fn parts<T>(&mut self, parts: &[T], stays: &[bool], span: impl Fn(&T) -> (&str, &str)) {
        let spans: Vec<Range<usize>> = parts
            .iter()
            .map(|part| {
                let (first, last) = span(part);
                let end = last.as_ptr() as usize + last.len();
                first.as_ptr() as usize - self.start..end - self.start
            })
            .collect();
        let mut any_before = false;
        for (place, (span, stays)) in spans.iter().zip(stays).enumerate() {
            if *stays {
                any_before = true;
            } else if any_before {
                self.ranges.push(spans[place - 1].end..span.end);
            } else {
                let end = spans.get(place + 1).map_or(span.end, |next| next.start);
                self.ranges.push(span.start..end);
            }
        }
    }

    fn apply(mut self, bytes: &[u8]) -> Vec<u8> {
        self.ranges.sort_by_key(|range| range.start);
        let mut left = Vec::with_capacity(bytes.len());
        let mut done = 0;
        for range in self.ranges {
            left.extend_from_slice(bytes.get(done..range.start).unwrap_or_default());
            done = done.max(range.end);
        }
        left.extend_from_slice(bytes.get(done..).unwrap_or_default());
        left
    }
}
