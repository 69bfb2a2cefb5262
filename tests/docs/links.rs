//! Links between the documents lead somewhere.

use super::{path, read};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The documents, by their path in the repository.
pub(crate) fn documents() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for folder in ["", "docs", "config/scenarios"] {
        for entry in fs::read_dir(path(folder)).unwrap() {
            let file = entry.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "md") {
                let name = Path::new(folder).join(file.file_name().unwrap());
                let text = read(name.to_str().unwrap());
                found.insert(name, text);
            }
        }
    }
    found
}

/// A document without its code blocks.
fn prose(document: &str) -> String {
    let mut is_code = false;
    let lines = document.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The anchors that GitHub gives the headings of a document.
fn anchors(document: &str) -> BTreeSet<String> {
    let heading = Regex::new(r"(?m)^#{1,6} (.+)$").unwrap();
    let slug = |found: regex::Captures<'_>| {
        let kept =
            found[1].to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>();
        kept.replace(' ', "-")
    };
    heading.captures_iter(&prose(document)).map(slug).collect()
}

/// The path that `target` means in a document at `from`.
fn resolved(from: &Path, target: &str) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in from.parent().unwrap().join(target).components() {
        match part {
            Component::ParentDir => assert!(whole.pop(), "{target} leads out of the repository"),
            part => whole.push(part),
        }
    }
    whole
}

/// What is wrong with the links of these documents, one line each.
fn broken(documents: &BTreeMap<PathBuf, String>, is_there: impl Fn(&Path) -> bool) -> Vec<String> {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let mut wrong = Vec::new();
    for (from, text) in documents {
        for found in link.captures_iter(&prose(text)) {
            let target = &found[1];
            if target.starts_with("https://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
            let whole = if file.is_empty() { from.clone() } else { resolved(from, file) };
            let has_anchor = |anchor| documents.get(&whole).is_some_and(|document| anchors(document).contains(anchor));
            if !is_there(&whole) || !anchor.is_none_or(has_anchor) {
                wrong.push(format!("{}: {target}", from.display()));
            }
        }
    }
    wrong
}

#[test]
fn every_link_between_the_documents_leads_to_a_file_and_to_a_heading_in_it() {
    let documents = documents();
    assert!(documents.len() > 12, "{:?}", documents.keys());
    assert_eq!(broken(&documents, |target| path(target.to_str().unwrap()).exists()), Vec::<String>::new());
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let document = |text: &str| BTreeMap::from([(PathBuf::from("docs/a.md"), text.to_owned())]);
    let wrong =
        |text: &str| broken(&document(text), |target| target == Path::new("README.md") || target == Path::new("docs/a.md"));
    assert_eq!(wrong("[x](b.md)"), ["docs/a.md: b.md"]);
    assert_eq!(wrong("# A title, `with` more\n[x](#a-title-with-more) [y](../README.md) [z](https://example.com)"), [""; 0]);
    assert_eq!(wrong("# A title\n[x](#another)"), ["docs/a.md: #another"]);
    assert_eq!(wrong("```sh\n[x](b.md)\n# no heading\n```\n[x](#no-heading)"), ["docs/a.md: #no-heading"]);
}

#[test]
fn every_document_is_reached_from_the_readme() {
    let documents = documents();
    let link = Regex::new(r"\]\(([^)\s#]+)").unwrap();
    let mut reached = BTreeSet::from([PathBuf::from("README.md")]);
    loop {
        let known = reached.len();
        for from in reached.clone() {
            let text = prose(documents.get(&from).map_or("", String::as_str));
            let targets =
                link.captures_iter(&text).map(|found| found[1].to_owned()).filter(|target| !target.starts_with("https://"));
            reached.extend(targets.map(|target| resolved(&from, &target)).filter(|target| documents.contains_key(target)));
        }
        if reached.len() == known {
            break;
        }
    }
    assert_eq!(reached.into_iter().collect::<Vec<_>>(), documents.keys().cloned().collect::<Vec<_>>());
}
