//! The tables of a scenario file, as they are written. `config/scenarios/README.md` describes them.

use super::policy::PolicyForm;
use super::when::{Length, When};
use crate::model::RotationStep;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AccountForm {
    pub(super) id: String,
    pub(super) region: String,
    pub(super) now: Option<Timestamp>,
    /// AWS Health answers only accounts with a Business or Enterprise support plan.
    pub(super) support_plan: bool,
}

impl Default for AccountForm {
    fn default() -> Self {
        AccountForm { id: "123456789012".into(), region: "eu-west-1".into(), now: None, support_plan: false }
    }
}

/// The identity that asks: what it may not do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CallerForm {
    pub(super) arn: Option<String>,
    pub(super) deny: Vec<String>,
}

/// How many items each page holds. AWS's own limits where left out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PagesForm {
    pub(super) secrets: usize,
    pub(super) versions: usize,
    pub(super) logs: usize,
    /// Empty pages that come before the first log event, as CloudWatch Logs may do.
    pub(super) empty_logs: usize,
    pub(super) log_groups: usize,
    pub(super) events: usize,
    pub(super) iam: usize,
    /// Metric series on one page.
    pub(super) metrics: usize,
    /// Things of EC2.
    pub(super) network: usize,
    /// Things of RDS.
    pub(super) databases: usize,
}

