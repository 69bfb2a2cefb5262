//! What people read: messages, the timeline, and the local page over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod chart;
mod console;
#[path = "../support/every_root.rs"]
mod every_root;
mod flow;
mod looks;
mod messages;
mod plain;
mod sign_in;
mod site;
mod worlds;
