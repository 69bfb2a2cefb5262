//! Steps 1 and 2: the secret, and whether, how and when it rotates.

use super::{Fact, FactGroup, yes_no};
use crate::model::{Evidence, HealthEvent, MetadataItem, Replica, SecretVersion};
use crate::report::time::{moment, relative};
use jiff::Timestamp;

pub(super) fn secret(evidence: &Evidence) -> Vec<FactGroup> {
    let now = evidence.now;
    let Some(secret) = evidence.secret.found() else {
        let near = evidence.near_names.iter().map(|name| Fact::new("", name));
        return FactGroup::facts("Names like it", near).into_iter().collect();
    };
    let own = [
        Some(Fact::new("ARN", secret.arn.arn().as_str())),
        Some(Fact::new("key", secret.kms_key_id.as_deref().unwrap_or("aws/secretsmanager, the AWS managed key"))),
        Fact::known("owned by", secret.owning_service.as_ref()),
        Fact::known("type", secret.secret_type.as_ref()),
        Fact::known("primary region", secret.primary_region.as_ref()),
        dated("created", secret.created_at, now),
        dated("last changed", secret.last_changed_at, now),
        Fact::known("last read", secret.last_accessed_on.map(|at| at.strftime("%-d %b %Y"))),
        dated("scheduled for deletion", secret.deleted_at, now),
    ];
    [
        FactGroup::facts("Secret", own.into_iter().flatten()),
        FactGroup::facts("Versions", secret.versions.iter().map(|version| version_of(version, now))),
        FactGroup::facts("Replicas", secret.replicas.iter().map(replica)),
        FactGroup::facts("AWS Health", secret.service_health.found().into_iter().flatten().map(|event| health(event, now))),
        FactGroup::unanswered("AWS Health", &secret.service_health),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn version_of(version: &SecretVersion, now: Timestamp) -> Fact {
    let made = version.created_at.map(|at| format!(", created {}", moment(at, now))).unwrap_or_default();
    Fact::new(&version.id, &format!("{}{made}", version.labels.join(", ")))
}

fn replica(replica: &Replica) -> Fact {
    let why = replica.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    Fact::new(&replica.region, &format!("{}{why}", replica.status))
}

fn health(event: &HealthEvent, now: Timestamp) -> Fact {
    let since = event.started_at.map(|at| format!(" since {}", moment(at, now))).unwrap_or_default();
    let closed = event.ended_at.map(|at| format!(", closed {}", moment(at, now))).unwrap_or_default();
    Fact::new(&event.service, &format!("{} in {}{since}{closed}", event.code, event.region))
}

pub(super) fn rotation(evidence: &Evidence) -> Vec<FactGroup> {
    let now = evidence.now;
    let Some(config) = evidence.rotation_config.found() else { return Vec::new() };
    let rules = config.rules.as_ref();
    let due = &config.due;
    let own = [
        Some(Fact::new("rotation", config.enabled.map_or("never configured", |on| if on { "on" } else { "off" }))),
        Fact::known("function", config.function_arn.as_ref().map(|arn| arn.arn())),
        Fact::known("role of the partner", config.external_role_arn.as_ref().map(|arn| arn.arn())),
        listed_metadata(&config.external_metadata),
        Fact::known("every", rules.and_then(|rules| rules.automatically_after_days).map(|days| format!("{days} days"))),
        Fact::known("schedule", rules.and_then(|rules| rules.schedule_expression.as_ref())),
        Fact::known("window", rules.and_then(|rules| rules.duration.as_ref())),
        Fact::known("schedule is invalid", due.invalid.as_ref()),
        due.never_fires.then(|| Fact::new("schedule ever fires", yes_no(false))),
        dated("last rotated", config.last_rotated_at, now),
        dated("last window began", due.previous, now),
        dated("next window begins", due.next, now),
        dated("next rotation, as Secrets Manager says", config.next_rotation_at, now),
        dated("overdue since", due.overdue_since, now),
    ];
    FactGroup::facts("Rotation", own.into_iter().flatten()).into_iter().collect()
}

fn listed_metadata(items: &[MetadataItem]) -> Option<Fact> {
    let told: Vec<String> = items.iter().map(|item| format!("{} = {}", item.key, item.value)).collect();
    (!told.is_empty()).then(|| Fact::new("metadata of the partner", &told.join(", ")))
}

fn dated(lead: &str, at: Option<Timestamp>, now: Timestamp) -> Option<Fact> {
    at.map(|at| Fact::new(lead, &format!("{} ({})", moment(at, now), relative(at, now))))
}
