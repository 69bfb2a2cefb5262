//! Whole messages, as every platform gets them.

use crate::plain::plain;
use crate::worlds::{ID, investigated};
use jiff::Timestamp;
use regex::Regex;
use rotation_diag::chat::compose::{self, AfterVerdict, Resolved};
use rotation_diag::chat::document::{Content, Control, Part, StepState};
use rotation_diag::chat::{Manner, Message, PlatformKind as _, Screen, command};
use rotation_diag::model::{Action, Investigation, Lookback, Region, StepName};
use rotation_diag::platforms::console::Kind;
use rotation_diag::redact::SafeText;
use rotation_diag::report::Report;

/// Durations of steps differ from run to run, and so does the order of calls that are made at the same time.
fn timeless(text: &str) -> String {
    let text = Regex::new(r"\b\d+(\.\d+)? (ms|s)\)").unwrap().replace_all(text, "… ms)").into_owned();
    let sorted = |line: &str| match line.strip_prefix("  (").and_then(|line| line.strip_suffix(" · … ms)")) {
        Some(calls) => {
            let mut calls: Vec<&str> = calls.split(" · ").collect();
            calls.sort_unstable();
            format!("  ({} · … ms)", calls.join(" · "))
        }
        None => line.to_owned(),
    };
    text.lines().map(sorted).collect::<Vec<_>>().join("\n")
}

fn screen() -> Screen {
    Kind.limits().screen
}

fn verdict(investigation: &Investigation) -> Message {
    let report = Report::new(investigation).in_account(Some("prod"));
    compose::verdict(&report, &ID.parse().unwrap(), 1, &AfterVerdict::default(), screen())
}

#[tokio::test]
async fn a_root_cause_reads_verdict_first() {
    let investigation = investigated("role_detached_policy").await;
    insta::assert_snapshot!(plain(&verdict(&investigation)));
    let thread = compose::in_thread(&Report::new(&investigation), screen()).into_iter().filter_map(|thought| thought.message);
    insta::assert_snapshot!(thread.map(|message| plain(&message)).collect::<Vec<_>>().join("\n\n"));
    insta::assert_snapshot!(plain(&compose::comparison(&Report::new(&investigation))));
}

#[tokio::test]
async fn every_step_shows_its_evidence() {
    let investigation = investigated("role_detached_policy").await;
    let messages = StepName::ALL.map(|step| plain(&compose::evidence(&investigation, step)));
    insta::assert_snapshot!(timeless(&messages.join("\n\n")));
    for step in StepName::ALL {
        let message = compose::evidence(&investigation, step);
        assert!(message.title.as_str().starts_with(&format!("Step {} · {}", step.number(), step.label())));
        assert!(message.parts.len() > 1, "{step} shows nothing");
    }
}

#[tokio::test]
async fn long_evidence_is_a_file_too_and_nothing_is_lost_in_it() {
    let mut investigation = investigated("role_detached_policy").await;
    let rotation_diag::model::Observation::Found(logs) = &mut investigation.evidence.logs.observation else { panic!("no logs") };
    let event = logs.invocations[0].lines[0].clone();
    let line = |at: usize| rotation_diag::model::LogEvent { text: format!("line {at} of the stack"), ..event.clone() };
    logs.invocations[0].lines = (0..500).map(line).collect();
    let message = compose::evidence(&investigation, StepName::FunctionLogs);
    let [file] = message.attachments.as_slice() else { panic!("{:?}", message.attachments) };
    let Content::Text(text) = &file.content else { panic!("{} is no text", file.name) };
    assert!((0..500).all(|at| text.as_str().contains(&format!("line {at} of the stack"))));
    assert_eq!(file.name, "prod-orders-db-step-4.txt");
    let shown = plain(&message);
    assert!(shown.contains("(the first 12 of 500):") && !shown.contains("line 12 of"), "{shown}");
}

#[tokio::test]
async fn other_ends_read_well_too() {
    for (name, scenario) in [
        ("healthy", "healthy"),
        ("no_such_secret", "no_such_secret"),
        ("bot_may_see_nothing", "bot_may_see_nothing"),
        ("managed_by_rds", "managed_by_rds"),
    ] {
        insta::assert_snapshot!(name, plain(&verdict(&investigated(scenario).await)));
    }
}

