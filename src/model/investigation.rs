//! One run over one secret.

use super::consumers::Consumers;
use super::diagnosis::Diagnosis;
use super::evidence::Evidence;
use super::ids::InvestigationId;
use super::observation::Observation;
use serde::{Deserialize, Serialize};

/// What one run over one secret saw and concluded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Investigation {
    /// An id nobody can guess: 128 random bits, in 32 hexadecimal digits.
    pub id: InvestigationId,
    /// What was seen, redacted.
    pub evidence: Evidence,
    /// What follows from it.
    pub diagnosis: Diagnosis,
    /// Who reads the secret, where a person asked for that.
    #[serde(default)]
    pub consumers: Option<Observation<Consumers>>,
    /// How many calls AWS was asked in all passes.
    pub api_calls: usize,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}
