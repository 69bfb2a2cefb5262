//! What the documentation says is what the program does.
//!
//! `REWRITE_DOCS=1 cargo test --test docs` writes the generated parts of the documents anew.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use rotation_diag::aws::permissions::FEATURES;
use rotation_diag::aws::{Aws, AwsOptions, Registry};
use rotation_diag::cli;
use rotation_diag::clock::Clock;
use rotation_diag::investigation::{Options, investigate};
use rotation_diag::model::{Cause, StepName};
use rotation_diag::simulator::{Scenario, Simulator};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

#[path = "docs/configuration.rs"]
mod configuration;
#[path = "docs/contributing.rs"]
mod contributing;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/public_items.rs"]
mod public_items;
#[path = "docs/report_fields.rs"]
mod report_fields;
#[path = "docs/watching.rs"]
mod watching;

pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

/// The part of a document between the markers of `name`.
fn part(document: &str, name: &str) -> String {
    let (_, rest) = document.split_once(&format!("<!-- {name} -->\n")).unwrap();
    rest.split_once(&format!("<!-- /{name} -->")).unwrap().0.to_owned()
}

/// Compares a part of a document with what it has to be, or writes it.
fn keep(file: &str, name: &str, expected: &str, is_current: impl Fn(&str) -> bool) {
    let document = read(file);
    let found = part(&document, name);
    if std::env::var_os("REWRITE_DOCS").is_some() {
        let marked = |text: &str| format!("<!-- {name} -->\n{text}<!-- /{name} -->");
        fs::write(path(file), document.replace(&marked(&found), &marked(expected))).unwrap();
    } else {
        assert!(is_current(&found), "{file}: the part {name:?} is out of date; it has to be:\n{expected}");
    }
}

#[test]
fn the_generated_parts_of_the_documents_are_current() {
    let mut table = "| cause | item | what it means |\n|---|--:|---|\n".to_owned();
    for cause in Cause::ALL.iter().filter(|cause| !cause.is_line_label()) {
        table.push_str(&format!("| `{}` | {} | {} |\n", cause.id(), cause.diagnosis_item().0, cause.title()));
    }
    keep("docs/causes.md", "causes", &table, |found| found == table);
    let keys = configuration::reference(&read("config/rotation-diag.toml"));
    keep("docs/configuration.md", "keys", &keys, |found| found == keys);

    let metrics = watching::table();
    keep("docs/operations.md", "metrics", &metrics, |found| found == metrics);

    let demo = Command::new(env!("CARGO_BIN_EXE_rotation-diag")).arg("demo").output().unwrap();
    let report = String::from_utf8(demo.stdout).unwrap();
    // The verdict; what follows it is for who reads on.
    let (verdict, _) = report.split_once(" 1 secret").and_then(|(before, _)| before.rsplit_once("\n\n")).unwrap();
    let transcript = format!("```text\n$ cargo run -- demo\n{verdict}\n…\n```\n");
    keep("README.md", "transcript", &transcript, |found| undated(found) == undated(&transcript));
}

/// The transcript without what differs from run to run: ids, dates, durations, and the line breaks they move.
fn undated(transcript: &str) -> String {
    const ID: &str = "[0-9a-f]{8}-[0-9a-f-]{27}";
    const DATE: &str =
        r"(\w{3} )?\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)( \d{4})?( \d\d:\d\d)?(–\d\d:\d\d)?( UTC)?";
    const DURATION: &str = r"\d+(\.\d)? m?s\b";
    let single_line = transcript.split_whitespace().collect::<Vec<_>>().join(" ");
    Regex::new(&format!("{ID}|{DATE}|{DURATION}")).unwrap().replace_all(&single_line, "#").into_owned()
}

