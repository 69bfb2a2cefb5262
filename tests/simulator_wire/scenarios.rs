//! The scenario files themselves.

use crate::{now, start};
use rotation_diag::simulator::{Scenario, Simulator};

#[tokio::test]
async fn every_embedded_scenario_can_be_played() {
    let mut count = 0;
    for (name, text) in Scenario::embedded() {
        let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(scenario.expect.is_some(), "{name} says what to expect");
        let now = scenario.now().unwrap_or_else(now);
        if let Err(error) = Simulator::start(scenario, now) {
            panic!("{name}: {error}");
        }
        count += 1;
    }
    assert!(count >= 7, "{count}");
}

#[test]
fn an_unknown_key_is_named() {
    let error = Scenario::parse("title = \"t\"\nstory = \"s\"\n[[secret]]\nname = \"a\"\nrotaton = {}\n").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("unknown field `rotaton`") && text.contains("line 5"), "{text}");
}

/// Run by `.ci/run`; it fails, and does not skip, where Python or boto3 is missing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python3 with boto3"]
async fn boto3_has_no_complaint_about_any_scenario() {
    let simulators: Vec<Simulator> = Scenario::embedded().map(|(_, text)| start(text)).collect();
    let endpoints: Vec<String> = simulators.iter().map(Simulator::endpoint_url).collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boto3_check.py");
    let output =
        tokio::task::spawn_blocking(move || std::process::Command::new("python3").arg(script).args(endpoints).output().unwrap())
            .await
            .unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    for simulator in simulators {
        assert_eq!(simulator.violations(), []);
    }
}
