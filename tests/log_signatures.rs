//! What log lines mean, over two labelled corpora: AWS's templates and public reports, and the lines
//! that drivers, SDKs and runtimes print.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use rotation_diag::diagnosis::explain;
use serde_json::{Value, json};

const REPORTED: &str = include_str!("data/log-lines.jsonl");
const DRIVERS: &str = include_str!("data/log-lines-more.jsonl");

/// Labels that name the program around the line and not what the line is about.
const NO_ENGINE: [&str; 9] = [
    "any",
    "lambda",
    "consumer",
    "cross-account",
    "iam-user-keys",
    "node-lambda",
    "python-lambda",
    "rust-lambda",
    "lambda-extension",
];

struct Sample {
    line: String,
    cause: Option<String>,
    step: Option<String>,
    engine: Option<String>,
}

fn samples(corpus: &str) -> Vec<Sample> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    corpus
        .lines()
        .map(|row| {
            let row: Value = serde_json::from_str(row).unwrap();
            Sample {
                line: row["text"].as_str().unwrap().to_owned(),
                cause: text(&row["cause"]).filter(|cause| cause != "benign"),
                step: text(&row["step"]),
                engine: text(&row["engine"]),
            }
        })
        .collect()
}

fn wrong_causes(corpus: &str) -> Vec<String> {
    samples(corpus)
        .into_iter()
        .filter_map(|sample| {
            let found = explain(&sample.line).cause.map(|cause| cause.id().to_owned());
            (found != sample.cause).then(|| format!("{found:?} instead of {:?}: {}", sample.cause, sample.line))
        })
        .collect()
}

fn assert_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} lines:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_reported_line_has_its_cause_and_every_benign_one_none() {
    assert_eq!(samples(REPORTED).len(), 262);
    assert_none(wrong_causes(REPORTED));
}

#[test]
fn every_line_of_drivers_and_runtimes_has_its_cause_and_every_look_alike_none() {
    let all = samples(DRIVERS);
    let benign = all.iter().filter(|sample| sample.cause.is_none()).count();
    assert_none(wrong_causes(DRIVERS));
    assert!(all.len() >= 250 && benign * 3 >= all.len(), "{benign} of {}", all.len());
}

#[test]
fn the_step_is_told_wherever_the_text_names_it() {
    let faults = [REPORTED, DRIVERS]
        .into_iter()
        .flat_map(samples)
        .filter_map(|sample| {
            let step = explain(&sample.line).step.map(|step| step.name().to_owned());
            let expected = sample.step?;
            // A line that neither names a step nor belongs to one alone carries its step by context.
            let wrong = match step {
                Some(step) => step != expected,
                None => names_a_step(&sample.line),
            };
            wrong.then(|| format!("not {expected}: {}", sample.line))
        })
        .collect();
    assert_none(faults);
}

fn names_a_step(line: &str) -> bool {
    let line = line.to_lowercase();
    ["createsecret", "setsecret", "testsecret", "finishsecret"].iter().any(|step| line.replace('_', "").contains(step))
}

#[test]
fn the_engine_is_told_wherever_the_text_gives_it_away() {
    let faults = [REPORTED, DRIVERS]
        .into_iter()
        .flat_map(samples)
        .filter_map(|sample| {
            let expected = sample.engine?;
            if NO_ENGINE.contains(&expected.as_str()) {
                return None;
            }
            let engine = explain(&sample.line).engine?;
            (!expected.split(',').any(|name| name == engine)).then(|| format!("{engine} instead of {expected}: {}", sample.line))
        })
        .collect();
    assert_none(faults);
}

#[test]
fn a_line_is_explained_alike_in_text_and_in_json() {
    let text = "[ERROR]\t2025-03-01T12:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\tsetSecret: Unable to log into database using current credentials for secret a";
    let json = json!({
        "timestamp": "2025-03-01T12:00:00.000Z", "level": "ERROR",
        "message": "setSecret: Unable to log into database using current credentials for secret a",
        "logger": "root", "requestId": "3f1c2d4e-0000-4000-8000-123456789012",
    })
    .to_string();
    for line in [text.to_owned(), json, json!({"text": text}).to_string(), json!(text).to_string()] {
        let explained = serde_json::to_value(explain(&line)).unwrap();
        assert_eq!(explained["cause"], "db_login_ambiguous", "{line}");
        assert_eq!(explained["step"], "setSecret", "{line}");
        assert_eq!(explained["engine"], Value::Null, "{line}");
    }
}

