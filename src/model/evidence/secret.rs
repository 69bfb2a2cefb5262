//! What the secret is.

use crate::model::arn::SecretArn;
use crate::model::database_ref::DatabaseRef;
use crate::model::evidence::rotation::MetadataItem;
use crate::model::observation::Observation;
use crate::model::region::Region;
use crate::model::window::Window;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    pub primary_region: Option<Region>,
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
    /// Its tags, where they were read: conditions of policies ask for them.
    #[serde(default)]
    pub tags: Option<Vec<MetadataItem>>,
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

    /// The version that is current, where what a rotation stored as `rotated` is the previous one; `None` where one version is both.
    #[must_use]
    pub fn current_instead_of(&self, rotated: &str) -> Option<&str> {
        let current = self.version_with("AWSCURRENT").filter(|version| !version.has("AWSPREVIOUS"))?;
        self.version_with("AWSPREVIOUS").is_some_and(|previous| previous.id == rotated).then_some(current.id.as_str())
    }

    /// The version that a rotation has made, or is making, and that is not current: createSecret sets the label, and finishSecret
    /// leaves it on what it makes current.
    #[must_use]
    pub fn pending_version(&self) -> Option<&SecretVersion> {
        self.version_with("AWSPENDING").filter(|version| !version.has("AWSCURRENT"))
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
    pub region: Region,
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
    pub region: Region,
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
