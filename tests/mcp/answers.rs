//! What an agent is answered is what the command line prints.

use crate::lines::{LineClient, PATIENCE, command, text};
use crate::{account, scenario};
use regex::Regex;
use rotation_diag::simulator::Simulator;
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::io::AsyncWriteExt as _;

/// What the command prints; it has to succeed.
async fn printed(arguments: &[&str], input: &str, account: Option<&Simulator>) -> String {
    let mut command = command(account);
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Without what is another one each time: the id, how long it took, and the moment of the look.
fn timeless(document: &str) -> String {
    let changing = Regex::new(r#""(investigation_id|duration_ms|now|from|to)": ("[^"]*"|\d+)"#).unwrap();
    changing.replace_all(document, "\"$1\": …").into_owned()
}

#[tokio::test]
async fn a_report_a_forecast_and_evidence_are_those_of_the_command_line_character_for_character() {
    let secret = "prod/orders-db";
    for (tool, arguments, options) in [
        ("diagnose_secret", json!({"secret": secret}), &["diagnose", secret, "--format", "json"][..]),
        (
            "diagnose_secret",
            json!({"secret": secret, "window": "30d", "steps": [4, 6]}),
            &["diagnose", secret, "--window", "30d", "--step", "4", "--step", "6", "--format", "json"],
        ),
        (
            "forecast",
            json!({"secret": secret, "region": "eu-west-1"}),
            &["forecast", secret, "--region", "eu-west-1", "--format", "json"],
        ),
        ("evidence", json!({"secret": secret, "step": 4}), &["evidence", secret, "--step", "4", "--format", "json"]),
    ] {
        let account = account(scenario("role_detached_policy"));
        let expected = printed(options, "", Some(&account)).await;
        // A process of its own remembers no answer of an earlier question.
        let mut client = LineClient::start(&[], Some(&account)).await;
        let result = client.call(tool, &arguments).await;
        assert_eq!(timeless(text(&result)), timeless(&expected), "{options:?}");
        assert!(expected.contains("\"schema_version\": 1") && expected.contains("\"untrusted\": ["), "{expected}");
    }
}

#[tokio::test]
async fn lines_and_causes_are_explained_as_on_the_command_line_character_for_character() {
    let mut client = LineClient::start(&["--demo"], None).await;
    let lines = [
        "[ERROR] 2026-11-22T05:00:00Z 1 setSecret: Unable to log into database with previous, current, or pending secret",
        "password:",
        "xyzzy9tiger",
        "",
        "END RequestId: 1 \u{202e}",
    ];
    let input = lines.join("\n");
    let expected = printed(&["explain", "--format", "json"], &input, None).await;
    assert_eq!(text(&client.call("explain_log_lines", &json!({"lines": lines})).await), expected);
    // Each object is that of the other form.
    let by_line = printed(&["explain"], &input, None).await;
    let by_line: Vec<Value> = by_line.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(serde_json::from_str::<Value>(&expected).unwrap()["lines"], json!(by_line));
    for (arguments, options) in [
        (json!({"cause": "db_auth_failed"}), &["explain", "db_auth_failed", "--format", "json"][..]),
        (json!({}), &["explain", "--list", "--format", "json"]),
    ] {
        let expected = printed(options, "", None).await;
        assert_eq!(text(&client.call("explain_cause", &arguments).await), expected);
    }
}

#[tokio::test]
async fn a_forecast_and_evidence_read_well_in_a_terminal() {
    let account = account(scenario("role_detached_policy"));
    let forecast = printed(&["forecast", "prod/orders-db"], "", Some(&account)).await;
    for expected in [
        "prod/orders-db is not rotating",
        "Next rotation: ",
        "will stop it: ",
        "aws iam attach-role-policy",
        "nothing known stands in the way",
    ] {
        assert!(forecast.contains(expected), "{expected}: {forecast}");
    }
    let evidence = printed(&["evidence", "prod/orders-db", "--step", "4"], "", Some(&account)).await;
    for expected in ["step 4 · function logs: ", "AccessDeniedException"] {
        assert!(evidence.contains(expected), "{expected}: {evidence}");
    }
}
