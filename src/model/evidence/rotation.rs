//! How the secret is to rotate, and how it did.

use crate::model::arn::{FunctionArn, RoleArn};
use crate::model::observation::Observation;
use crate::model::rotation_step::RotationStep;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Step 2: whether, how and when the secret rotates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RotationConfig {
    /// `None` when rotation was never configured.
    pub enabled: Option<bool>,
    /// The rotation function, where there is one.
    pub function_arn: Option<FunctionArn>,
    /// The schedule, where there is one; it stays after rotation is cancelled.
    pub rules: Option<RotationRules>,
    /// The last rotation that finished.
    pub last_rotated_at: Option<Timestamp>,
    /// The end of the window the next rotation is due in, as Secrets Manager gives it; may lie in the past.
    pub next_rotation_at: Option<Timestamp>,
    /// The role of a partner-managed rotation.
    pub external_role_arn: Option<RoleArn>,
    /// The metadata of a partner-managed rotation.
    #[serde(default)]
    pub external_metadata: Vec<MetadataItem>,
    /// What the schedule means at the investigation's "now".
    pub due: DueDates,
}

/// An item of the metadata that a partner asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataItem {
    /// Such as `adminSecretArn`.
    pub key: String,
    pub value: String,
}

/// A rotation schedule as Secrets Manager stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RotationRules {
    /// Days between rotations.
    pub automatically_after_days: Option<i64>,
    /// `rate(…)` or `cron(…)`.
    pub schedule_expression: Option<String>,
    /// The length of the rotation window, such as `3h`.
    pub duration: Option<String>,
}

/// What a schedule means at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DueDates {
    /// Why the schedule cannot be evaluated.
    pub invalid: Option<String>,
    /// True when the schedule names no date that ever comes.
    pub never_fires: bool,
    /// The start of the last window that began.
    pub previous: Option<Timestamp>,
    /// The start of the next window.
    pub next: Option<Timestamp>,
    /// The end of the last window that has closed without a rotation since; `Some` means overdue.
    pub overdue_since: Option<Timestamp>,
}

/// Step 6: the rotation attempts of the secret, and of others near it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RotationHistory {
    /// This secret's attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// Attempts of other secrets in the same window, oldest first.
    pub other_attempts: Vec<Attempt>,
    /// The account's secrets in this region, asked when others are worth comparing.
    pub fleet: Observation<Vec<FleetSecret>>,
    /// Where the events are from.
    pub source: EventSource,
    /// False when a limit or a failing page cut the search short; then absence proves nothing.
    pub complete: bool,
}

impl RotationHistory {
    /// The last attempt of this secret that succeeded; test rotations are left out.
    #[must_use]
    pub fn last_success(&self) -> Option<&Attempt> {
        self.attempts.iter().rfind(|attempt| attempt.outcome == AttemptOutcome::Succeeded && !attempt.is_test)
    }
}

/// Where CloudTrail's events were read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSource {
    /// A trail's CloudWatch log group.
    TrailLogGroup(String),
    /// `LookupEvents`: 90 days of management events.
    EventHistory,
}

impl EventSource {
    /// The call that reads it, as `service:Operation`.
    #[must_use]
    pub const fn call(&self) -> &'static str {
        match self {
            EventSource::TrailLogGroup(_) => "logs:FilterLogEvents",
            EventSource::EventHistory => "cloudtrail:LookupEvents",
        }
    }
}

/// One rotation attempt, as CloudTrail's service events tell it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    pub secret_arn: String,
    /// The version that was to become current; retries share it.
    pub version_id: Option<String>,
    /// When it started, where that event was seen.
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub outcome: AttemptOutcome,
    /// The rotation step that failed, where the event names one.
    pub step: Option<RotationStep>,
    /// The function, where the event names it.
    pub function_arn: Option<FunctionArn>,
    /// The event's error message.
    pub reason: Option<String>,
    /// True for a test rotation, which leaves the secret as it is.
    pub is_test: bool,
}

impl Attempt {
    /// When it ended, or began where the end is unknown.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        self.ended_at.or(self.started_at)
    }
}

/// How a rotation attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// It began; no end was seen.
    Started,
    /// The new version is current.
    Succeeded,
    Failed,
    /// Secrets Manager gave up because the secret changed meanwhile.
    Abandoned,
}

/// Another secret of the account, for comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetSecret {
    pub arn: String,
    pub name: String,
    pub rotation_enabled: bool,
    pub function_arn: Option<FunctionArn>,
    /// Its key, as the secret names it.
    pub kms_key_id: Option<String>,
    /// Its last rotation that finished.
    pub last_rotated_at: Option<Timestamp>,
}
