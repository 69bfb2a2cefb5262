//! How the events of a log group become invocations.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rotation_diag::lambda_log::group;
use rotation_diag::model::{Invocation, InvocationStatus, LogEvent, RotationStep};

const A: &str = "3f1c2d4e-0000-4000-8000-00000000000a";
const B: &str = "3f1c2d4e-0000-4000-8000-00000000000b";
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf";
const TOKEN: &str = "7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11";

/// Events of one stream, a second apart; `{A}` and `{B}` stand for request ids.
fn stream(name: &str, lines: &[&str]) -> Vec<LogEvent> {
    let start: jiff::Timestamp = "2025-03-01T12:00:00Z".parse().unwrap();
    lines
        .iter()
        .zip(0_i64..)
        .map(|(line, second)| LogEvent {
            at: start + jiff::SignedDuration::from_secs(second),
            stream: name.to_owned(),
            text: line.replace("{A}", A).replace("{B}", B).replace("{S}", SECRET).replace("{T}", TOKEN),
        })
        .collect()
}

fn only(lines: &[&str]) -> Invocation {
    let mut invocations = group(stream("s", lines));
    assert_eq!(invocations.len(), 1, "{invocations:#?}");
    invocations.remove(0)
}

#[test]
fn a_failing_invocation_is_read_whole_from_start_to_report() {
    let found = only(&[
        "START RequestId: {A} Version: $LATEST",
        "[INFO]\t2025-03-01T12:00:01.000Z\t{A}\tFound credentials in environment variables.",
        "[ERROR]\t2025-03-01T12:00:02.000Z\t{A}\tsetSecret: Unable to log into database with previous, current, or pending secret of secret arn {S}",
        "[ERROR] ValueError: Unable to log into database with previous, current, or pending secret of secret arn {S}\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 77, in lambda_handler",
        "END RequestId: {A}",
        "REPORT RequestId: {A}\tDuration: 1897.22 ms\tBilled Duration: 1900 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB\tInit Duration: 204.34 ms",
    ]);
    assert_eq!(found.request_id.as_deref(), Some(A));
    assert_eq!(found.status, InvocationStatus::Failed);
    assert_eq!(found.error_type.as_deref(), Some("ValueError"));
    assert_eq!(found.step, Some(RotationStep::SetSecret));
    assert_eq!(found.secret_arn.as_deref(), Some(SECRET));
    assert_eq!(found.duration_ms, Some(1897.22));
    assert_eq!((found.memory_size_mb, found.max_memory_used_mb), (Some(128), Some(73)));
    assert_eq!(found.started_at.to_string(), "2025-03-01T12:00:00Z");
    assert_eq!(found.ended_at.map(|at| at.to_string()).as_deref(), Some("2025-03-01T12:00:05Z"));
    assert_eq!(found.lines.len(), 6);
}

#[test]
fn warnings_and_progress_do_not_make_an_invocation_fail() {
    let found = only(&[
        "START RequestId: {A} Version: $LATEST",
        "[WARNING]\t2025-03-01T12:00:01.000Z\t{A}\tsetSecret: DB Instance ARN not present in Metadata System Tags for secret {S}",
        "[INFO]\t2025-03-01T12:00:02.000Z\t{A}\tcreateSecret: Successfully put secret for ARN {S} and version {T}.",
        "END RequestId: {A}",
        "REPORT RequestId: {A}\tDuration: 90.00 ms\tBilled Duration: 90 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB",
    ]);
    assert_eq!(found.status, InvocationStatus::Succeeded);
    assert_eq!(found.version.as_deref(), Some(TOKEN));
}

#[test]
fn a_timeout_is_seen_by_its_line_or_by_its_report_without_the_word_error() {
    for last in [
        "2025-03-01T12:00:30.000Z {A} Task timed out after 30.03 seconds",
        "REPORT RequestId: {A}\tDuration: 30000.00 ms\tBilled Duration: 30000 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB\tStatus: timeout",
    ] {
        let found = only(&[
            "START RequestId: {A} Version: $LATEST",
            "[INFO]\t2025-03-01T12:00:01.000Z\t{A}\tFound credentials in environment variables.",
            "END RequestId: {A}",
            last,
        ]);
        assert_eq!(found.status, InvocationStatus::TimedOut, "{last}");
    }
}

