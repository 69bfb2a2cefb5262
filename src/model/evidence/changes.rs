//! Who changed what.

use super::EventSource;
use crate::model::tool::Tool;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
