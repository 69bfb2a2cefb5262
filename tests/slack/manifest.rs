//! The manifest asks for what the bot uses, and for nothing else.

use crate::fake_slack::{FakeSlack, scopes_of_the_manifest};
use crate::recording_intake::{sender, sender_at};
use jiff::SignedDuration;
use rotation_diag::clock::Clock;
use rotation_diag::platforms::slack::{INBOUND_SCOPES, Method};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const MANIFEST: &str = include_str!("../../config/slack-manifest.yaml");

fn needed() -> BTreeSet<&'static str> {
    Method::ALL.iter().flat_map(|method| method.scopes()).chain(&INBOUND_SCOPES).copied().collect()
}

#[test]
fn the_scopes_are_those_of_the_methods_that_are_called() {
    let asked = scopes_of_the_manifest();
    let asked: BTreeSet<&str> = asked.split(',').collect();
    assert_eq!(asked, needed());
}

#[test]
fn every_method_is_called_somewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platforms/slack");
    let mut source = String::new();
    for file in ["api.rs", "inspection.rs", "people.rs", "platform.rs", "receiver.rs"] {
        source.push_str(&fs::read_to_string(folder.join(file)).unwrap());
    }
    for method in Method::ALL {
        assert!(source.contains(&format!("Method::{method:?}")), "{method:?} is never called; its scopes are too many");
    }
}

#[test]
fn both_ways_in_are_in_the_manifest() {
    assert!(MANIFEST.contains("socket_mode_enabled: true"));
    for address in ["url: https://rotation-diag.example.com/slack/command", "/slack/events", "/slack/interactivity"] {
        assert!(MANIFEST.lines().any(|line| line.trim().starts_with('#') && line.contains(address)), "{address}");
    }
    assert!(MANIFEST.contains("    - name: Diagnose this alarm\n      type: message\n      callback_id: diagnose_alarm\n"));
    for event in ["app_home_opened", "app_mention", "link_shared", "member_joined_channel", "unfurl_domains", "/rotation-diag"] {
        assert!(MANIFEST.contains(event), "{event}");
    }
}

#[tokio::test]
async fn the_bot_says_which_scopes_its_token_lacks() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    assert_eq!(slack.missing_scopes().await, Some(Vec::new()));
    fake.world().scopes =
        "chat:write,commands,app_mentions:read,channels:history,channels:read,groups:history,users:read".to_owned();
    assert_eq!(
        slack.missing_scopes().await,
        Some(vec!["files:write", "groups:read", "links:read", "links:write", "usergroups:read"])
    );
    fake.finish();
}

#[tokio::test]
async fn the_bot_says_how_far_its_clock_differs_from_slacks() {
    let fake = FakeSlack::start().await;
    for minutes in [-10, 0, 10] {
        let clock = Clock::starting_at(Clock::system().now() + SignedDuration::from_mins(minutes));
        let slack = sender_at(&fake, clock);
        let ahead_by = slack.clock_ahead_by().await.unwrap();
        assert!((ahead_by - SignedDuration::from_mins(minutes)).abs() < SignedDuration::from_secs(30), "{minutes}: {ahead_by:?}");
    }
    fake.finish();
}
