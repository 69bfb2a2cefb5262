//! The built program, as a shell sees it.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "support/environment.rs"]
mod environment;

use environment::NO_ACCOUNT;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rotation-diag"));
    // Nothing of the machine's AWS configuration may decide a test, and nothing may be asked of a network.
    command.env_clear().envs(NO_ACCOUNT).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn help_shows_examples_exit_statuses_and_the_environment() {
    let output = run(&["--help"]);
    assert_eq!(status(&output), 0);
    for expected in ["rotation-diag demo", "Exit status:", "AWS_ENDPOINT_URL", "NO_COLOR", "RUST_LOG"] {
        assert!(out(&output).contains(expected), "{expected}");
    }
    assert!(!out(&output).contains("\n  simulate"), "a hidden command is shown");
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(&["completions", shell]);
        assert_eq!(status(&output), 0, "{shell}");
        assert!(out(&output).contains("rotation-diag") && out(&output).contains("diagnose"), "{shell}");
    }
}

#[test]
fn a_wrong_command_line_is_told_in_a_sentence_with_status_2() {
    for (arguments, expected) in [
        (&["diagnose", "a b"][..], "a secret's name has 1 to 512 letters"),
        (&["diagnose", ""], "name a secret, or give its ARN"),
        (&["diagnose", "arn:aws:s3:::bucket"], "expected an ARN of a secret"),
        (&["diagnose", "x", "--window", "8d"], "a window is 24h, 7d, 30d or 90d"),
        (&["diagnose", "x", "--step", "10"], "a playbook step is a number from 1 to 9"),
        (&["diagnose", "x", "--format", "yaml"], "text, json, markdown"),
        (&["diagnose", "--code", "x.zip", "--runtime", "pyton"], "a runtime such as python3.13 or nodejs22.x"),
        (&["diagnose", "x", "--account", "prod"], "[accounts.prod]"),
        (&["diagnose", "x", "--config", "/nonexistent/file.toml"], "/nonexistent/file.toml cannot be read"),
        (&["demo", "no-such-secret"], "demo --list"),
        (&["diagnos"], "a similar subcommand exists: 'diagnose'"),
    ] {
        let output = run(arguments);
        assert_eq!(status(&output), 2, "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(expected), "{arguments:?}: {}", err(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_value_on_the_command_line_is_not_repeated() {
    let token = format!("ghp_{}", "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE1uXo");
    for value in [
        "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE",
        "9drTJvcXLB89EXLCiH9Zyjz+0CWIbz2Vg5oUIh3K",
        token.as_str(),
        "Xk9#mP2$vL8q",
        "postgres://app:hunter2hunter2@db.example.com/orders",
        "{\"username\":\"app\",\"password\":\"hunter2hunter2\"}",
    ] {
        for arguments in [
            &["diagnose", value][..],
            &["diagnose", value, "--format", "json", "--region", "eu-west-1"],
            &["diagnose", "prod/orders-db", value],
            &["diagnose", "prod/orders-db", "--region", value],
            &["diagnose", "prod/orders-db", "--account", value],
            &["diagnose", "prod/orders-db", "--window", value],
            &["--verbose", "diagnose", value],
            &["demo", value],
            &[value],
        ] {
            let output = run(arguments);
            assert_eq!((status(&output), out(&output)), (2, String::new()), "{arguments:?}");
            let told = err(&output);
            let part: String = value.chars().skip(2).take(8).collect();
            assert!(!told.contains(&part), "{told}");
            for advice in ["looks like a secret's value, not its name", "rotate that secret", "prod/orders-db", "ARN"] {
                assert!(told.contains(advice), "{advice}: {told}");
            }
        }
    }
    // What no name may hold is not repeated either.
    assert!(!err(&run(&["diagnose", "tiger lily?"])).contains("tiger"));
}

#[test]
fn a_configuration_with_mistakes_lists_them_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rotation-diag.toml");
    std::fs::write(&path, "default_regoin = \"eu-west-1\"\n\n[deadlines]\nstep_seconds = 0\n").unwrap();
    let output = run(&["diagnose", "x", "--config", path.to_str().unwrap()]);
    assert_eq!(status(&output), 2);
    assert!(err(&output).contains("line 1: unknown key `default_regoin`; did you mean `default_region`?"), "{}", err(&output));
    assert!(err(&output).contains("line 4: `deadlines.step_seconds`"), "{}", err(&output));
}

#[test]
fn without_a_region_it_says_how_to_name_one() {
    let output = run(&["diagnose", "prod/orders-db"]);
    assert_eq!((status(&output), out(&output)), (1, String::new()));
    assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
    assert!(err(&output).contains("--region") && err(&output).contains("AWS_REGION"), "{}", err(&output));
}

#[test]
fn without_credentials_it_says_how_to_get_some() {
    let output = run(&["diagnose", "prod/orders-db", "--region", "eu-west-1"]);
    assert_eq!((status(&output), out(&output)), (1, String::new()));
    assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
    assert!(err(&output).contains("credentials"), "{}", err(&output));
}

#[test]
fn an_unknown_profile_is_named() {
    let output = run(&["diagnose", "prod/orders-db", "--region", "eu-west-1", "--profile", "nobody"]);
    assert_eq!((status(&output), out(&output)), (1, String::new()));
    assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
    assert!(err(&output).contains("the AWS profile \"nobody\""), "{}", err(&output));

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    std::fs::write(&config, "[profile somebody]\nregion = eu-west-1\n").unwrap();
    let mut command = program();
    let output = command.args(["diagnose", "x", "--profile", "nobody"]).env("AWS_CONFIG_FILE", &config).output().unwrap();
    assert_eq!((status(&output), err(&output).lines().count()), (1, 1), "{}", err(&output));
}

#[test]
fn explain_gives_one_object_per_line_and_masks_secrets() {
    let mut child = program().arg("explain").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = "START RequestId: 8f5d Version: $LATEST\n\
                 FATAL:  password authentication failed for user \"app\"\n\
                 {\"level\":\"ERROR\",\"message\":\"password=hunter2-Zq9xK\",\"requestId\":\"1\"}\n";
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let objects: Vec<serde_json::Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((status(&output), objects.len()), (0, 3));
    assert!(objects[0]["cause"].is_null());
    assert_eq!(objects[1]["cause"], "db_auth_failed");
    assert!(!out(&output).contains("hunter2"), "{}", out(&output));
}

#[test]
fn a_reader_that_goes_away_ends_explain_quietly() {
    let mut child = program().arg("explain").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // The program may end before it has read everything; then this pipe breaks, too.
    let _ = input.write_all("a line that says nothing\n".repeat(10_000).as_bytes());
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!((status(&output), err(&output)), (0, String::new()));
}

#[test]
fn demo_list_names_what_can_be_tried() {
    let output = run(&["demo", "--list"]);
    assert_eq!((status(&output), err(&output)), (0, String::new()));
    assert!(out(&output).lines().count() >= 7, "{}", out(&output));
    assert!(out(&output).lines().all(|line| line.split("  ").count() >= 2), "{}", out(&output));
}

#[test]
fn the_demo_reports_on_standard_output_and_proposes_more_on_standard_error() {
    let output = run(&["demo"]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    let text = out(&output);
    assert!(text.contains("prod/orders-db") && text.contains("Proof") && text.contains("9 steps · "), "{text}");
    assert!(!text.contains('\u{1b}'), "coloured without a terminal");
    assert!(err(&output).contains("rotation-diag demo --list"), "{}", err(&output));
}

#[test]
fn colour_can_be_forced_and_no_color_wins() {
    let forced = program().args(["demo"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(out(&forced).contains('\u{1b}'));
    let refused = program().args(["demo"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().unwrap();
    assert!(!out(&refused).contains('\u{1b}'));
}

#[test]
fn the_demo_gives_one_json_object_that_keeps_the_contract() {
    let output = run(&["demo", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    for key in [
        "schema_version",
        "investigation_id",
        "secret",
        "window",
        "outcome",
        "findings",
        "changes",
        "ruled_out",
        "not_checked",
        "steps",
        "api_calls",
        "duration_ms",
    ] {
        assert!(report.get(key).is_some(), "{key}");
    }
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["secret"]["name"], "prod/orders-db");
    assert_eq!(report["steps"].as_array().unwrap().len(), 9);
    for finding in report["findings"].as_array().unwrap() {
        for key in [
            "cause",
            "title",
            "confidence",
            "severity",
            "diagnosis_item",
            "explanation",
            "evidence",
            "remediation",
            "inhibited_by",
        ] {
            assert!(finding.get(key).is_some(), "{key}");
        }
    }
}

#[test]
fn a_report_can_be_written_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.md");
    let output = run(&["demo", "--format", "markdown", "--output", path.to_str().unwrap()]);
    assert_eq!((status(&output), out(&output)), (0, String::new()));
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("## "));
    let unwritable = run(&["demo", "--output", "/nonexistent/report.txt"]);
    assert_eq!(status(&unwritable), 1);
    assert!(err(&unwritable).contains("cannot be written to /nonexistent/report.txt"), "{}", err(&unwritable));
}

#[test]
fn where_nobody_answers_it_says_so_in_a_sentence() {
    // The port was free a moment ago, and nothing listens on it now.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = Simulated::diagnose_at(&format!("http://{address}"), &["prod/orders-db", "--region", "eu-west-1"]);
    assert_eq!((status(&output), out(&output)), (1, String::new()));
    assert!(err(&output).starts_with("error: AWS does not answer in eu-west-1"), "{}", err(&output));
    assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
}

#[test]
fn expired_credentials_get_one_sentence_and_no_talk_of_the_network() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(|caller| refuse(caller.unwrap())));
    let output = Simulated::diagnose_at(&url, &["prod/orders-db"]);
    assert_eq!((status(&output), out(&output)), (1, String::new()));
    assert!(err(&output).starts_with("error: our own credentials have expired"), "{}", err(&output));
    assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
}

/// Reads one request and answers that the caller's token has expired.
fn refuse(mut caller: std::net::TcpStream) {
    use std::io::{BufRead as _, Read as _};
    let mut reader = std::io::BufReader::new(caller.try_clone().unwrap());
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).unwrap() > 2 {
        let header = line.to_ascii_lowercase();
        length = header.strip_prefix("content-length:").map_or(length, |length| length.trim().parse().unwrap());
        line.clear();
    }
    reader.take(length).read_to_end(&mut Vec::new()).unwrap();
    let body = r#"{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}"#;
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n";
    // A caller may have given up meanwhile.
    _ = write!(caller, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
}

#[test]
fn credentials_without_any_permission_get_one_sentence_with_what_to_allow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nothing_allowed.toml");
    let scenario = "title = \"Nothing allowed\"\nstory = \"The caller may do nothing.\"\n\
                    [caller]\ndeny = [\"*:*\"]\n[[secret]]\nname = \"prod/orders-db\"\n";
    std::fs::write(&path, scenario).unwrap();
    let blind = Simulated::start(path.to_str().unwrap());
    let output = blind.diagnose(&["prod/orders-db"]);
    assert_eq!((status(&output), out(&output)), (1, String::new()));
    assert!(err(&output).contains("allow secretsmanager:DescribeSecret"), "{}", err(&output));
    assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));

    let output = blind.diagnose(&["prod/orders-db", "--format", "json", "--exit-code"]);
    let report: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((status(&output), report["outcome"].as_str().unwrap()), (4, "inconclusive"), "{}", err(&output));
    assert!(report["steps"][0]["needs_permission"].as_str().unwrap().contains("secretsmanager:DescribeSecret"));
}

