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

mod clicks;
mod commands;
mod crash;
mod delivery;
mod flows;
mod secrets;
mod whole;
mod world;