/// What an investigation of the first demo's secret says when the demo is started at `now`.
async fn first_demo_at(now: Timestamp) -> String {
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == "role_detached_policy").unwrap();
    let scenario = Scenario::parse(text).unwrap();
    let (secret, region) = (scenario.secret().unwrap().parse().unwrap(), scenario.region().to_owned());
    let simulator = Simulator::start(scenario, now).unwrap();
    let options = AwsOptions::simulated(region.parse().unwrap(), simulator.endpoint_url());
    let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
    let mut options = Options::new(secret);
    // A busy machine must not decide what the story is.
    (options.step_deadline, options.total_deadline) = (Duration::from_secs(600), Duration::from_secs(600));
    let seen = investigate(&aws, &Clock::starting_at(now), &options, &()).await;
    let mut story: Vec<String> = seen.evidence.steps().iter().map(|step| format!("{} {}", step.name, step.summary)).collect();
    for finding in &seen.diagnosis.findings {
        story.push(format!("{} {:?} {}", finding.title, finding.confidence, finding.explanation));
        story.extend(finding.evidence.iter().map(|proof| format!("{} {} {}", proof.step, proof.call, proof.text)));
    }
    story.extend(seen.diagnosis.changes.iter().map(|change| format!("{change:?}").replace(&change.at.to_string(), "")));
    story.extend(seen.diagnosis.ruled_out.iter().map(|ruled_out| ruled_out.because.clone()));
    story.extend(seen.diagnosis.not_checked.iter().map(|open| open.missing.clone()));
    undated(&story.join("\n"))
}

/// The transcript in the README would otherwise be true only at the time of day it was made.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_demo_tells_the_same_story_at_every_hour_and_around_new_year() {
    let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let expected = first_demo_at(noon).await;
    let hours = (0..24).map(|hour| "2026-12-31T00:59:59Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour));
    let edges =
        ["2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z", "2027-01-02T00:30:00Z", "2028-02-29T12:00:00Z", "2027-03-01T02:00:00Z"];
    for now in hours.chain(edges.map(|edge| edge.parse().unwrap())) {
        assert_eq!(first_demo_at(now).await, expected, "at {now}");
    }
}

#[test]
fn a_transcript_is_compared_by_its_words() {
    let made = "since Sun 22 Nov 05:00 UTC,\n  last 9 May in 0.3 s, 95 ms";
    assert_eq!(undated(made), undated("since Thu 1 Jan 2026\n 00:00 UTC, last\n30 Dec 2025 in 12 s, 1.2 s"));
    assert_ne!(undated("the role lacks it"), undated("the role has it"));
    assert_ne!(undated("1 of 1 invocation failed"), undated("2 of 2 invocations failed"));
}

#[test]
fn every_delivery_guarantee_names_tests_that_exist() {
    let document = read("docs/operations.md");
    let (_, section) = document.split_once("## Delivery guarantees").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let files = rust_files(&path("tests")).into_iter().chain(rust_files(&path("src")));
    let tests: String = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| guarantee")).collect();
    assert!(rows.len() > 8, "{rows:?}");
    let name = Regex::new("`([a-z0-9_]+)`").unwrap();
    for row in rows {
        let named: Vec<String> = name.captures_iter(row).map(|found| found[1].to_owned()).collect();
        assert!(!named.is_empty(), "{row}");
        for test in named {
            let is_test = Regex::new(&format!(r"#\[(tokio::)?test[^\n]*\n\s*(async )?fn {test}\(")).unwrap().is_match(&tests);
            let is_on_each_engine = tests.contains(&format!("on_each_engine!({test});\nasync fn {test}("));
            assert!(is_test || is_on_each_engine, "there is no test {test}");
        }
    }
}

/// A source file with empty lines for its unit tests, wherever they stand.
pub(crate) fn without_tests(text: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        let indent = |line: &str| line.len() - line.trim_start().len();
        let (own, end) = (indent(line), format!("{}}}", " ".repeat(indent(line))));
        kept.push("");
        // Other attributes, then the item: a declaration, or all up to its closing brace.
        for line in lines.by_ref() {
            kept.push("");
            if line == end || line.ends_with(';') && indent(line) == own {
                break;
            }
        }
    }
    kept.join("\n")
}

pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|entry| match entry.is_dir() {
            true => rust_files(&entry),
            false => Vec::from_iter(entry.extension().is_some_and(|extension| extension == "rs").then_some(entry)),
        })
        .collect()
}

#[test]
fn the_documents_name_every_command_and_every_option() {
    let (readme, reference) = (read("README.md"), read("docs/command-line.md"));
    for command in cli::definition().get_subcommands().filter(|command| !command.is_hide_set()) {
        assert!(readme.contains(&format!("| `rotation-diag {}", command.get_name())), "{}", command.get_name());
        let options = command.get_arguments().filter_map(|option| option.get_long()).filter(|option| *option != "help");
        for option in options.filter(|_| command.get_name() == "diagnose") {
            assert!(reference.contains(&format!("| `--{option}")), "--{option}");
        }
    }
    let definition = cli::definition();
    let diagnose = definition.find_subcommand("diagnose").unwrap();
    let known: BTreeSet<&str> = diagnose.get_arguments().filter_map(|option| option.get_long()).collect();
    for named in Regex::new(r"(?m)^\| `--([a-z-]+)").unwrap().captures_iter(&reference) {
        assert!(known.contains(&named[1]), "docs/command-line.md names --{}, which does not exist", &named[1]);
    }
}

