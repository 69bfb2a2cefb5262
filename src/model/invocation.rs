//! One run of a rotation function, as its log tells it.

use super::RotationStep;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One event of a CloudWatch Logs stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvent {
    /// When the function wrote it, not when CloudWatch received it.
    pub at: Timestamp,
    /// The log stream; one stream belongs to one execution environment.
    pub stream: String,
    /// The line, or the lines, without the final line break.
    pub text: String,
}

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvocationStatus {
    /// It ended, and nothing in the log states an error.
    Succeeded,
    /// The platform or an error line says that it failed.
    Failed,
    /// Lambda stopped it at the function's timeout.
    TimedOut,
    /// The log shows neither an end nor an error: the window may cut it off.
    Unknown,
}

/// One invocation of the rotation function: its lines and what the platform says about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// Lambda's request id; absent where initialization failed before any request.
    pub request_id: Option<String>,
    /// The log stream the lines were read from.
    pub stream: String,
    /// The START record's time, else the first line's.
    pub started_at: Timestamp,
    /// The time of the REPORT record, else of END; absent where the log has neither.
    pub ended_at: Option<Timestamp>,
    /// Duration in milliseconds, from REPORT.
    pub duration_ms: Option<f64>,
    /// The function's memory in MB, from REPORT.
    pub memory_size_mb: Option<u32>,
    /// The memory used in MB, from REPORT.
    pub max_memory_used_mb: Option<u32>,
    pub status: InvocationStatus,
    /// The error's type as the platform or the runtime names it.
    pub error_type: Option<String>,
    /// The rotation step the lines speak of.
    pub step: Option<RotationStep>,
    /// The ARN of the secret being rotated, where a line names it.
    pub secret_arn: Option<String>,
    /// The version being created (`ClientRequestToken`), where a line names it.
    pub version: Option<String>,
    /// The lines in order, including those of a cold start's initialization.
    pub lines: Vec<LogEvent>,
}

impl Invocation {
    /// True where a line names another secret than `secret`; it may name an ARN without its suffix.
    #[must_use]
    pub fn names_another_than(&self, secret: Option<&str>) -> bool {
        secret.zip(self.secret_arn.as_deref()).is_some_and(|(secret, named)| !secret.starts_with(named))
    }
}