#[test]
fn a_line_after_the_report_joins_the_request_it_names() {
    let invocations = group(stream(
        "s",
        &[
            "START RequestId: {A} Version: $LATEST",
            "END RequestId: {A}",
            "REPORT RequestId: {A}\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB",
            "RequestId: {A} Error: Runtime exited with error: signal: killed\nRuntime.ExitError",
            "START RequestId: {B} Version: $LATEST",
            "END RequestId: {B}",
        ],
    ));
    let statuses: Vec<_> = invocations.iter().map(|found| (found.lines.len(), found.status)).collect();
    assert_eq!(statuses, [(4, InvocationStatus::Failed), (2, InvocationStatus::Succeeded)]);
}

#[test]
fn an_import_failure_before_the_handler_belongs_to_the_request_that_follows() {
    let found = only(&[
        "INIT_START Runtime Version: python:3.12.v36\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:18f5",
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named '_pg'\nTraceback (most recent call last):",
        "INIT_REPORT Init Duration: 204.34 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError",
        "START RequestId: {A} Version: $LATEST",
        "END RequestId: {A}",
        "REPORT RequestId: {A}\tDuration: 90.00 ms\tBilled Duration: 90 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\tStatus: error\tError Type: Runtime.ImportModuleError",
    ]);
    assert_eq!(found.status, InvocationStatus::Failed);
    assert_eq!(found.error_type.as_deref(), Some("Runtime.ImportModuleError"));
    assert_eq!((found.step, found.secret_arn), (None, None));
}

#[test]
fn an_import_failure_that_no_request_follows_is_an_invocation_without_an_id() {
    let found = only(&[
        "INIT_START Runtime Version: python:3.12.v36\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:18f5",
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named '_pg'",
        "INIT_REPORT Init Duration: 204.34 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError",
    ]);
    assert_eq!((found.request_id, found.status), (None, InvocationStatus::Failed));
    assert!(group(stream("s", &["INIT_START Runtime Version: python:3.12.v36"])).is_empty());
}

#[test]
fn streams_may_interleave_and_a_line_without_id_stays_in_its_own_stream() {
    let mut events = stream("one", &["START RequestId: {A} Version: $LATEST", "[ERROR] KeyError: 'host'", "END RequestId: {A}"]);
    events.extend(stream("two", &["START RequestId: {B} Version: $LATEST", "plain output", "END RequestId: {B}"]));
    events.sort_by_key(|event| event.at);
    let statuses: Vec<_> = group(events).into_iter().map(|found| (found.stream, found.request_id, found.status)).collect();
    assert_eq!(
        statuses,
        [
            ("one".to_owned(), Some(A.to_owned()), InvocationStatus::Failed),
            ("two".to_owned(), Some(B.to_owned()), InvocationStatus::Succeeded),
        ]
    );
}

#[test]
fn a_window_that_cuts_off_start_or_end_leaves_a_usable_invocation() {
    let cut_start = only(&[
        "[INFO]\t2025-03-01T12:00:01.000Z\t{A}\ttestSecret: Successfully signed into MySQL DB with AWSPENDING secret in {S}.",
        "END RequestId: {A}",
    ]);
    assert_eq!(cut_start.status, InvocationStatus::Succeeded);
    assert_eq!(cut_start.step, Some(RotationStep::TestSecret));
    let cut_end =
        only(&["START RequestId: {A} Version: $LATEST", "[INFO]\t2025-03-01T12:00:01.000Z\t{A}\tcreateSecret: started"]);
    assert_eq!((cut_end.status, cut_end.ended_at), (InvocationStatus::Unknown, None));
}

#[test]
fn a_traceback_of_many_events_stays_with_its_invocation() {
    let found = only(&[
        "START RequestId: {A} Version: $LATEST",
        "Traceback (most recent call last):",
        "  File \"/var/task/lambda_function.py\", line 12, in test_secret",
        "    raise ValueError(\"no\")",
        "ValueError: no",
        "END RequestId: {A}",
    ]);
    assert_eq!(found.status, InvocationStatus::Failed);
    assert_eq!(found.step, Some(RotationStep::TestSecret));
    assert_eq!(found.error_type.as_deref(), Some("ValueError"));
    assert_eq!(found.lines.len(), 6);
}

