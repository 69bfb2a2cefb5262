//! The nine observations of one investigation.

use super::arn::{Arn, FunctionArn, RoleArn, SecretArn};
use super::database_ref::DatabaseRef;
use super::invocation::Invocation;
use super::network::Network;
use super::observation::{Observation, StepRecord};
use super::rotation_step::RotationStep;
use super::secret_ref::SecretRef;
use super::step::StepName;
use super::tool::Tool;
use super::window::{Lookback, Window};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::convert::Infallible;

/// Everything one investigation looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The secret as it was asked for.
    pub asked: SecretRef,
    /// The region that was looked at.
    pub region: String,
    /// The account, once an answer named it.
    pub account_id: Option<String>,
    /// The moment the investigation calls "now".
    pub now: Timestamp,
    /// How far back steps 4 and 7 looked beside the anchored windows.
    pub reach: Lookback,
    /// Names like the one that was asked for, when there is no such secret.
    pub near_names: Vec<String>,
    /// Step 1.
    pub secret: StepRecord<SecretFacts>,
    /// Step 2.
    pub rotation_config: StepRecord<RotationConfig>,
    /// Step 3.
    pub function: StepRecord<FunctionFacts>,
    /// Step 4.
    pub logs: StepRecord<FunctionLogs>,
    /// Step 5.
    pub role: StepRecord<RoleFacts>,
    /// Step 6.
    pub history: StepRecord<RotationHistory>,
    /// Step 7.
    pub metrics: StepRecord<FunctionMetrics>,
    /// Step 8.
    pub access: StepRecord<SecretAccess>,
    /// Step 9.
    pub changes: StepRecord<ConfigChanges>,
    /// What the function's log group is, asked where reading it brought nothing.
    #[serde(default = "log_group_unasked")]
    pub log_group: Observation<LogGroupFacts>,
    /// The network between the function and what it must reach, asked where that can matter.
    #[serde(default = "Network::unasked")]
    pub network: Network,
}

fn log_group_unasked<T>() -> Observation<T> {
    Observation::NotApplicable { because: "its lines were read".to_owned() }
}

/// What a log group does with its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGroupFacts {
    /// `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`.
    pub class: Option<String>,
    /// How many days it keeps them; `None` for ever.
    pub retention_days: Option<u32>,
}

/// Step 1: the secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecretFacts {
    pub name: String,
    pub arn: SecretArn,
    /// The key as the secret names it (id, ARN or alias); `None` for the AWS managed key `aws/secretsmanager`.
    pub kms_key_id: Option<String>,
    /// The service that owns it, such as `rds`.
    pub owning_service: Option<String>,
    /// The partner type of a managed external secret.
    pub secret_type: Option<String>,
    /// Where it is replicated from; also set, to its own region, on a primary with replicas.
    pub primary_region: Option<String>,
    pub replicas: Vec<Replica>,
    /// When it was scheduled for deletion.
    pub deleted_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it last changed in any way.
    pub last_changed_at: Option<Timestamp>,
    /// When its value was last read, to the day.
    pub last_accessed_on: Option<Timestamp>,
    /// Its versions that carry staging labels.
    pub versions: Vec<SecretVersion>,
    /// The databases that its tags name.
    #[serde(default)]
    pub named_databases: Vec<DatabaseRef>,
    /// Events of AWS Health for the services rotation rests on, those that are closed by now among them.
    pub service_health: Observation<Vec<HealthEvent>>,
}

impl SecretFacts {
    /// The version with this staging label.
    #[must_use]
    pub fn version_with(&self, label: &str) -> Option<&SecretVersion> {
        self.versions.iter().find(|version| version.has(label))
    }

    /// True when this is a copy that rotates elsewhere.
    #[must_use]
    pub fn is_replica(&self) -> bool {
        self.primary_region.as_deref().is_some_and(|primary| primary != self.arn.arn().region())
    }
}

/// A version of a secret and its staging labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// The version id: the `ClientRequestToken` it was made with.
    pub id: String,
    /// Its staging labels, such as `AWSCURRENT`.
    pub labels: Vec<String>,
    /// When it was made, where that was asked.
    pub created_at: Option<Timestamp>,
}

impl SecretVersion {
    /// True when it carries `label`.
    #[must_use]
    pub fn has(&self, label: &str) -> bool {
        self.labels.iter().any(|own| own == label)
    }
}

/// A replica of a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replica {
    pub region: String,
    /// `InSync`, `InProgress` or `Failed`.
    pub status: String,
    pub message: Option<String>,
}

/// An event of AWS Health, open or closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthEvent {
    /// Such as `LAMBDA`.
    pub service: String,
    /// Such as `AWS_LAMBDA_OPERATIONAL_ISSUE`.
    pub code: String,
    /// The region it concerns.
    pub region: String,
    pub started_at: Option<Timestamp>,
    /// When AWS closed it; `None` while it is open.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
}

impl HealthEvent {
    /// True where it was open at some time within `window`.
    #[must_use]
    pub fn was_open_in(&self, window: &Window) -> bool {
        self.started_at.is_none_or(|began| began <= window.to) && self.ended_at.is_none_or(|ended| ended >= window.from)
    }
}

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

