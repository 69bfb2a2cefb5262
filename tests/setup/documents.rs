//! The documents' chapters: their commands and configurations.

use std::path::Path;

/// A file of the repository.
pub(crate) fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// A chapter: its document, and its heading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chapter(&'static str, &'static str);

pub(crate) const DIAGNOSE: Chapter = Chapter("README.md", "## Diagnose a secret");
pub(crate) const SLACK: Chapter = Chapter("docs/slack.md", "## Set up");
pub(crate) const DISCORD: Chapter = Chapter("docs/discord.md", "## Set up");
pub(crate) const WEB_CONSOLE: Chapter = Chapter("docs/web-console.md", "## Set up");
pub(crate) const ALARMS: Chapter = Chapter("docs/alarms.md", "## Set up");
pub(crate) const SYSTEMD: Chapter = Chapter("docs/operations.md", "## Run under systemd");

/// The blocks of a chapter that are in `language`, each without its indentation.
pub(crate) fn blocks(chapter: Chapter, language: &str) -> Vec<String> {
    let Chapter(document, heading) = chapter;
    let text = file(document);
    let (_, rest) = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("{document} has no {heading:?}"));
    let level = heading.split(' ').next().unwrap().len();
    let (mut found, mut open): (Vec<String>, Option<(bool, usize)>) = (Vec::new(), None);
    for line in rest.lines() {
        let text = line.trim_start();
        match (text.strip_prefix("```"), open) {
            (Some(_), Some(_)) => open = None,
            (Some(named), None) => {
                let wanted = named == language;
                open = Some((wanted, line.len() - text.len()));
                if wanted {
                    found.push(String::new());
                }
            }
            (None, Some((true, indent))) => {
                let last = found.last_mut().unwrap();
                last.push_str(line.get(indent..).unwrap_or_default());
                last.push('\n');
            }
            (None, None) if text.starts_with('#') && text.split(' ').next().unwrap().len() <= level => break,
            (None, _) => {}
        }
    }
    assert!(!found.is_empty(), "{chapter:?}: no block in {language}");
    found
}

/// The chapter's configuration.
pub(crate) fn toml(chapter: Chapter) -> String {
    blocks(chapter, "toml").concat()
}

/// The chapter's commands, each on one line.
pub(crate) fn commands(chapter: Chapter) -> Vec<String> {
    let text = blocks(chapter, "sh").concat().replace("\\\n", " ");
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|line| !line.is_empty()).collect()
}
