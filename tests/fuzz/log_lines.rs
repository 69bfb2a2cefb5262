//! Log lines: explained, grouped, masked.

use crate::{found, mutation::mutated};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rotation_diag::answers::{ExplainedLines, JsonAnswer as _};
use rotation_diag::diagnosis::explain;
use rotation_diag::lambda_log::{Record, group, rotated_secret, rotation_step, version};
use rotation_diag::model::LogEvent;
use serde_json::Value;
use std::collections::BTreeMap;

fn corpus() -> Vec<String> {
    let lines = include_str!("../data/log-lines.jsonl").lines().chain(include_str!("../data/log-lines-more.jsonl").lines());
    let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned();
    let runtime = [
        "START RequestId: 0f9a1b2c-3d4e-5f60-7182-93a4b5c6d7e8 Version: $LATEST",
        "END RequestId: 0f9a1b2c-3d4e-5f60-7182-93a4b5c6d7e8",
        "REPORT RequestId: 0f9a1b2c-3d4e-5f60-7182-93a4b5c6d7e8\tDuration: 30000.00 ms\tBilled Duration: 30000 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tStatus: timeout",
        "INIT_START Runtime Version: python:3.13.v10\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:0123",
        r#"{"time":"2026-11-22T05:00:00.000Z","type":"platform.report","record":{"requestId":"0f9a1b2c","metrics":{"durationMs":812.1},"status":"error"}}"#,
        r#"{"timestamp":"2026-11-22T05:00:00Z","level":"ERROR","requestId":"0f9a1b2c","message":"setSecret: Unable to log into database"}"#,
        "{\"text\": \"[ERROR] Runtime.ImportModuleError\"}",
    ];
    lines.map(text).chain(runtime.map(str::to_owned)).chain(found("log-lines")).collect()
}

proptest! {
    #[test]
    fn a_line_is_explained_the_same_way_with_its_end_and_without(text in mutated(corpus())) {
        let explained = explain(&text);
        prop_assert_eq!(&explain(&format!("{text}\n")), &explained);
        let record = Record::read(&text);
        let _ = (record.level, rotation_step(&text), rotated_secret(&text), version(&text));
    }

    #[test]
    fn lines_that_are_explained_together_give_one_document_with_each_of_them(
        lines in prop::collection::vec(mutated(corpus()), 0..12),
    ) {
        let count = lines.len();
        let json = ExplainedLines::of(lines).unwrap().to_json().unwrap();
        let document: Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(document["lines"].as_array().unwrap().len(), count);
        prop_assert!(!json.chars().any(|c| c != '\n' && c.is_control()));
    }

    #[test]
    fn no_line_is_in_two_invocations_and_none_is_made_up(
        lines in prop::collection::vec((mutated(corpus()), 0..3_u8, 0..5_i64), 0..24),
    ) {
        let start: Timestamp = "2026-11-22T05:00:00Z".parse().unwrap();
        let events = lines.iter().map(|(text, stream, second)| LogEvent {
            at: start + SignedDuration::from_secs(*second),
            stream: format!("stream-{stream}"),
            text: text.clone(),
        });
        let events: Vec<LogEvent> = events.collect();
        let mut left: BTreeMap<(String, String), usize> = BTreeMap::new();
        for event in &events {
            *left.entry((event.stream.clone(), event.text.clone())).or_default() += 1;
        }
        for invocation in group(events) {
            for line in &invocation.lines {
                prop_assert_eq!(&line.stream, &invocation.stream);
                let count = left.get_mut(&(line.stream.clone(), line.text.clone()));
                prop_assert!(count.as_ref().is_some_and(|count| **count > 0), "made up or told twice: {}", line.text);
                *count.unwrap() -= 1;
            }
        }
    }
}
