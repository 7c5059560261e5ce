//! A strict reader of the OpenMetrics text that the daemon writes.

use std::collections::{BTreeMap, BTreeSet};

/// Every sample by its name and labels as written. Panics where the text is not as
/// OpenMetrics 1.0 wants it: metadata before samples, families in one piece, names and suffixes that
/// fit the type and unit, escaped labels, no sample twice, `# EOF` at the end.
pub fn samples(text: &str) -> BTreeMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("# EOF at the end");
    let (mut samples, mut families) = (BTreeMap::new(), BTreeSet::new());
    let (mut family, mut kind, mut helped) = (String::new(), String::new(), false);
    for line in body.lines() {
        if let Some(meta) = line.strip_prefix("# ") {
            let mut parts = meta.splitn(3, ' ');
            let (word, name, rest) =
                (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
            match word {
                "HELP" => {
                    assert!(families.insert(name.to_owned()), "{name} twice");
                    assert!(name.starts_with("flagpost_") && is_name(name), "{name}");
                    (family, helped, kind) = (name.to_owned(), true, String::new());
                    assert!(rest.len() > 10, "{line}");
                }
                "TYPE" => {
                    assert!(helped && name == family, "{line}");
                    assert!(["counter", "gauge", "histogram"].contains(&rest), "{line}");
                    kind = rest.to_owned();
                }
                "UNIT" => {
                    assert!(name == family && name.ends_with(&format!("_{rest}")), "{line}");
                }
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect(line);
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let suffix = name.strip_prefix(&family).unwrap_or_else(|| panic!("{line} in {family}"));
        match kind.as_str() {
            "counter" => assert_eq!(suffix, "_total", "{line}"),
            "gauge" => assert_eq!(suffix, "", "{line}"),
            _ => assert!(["_sum", "_count", "_bucket"].contains(&suffix), "{line}"),
        }
        check_labels(labels);
        let value: f64 = value.parse().expect(line);
        assert!(kind == "gauge" || value >= 0.0, "{line}");
        assert!(samples.insert(series.to_owned(), value).is_none(), "{line} twice");
    }
    samples
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// `name="value",name="value"}` with `\`, `"` and line ends escaped.
fn check_labels(text: &str) {
    let mut rest = text;
    let mut names = BTreeSet::new();
    while rest != "}" {
        let (name, after) = rest.split_once("=\"").expect(text);
        assert!(is_name(name) && !name.is_empty() && names.insert(name), "{text}");
        let mut escaped = false;
        let end = after.find(|c| {
            let ends = c == '"' && !escaped;
            assert!(!escaped || matches!(c, '\\' | '"' | 'n'), "{text}");
            escaped = c == '\\' && !escaped;
            ends
        });
        rest = &after[end.expect(text) + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}