#[test]
fn documents_and_help_agree_on_the_exit_statuses_and_the_steps() {
    let (readme, reference) = (read("README.md"), read("docs/command-line.md"));
    let help = cli::definition().render_long_help().to_string();
    let statuses = Regex::new(r"(?m)^  (\d+)  +(.+)$").unwrap();
    let told: Vec<(String, String)> =
        statuses.captures_iter(&help).map(|found| (found[1].to_owned(), found[2].replace("diagnose ", ""))).collect();
    assert_eq!(told.len(), 6, "{help}");
    for (status, meaning) in told {
        assert!(reference.contains(&format!("| {status} | {meaning} |")), "{status} {meaning}");
    }
    for step in StepName::ALL {
        assert!(readme.contains(&format!("| {} | {} |", step.number(), step.label())), "{step}");
    }
}

#[test]
fn the_readme_names_the_oldest_rust_that_builds_it() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let oldest = manifest["package"]["rust-version"].as_str().unwrap();
    assert!(read("README.md").contains(&format!("Rust {oldest} or newer")), "{oldest}");
}

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 230, "the README has {lines} lines: what only some readers need belongs into docs/");
}

#[test]
fn the_iam_policy_allows_exactly_what_is_asked() {
    let asked = Regex::new(r#"(?:\.call\(\s*|const CALL: &'static str = )"([a-z0-9]+:[A-Za-z]+)""#).unwrap();
    let mut needed = BTreeSet::new();
    let folders = ["src/playbook", "src/aws/query/ec2"].map(|folder| fs::read_dir(path(folder)).unwrap());
    let files = folders.into_iter().flatten().map(|file| file.unwrap().path());
    for file in
        files.chain(["alarms", "query/rds", "query/transit", "sns", "trails"].map(|file| path(&format!("src/aws/{file}.rs"))))
    {
        let text = fs::read_to_string(file).unwrap();
        needed.extend(asked.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    assert!(needed.len() > 15, "{needed:?}");
    for feature in FEATURES.iter().filter(|feature| !feature.by_default) {
        assert!(feature.actions.iter().all(|action| needed.remove(*action)), "{} is asked for what nobody calls", feature.name);
    }
    let allowed = actions("Allow");
    assert_eq!(allowed.iter().cloned().collect::<BTreeSet<_>>(), needed);
    assert!(allowed.iter().all(|action| !action.contains('*')));
}

#[test]
fn the_iam_policy_denies_secret_values_and_every_change() {
    let denied = actions("Deny");
    let is_denied = |action: &str| {
        denied.iter().any(|pattern| pattern == action || pattern.strip_suffix('*').is_some_and(|start| action.starts_with(start)))
    };
    for action in [
        "secretsmanager:GetSecretValue",
        "secretsmanager:BatchGetSecretValue",
        "logs:Unmask",
        "secretsmanager:PutSecretValue",
        "secretsmanager:RotateSecret",
        "secretsmanager:UpdateSecretVersionStage",
        "secretsmanager:DeleteSecret",
        "lambda:InvokeFunction",
        "lambda:UpdateFunctionCode",
        "lambda:AddPermission",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:PassRole",
        "kms:PutKeyPolicy",
        "kms:DisableKey",
        "kms:ScheduleKeyDeletion",
        "logs:DeleteLogGroup",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:ModifyVpcEndpoint",
        "rds:ModifyDBInstance",
    ] {
        assert!(is_denied(action), "{action}");
    }
    assert!(actions("Allow").iter().all(|action| !is_denied(action)), "an allowed action is denied");
}

fn actions(effect: &str) -> Vec<String> {
    statements(effect).concat()
}

/// The actions of each statement.
fn statements(effect: &str) -> Vec<Vec<String>> {
    let policy: serde_json::Value = serde_json::from_str(&read("deploy/iam-policy.json")).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter().filter(|statement| statement["Effect"] == effect);
    let actions = |statement: &serde_json::Value| {
        statement["Action"].as_array().unwrap().iter().map(|action| action.as_str().unwrap().to_owned()).collect()
    };
    statements.map(actions).collect()
}