/// A simulated account in a process of its own; it ends with the value.
struct Simulated {
    child: std::process::Child,
    url: String,
}

impl Simulated {
    fn start(scenario: &str) -> Simulated {
        let mut child = program().args(["simulate", "--scenario", scenario]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
        Simulated { child, url: line.trim().to_owned() }
    }

    fn diagnose(&self, arguments: &[&str]) -> Output {
        Simulated::diagnose_at(&self.url, arguments)
    }

    fn diagnose_at(url: &str, arguments: &[&str]) -> Output {
        program()
            .arg("diagnose")
            .args(arguments)
            .env("AWS_ENDPOINT_URL", url)
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDSIMULATED")
            .env("AWS_SECRET_ACCESS_KEY", "simulated")
            .output()
            .unwrap()
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn diagnose_asks_the_endpoint_of_the_environment_and_its_exit_status_tells_the_outcome() {
    let broken = Simulated::start("role_detached_policy");
    let output = broken.diagnose(&["prod/orders-db", "--exit-code", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((status(&output), report["outcome"].as_str().unwrap()), (3, "root_cause"), "{}", err(&output));
    assert_eq!(status(&broken.diagnose(&["prod/orders-db"])), 0);

    let unknown = broken.diagnose(&["prod/order-db", "--exit-code"]);
    assert!(out(&unknown).contains("Did you mean    prod/orders-db"), "{}", out(&unknown));
    assert_eq!(status(&unknown), 3);

    let healthy = Simulated::start("healthy").diagnose(&["prod/orders-db", "--exit-code"]);
    assert!(out(&healthy).starts_with("🟢"), "{}", out(&healthy));
    assert_eq!(status(&healthy), 0);
}

#[test]
fn a_cause_is_explained_by_its_id_and_an_unknown_one_names_the_nearest() {
    let page = run(&["explain", "db_auth_failed"]);
    assert_eq!(status(&page), 0, "{}", err(&page));
    assert!(out(&page).starts_with("# The database refuses the credentials in the secret\n\nThe password"), "{}", out(&page));
    let unknown = run(&["explain", "db_auth_fails"]);
    assert_eq!((status(&unknown), out(&unknown).as_str()), (2, ""));
    assert!(err(&unknown).contains("the nearest is db_auth_failed; `rotation-diag explain --list`"), "{}", err(&unknown));
    let list = out(&run(&["explain", "--list"]));
    assert_eq!(list.lines().count(), 95);
    assert!(list.lines().all(|line| line.split_once("  ").is_some_and(|(id, _)| run(&["explain", id]).status.success())));
}
