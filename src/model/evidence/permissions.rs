//! What the rotation's role may do, and who may use the secret and its key.

use crate::model::arn::{Arn, RoleArn};
use crate::model::observation::Observation;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Policies of the account that the role lost, read where one of them may give back what it lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detached: Vec<DetachedPolicy>,
}

/// A managed policy of the account that was detached from the role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetachedPolicy {
    pub arn: String,
    /// Its default version; `NoData` where the policy no longer exists.
    pub document: Observation<Value>,
}

/// Why a step has nothing to tell that a person left out.
pub const NOT_ASKED_FOR: &str = "not asked for";

/// Evidence that was stored before the trust policy was read.
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

impl Simulation {
    /// True for a yes without reserve: the simulator had a value for every condition key.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.decision == SimulatedDecision::Allowed && self.missing_context.is_empty()
    }
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
    /// The custom key store that it is in, where it is in one.
    #[serde(default)]
    pub custom_key_store: Option<String>,
    pub policy: Observation<serde_json::Value>,
}

impl KeyFacts {
    /// True in a state in which the key encrypts and decrypts.
    ///
    /// Source: AWS KMS API Reference, `UpdatePrimaryRegion`: keys that are `Updating` do.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        matches!(self.state.as_str(), "Enabled" | "Updating")
    }
}