/// Step 5: what the function's role may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleFacts {
    pub role: RoleArn,
    /// What `SimulatePrincipalPolicy` answered, one entry per needed action and resource.
    pub simulations: Observation<Vec<Simulation>>,
    /// The policies themselves, read where simulation is not enough.
    pub policies: Observation<RolePolicies>,
    /// The trust policy: who may assume the role.
    #[serde(default = "trust_unseen")]
    pub trust: Observation<Value>,
}

/// Evidence that was stored before the trust policy was read.
/// Why a step has nothing to tell that a person left out.
pub const NOT_ASKED_FOR: &str = "not asked for";

fn trust_unseen() -> Observation<Value> {
    Observation::NotApplicable { because: NOT_ASKED_FOR.to_owned() }
}

/// One answer of IAM's policy simulator.
///
/// Source: IAM API reference, `EvaluationResult`. Resource policies, key policies and session policies are not simulated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Simulation {
    /// The action, such as `secretsmanager:PutSecretValue`.
    pub action: String,
    /// The resource; `*` where the action has none.
    pub resource: String,
    pub decision: SimulatedDecision,
    /// The policies whose statements matched, by AWS's `SourcePolicyId`.
    pub matched_policies: Vec<String>,
    /// Condition keys the simulator had no value for; with any, an answer is uncertain.
    pub missing_context: Vec<String>,
    /// Whether the permissions boundary allows it, where there is one.
    pub boundary_allows: Option<bool>,
    /// Whether the organization's policies allow it, where there are any.
    pub organization_allows: Option<bool>,
}

/// The decision of IAM's policy simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SimulatedDecision {
    /// A statement allows it and none denies it.
    Allowed,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement allows it.
    ImplicitDeny,
}

/// The policies of a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolePolicies {
    /// Inline and attached policies.
    pub identity: Vec<PolicyDocument>,
    pub boundary: Option<PolicyDocument>,
    /// False when a policy could not be read; then an absent allow proves nothing.
    pub complete: bool,
}

/// A policy and where it is from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyDocument {
    /// Its name, or its ARN for a managed policy.
    pub name: String,
    pub document: serde_json::Value,
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

/// Step 8: who may invoke the function, and use the secret and its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecretAccess {
    /// The function's resource policy; `NoData` when it has none.
    pub function_policy: Observation<serde_json::Value>,
    /// The secret's resource policy; `NoData` when it has none.
    pub secret_policy: Observation<serde_json::Value>,
    /// The secret's key; `NotApplicable` for the AWS managed key.
    pub secret_key: Observation<KeyFacts>,
    /// The key of the function's environment; `NotApplicable` for the AWS managed key.
    pub environment_key: Observation<KeyFacts>,
}

/// A KMS key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyFacts {
    pub arn: Arn,
    /// `Enabled`, `Disabled`, `PendingDeletion`, …
    pub state: String,
    /// When it will be deleted.
    pub deletion_at: Option<Timestamp>,
    /// True for a customer managed key.
    pub customer_managed: bool,
    pub policy: Observation<serde_json::Value>,
}

/// Step 9: who changed what, when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigChanges {
    /// Changes that took effect, oldest first; refused ones and the rotation's own writes are left out.
    pub changes: Vec<Change>,
    /// Refused attempts to start a rotation of this secret, oldest first.
    pub refusals: Vec<Refusal>,
    /// Changes of the kinds looked for that do not count, oldest first.
    #[serde(default)]
    pub set_aside: Vec<SetAside>,
    /// Where the events are from.
    pub source: EventSource,
    /// The event names that were searched; empty means all write events of the window.
    pub searched: Vec<String>,
    /// The event names that could explain the failure and were not searched.
    #[serde(default)]
    pub unsearched: Vec<Unsearched>,
    /// False when a limit or a failing page cut the search short; then absence proves nothing.
    pub complete: bool,
}

impl ConfigChanges {
    /// True when events of this name were searched, or it was decided that they need not or cannot be.
    #[must_use]
    pub fn is_settled(&self, event: &str) -> bool {
        self.searched.iter().any(|name| name == event) || self.unsearched.iter().any(|one| one.event == event)
    }
}

/// Events that were not searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsearched {
    pub event: String,
    pub because: String,
    /// True when what else was seen makes them needless; otherwise their absence was not shown.
    pub is_needless: bool,
}

/// One change to the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub at: Timestamp,
    /// Who: the user, role and session (`ci-terraform/run-77`), or the service.
    pub actor: String,
    /// What made the call, where its record tells.
    #[serde(default)]
    pub tool: Option<Tool>,
    /// The event name without Lambda's version suffix, such as `UpdateFunctionCode`.
    pub event: String,
    /// What was changed: a name or an ARN, as the request gave it.
    pub resource: String,
    /// Which of this secret's resources it concerns.
    pub concerns: Concern,
    /// The request's parameters that tell what was changed; never a secret's value.
    pub parameters: serde_json::Value,
    /// The policy document that it wrote or took away.
    #[serde(default)]
    pub policy: Option<PolicyChange>,
}

