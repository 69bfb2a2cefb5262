//! Everything that the evidence comes to.

use super::finding::{Comparison, CorrelatedChange, FailureRow, Finding, FollowUp, ManualCheck, NotChecked, Outcome, RuledOut};
use super::network_path::NetworkPath;
use super::plan::{Forecast, Plan};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything the diagnosis concludes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    pub outcome: Outcome,
    /// What was found; the most likely root cause first, symptoms after their causes, remarks last.
    pub findings: Vec<Finding>,
    /// Changes near the failures, oldest first.
    pub changes: Vec<CorrelatedChange>,
    /// How other secrets fared, where that says something.
    pub comparison: Option<Comparison>,
    /// What the evidence speaks against.
    pub ruled_out: Vec<RuledOut>,
    /// What could not be decided.
    pub not_checked: Vec<NotChecked>,
    /// The current row of failures.
    pub failing: Option<FailureRow>,
    /// The last rotation that is known to have succeeded.
    pub last_success_at: Option<Timestamp>,
    /// Where another look can tell more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<FollowUp>,
    /// What a person can look at next, where the end is inconclusive; what decides most first.
    #[serde(default)]
    pub next_looks: Vec<ManualCheck>,
    /// What will stop the next rotation.
    #[serde(default)]
    pub forecast: Forecast,
    /// The fix, as ordered commands.
    #[serde(default)]
    pub plan: Plan,
    /// The ways from the function to what it must reach, where the network was looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network_paths: Vec<NetworkPath>,
}

impl Diagnosis {
    /// The root cause, when there is one.
    #[must_use]
    pub fn root_cause(&self) -> Option<&Finding> {
        self.findings.first().filter(|_| self.outcome.has_cause())
    }
}
