//! Alarms: what SNS delivers, whether it is authentic, what it is about, and which thread it belongs to.
//!
//! In the order a message takes: [`Endpoint`] answers `POST /sns`; the envelope is parsed into exact types, then
//! verified; the message in it becomes a [`Notice`]; an [`Intake`] keeps it. Everything after that is work for later:
//! `to_secrets` finds the secrets an alarm is about, `grouping` decides whether a thread begins or goes on.

mod certificate;
mod certificates;
mod cloudwatch;
mod endpoint;
mod envelope;
mod eventbridge;
mod health;
mod json;
mod message;
mod named;
mod refusal;
mod rotation_event;
mod verification;

pub use endpoint::{Accepted, Deadlines, Endpoint, Intake, Subscriptions, Unavailable, certificate_client};
pub use message::Notice;
