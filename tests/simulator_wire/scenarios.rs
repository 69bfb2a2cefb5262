//! The scenario files themselves.

use crate::{now, start};
use rotation_diag::model::Cause;
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
fn every_expectation_speaks_of_causes_in_the_catalogue() {
    for (name, text) in Scenario::embedded() {
        let scenario = Scenario::parse(text).unwrap();
        let expect = scenario.expect.as_ref().unwrap();
        let listed = expect.not_cause.iter().chain(&expect.inhibited).chain(&expect.not_checked);
        for cause in expect.cause.iter().chain(listed) {
            assert!(Cause::from_id(cause).is_some(), "{name}: {cause}");
        }
        let known = ["root_cause", "healthy", "inconclusive", "not_found"];
        assert!(known.contains(&expect.outcome.as_str()), "{name}");
        match expect.outcome.as_str() {
            "root_cause" => assert!(expect.cause.is_some(), "{name}"),
            "not_found" => assert_eq!(expect.cause, None, "{name}"),
            _ => {}
        }
        let words = [None, Some("confirmed"), Some("likely"), Some("possible")];
        assert!(words.contains(&expect.confidence.as_deref()), "{name}");
        assert!(expect.cause.as_ref().is_none_or(|cause| !expect.not_cause.contains(cause)), "{name} contradicts itself");
    }
}

#[test]
fn every_story_is_one_plain_sentence() {
    for (name, text) in Scenario::embedded() {
        let scenario = Scenario::parse(text).unwrap();
        let (title, story) = (scenario.title, scenario.story);
        assert!(!title.ends_with('.') && title.len() <= 60, "{name}: {title}");
        assert!(story.ends_with('.') && !story.contains(". "), "{name}: {story}");
        assert!(!story.contains('\n') && story.len() <= 200, "{name}: {story}");
    }
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
