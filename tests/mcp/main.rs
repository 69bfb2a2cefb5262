//! Other agents: the tools over standard input and output, and over HTTP, by hand-written messages of the protocol. What the SDKs of
//! others say is in `tests/mcp_check.py` and `tests/mcp_check.mjs`.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod answers;
mod calls;
#[path = "../support/environment.rs"]
mod environment;
mod http;
mod lines;
#[path = "../support/program.rs"]
mod program;
mod stdio;
mod untrusted;

use rotation_diag::clock::Clock;
use rotation_diag::simulator::{Scenario, Simulator};

/// The text of a scenario that ships with the program.
fn scenario(name: &str) -> &'static str {
    Scenario::embedded().find(|(own, _)| *own == name).unwrap().1
}

/// A running account.
fn account(text: &str) -> Simulator {
    Simulator::start(Scenario::parse(text).unwrap(), Clock::system().now()).unwrap()
}
