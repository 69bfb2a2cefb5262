//! The bot in a Slack that refuses what Slack refuses, over real HTTP and web sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops at what it did not expect"
)]

#[path = "../support/fake_slack/mod.rs"]
mod fake_slack;

mod conversation;
mod delivery;
mod dialogs;
mod flow;
mod leaks;
#[path = "../support/log_capture.rs"]
mod log_capture;
mod manifest;
mod people;
mod reading;
mod recording_intake;
mod refusals;
mod rendering;
mod signed;
mod sockets;
