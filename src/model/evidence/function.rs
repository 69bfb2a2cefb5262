//! What the rotation function is, what it wrote, and how often it ran.

use crate::model::arn::{Arn, FunctionArn, RoleArn};
use crate::model::invocation::Invocation;
use crate::model::observation::Observation;
use crate::model::window::Window;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Step 3: the rotation function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionFacts {
    /// Its ARN as rotation names it, with the qualifier.
    pub arn: FunctionArn,
    /// `Active`, `Inactive`, `Pending`, `Failed`, …
    pub state: Option<String>,
    /// Why it is in that state.
    pub state_reason: Option<String>,
    /// The code of that reason, such as `InvalidSubnet`.
    pub state_reason_code: Option<String>,
    /// `Successful`, `Failed` or `InProgress`.
    pub last_update_status: Option<String>,
    /// Why the last update failed.
    pub last_update_reason: Option<String>,
    /// The code of that reason.
    pub last_update_reason_code: Option<String>,
    /// Such as `python3.12`; `None` for a container image.
    pub runtime: Option<String>,
    /// Such as `lambda_function.lambda_handler`.
    pub handler: Option<String>,
    /// The timeout in seconds.
    pub timeout_s: Option<u32>,
    /// The memory in megabytes.
    pub memory_mb: Option<u32>,
    /// When code or configuration last changed.
    pub last_modified_at: Option<Timestamp>,
    /// The hash of the deployed package.
    pub code_sha256: Option<String>,
    /// `x86_64`, `arm64`.
    pub architectures: Vec<String>,
    /// Its VPC; `None` when it is in none.
    pub vpc: Option<VpcConfig>,
    /// The ARNs of its layers.
    pub layers: Vec<String>,
    /// The names of its environment variables; values are never kept.
    pub environment_names: Vec<String>,
    /// Why Lambda could not show the environment, such as a KMS refusal.
    pub environment_error: Option<String>,
    /// The key its environment is encrypted with; `None` for the AWS managed key.
    pub kms_key_arn: Option<Arn>,
    pub role: RoleArn,
    /// The log group it writes to.
    pub log_group: String,
    /// `Text` or `JSON`.
    pub log_format: Option<String>,
    /// The application log level of JSON format; `WARN` and above hide the normal progress lines.
    pub application_log_level: Option<String>,
    /// Reserved concurrent executions; `Found(None)` when none are reserved.
    pub reserved_concurrency: Observation<Option<u32>>,
}

/// Where a function runs inside a VPC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VpcConfig {
    pub vpc_id: String,
    pub subnet_ids: Vec<String>,
    /// Its security groups' ids.
    pub security_group_ids: Vec<String>,
    /// True where its interfaces have addresses of IPv6 too, in subnets that have some.
    #[serde(default)]
    pub ipv6_allowed: bool,
}

/// Step 4: what the function wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionLogs {
    /// The log group that was read.
    pub log_group: String,
    /// The windows that were read, newest first.
    pub windows: Vec<Window>,
    /// The invocations in them, oldest first; of a long list, the newest are kept.
    pub invocations: Vec<Invocation>,
    /// False when a limit cut the reading short.
    pub complete: bool,
}

/// What a log group does with its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGroupFacts {
    /// `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`.
    pub class: Option<String>,
    /// How many days it keeps them; `None` for ever.
    pub retention_days: Option<u32>,
}

/// Step 7: the function's metrics. They count the function, not the secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionMetrics {
    /// Seconds per point.
    pub period_s: u32,
    /// Points with any value, oldest first.
    pub points: Vec<MetricPoint>,
    /// False when a limit cut the reading short.
    pub complete: bool,
}

/// One period of the function's metrics.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MetricPoint {
    /// The start of the period.
    pub at: Timestamp,
    /// Invocations that ran; throttled and refused ones are not among them.
    pub invocations: f64,
    /// Invocations that ended in an error.
    pub errors: f64,
    /// Invocations refused for lack of concurrency.
    pub throttles: f64,
    /// The longest duration, in milliseconds.
    pub duration_max_ms: Option<f64>,
}

impl FunctionMetrics {
    /// The sum of one value over the points inside `window`.
    pub fn sum(&self, window: &Window, value: impl Fn(&MetricPoint) -> f64) -> f64 {
        self.points.iter().filter(|point| window.contains(point.at)).map(value).sum()
    }
}
