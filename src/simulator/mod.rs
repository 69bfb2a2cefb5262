//! An AWS account on loopback, for the demo and the tests.
//!
//! A scenario file declares what happened; [`Scenario`] reads it, the expansion turns it into evidence that agrees
//! with itself (events, log lines, metrics, labels, policies), and [`Simulator`] serves that over AWS's real wire
//! protocols, so that unmodified SDKs talk to it. Reading a secret's value, and every call that would change
//! something, is refused and recorded as a violation; only a test may change the account, by [`Simulator::carry_out`].

mod authorize;
mod carry_out;
mod declaration;
mod expand;
mod fault;
mod filter_pattern;
mod ids;
mod json;
mod network;
mod operations;
mod package;
mod pages;
mod policy;
mod scenario;
mod server;
mod when;
mod wildcard;
mod wire;
mod world;

pub use scenario::{Expect, Scenario, ScenarioError};
pub use server::{ReceivedCall, Simulator, StartError};
