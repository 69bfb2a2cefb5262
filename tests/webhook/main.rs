//! `POST /sns` against everything a hostile or unlucky world sends: the table A of cases, by their ids.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at what it did not expect")]

mod bodies;
#[path = "../bot/world.rs"]
#[expect(dead_code, reason = "shared with the bot's own tests")]
mod bot_world;
mod certificates;
mod deploy;
mod envelopes;
mod fuzz;
mod lookups;
mod notices;
mod signed_by_aws;
#[path = "../support/sns_signer.rs"]
mod sns_signer;
mod subscriptions;
mod threads;
mod world;
