//! Secrets and keys, as their services describe them.

use super::names::NameTable;
use super::rotation::History;
use crate::simulator::declaration::{KeyForm, RotationState};
use crate::simulator::ids;
use crate::simulator::policy::document;
use crate::simulator::wire::Shape;
use crate::simulator::world::{SimulatedKey, SimulatedSecret, Version};
use serde_json::json;

pub(super) fn secret(names: &NameTable<'_>, history: &History<'_>) -> Result<SimulatedSecret, String> {
    let form = history.secret;
    let arn = names.secret_arn(form);
    let versions = match &form.versions {
        None => history.versions(),
        Some(versions) => versions
            .iter()
            .enumerate()
            .map(|(nth, version)| {
                Ok(Version {
                    id: version.id.clone().unwrap_or_else(|| ids::uuid(&format!("version/{}/{nth}", form.name))),
                    stages: version.stages.clone(),
                    created: names.time(&version.created)?,
                })
            })
            .collect::<Result<_, String>>()?,
    };
    let kms_key_id = form.kms_key.as_ref().map(|key| names.key_arn(key)).transpose()?;
    let function = names.function_of(form)?.filter(|_| form.rotation.state != RotationState::Never);
    let lambda_arn = function.map(|function| {
        let arn = names.function_arn(function);
        match &form.qualifier {
            Some(qualifier) => format!("{arn}:{qualifier}"),
            None => arn,
        }
    });
    let rotates_here = form.rotation.state != RotationState::Never && form.primary_region.is_none();
    let rules = rotates_here.then(|| {
        let days = match (&form.rotation.every_days, &form.rotation.schedule) {
            (None, None) => Some(30),
            (days, _) => *days,
        };
        Shape::structure()
            .with("AutomaticallyAfterDays", days)
            .with("Duration", form.rotation.window.as_ref())
            .with("ScheduleExpression", form.rotation.schedule.as_ref())
    });
    let changed = names.maybe_time(form.last_changed.as_ref())?.or_else(|| versions.iter().map(|version| version.created).max());
    // LastAccessedDate has the resolution of a day.
    let accessed: Option<jiff::Timestamp> =
        names.maybe_time(form.last_accessed.as_ref())?.and_then(|at| at.strftime("%FT00:00:00Z").to_string().parse().ok());
    let deleted = names.maybe_time(form.deleted.as_ref())?;
    let external_role = form.external_role.as_ref().map(|arn| names.fill(arn, &[])).transpose()?;
    let metadata = (!form.metadata.is_empty())
        .then(|| {
            let items = form
                .metadata
                .iter()
                .map(|(key, value)| Ok(Shape::structure().with("Key", key).with("Value", names.fill(value, &[])?)));
            items.collect::<Result<Vec<Shape>, String>>().map(Shape::list)
        })
        .transpose()?;
    let entry = Shape::structure()
        .with("ARN", &arn)
        .with("Name", &form.name)
        .with("Type", form.kind.as_ref())
        .with("Description", form.description.as_ref())
        .with("KmsKeyId", kms_key_id.as_ref())
        .with("RotationEnabled", rotates_here.then_some(form.rotation.state == RotationState::On))
        .with("RotationLambdaARN", lambda_arn)
        .with("RotationRules", rules)
        .with("ExternalSecretRotationMetadata", metadata)
        .with("ExternalSecretRotationRoleArn", external_role)
        .with("LastRotatedDate", history.last_rotated)
        .with("LastChangedDate", changed)
        .with("LastAccessedDate", accessed)
        .with("DeletedDate", deleted)
        .with("NextRotationDate", history.next)
        .with("Tags", tags(&form.tags))
        .with("OwningService", form.owning_service.as_ref())
        .with("CreatedDate", history.created)
        .with("PrimaryRegion", form.primary_region.as_ref());
    let replication = (!form.replicas.is_empty()).then(|| {
        Shape::list(form.replicas.iter().map(|replica| {
            Shape::structure()
                .with("Region", &replica.region)
                .with("Status", &replica.status)
                .with("StatusMessage", replica.message.as_ref())
        }))
    });
    Ok(SimulatedSecret {
        name: form.name.clone(),
        region: names.region(form.region.as_ref()).to_owned(),
        deleted: deleted.is_some(),
        owning_service: form.owning_service.clone(),
        primary_region: form.primary_region.clone(),
        tags: form.tags.clone(),
        description: form.description.clone(),
        kms_key_id,
        policy: form
            .policy
            .as_ref()
            .map(|policy| policy.document(&|text| names.fill(text, &[("secret_arn", arn.clone())])))
            .transpose()?,
        versions,
        entry,
        replication,
        arn,
    })
}

fn tags(tags: &std::collections::BTreeMap<String, String>) -> Option<Shape> {
    (!tags.is_empty())
        .then(|| Shape::list(tags.iter().map(|(key, value)| Shape::structure().with("Key", key).with("Value", value))))
}

pub(super) fn key(names: &NameTable<'_>, form: &KeyForm) -> Result<SimulatedKey, String> {
    let root = format!("arn:aws:iam::{}:root", names.account());
    Ok(SimulatedKey {
        id: ids::uuid(&form.name),
        arn: names.key_arn(&form.name)?,
        region: names.region(form.region.as_ref()).to_owned(),
        exists: form.exists,
        foreign: form.account.as_deref().is_some_and(|owner| owner != names.account()),
        state: form.state.clone().unwrap_or_else(|| "Enabled".into()),
        deletion: names.maybe_time(form.deletion.as_ref())?,
        policy: match &form.policy {
            Some(policy) => policy.document(&|text| names.fill(text, &[]))?,
            None => document(vec![json!({
                "Sid": "Enable IAM User Permissions", "Effect": "Allow",
                "Principal": { "AWS": root }, "Action": "kms:*", "Resource": "*",
            })]),
        },
    })
}
