//! One run of a Lambda function, as its log lines tell it.

use super::rotation_step::RotationStep;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One event of a log stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvent {
    /// When it was written.
    pub at: Timestamp,
    /// Its log stream.
    pub stream: String,
    /// The text as written.
    pub text: String,
}

/// One run of a function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// Lambda's request id; `None` for a failure before the first request.
    pub request_id: Option<String>,
    /// Its log stream.
    pub stream: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How long it ran, in milliseconds.
    pub duration_ms: Option<f64>,
    /// The memory it had, in megabytes.
    pub memory_size_mb: Option<u32>,
    /// The memory it used, in megabytes.
    pub max_memory_used_mb: Option<u32>,
    /// How it ended.
    pub status: InvocationStatus,
    /// Lambda's error type, such as `Runtime.ImportModuleError`.
    pub error_type: Option<String>,
    /// The rotation step it performed, where its lines tell.
    pub step: Option<RotationStep>,
    /// The secret's ARN, where its lines name one.
    pub secret: Option<String>,
    /// The version being rotated, where its lines name one.
    pub version: Option<String>,
    /// Its lines, oldest first.
    pub lines: Vec<LogEvent>,
}

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvocationStatus {
    /// It returned.
    Succeeded,
    /// It raised an error.
    Failed,
    /// It ran into the function's timeout.
    TimedOut,
    /// Its end was not seen.
    Unknown,
}
