//! The bot in a Slack that refuses what Slack refuses, over real HTTP and web sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops at what it did not expect"
)]

#[path = "../support/environment.rs"]
mod environment;
#[path = "../support/every_message.rs"]
mod every_message;
#[path = "../support/every_root.rs"]
mod every_root;
#[path = "../support/fake_slack/mod.rs"]
mod fake_slack;
#[path = "../support/looks.rs"]
mod kept_looks;
#[path = "../page/worlds.rs"]
mod worlds;

mod conversation;
mod delivery;
mod dialogs;
mod flow;
mod leaks;
#[path = "../support/log_capture.rs"]
mod log_capture;
mod looks;
mod manifest;
mod people;
mod reading;
mod recording_intake;
mod refusals;
mod rendering;
mod signed;
mod sockets;
