//! The bot on Discord: a fake that refuses what Discord refuses, over real sockets.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::missing_docs_in_private_items, reason = "a test stops at what it did not expect")]

#[path = "../support/fake_discord/mod.rs"]
mod fake_discord;

mod bot;
mod connection;
mod delivery;
mod endpoint;
mod inert;
mod interactions;
mod quiet;
mod refusals;
mod rendering;
mod samples;
