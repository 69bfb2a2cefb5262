//! Lambda's log lines, grouped into invocations.
//!
//! Both of Lambda's log formats are read: text, and JSON (application lines and `platform.*` records).
//! Source: Lambda Developer Guide, "Configuring advanced logging controls" and "Telemetry API event schema".

mod author;
mod group;
mod json;
mod level;
mod platform;
mod record;
mod rotation;

pub use group::group;
pub use level::Level;
pub use platform::{Platform, ReportRecord};
pub use record::Record;
pub use rotation::{rotated_secret, rotation_step, version};