/// A policy document before and after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyChange {
    /// As it was, where an earlier event holds it.
    pub before: Option<serde_json::Value>,
    /// As it was written; `None` where it was taken away.
    pub after: Option<serde_json::Value>,
}

/// A change that was found and does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    pub at: Timestamp,
    pub actor: String,
    pub event: String,
    pub resource: String,
    /// Why it does not count.
    pub because: String,
}

/// Somebody asked for a rotation and was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    pub at: Timestamp,
    /// Who: the user or role session name.
    pub actor: String,
    /// The IAM action, such as `secretsmanager:RotateSecret`.
    pub action: String,
    pub message: String,
}

/// Which of the secret's resources a change concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concern {
    Secret,
    Function,
    /// The function's role, or a policy attached to it.
    Role,
    /// The secret's key, or the key of the function's environment.
    Key,
    /// The function's network: its security groups, subnets or VPC.
    Network,
    /// A database; whether it is the secret's cannot be told.
    Database,
    Organization,
}

/// A view of one step that forgets the type of its facts.
#[derive(Debug, Clone, Copy)]
pub struct StepView<'a> {
    pub name: StepName,
    pub status: &'static str,
    /// Why there are no facts, for people.
    pub missing: Option<&'a str>,
    /// What the step saw.
    pub summary: &'a str,
    pub calls: &'a [super::observation::ApiCall],
    pub denials: &'a [super::observation::Denial],
    /// The window it looked at.
    pub window: Option<Window>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Evidence {
    /// Evidence in which every step has the same reason for having no facts.
    #[must_use]
    pub fn unseen(
        asked: SecretRef,
        region: String,
        now: Timestamp,
        reach: Lookback,
        reason: &Observation<Infallible>,
    ) -> Evidence {
        fn record<T>(now: Timestamp, reason: &Observation<Infallible>) -> StepRecord<T> {
            StepRecord {
                observation: reason.clone().and_then(|never| match never {}),
                window: None,
                calls: Vec::new(),
                denials: Vec::new(),
                summary: String::new(),
                started_at: now,
                duration_ms: 0,
            }
        }
        Evidence {
            asked,
            region,
            account_id: None,
            now,
            reach,
            near_names: Vec::new(),
            secret: record(now, reason),
            rotation_config: record(now, reason),
            function: record(now, reason),
            logs: record(now, reason),
            role: record(now, reason),
            history: record(now, reason),
            metrics: record(now, reason),
            access: record(now, reason),
            changes: record(now, reason),
            log_group: log_group_unasked(),
            network: Network::unasked(),
        }
    }

    /// The same, where a step that nobody asked for is one that gave no answer; `None` where all steps were asked for.
    #[must_use]
    pub fn with_unasked_open(&self) -> Option<Evidence> {
        fn open<T>(record: &mut StepRecord<T>, step: StepName) -> bool {
            let is_unasked = matches!(&record.observation, Observation::NotApplicable { because } if because == NOT_ASKED_FOR);
            if is_unasked {
                record.observation = Observation::Failed { error: format!("{step} was not asked for") };
            }
            is_unasked
        }
        let mut evidence = self.clone();
        let opened = [
            open(&mut evidence.secret, StepName::Secret),
            open(&mut evidence.rotation_config, StepName::RotationConfig),
            open(&mut evidence.function, StepName::RotationFunction),
            open(&mut evidence.logs, StepName::FunctionLogs),
            open(&mut evidence.role, StepName::ExecutionRole),
            open(&mut evidence.history, StepName::RotationHistory),
            open(&mut evidence.metrics, StepName::FunctionMetrics),
            open(&mut evidence.access, StepName::SecretAccess),
            open(&mut evidence.changes, StepName::ConfigChanges),
        ];
        opened.contains(&true).then_some(evidence)
    }

    /// The nine steps in order, without the types of their facts.
    #[must_use]
    pub fn steps(&self) -> [StepView<'_>; 9] {
        fn view<T>(name: StepName, record: &StepRecord<T>) -> StepView<'_> {
            StepView {
                name,
                status: record.observation.status(),
                missing: match &record.observation {
                    Observation::NoData { searched: why }
                    | Observation::Failed { error: why }
                    | Observation::NotApplicable { because: why } => Some(why),
                    _ => None,
                },
                summary: &record.summary,
                calls: &record.calls,
                denials: &record.denials,
                window: record.window,
                duration_ms: record.duration_ms,
            }
        }
        [
            view(StepName::Secret, &self.secret),
            view(StepName::RotationConfig, &self.rotation_config),
            view(StepName::RotationFunction, &self.function),
            view(StepName::FunctionLogs, &self.logs),
            view(StepName::ExecutionRole, &self.role),
            view(StepName::RotationHistory, &self.history),
            view(StepName::FunctionMetrics, &self.metrics),
            view(StepName::SecretAccess, &self.access),
            view(StepName::ConfigChanges, &self.changes),
        ]
    }

    /// The function rotation uses, from the function step or the configuration.
    #[must_use]
    pub fn function_arn(&self) -> Option<&FunctionArn> {
        self.rotation_config.found().and_then(|config| config.function_arn.as_ref())
    }
}
