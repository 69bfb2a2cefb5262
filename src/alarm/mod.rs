//! Alarms: what SNS delivers, whether it is authentic, what it is about, and which thread it belongs to.
//!
//! In the order a message takes: [`Endpoint`] answers `POST /sns`; the envelope is parsed into exact types, then
//! verified; the message in it becomes a [`Notice`]; an [`NoticeIntake`] keeps it. Everything after that is work for later:
//! `resolve_secrets` finds the secrets an alarm is about, `grouping` decides whether a thread begins or goes on.

mod budget;
mod certificate;
mod certificates;
mod change;
mod check;
mod cloudwatch;
mod decide;
mod delivered;
mod endpoint;
mod envelope;
mod eventbridge;
mod grouping;
mod health;
mod intake;
mod json;
mod limits;
mod message;
mod named;
mod neutral;
mod reconcile;
mod refusal;
mod refusals;
mod resolve_secrets;
mod rotation_event;
mod scope;
mod security_hub;
mod storm;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod verification;

pub use certificates::KnownCertificate;
pub use decide::{AlarmTurn, KnownThread, Ruling, decide};
pub use endpoint::{Endpoint, certificate_client};
pub use grouping::{AlarmDecision, AlarmGroup, AlarmRecord, AlarmUpdate, Ignored, Reason, STILL_AFTER, Suppressed};
pub use intake::{AcceptedNotice, NoticeIntake, Subscriptions, Unavailable};
pub use limits::EndpointLimits;
pub use message::Notice;
pub use named::MAX_COUNTED;
pub use reconcile::{Looked, LostAlarm, look};
pub(crate) use refusals::OnceAMinute;
pub use resolve_secrets::{Asking, ResolvedBy, ResolvedSecrets, by_asking, resolve_secrets};
pub use scope::{OutOfScope, Scope};
pub use storm::{MAX_THREADS, STORM_WITHIN, Storm};
pub use text::secrets_in;