#[test]
fn a_benign_line_is_explained_by_null() {
    let explained = serde_json::to_value(explain("END RequestId: 3f1c2d4e-0000-4000-8000-123456789012")).unwrap();
    assert_eq!(
        explained,
        json!({
            "cause": null, "step": null, "engine": null,
            "text": "END RequestId: 3f1c2d4e-0000-4000-8000-123456789012",
        })
    );
}

#[test]
fn a_record_joined_by_written_out_line_breaks_is_read_whole() {
    let line = r#"[ERROR] KeyError: 'host'\nTraceback (most recent call last):\n  File "/var/task/lambda_function.py", line 9, in set_secret"#;
    let explained = serde_json::to_value(explain(line)).unwrap();
    assert_eq!(explained["cause"], "secret_json_key_missing");
    assert_eq!(explained["step"], "setSecret");
    assert_eq!(explained["text"], line);
}

#[test]
fn platform_records_in_json_are_explained() {
    for (record, cause) in [
        (
            json!({"time": "t", "type": "platform.report", "record": {"requestId": "r", "metrics": {"durationMs": 3000.0, "memorySizeMB": 128, "maxMemoryUsedMB": 60}, "status": "timeout"}}),
            "timeout_ambiguous",
        ),
        (
            json!({"time": "t", "type": "platform.report", "record": {"requestId": "r", "metrics": {"durationMs": 9.0, "memorySizeMB": 128, "maxMemoryUsedMB": 128}, "status": "error", "errorType": "Runtime.ExitError"}}),
            "lambda_oom",
        ),
        (
            json!({"time": "t", "type": "platform.initReport", "record": {"phase": "init", "status": "error", "errorType": "Runtime.ImportModuleError", "metrics": {"durationMs": 9.0}}}),
            "code_import_error",
        ),
        (
            json!({"time": "t", "type": "platform.extension", "record": {"name": "x", "state": "InitError", "events": [], "errorType": "Extension.InitError"}}),
            "lambda_extension_crash",
        ),
    ] {
        let explained = serde_json::to_value(explain(&record.to_string())).unwrap();
        assert_eq!(explained["cause"], cause, "{record}");
    }
    let report = json!({"time": "t", "type": "platform.report", "record": {"requestId": "r", "metrics": {"durationMs": 3000.0, "memorySizeMB": 128, "maxMemoryUsedMB": 60}, "status": "success"}});
    assert_eq!(explain(&report.to_string()).cause, None);
}

/// What the official templates raise and log, as facts in a form of our own.
///
/// Source: aws-samples/aws-secrets-manager-rotation-lambdas, its 22 functions.
const TEMPLATES: &str = include_str!("data/template-messages.jsonl");

/// The event that Lambda writes of it.
fn written(row: &Value) -> String {
    let says = row["says"].as_str().unwrap();
    let step = row["step"].as_str().map_or("lambda_handler".to_owned(), |step| step.replace("Secret", "_secret"));
    let frame = format!("Traceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 77, in {step}");
    match (row["how"].as_str().unwrap(), row["raises"].as_str()) {
        ("raise", Some("KeyError")) => format!("[ERROR] KeyError: {says:?}\n{frame}"),
        ("raise", Some(kind)) => format!("[ERROR] {kind}: {says}\n{frame}"),
        (level, _) => {
            format!("[{}]\t2026-03-10T11:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\t{says}", level.to_uppercase())
        }
    }
}

#[test]
fn every_error_line_of_every_official_template_has_a_cause_or_is_declared_ambiguous() {
    let mut faults = Vec::new();
    let mut templates = std::collections::BTreeSet::new();
    for row in TEMPLATES.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        templates.extend(row["templates"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()));
        let line = written(&row);
        let found = explain(&line).cause.map(|cause| cause.id());
        if found != row["cause"].as_str() {
            faults.push(format!("{found:?} instead of {}: {line}", row["cause"]));
        }
        let says_nothing = matches!(found, None | Some("failure_marker" | "db_login_ambiguous" | "db_superuser_login_ambiguous"));
        if says_nothing != row["ambiguous"].is_string() || found == Some("code_unhandled_exception") {
            faults.push(format!("{found:?} is not declared ambiguous: {line}"));
        }
    }
    assert_eq!(templates.len(), 22);
    assert_none(faults);
}
