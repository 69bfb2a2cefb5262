//! What a log line means: one compiled set of signatures.

use crate::model::{Cause, RotationStep};

/// What a line means.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// The cause, or a line label.
    pub cause: Cause,
    /// The rotation step it implies.
    pub step: Option<RotationStep>,
    /// How precisely it names the cause; higher wins.
    pub specificity: u8,
}

/// What `text` means; `None` for a normal line.
#[must_use]
pub fn classify(_text: &str) -> Option<Classification> {
    None
}
