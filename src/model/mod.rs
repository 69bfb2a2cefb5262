//! Pure data: no I/O, no async, no clock, no vendor types.

mod cause;
mod invocation;
mod rotation_step;

pub use cause::{Cause, DiagnosisItem};
pub use invocation::{Invocation, InvocationStatus, LogEvent};
pub use rotation_step::RotationStep;
