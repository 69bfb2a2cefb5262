//! The simulated account: what its services know. Built once from a scenario, never changed.

use super::declaration::PagesForm;
use super::network::NetworkForms;
use super::wire::Shape;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct SimulatedAccount {
    pub(super) account: String,
    pub(super) now: Timestamp,
    pub(super) caller: String,
    pub(super) caller_denied: Vec<String>,
    pub(super) pages: PagesForm,
    pub(super) secrets: Vec<SimulatedSecret>,
    pub(super) functions: Vec<Function>,
    /// Packages of layers, by ARN.
    pub(super) layers: BTreeMap<String, Vec<u8>>,
    pub(super) roles: Vec<SimulatedRole>,
    pub(super) policies: Vec<ManagedPolicy>,
    /// Service control policies that apply to the account.
    pub(super) scps: Vec<Value>,
    pub(super) keys: Vec<SimulatedKey>,
    pub(super) log_groups: Vec<LogGroup>,
    /// Newest first.
    pub(super) events: Vec<SimulatedTrailEvent>,
    pub(super) trails: Vec<Trail>,
    pub(super) datapoints: Vec<Datapoint>,
    pub(super) network: NetworkForms,
    /// `None`: the account has no support plan that includes AWS Health.
    pub(super) health: Option<Vec<SimulatedHealthEvent>>,
}

#[derive(Debug)]
pub(super) struct SimulatedSecret {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) region: String,
    pub(super) deleted: bool,
    pub(super) owning_service: Option<String>,
    pub(super) primary_region: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) description: Option<String>,
    pub(super) kms_key_id: Option<String>,
    pub(super) versions: Vec<Version>,
    pub(super) policy: Option<Value>,
    /// What DescribeSecret and ListSecrets say alike.
    pub(super) entry: Shape,
    pub(super) replication: Option<Shape>,
}

#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) stages: Vec<String>,
    pub(super) created: Timestamp,
}

#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) region: String,
    pub(super) exists: bool,
    pub(super) configuration: Shape,
    pub(super) concurrency: Option<i64>,
    /// Its package as Lambda keeps it; `None` for a container image.
    pub(super) package: Option<Vec<u8>>,
    /// Statements of the resource policy, by qualifier.
    pub(super) policy: BTreeMap<Option<String>, Vec<Value>>,
}

#[derive(Debug)]
pub(super) struct SimulatedRole {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) id: String,
    pub(super) exists: bool,
    pub(super) created: Timestamp,
    pub(super) trust: Value,
    pub(super) inline: BTreeMap<String, Value>,
    /// ARNs of managed policies.
    pub(super) attached: Vec<String>,
    pub(super) boundary: Option<String>,
}

#[derive(Debug)]
pub(super) struct ManagedPolicy {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) path: String,
    pub(super) document: Value,
}

#[derive(Debug)]
pub(super) struct SimulatedKey {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) region: String,
    pub(super) exists: bool,
    /// Owned by another account, which lets nobody here look at it.
    pub(super) foreign: bool,
    pub(super) state: String,
    pub(super) deletion: Option<Timestamp>,
    pub(super) policy: Value,
}

#[derive(Debug)]
pub(super) struct LogGroup {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) created: Timestamp,
    /// `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`.
    pub(super) class: String,
    pub(super) retention_days: Option<i64>,
    /// Oldest first.
    pub(super) events: Vec<SimulatedLogEvent>,
}

#[derive(Debug, Clone)]
pub(super) struct SimulatedLogEvent {
    pub(super) at: Timestamp,
    pub(super) stream: String,
    pub(super) message: String,
}

#[derive(Debug, Clone)]
pub(super) struct SimulatedTrailEvent {
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) region: String,
    pub(super) name: String,
    pub(super) source: String,
    pub(super) username: Option<String>,
    pub(super) access_key: Option<String>,
    pub(super) read_only: bool,
    /// Type and name, as event history lists them.
    pub(super) resources: Vec<(String, String)>,
    pub(super) record: Value,
}

#[derive(Debug)]
pub(super) struct Trail {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) region: String,
    pub(super) multi_region: bool,
    pub(super) log_group_arn: Option<String>,
}

/// A measurement of `AWS/Lambda`.
#[derive(Debug)]
pub(super) struct Datapoint {
    pub(super) region: String,
    pub(super) function: String,
    pub(super) metric: String,
    pub(super) at: Timestamp,
    pub(super) value: f64,
}

#[derive(Debug)]
pub(super) struct SimulatedHealthEvent {
    pub(super) of: String,
    pub(super) code: String,
    pub(super) region: String,
    pub(super) start: Timestamp,
    pub(super) end: Option<Timestamp>,
}

impl SimulatedAccount {
    /// The role with this name, if it exists.
    pub(super) fn role(&self, name: &str) -> Option<&SimulatedRole> {
        self.roles.iter().find(|role| role.name == name && role.exists)
    }

    /// The managed policy with this ARN.
    pub(super) fn policy(&self, arn: &str) -> Option<&ManagedPolicy> {
        self.policies.iter().find(|policy| policy.arn == arn)
    }
}
