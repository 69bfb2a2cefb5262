//! What declarations become, read whole.

use super::expand;
use crate::simulator::scenario::Scenario;
use crate::simulator::world::SimulatedAccount;
use std::fmt::Write;

fn play(text: &str) -> SimulatedAccount {
    let scenario = Scenario::parse(text).unwrap();
    expand(&scenario, "2026-11-24T09:30:00Z".parse().unwrap()).unwrap()
}

fn embedded(name: &str) -> SimulatedAccount {
    let (_, text) = Scenario::embedded().find(|(own, _)| *own == name).unwrap();
    play(text)
}

/// The evidence of the last `days` days, in words.
fn evidence(world: &SimulatedAccount, days: i64) -> String {
    let since = world.now - jiff::SignedDuration::from_hours(days * 24);
    let mut out = String::new();
    for secret in &world.secrets {
        writeln!(out, "secret {}", secret.name).unwrap();
        for version in &secret.versions {
            writeln!(out, "  {} {} {:?}", version.created, version.id, version.stages).unwrap();
        }
    }
    for event in world.events.iter().rev().filter(|event| event.at >= since) {
        let who = event.username.as_deref().unwrap_or("-");
        writeln!(out, "event {} {} {} by {who}", event.at, event.region, event.name).unwrap();
        for member in ["errorCode", "errorMessage", "additionalEventData", "serviceEventDetails"] {
            if let Some(value) = event.record.get(member) {
                writeln!(out, "  {member} {value}").unwrap();
            }
        }
    }
    for group in &world.log_groups {
        writeln!(out, "log group {}", group.name).unwrap();
        for event in group.events.iter().filter(|event| event.at >= since) {
            writeln!(out, "  {} {:?}", event.at, event.message).unwrap();
        }
    }
    for point in world.datapoints.iter().filter(|point| point.at >= since) {
        writeln!(out, "metric {} {} {}", point.at, point.metric, point.value).unwrap();
    }
    out
}

#[test]
fn a_denied_step_leaves_one_consistent_story() {
    let mut world = embedded("role_detached_policy");
    world.log_groups.retain(|group| group.name != "cloudtrail");
    insta::assert_snapshot!(evidence(&world, 3));
}

#[test]
fn a_timeout_is_logged_and_counted_but_says_no_error() {
    insta::assert_snapshot!(evidence(&embedded("vpc_timeout"), 2));
}

#[test]
fn an_import_error_in_json_comes_before_the_start() {
    insta::assert_snapshot!(evidence(&embedded("import_error_json"), 1));
}

#[test]
fn a_healthy_secret_has_a_month_of_quiet_success() {
    insta::assert_snapshot!(evidence(&embedded("healthy"), 7));
}

#[test]
fn what_makes_no_sense_is_named() {
    let now = "2026-11-24T09:30:00Z".parse().unwrap();
    for (declaration, complaint) in [
        ("[[rotation]]\nat = 'never'\noutcome = 'failed'", "[times] has no `never`"),
        ("[[rotation]]\nsecret = 'b'\nat = 'now'\noutcome = 'failed'", "no [[secret]] is named `b`"),
        ("[[rotation]]\nat = 'now'\ncount = 2\noutcome = 'failed'", "`count` needs `every`"),
        ("[[change]]\nat = 'now'\nby = 'carol'\nevent = 'Mystery'", "[[change]] Mystery: name its `source`"),
        ("[[role]]\nname = 'r'\nattached = ['p']", "no [[policy]] is named `p`"),
        ("[[role]]\nname = 'r'\ninline = { p = { on = ['*'] } }", "a policy statement names no action"),
    ] {
        let text = format!("title = 't'\nstory = 's'\n[[secret]]\nname = 'a'\n{declaration}\n");
        let error = expand(&Scenario::parse(&text).unwrap(), now).unwrap_err();
        assert_eq!(error, complaint);
    }
}

#[test]
fn the_log_level_drops_progress_and_keeps_the_failure() {
    let world = play(
        r#"
title = "t"
story = "s"
[[secret]]
name = "a"
history = false
[[function]]
name = "f"
log_format = "json"
log_level = "WARN"
[[rotation]]
at = "-1h"
outcome = "failed"
step = "setSecret"
run.lines = ["INFO Found credentials in environment variables.", "ERROR setSecret: refused", "printed"]
run.exception = "ValueError: refused"
"#,
    );
    let text = evidence(&world, 1);
    assert!(!text.contains("Found credentials"), "{text}");
    assert!(!text.contains("createSecret: Successfully"), "{text}");
    assert!(text.contains("setSecret: refused"), "{text}");
    assert!(text.contains("\"printed\""), "{text}");
    assert!(text.contains("errorType"), "{text}");
}

#[test]
fn a_success_can_say_how_one_of_its_steps_went() {
    let world = play(
        r#"
title = "t"
story = "s"
[[secret]]
name = "a"
[[rotation]]
at = "-1h"
outcome = "succeeded"
step = "createSecret"
run.lines = ["INFO looked for {version}"]
"#,
    );
    let text = evidence(&world, 1);
    assert!(text.contains("looked for "), "{text}");
    assert!(!text.contains("{version}"), "{text}");
    assert!(text.contains("finishSecret: Successfully"), "{text}");
    assert!(text.contains("RotationSucceeded"), "{text}");
}

#[test]
fn an_events_message_is_filled_in_and_a_denial_names_the_resource_it_was_about() {
    let world = play(
        r#"
title = "t"
story = "s"
[[secret]]
name = "app"
[[secret]]
name = "admin"
rotation = { state = "never" }
[[rotation]]
at = "-1h"
outcome = "failed"
step = "setSecret"
message = "Pending secret version {version} was not created by Lambda {function_arn}."
run = { denied = "secretsmanager:GetSecretValue", denied_on = "{secret:admin}" }
"#,
    );
    let text = evidence(&world, 1);
    assert!(!text.contains('{') || !text.contains("{version}"), "{text}");
    assert!(text.contains("was not created by Lambda arn:aws:lambda:eu-west-1:123456789012:function:secrets-rotator."), "{text}");
    let denials =
        text.matches("secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:eu-west-1:123456789012:secret:admin-");
    assert_eq!(denials.count(), 2, "in the log and in CloudTrail: {text}");
}

#[test]
fn no_scenario_leaves_a_placeholder_in_its_evidence() {
    for (name, text) in Scenario::embedded() {
        let scenario = Scenario::parse(text).unwrap();
        let now = scenario.now().unwrap_or("2026-11-24T09:30:00Z".parse().unwrap());
        let text = evidence(&expand(&scenario, now).unwrap(), 90);
        for word in ["account", "region", "secret", "version", "function", "role", "policy", "key", "session"] {
            for placeholder in [format!("{{{word}}}"), format!("{{{word}_arn}}"), format!("{{{word}:")] {
                assert!(!text.contains(&placeholder), "{name}: {placeholder}");
            }
        }
    }
}
