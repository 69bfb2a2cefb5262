//! The set-up as the documents tell it, each step done once against fakes, and what `check` says about each step left out.
//!
//! Commands and configurations are read out of the documents themselves, so that they cannot say anything else than what works.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod advice;
mod alarms;
mod chats;
mod documents;
mod fake_aws;
#[path = "../support/fake_discord/mod.rs"]
mod fake_discord;
#[path = "../support/fake_slack/mod.rs"]
mod fake_slack;
#[path = "../support/program.rs"]
mod launched;
mod missing;
#[path = "../support/sns_signer.rs"]
mod sns_signer;
mod watched;
mod workplace;
