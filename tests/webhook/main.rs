//! `POST /sns` against everything a hostile or unlucky world sends: the table A of cases, by their ids.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod bodies;
#[path = "../bot/world.rs"]
#[expect(dead_code, reason = "shared with the bot's own tests")]
mod bot_world;
mod certificates;
mod deploy;
mod endings;
mod envelopes;
#[path = "../support/fake_discord/mod.rs"]
mod fake_discord;
#[path = "../support/fake_slack/mod.rs"]
mod fake_slack;
mod fuzz;
#[path = "../support/looks.rs"]
mod kept_looks;
#[path = "../support/program.rs"]
mod launched;
mod looks;
mod lookups;
mod notices;
mod program;
mod series;
mod signed_by_aws;
#[path = "../support/sns_signer.rs"]
mod sns_signer;
mod storms;
mod subscriptions;
mod threads;
mod world;
