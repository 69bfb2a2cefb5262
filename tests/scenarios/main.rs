//! Every scenario file, played by the simulator, read through the real SDK over HTTP, judged by its `[expect]`, and shown on
//! every platform.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

#[path = "../support/fake_discord/check.rs"]
#[expect(dead_code, reason = "threads have no name here")]
mod discord;
#[path = "../support/fake_discord/reading.rs"]
#[expect(dead_code, reason = "the fake reads more of messages")]
mod reading;
#[path = "../support/fake_slack/blocks.rs"]
mod slack;

mod advice;
mod expected;
mod mended;
mod shown;

use expected::complaints;
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use rotation_diag::app::PLATFORMS;
use rotation_diag::aws::{Aws, AwsOptions, Registry};
use rotation_diag::chat::compose::{self, AfterVerdict, Resolved};
use rotation_diag::chat::document::Part;
use rotation_diag::chat::{Message, Screen};
use rotation_diag::clock::Clock;
use rotation_diag::investigation::{Options, investigate};
use rotation_diag::model::{Cause, Confidence, Investigation, Outcome, PlatformName, Severity, StepName};
use rotation_diag::platforms;
use rotation_diag::playbook::Progress;
use rotation_diag::redact::SafeText;
use rotation_diag::report::{self, Report, outlook, wording};
use rotation_diag::simulator::{Expect, Scenario, Simulator};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How many scenarios are played at the same time; some wait for the limiter of `LookupEvents`.
const AT_ONCE: usize = 16;

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(600);

/// When a scenario that insists on no time is played: at an hour of its own, so that the suite covers them all and every
/// run is the same. `HOUR` plays them all at that one.
fn usual_time(name: &str) -> Timestamp {
    let hour: i64 = std::env::var("HOUR").map_or_else(|_| name.bytes().map(i64::from).sum(), |hour| hour.parse().unwrap());
    "2026-11-24T00:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour % 24)
}

/// A scenario that was played to its end.
struct Played {
    name: &'static str,
    investigation: Investigation,
    /// What was said before its end.
    early: Vec<Investigation>,
    expect: Expect,
    /// Calls that nobody may make.
    violations: Vec<String>,
}

/// Keeps what is decided before the end.
#[derive(Default)]
struct EarlyVerdicts(Mutex<Vec<Investigation>>);

impl Progress for EarlyVerdicts {
    fn started(&self, _: StepName) {}
    fn finished(&self, _: StepName, _: &'static str, _: &str) {}
    fn is_waiting(&self) -> bool {
        true
    }
    fn decided_early(&self, investigation: &Investigation) {
        self.0.lock().unwrap().push(investigation.clone());
    }
}

/// All scenarios, or those that `SCENARIO` names, played once for all tests.
async fn played() -> &'static [Played] {
    static PLAYED: OnceCell<Vec<Played>> = OnceCell::const_new();
    let play_all = || async {
        let only = std::env::var("SCENARIO").ok();
        let scenarios: Vec<_> =
            Scenario::embedded().filter(|(name, _)| only.as_deref().is_none_or(|only| name.contains(only))).collect();
        assert!(!scenarios.is_empty());
        let plays = scenarios
            .into_iter()
            .map(|(name, text)| async move { tokio::spawn(play(name, text)).await.expect("a scenario plays without a panic") });
        futures::stream::iter(plays).buffer_unordered(AT_ONCE).collect().await
    };
    PLAYED.get_or_init(play_all).await
}

async fn play(name: &'static str, text: &str) -> Played {
    let scenario = Scenario::parse(text).unwrap();
    let expect = scenario.expect.clone().expect("a scenario says what is expected of it");
    let secret = expect.secret.clone().or_else(|| scenario.secret().map(str::to_owned)).unwrap();
    let region = scenario.region().to_owned();
    let clock = Clock::starting_at(scenario.now().unwrap_or_else(|| usual_time(name)));
    let simulator = Simulator::start(scenario, clock.now()).unwrap();
    let options = AwsOptions::simulated(region.parse().unwrap(), simulator.endpoint_url());
    let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
    let mut options = Options::new(secret.parse().unwrap());
    // A busy machine must not decide an outcome; where AWS never answers, the usual deadlines are what is tested.
    if !text.contains("hang = true") {
        (options.step_deadline, options.total_deadline) = (PATIENCE, PATIENCE);
    }
    options.code.fetch = expect.inspect_code;
    let early = EarlyVerdicts::default();
    let investigation = investigate(&aws, &clock, &options, &early).await;
    let early = early.0.into_inner().unwrap();
    let violations = simulator.violations().iter().map(|call| format!("{}:{}", call.service, call.operation)).collect();
    Played { name, investigation, early, expect, violations }
}

fn id(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}
