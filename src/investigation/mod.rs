//! The engine: collect, redact, diagnose, and look again where that helps.

pub mod render;
pub mod report;

pub use report::Report;

use crate::model::{Diagnosis, Evidence};

/// One run over one secret.
#[derive(Debug, Clone)]
pub struct Investigation {
    /// An id nobody can guess.
    pub id: String,
    /// What was seen, redacted.
    pub evidence: Evidence,
    /// What follows from it.
    pub diagnosis: Diagnosis,
    /// How many calls AWS was asked in all passes.
    pub api_calls: usize,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}
