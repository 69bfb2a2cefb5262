//! Pure data: no I/O, no async, no clock, no vendor types.

mod cause;
mod rotation_step;
mod schedule;

pub use cause::{Cause, DiagnosisItem};
pub use rotation_step::RotationStep;
pub use schedule::{Schedule, ScheduleError};