impl Default for PagesForm {
    fn default() -> Self {
        PagesForm {
            secrets: 100,
            versions: 100,
            logs: 10_000,
            empty_logs: 0,
            log_groups: 50,
            events: 50,
            iam: 100,
            metrics: 500,
            network: 1000,
            databases: 100,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MetricsForm {
    /// Metrics follow from the invocations.
    pub(super) derived: bool,
}

impl Default for MetricsForm {
    fn default() -> Self {
        MetricsForm { derived: true }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CloudTrailForm {
    /// Events younger than this are not delivered yet.
    pub(super) lag: Option<Length>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretForm {
    pub(super) name: String,
    pub(super) region: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// The name of a `[[key]]`.
    pub(super) kms_key: Option<String>,
    /// The name of a `[[function]]`; the only one there is, where left out.
    pub(super) function: Option<String>,
    /// A version or alias of the function that rotation invokes.
    pub(super) qualifier: Option<String>,
    #[serde(default)]
    pub(super) rotation: RotationStateForm,
    pub(super) last_rotated: Option<When>,
    pub(super) next: Option<When>,
    pub(super) last_changed: Option<When>,
    pub(super) last_accessed: Option<When>,
    pub(super) created: Option<When>,
    /// Scheduled for deletion, at this time.
    pub(super) deleted: Option<When>,
    pub(super) owning_service: Option<String>,
    pub(super) external_role: Option<String>,
    /// The metadata of a partner-managed rotation.
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) primary_region: Option<String>,
    #[serde(default)]
    pub(super) replicas: Vec<ReplicaForm>,
    /// Replaces the versions that follow from the rotations.
    pub(super) versions: Option<Vec<VersionForm>>,
    pub(super) policy: Option<PolicyForm>,
    /// Past successful rotations are made up from `last_rotated` and the schedule.
    #[serde(default = "yes")]
    pub(super) history: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RotationStateForm {
    /// `on`, `off` (it once was on) or `never`. On where left out.
    pub(super) state: RotationState,
    pub(super) every_days: Option<i64>,
    pub(super) schedule: Option<String>,
    pub(super) window: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RotationState {
    #[default]
    On,
    Off,
    Never,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplicaForm {
    pub(super) region: String,
    #[serde(default = "in_sync")]
    pub(super) status: String,
    pub(super) message: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionForm {
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) stages: Vec<String>,
    pub(super) created: When,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FunctionForm {
    pub(super) name: String,
    pub(super) region: Option<String>,
    /// It was deleted, but secrets still name it.
    #[serde(default = "yes")]
    pub(super) exists: bool,
    pub(super) role: Option<String>,
    pub(super) runtime: Option<String>,
    pub(super) handler: Option<String>,
    pub(super) timeout: Option<i64>,
    pub(super) memory: Option<i64>,
    pub(super) vpc: Option<VpcForm>,
    pub(super) state: Option<String>,
    pub(super) state_reason: Option<String>,
    pub(super) state_reason_code: Option<String>,
    pub(super) last_update: Option<String>,
    pub(super) last_update_reason: Option<String>,
    pub(super) last_update_reason_code: Option<String>,
    pub(super) modified: Option<When>,
    pub(super) code_sha: Option<String>,
    /// The files of its package, by path; one that does its work where left out.
    pub(super) package: Option<BTreeMap<String, String>>,
    pub(super) architecture: Option<String>,
    /// True for a container image, which has neither runtime nor package.
    #[serde(default)]
    pub(super) image: bool,
    #[serde(default)]
    pub(super) layers: Vec<String>,
    /// Environment variables; every value is invented.
    pub(super) env: Option<Vec<String>>,
    /// The name of a `[[key]]` that encrypts the environment.
    pub(super) kms_key: Option<String>,
    pub(super) log_group: Option<String>,
    #[serde(default)]
    pub(super) log_format: LogFormatForm,
    pub(super) log_level: Option<String>,
    /// The class of its log group.
    pub(super) log_class: Option<String>,
    /// How many days the group keeps its lines.
    pub(super) log_retention: Option<i64>,
    /// Whether the log group was ever created.
    #[serde(default = "yes")]
    pub(super) logs_exist: bool,
    pub(super) concurrency: Option<i64>,
    /// Who may invoke it; Secrets Manager where left out.
    pub(super) invoke: Option<Vec<InvokeForm>>,
}

/// A layer that functions name by its ARN.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerForm {
    pub(super) arn: String,
    /// Its files, by path.
    pub(super) package: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormatForm {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VpcForm {
    pub(super) subnets: Vec<String>,
    pub(super) security_groups: Vec<String>,
    /// Its interfaces have addresses of IPv6 too.
    #[serde(default)]
    pub(super) ipv6: bool,
}

/// One statement of a function's resource policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct InvokeForm {
    pub(super) effect: String,
    pub(super) principal: String,
    pub(super) action: String,
    pub(super) source_account: Option<String>,
    pub(super) source_arn: Option<String>,
    pub(super) qualifier: Option<String>,
}

impl Default for InvokeForm {
    fn default() -> Self {
        InvokeForm {
            effect: "Allow".into(),
            principal: "service:secretsmanager.amazonaws.com".into(),
            action: "lambda:InvokeFunction".into(),
            source_account: None,
            source_arn: None,
            qualifier: None,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleForm {
    pub(super) name: String,
    #[serde(default = "yes")]
    pub(super) exists: bool,
    /// Everything rotation needs is allowed, inline and attached.
    #[serde(default = "yes")]
    pub(super) standard: bool,
    /// Actions left out of the standard policies.
    #[serde(default)]
    pub(super) lacks: Vec<String>,
    #[serde(default)]
    pub(super) inline: BTreeMap<String, PolicyForm>,
    /// Names of `[[policy]]` entries.
    #[serde(default)]
    pub(super) attached: Vec<String>,
    /// The name of a `[[policy]]`.
    pub(super) boundary: Option<String>,
    pub(super) trust: Option<String>,
    /// `{ StringEquals = { "aws:SourceAccount" = "{account}" } }`
    pub(super) trust_condition: Option<serde_json::Value>,
    pub(super) created: Option<When>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManagedPolicyForm {
    pub(super) name: String,
    /// Owned by AWS instead of by the account.
    #[serde(default)]
    pub(super) aws: bool,
    pub(super) document: PolicyForm,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyForm {
    pub(super) name: String,
    pub(super) region: Option<String>,
    /// The account that owns it; from outside of it nobody may look at the key.
    pub(super) account: Option<String>,
    /// It is gone: KMS does not find it.
    #[serde(default = "yes")]
    pub(super) exists: bool,
    /// `Enabled` where left out.
    pub(super) state: Option<String>,
    pub(super) deletion: Option<When>,
    pub(super) policy: Option<PolicyForm>,
}

/// One rotation attempt, or several at equal distances.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RotationForm {
    pub(super) secret: Option<String>,
    pub(super) at: When,
    pub(super) every: Option<Length>,
    #[serde(default = "one")]
    pub(super) count: u32,
    pub(super) outcome: RotationOutcome,
    /// The step that failed, or that has not begun yet; of a success, the one that `run` is about.
    pub(super) step: Option<RotationStep>,
    /// How the invocation of `step` went.
    pub(super) run: Option<RunForm>,
    /// How often Secrets Manager repeated the whole attempt.
    #[serde(default = "one")]
    pub(super) tries: u32,
    /// Replaces the event's error message.
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) shape: EventShape,
    /// CloudTrail has events of it.
    #[serde(default = "yes")]
    pub(super) events: bool,
    /// AWSPENDING stays on its version. It does after a failure, where left out.
    pub(super) pending: Option<bool>,
    /// The id of the version it made; one of its own, where left out.
    pub(super) version: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RotationOutcome {
    Succeeded,
    Failed,
    Abandoned,
    /// It started, and is before `step`.
    Running,
}

/// Where the event carries the secret's ARN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EventShape {
    /// `additionalEventData.SecretId`
    #[default]
    AdditionalEventData,
    /// `serviceEventDetails.secretId`
    ServiceEventDetails,
}

/// How one invocation went.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RunForm {
    pub(super) ends: Option<EndingForm>,
    /// `ERROR setSecret: …` goes through the logger; what starts with no level is printed as it is.
    pub(super) lines: Option<Vec<String>>,
    /// `ValueError: …`, raised out of the function.
    pub(super) exception: Option<String>,
    /// The action AWS denied; makes the exception.
    pub(super) denied: Option<String>,
    pub(super) denied_on: Option<String>,
    /// The end of the denial, from `because` or `with` on.
    pub(super) because: Option<String>,
    pub(super) duration: Option<Length>,
    pub(super) memory_used: Option<i64>,
    pub(super) cold: bool,
    /// Of a cold start, such as `python:3.13.v40`.
    pub(super) runtime_version: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EndingForm {
    Ok,
    Error,
    Timeout,
    OutOfMemory,
    /// The module could not be loaded, so the function never ran.
    InitError,
    /// Lambda refused the invocation for want of concurrency.
    Throttled,
    /// Lambda refused the invocation for another reason; nothing is logged or counted.
    NotInvoked,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InvocationForm {
    pub(super) function: Option<String>,
    pub(super) at: When,
    pub(super) every: Option<Length>,
    #[serde(default = "one")]
    pub(super) count: u32,
    #[serde(default)]
    pub(super) run: RunForm,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogForm {
    pub(super) group: String,
    pub(super) region: Option<String>,
    pub(super) stream: Option<String>,
    pub(super) at: When,
    pub(super) lines: Vec<String>,
}

/// An API call that CloudTrail recorded.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeForm {
    pub(super) event: String,
    pub(super) at: When,
    /// An IAM user, `Role/session`, or `service:rds.amazonaws.com`.
    pub(super) by: String,
    /// The user agent, which names the tool.
    pub(super) agent: Option<String>,
    /// The service on whose behalf it was made, such as `cloudformation.amazonaws.com`.
    pub(super) via: Option<String>,
    pub(super) source: Option<String>,
    pub(super) region: Option<String>,
    pub(super) parameters: Option<toml::Table>,
    pub(super) response: Option<toml::Table>,
    /// The call was refused with this code, so nothing changed.
    pub(super) error: Option<String>,
    pub(super) error_message: Option<String>,
}

/// Many reads of a secret by an application.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadsForm {
    pub(super) secret: Option<String>,
    pub(super) count: u32,
    pub(super) every: Length,
    /// The last read.
    pub(super) until: When,
    pub(super) by: String,
    /// They were refused.
    #[serde(default)]
    pub(super) denied: bool,
    /// The secret is named by its ARN.
    #[serde(default)]
    pub(super) by_arn: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrailForm {
    pub(super) name: String,
    pub(super) region: Option<String>,
    #[serde(default = "yes")]
    pub(super) multi_region: bool,
    /// The log group that carries the same events.
    pub(super) log_group: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatapointForm {
    pub(super) function: Option<String>,
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) at: When,
    pub(super) every: Option<Length>,
    #[serde(default = "one")]
    pub(super) count: u32,
}

/// What goes wrong with the simulator's own answers to an operation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultForm {
    /// `cloudtrail:LookupEvents`, with wildcards.
    pub(super) operation: String,
    pub(super) region: Option<String>,
    /// Only requests whose parameters contain this text.
    pub(super) containing: Option<String>,
    /// Requests let through before the fault begins.
    #[serde(default)]
    pub(super) after: u32,
    pub(super) latency_ms: Option<u64>,
    pub(super) throttle: Option<Throttle>,
    #[serde(default)]
    pub(super) deny: bool,
    /// An HTTP status of 500 or above.
    pub(super) fail: Option<u16>,
    #[serde(default)]
    pub(super) truncate_body: bool,
    #[serde(default)]
    pub(super) hang: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(super) enum Throttle {
    Times(u32),
    Always(Always),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Always {
    Always,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HealthEventForm {
    /// `SECRETSMANAGER`, `LAMBDA`, …
    pub(super) of: String,
    pub(super) code: String,
    pub(super) region: Option<String>,
    pub(super) start: When,
    pub(super) end: Option<When>,
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

fn in_sync() -> String {
    "InSync".into()
}