#[tokio::test]
async fn the_buttons_offer_only_what_can_still_be_done() {
    let mut investigation = investigated("role_detached_policy").await;
    let at: Timestamp = "2026-11-24T05:00:00Z".parse().unwrap();
    let labels = |investigation: &Investigation, standing: &AfterVerdict| -> Vec<String> {
        let message = compose::verdict(&Report::new(investigation), &ID.parse().unwrap(), 3, standing, screen());
        let label = |control: &Control| match control {
            Control::Button(choice) | Control::Copy(choice) => choice.label.to_string(),
            Control::Select { placeholder, .. } => format!("{placeholder} ▾"),
        };
        message.controls.iter().map(label).collect()
    };
    investigation.evidence.lookback = Lookback::Day;
    let all = ["Rerun", "Copy fix", "Rerun step ▾", "Widen ▾", "Watch", "Resolve", "More ▾"];
    assert_eq!(labels(&investigation, &AfterVerdict::default()), all);
    investigation.evidence.lookback = Lookback::Quarter;
    let watched = AfterVerdict { watched_since: Some(at), ..AfterVerdict::default() };
    assert_eq!(labels(&investigation, &watched), ["Rerun", "Copy fix", "Rerun step ▾", "Stop watching", "Resolve", "More ▾"]);
    let resolved = AfterVerdict { resolved: Some(Resolved { by: SafeText::redact("U1"), at }), ..AfterVerdict::default() };
    assert_eq!(labels(&investigation, &resolved), ["Rerun", "Reopen", "More ▾"]);
    let blind = investigated("bot_may_see_nothing").await;
    assert_eq!(labels(&blind, &AfterVerdict::default()), ["Rerun", "Copy fix", "Resolve", "More ▾"]);
    let message = compose::verdict(&Report::new(&investigation), &ID.parse().unwrap(), 3, &resolved, screen());
    assert!(plain(&message).contains("(resolved by U1, Tue 24 Nov 05:00 UTC)"), "{}", plain(&message));
    assert!(message.title.as_str().starts_with("Resolved: "));
}

#[tokio::test]
async fn an_export_holds_the_whole_report_in_both_forms() {
    let investigation = investigated("role_detached_policy").await;
    let message = compose::export(&Report::new(&investigation));
    let files: Vec<(&str, &str)> = (message.attachments.iter())
        .map(|file| match &file.content {
            Content::Text(text) => (file.name.as_str(), text.as_str()),
            Content::Png(_) => panic!("a picture"),
        })
        .collect();
    let [("prod-orders-db.json", json), ("prod-orders-db.md", markdown)] = files.as_slice() else { panic!("{files:?}") };
    let object: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(object["findings"][0]["cause"], "iam_identity_policy_missing");
    assert_eq!(*json, rotation_diag::report::json(&Report::new(&investigation)).unwrap());
    assert!(markdown.starts_with("## 🔴 prod/orders\\-db") || markdown.starts_with("## 🔴 prod/orders-db"), "{markdown}");
}

#[test]
fn progress_counts_the_steps_that_ended() {
    let mut steps = compose::waiting();
    steps[0] = compose::ended(StepName::Secret, "found", "exists,\nencrypted");
    steps[1] = compose::running(StepName::RotationConfig);
    steps[2] = compose::ended(StepName::RotationFunction, "denied", "");
    insta::assert_snapshot!(plain(&compose::progress(&SafeText::redact("prod/orders-db in eu-west-1"), &steps)));
    let states = [
        ("no_data", StepState::Nothing),
        ("throttled", StepState::Broken),
        ("timed_out", StepState::Broken),
        ("failed", StepState::Broken),
        ("not_applicable", StepState::Skipped),
    ];
    for (status, state) in states {
        assert_eq!(compose::ended(StepName::Secret, status, "x").state, state, "{status}");
    }
}

#[test]
fn short_answers_are_sentences() {
    let usage = command::parse("prod/x --force").unwrap_err();
    let places = [("prod".to_owned(), "eu-west-1".parse().unwrap()), ("stage".to_owned(), "us-east-1".parse().unwrap())];
    let messages = [
        compose::help(Manner::Prompt),
        compose::usage(&usage, Manner::Prompt),
        compose::choose(&SafeText::redact("prod/orders-db"), &places, &ID.parse().unwrap(), 0),
        compose::refused("you may not do this here"),
        compose::expired(Manner::Prompt),
        compose::already(),
        compose::unavailable(),
    ];
    insta::assert_snapshot!(messages.iter().map(plain).collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn many_places_become_a_menu_of_at_most_twenty_five() {
    let places: Vec<(String, Region)> = (0..40).map(|at| (format!("account-{at}"), "eu-west-1".parse().unwrap())).collect();
    let message = compose::choose(&SafeText::redact("x"), &places, &ID.parse().unwrap(), 0);
    let [Control::Select { choices, .. }] = message.controls.as_slice() else { panic!("{message:?}") };
    assert_eq!(choices.len(), 25);
    assert_eq!(choices[24].token.action, Action::Choose(24));
    assert!(matches!(message.parts.as_slice(), [Part::Context(_)]));
}

#[test]
fn what_people_wrote_is_repeated_without_secrets() {
    let usage = command::parse("x window:xoxb-1234567890123-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx").unwrap_err();
    let shown = plain(&compose::usage(&usage, Manner::Prompt));
    assert!(!shown.contains("AbCdEfGhIjKl"), "{shown}");
}
