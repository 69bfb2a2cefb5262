//! One question, one versioned JSON document: the same for a program that reads the command line and for an agent that calls a
//! tool.
//!
//! A report of [`crate::report`] is one of them; here are the others. Every text in them was redacted, and each document says
//! which of its fields quote what others wrote.

mod causes;
mod evidence;
mod forecast;
mod lines;

pub use causes::{CauseList, CausePage, ListedCause, unknown_cause};
pub use evidence::{EvidenceAnswer, EvidenceGroup};
pub use forecast::ForecastAnswer;
pub use lines::{ExplainedLine, ExplainedLines, MAX_LINES, TooManyLines};

use crate::report::{self, Report};
use serde::Serialize;

/// A document whose texts are all safe to show.
pub trait JsonAnswer: Serialize {
    /// As it is printed and sent, character for character.
    ///
    /// # Errors
    /// None in practice: every field has a JSON form.
    fn to_json(&self) -> Result<String, serde_json::Error>
    where
        Self: Sized,
    {
        report::json(self)
    }
}

impl JsonAnswer for Report {}
impl JsonAnswer for CauseList {}
impl JsonAnswer for CausePage {}
impl JsonAnswer for EvidenceAnswer {}
impl JsonAnswer for ExplainedLines {}
impl JsonAnswer for ForecastAnswer {}