#[test]
fn the_json_format_tells_the_same() {
    let found = only(&[
        r#"{"time":"2025-03-01T12:00:00.000Z","type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init"}}"#,
        r#"{"time":"2025-03-01T12:00:00.100Z","type":"platform.start","record":{"requestId":"{A}","version":"$LATEST"}}"#,
        r#"{"timestamp":"2025-03-01T12:00:01Z","level":"INFO","message":"event {'Step': 'createSecret', 'ClientRequestToken': '{T}', 'SecretId': '{S}'}","requestId":"{A}"}"#,
        r#"{"timestamp":"2025-03-01T12:00:02Z","log_level":"ERROR","errorMessage":"An error occurred (AccessDeniedException) when calling the PutSecretValue operation","errorType":"ClientError","requestId":"{A}","stackTrace":[]}"#,
        r#"{"time":"2025-03-01T12:00:03.000Z","type":"platform.report","record":{"requestId":"{A}","metrics":{"durationMs":812.5,"billedDurationMs":813,"memorySizeMB":128,"maxMemoryUsedMB":73},"status":"error","errorType":"Unhandled"}}"#,
    ]);
    assert_eq!(found.status, InvocationStatus::Failed);
    assert_eq!(found.error_type.as_deref(), Some("Unhandled"));
    assert_eq!(found.step, Some(RotationStep::CreateSecret));
    assert_eq!((found.secret_arn.as_deref(), found.version.as_deref()), (Some(SECRET), Some(TOKEN)));
    assert_eq!(found.duration_ms, Some(812.5));
}

#[test]
fn every_runtime_says_in_its_own_way_that_it_failed() {
    for line in [
        "2025-03-01T12:00:01.000Z\t{A}\tERROR\tInvoke Error \t{\"errorType\":\"Error\",\"errorMessage\":\"no\",\"stack\":[\"Error: no\"]}",
        "java.lang.RuntimeException: no\n\tat com.example.Rotate.handle(Rotate.java:9)",
        "{\"errorMessage\":\"no\",\"errorType\":\"errorString\"}",
        "2025-03-01T12:00:01.000Z\t{A}\tfail\tSystem.InvalidOperationException: no",
        "2025-03-01 12:00:01,000 - rotate - CRITICAL - no",
        "panic: no",
    ] {
        let found = only(&["START RequestId: {A} Version: $LATEST", line, "END RequestId: {A}"]);
        assert_eq!(found.status, InvocationStatus::Failed, "{line}");
    }
}

#[test]
fn an_invocation_survives_serialization() {
    let found = only(&["START RequestId: {A} Version: $LATEST", "END RequestId: {A}"]);
    let json = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Invocation>(&json).unwrap(), found);
}

#[test]
fn a_uuid_in_a_message_opens_no_invocation() {
    let found = only(&[
        "START RequestId: {A} Version: $LATEST",
        "{T} is not set as AWSPENDING",
        "[ERROR] ValueError: Secret version {T} has no stage for rotation of secret {S}.",
        "2025-03-01T12:00:02.000Z {B} was the request id of the first try",
        "END RequestId: {A}",
        "REPORT RequestId: {A}\tDuration: 90.00 ms\tBilled Duration: 90 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB",
    ]);
    assert_eq!((found.request_id.as_deref(), found.lines.len()), (Some(A), 6));
    assert_eq!((found.version.as_deref(), found.status), (Some(TOKEN), InvocationStatus::Failed));
}

#[test]
fn what_an_extension_writes_after_the_report_is_no_line_of_the_next_invocation() {
    let invocations = group(stream(
        "s",
        &[
            "INIT_START Runtime Version: python:3.12.v36",
            "START RequestId: {A} Version: $LATEST",
            "END RequestId: {A}",
            "REPORT RequestId: {A}\tDuration: 90.00 ms\tBilled Duration: 90 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB",
            "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
            "START RequestId: {B} Version: $LATEST",
            "END RequestId: {B}",
            "REPORT RequestId: {B}\tDuration: 90.00 ms\tBilled Duration: 90 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB",
        ],
    ));
    let found: Vec<_> = invocations.iter().map(|run| (run.lines.len(), run.status)).collect();
    assert_eq!(found, [(4, InvocationStatus::Succeeded), (3, InvocationStatus::Succeeded)]);
}

#[test]
fn an_error_of_an_agent_does_not_fail_the_invocation() {
    let found = only(&[
        "START RequestId: {A} Version: $LATEST",
        "[ERROR] [acme-trace-agent] cannot read the licence: AccessDeniedException",
        r#"{"level": "error", "logger": "otelcol.exporter", "msg": "connection refused"}"#,
        "END RequestId: {A}",
        "REPORT RequestId: {A}\tDuration: 90.00 ms\tBilled Duration: 90 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB",
    ]);
    assert_eq!((found.status, found.error_type), (InvocationStatus::Succeeded, None));
}
