//! Investigations of the scenarios, at a fixed moment.

use jiff::Timestamp;
use rotation_diag::aws::{Aws, AwsOptions, Registry};
use rotation_diag::clock::Clock;
use rotation_diag::investigation::{Options, investigate};
use rotation_diag::model::Investigation;
use rotation_diag::simulator::{Scenario, Simulator};

/// The id of every investigation here.
pub(crate) const ID: &str = "0123456789abcdef0123456789abcdef";

/// The moment it is in every world that does not insist on another one.
const NOW: &str = "2026-11-24T04:52:00Z";

/// Plays a scenario and investigates its secret.
pub(crate) async fn investigated(name: &str) -> Investigation {
    let (_, text) = Scenario::embedded().find(|(embedded, _)| *embedded == name).expect("the scenario ships with the program");
    let scenario = Scenario::parse(text).unwrap();
    let secret = scenario.secret().unwrap().parse().unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    let clock = Clock::starting_at(scenario.now().unwrap_or(now));
    let region = scenario.region().to_owned();
    let simulator = Simulator::start(scenario, clock.now()).unwrap();
    let options = AwsOptions::simulated(region.parse().unwrap(), simulator.endpoint_url());
    let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
    let mut investigation = investigate(&aws, &clock, &Options::new(secret), &()).await;
    // What differs from run to run.
    investigation.id = ID.parse().unwrap();
    investigation.duration_ms = 912;
    investigation
}
