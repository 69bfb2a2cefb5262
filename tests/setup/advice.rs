//! No text advises an option or a command that there is not.

use crate::documents::file;
use regex::Regex;
use rotation_diag::cli;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each command takes, `help` and what is valid everywhere included.
fn options() -> BTreeMap<String, BTreeSet<String>> {
    let mut definition = cli::definition();
    definition.build();
    let taken = |command: &clap::Command| {
        let own = command.get_arguments().filter_map(|option| option.get_long()).map(str::to_owned);
        own.chain(["help".to_owned(), "version".to_owned()]).collect::<BTreeSet<String>>()
    };
    let commands = definition.get_subcommands().filter(|command| command.get_name() != "help");
    commands.map(|command| (command.get_name().to_owned(), taken(command))).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The texts of a source file that somebody may read, without its comments and tests.
fn texts(path: &Path) -> Vec<String> {
    let source = std::fs::read_to_string(path).unwrap();
    let code = source.split("#[cfg(test)]").next().unwrap();
    let lines: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let text = Regex::new(r#"(?s)"((?:[^"\\]|\\.)*)""#).unwrap();
    text.captures_iter(&lines.join("\n")).map(|found| found[1].to_owned()).collect()
}

/// The files whose texts a person reads before the bot works; what it says about secrets holds commands of AWS.
fn advising() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders = ["alarm", "app", "aws", "bot", "cli", "config", "investigation", "platforms", "store"];
    let mut files: Vec<PathBuf> =
        folders.iter().map(|folder| root.join(folder)).filter(|path| path.is_dir()).flat_map(|path| rust_files(&path)).collect();
    files.extend([root.join("app.rs"), root.join("config.rs")].into_iter().filter(|path| path.is_file()));
    files
}

/// Every `--option` of a text that is no command of another program.
fn advised(text: &str) -> Vec<String> {
    let others = ["aws ", "systemctl ", "systemd-creds "];
    if others.iter().any(|program| text.contains(program)) {
        return Vec::new();
    }
    let option = Regex::new(r"(?:^|[\s`(,/])--([a-z][a-z-]+)").unwrap();
    option.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// What is wrong with the commands in a text, one line each.
fn wrong_commands(text: &str, options: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let command = Regex::new(r"rotation-diag ([a-z][a-z-]*)((?:[ \t]+[^\n`|]*)?)").unwrap();
    let named = |found: &regex::Captures<'_>| {
        let Some(known) = options.get(&found[1]) else {
            // A sentence goes on after the program's name.
            let is_command = text.contains(&format!("`rotation-diag {}", &found[1]));
            return Vec::from_iter(is_command.then(|| format!("there is no command {}", &found[1])));
        };
        let rest = found[2].split(';').next().unwrap_or_default();
        let unknown = advised(rest).into_iter().filter(|option| !known.contains(option));
        unknown.map(|option| format!("{} takes no --{option}", &found[1])).collect()
    };
    command.captures_iter(text).flat_map(|found| named(&found)).collect()
}

#[test]
fn no_text_advises_an_option_that_its_command_lacks() {
    let options = options();
    let mut seen = 0;
    for path in advising() {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_of_cli = path.components().any(|part| part.as_os_str() == "cli");
        // Outside a command's own file a text is read after any of them.
        let known: BTreeSet<&String> = match options.get(&stem).filter(|_| is_of_cli) {
            Some(own) => own.iter().collect(),
            None if is_of_cli => options.values().flatten().collect(),
            None => BTreeSet::new(),
        };
        for text in texts(&path) {
            assert_eq!(wrong_commands(&text, &options), Vec::<String>::new(), "{}: {text}", path.display());
            for option in advised(&text) {
                seen += 1;
                // An example names its command.
                let is_example = text.contains("rotation-diag ");
                assert!(is_example || known.contains(&option), "{}: --{option} in {text:?}", path.display());
            }
        }
    }
    assert!(seen > 5, "the search for options finds none");
}

#[test]
fn documents_configuration_and_templates_advise_what_there_is() {
    let options = options();
    for name in [
        "README.md",
        "CONTRIBUTING.md",
        "docs/alarms.md",
        "docs/chat.md",
        "docs/command-line.md",
        "docs/configuration.md",
        "docs/discord.md",
        "docs/operations.md",
        "docs/slack.md",
        "docs/web-console.md",
        "config/rotation-diag.toml",
        "config/slack-manifest.yaml",
        "deploy/alarms.yaml",
        "deploy/rotation-diag.service",
    ] {
        assert_eq!(wrong_commands(&file(name), &options), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn advice_that_does_not_hold_is_found() {
    let options = options();
    assert_eq!(advised("pass --region, or set AWS_REGION"), ["region"]);
    assert_eq!(wrong_commands("run `rotation-diag serve --region eu-west-1`", &options), ["serve takes no --region"]);
    assert_eq!(wrong_commands("see `rotation-diag doctor`", &options), ["there is no command doctor"]);
    assert!(wrong_commands("rotation-diag diagnose x --region eu-west-1", &options).is_empty());
}
