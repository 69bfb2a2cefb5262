//! The bot on Discord: a fake that refuses what Discord refuses, over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

#[path = "../support/every_message.rs"]
mod every_message;
#[path = "../support/every_root.rs"]
mod every_root;
#[path = "../support/fake_discord/mod.rs"]
mod fake_discord;
#[path = "../support/looks.rs"]
mod kept_looks;
#[path = "../page/worlds.rs"]
mod worlds;

mod bot;
mod commands;
mod connection;
mod delivery;
mod endpoint;
mod forum;
mod interactions;
#[path = "../support/program.rs"]
mod launched;
mod layouts;
#[path = "../support/log_capture.rs"]
mod log_capture;
mod log_privacy;
mod looks;
mod lost;
mod program;
mod refusals;
mod rendering;
mod samples;
mod sanitize;
mod still_clock;
mod ways_on;
mod whole;
