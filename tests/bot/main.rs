//! The bot without a real platform: commands, clicks, whole flows, delivery under faults, crashes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

#[path = "../support/fake_slack/mod.rs"]
mod fake_slack;
#[path = "../support/log_capture.rs"]
mod log_capture;
#[path = "../support/postgres.rs"]
mod postgres;

mod clicks;
mod commands;
mod crash;
mod delivery;
mod flows;
mod held;
mod judging;
mod listed;
mod names;
mod replicas;
mod secrets;
mod storm;
mod whole;
mod world;
#[path = "../page/worlds.rs"]
mod worlds;
