//! What the diagnosis says.

use super::cause::Cause;
use super::network_look::NetworkLook;
use super::step::StepName;
use super::window::Lookback;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Possible,
    Likely,
    /// Two independent facts that agree, or one that is decisive alone.
    Confirmed,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A risk or a remark; never the reason rotation fails.
    Info,
    Warning,
    /// Rotation does not happen.
    Critical,
}

/// One piece of evidence a finding rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// The step that saw it.
    pub step: StepName,
    /// The API call, as `service:Operation`.
    pub call: String,
    /// When it happened in AWS, where it has a time.
    pub at: Option<Timestamp>,
    /// The line or the fact itself.
    pub text: String,
}

/// What to do about it. The commands are for a person to run; nothing here runs them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Remediation {
    /// One or two sentences.
    pub summary: String,
    /// Commands that can be pasted, with the real names.
    pub commands: Vec<String>,
    /// What could be lost by running them.
    pub warning: Option<String>,
    /// The IAM actions the person needs.
    pub needs: Vec<String>,
    pub links: Vec<String>,
}

/// A cause that the evidence supports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub cause: Cause,
    /// One line; the cause's title, or a sharper one.
    pub title: String,
    pub confidence: Confidence,
    pub severity: Severity,
    /// What happened, in one or two sentences.
    pub explanation: String,
    /// What it rests on, the strongest first.
    pub evidence: Vec<Proof>,
    pub remediation: Remediation,
    /// The root cause this is only a symptom of.
    pub inhibited_by: Option<Cause>,
}

/// A cause that could not be decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NotChecked {
    pub cause: Cause,
    /// What was missing: a permission, or an answer.
    pub missing: String,
}

/// A cause that the evidence speaks against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuledOut {
    pub cause: Cause,
    /// The fact that speaks against it.
    pub because: String,
}

/// The end of an investigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something stops rotation, and it is known what.
    RootCause,
    Healthy,
    /// It cannot be told.
    Inconclusive,
    /// There is no such secret.
    NotFound,
}

impl Outcome {
    /// True where the first finding is the cause.
    #[must_use]
    pub const fn has_cause(self) -> bool {
        matches!(self, Outcome::RootCause | Outcome::NotFound)
    }
}

/// A change, placed in time before the failures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorrelatedChange {
    pub at: Timestamp,
    pub actor: String,
    /// What made the call, in words, where its record tells.
    #[serde(default)]
    pub tool: Option<String>,
    pub event: String,
    pub resource: String,
    /// Whole minutes from the change to the first failure of the current row; `None` without failures or when later.
    pub minutes_before_failure: Option<i64>,
    /// The causes among the findings it can explain.
    pub explains: Vec<Cause>,
}

/// How other secrets fared within 24 hours of the newest failure.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Comparison {
    /// Secrets with the same function whose last attempt failed.
    pub same_function_failing: Vec<String>,
    /// Secrets with the same function whose last attempt succeeded.
    pub same_function_rotating: Vec<String>,
    /// Secrets with the same key whose last attempt failed.
    pub same_key_failing: Vec<String>,
    /// Secrets with the same key whose last attempt succeeded.
    pub same_key_rotating: Vec<String>,
    /// Secrets with other functions whose last attempt failed.
    pub others_failing: Vec<String>,
    /// Secrets with other functions whose last attempt succeeded.
    pub others_rotating: Vec<String>,
    /// What follows, in one sentence.
    pub conclusion: String,
}

/// The current row of failures: since the last success.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailureRow {
    /// The first failure.
    pub first_at: Timestamp,
    /// The last one.
    pub last_at: Timestamp,
    pub count: usize,
    /// The last success before it.
    pub last_success_at: Option<Timestamp>,
}

/// Something a person can look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualCheck {
    pub what: String,
    /// The causes that it would decide.
    pub decides: Vec<Cause>,
    /// A command that only reads, where one answers it.
    pub command: Option<String>,
}

/// Where another look can tell more than the evidence does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUp {
    Widen(Lookback),
    /// For the change behind the root cause, by CloudTrail's event names.
    SearchChanges {
        /// The names, the most telling first.
        events: Vec<String>,
        /// The cause is confirmed without the change, which would only name its author.
        proven: bool,
    },
    /// At the network between the function and what it must reach.
    LookAtNetwork(NetworkLook),
    /// At policies that were detached from the role.
    ReadDetached {
        /// Their ARNs, the newest loss first.
        policies: Vec<String>,
    },
}

impl FollowUp {
    /// The steps that look again; the others keep what they saw.
    #[must_use]
    pub fn steps(&self) -> BTreeSet<StepName> {
        match self {
            // Event history answers for 30 days at once; only the last widening goes beyond them.
            FollowUp::Widen(Lookback::Quarter) => BTreeSet::from([
                StepName::FunctionLogs,
                StepName::FunctionMetrics,
                StepName::RotationHistory,
                StepName::ConfigChanges,
            ]),
            FollowUp::Widen(_) => BTreeSet::from([StepName::FunctionLogs, StepName::FunctionMetrics]),
            FollowUp::SearchChanges { .. } => BTreeSet::from([StepName::ConfigChanges]),
            // It adds to what steps 3 and 8 saw, and asks nothing of theirs again.
            FollowUp::LookAtNetwork(_) => BTreeSet::new(),
            // It adds to what step 5 saw.
            FollowUp::ReadDetached { .. } => BTreeSet::new(),
        }
    }
}
