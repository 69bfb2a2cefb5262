//! Secrets Manager.

use super::OperationResult;
use crate::simulator::pages::page;
use crate::simulator::wire::{Shape, WireError, WireRequest};
use crate::simulator::world::{SimulatedAccount, SimulatedSecret};

/// The secret with this ARN, ARN without suffix, or name, in the request's region.
pub(super) fn find<'w>(world: &'w SimulatedAccount, request: &WireRequest, id: &str) -> Result<&'w SimulatedSecret, WireError> {
    world
        .secrets
        .iter()
        .filter(|secret| secret.region == request.region)
        .find(|secret| {
            secret.name == id || secret.arn == id || secret.arn.rsplit_once('-').is_some_and(|(partial, _)| partial == id)
        })
        .ok_or_else(|| WireError::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret."))
}

fn asked<'w>(world: &'w SimulatedAccount, request: &WireRequest) -> Result<&'w SimulatedSecret, WireError> {
    find(world, request, request.parameters().required("SecretId")?)
}

pub(super) fn describe_secret(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let secret = asked(world, request)?;
    Ok(secret.entry.clone().with("VersionIdsToStages", stages(secret)).with("ReplicationStatus", secret.replication.clone()))
}

fn stages(secret: &SimulatedSecret) -> Option<Shape> {
    let labelled: Vec<_> = secret
        .versions
        .iter()
        .filter(|version| !version.stages.is_empty())
        .map(|version| (version.id.clone(), Shape::list(&version.stages)))
        .collect();
    (!labelled.is_empty()).then_some(Shape::Structure(labelled))
}

pub(super) fn list_secrets(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let parameters = request.parameters();
    let filters = parameters.structures("Filters");
    let matching: Vec<&SimulatedSecret> = world
        .secrets
        .iter()
        .filter(|secret| secret.region == request.region)
        .filter(|secret| parameters.flag("IncludePlannedDeletion") || !secret.deleted)
        .filter(|secret| {
            filters.iter().all(|filter| {
                let key = filter.text("Key").unwrap_or("all");
                filter.texts("Values").iter().any(|value| fits(secret, key, value))
            })
        })
        .collect();
    let (secrets, next) =
        page(&matching, world.pages.secrets, parameters, "NextToken", "MaxResults").map_err(|_| wrong_token())?;
    Ok(Shape::structure()
        .with(
            "SecretList",
            Shape::list(secrets.iter().map(|secret| secret.entry.clone().with("SecretVersionsToStages", stages(secret)))),
        )
        .with("NextToken", next))
}

/// Filters match prefixes; `!` negates; `all` looks everywhere, in any case.
///
/// Source: Secrets Manager User Guide, "Find secrets".
fn fits(secret: &SimulatedSecret, key: &str, value: &str) -> bool {
    let (value, negated) = match value.strip_prefix('!') {
        Some(value) => (value, true),
        None => (value, false),
    };
    let lower = value.to_lowercase();
    let insensitive = |text: &str| text.to_lowercase().starts_with(&lower);
    let found = match key {
        "name" => secret.name.starts_with(value),
        "description" => secret.description.as_deref().is_some_and(insensitive),
        "tag-key" => secret.tags.keys().any(|tag| tag.starts_with(value)),
        "tag-value" => secret.tags.values().any(|tag| tag.starts_with(value)),
        "owning-service" => secret.owning_service.as_deref().is_some_and(|owner| owner.starts_with(value)),
        "primary-region" => secret.primary_region.as_deref().is_some_and(|region| region.starts_with(value)),
        _ => {
            secret.name.to_lowercase().contains(&lower)
                || secret.description.as_ref().is_some_and(|text| text.to_lowercase().contains(&lower))
                || secret.tags.iter().any(|(key, value)| insensitive(key) || insensitive(value))
        }
    };
    found != negated
}

pub(super) fn list_versions(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let secret = asked(world, request)?;
    let parameters = request.parameters();
    let matching: Vec<_> =
        secret.versions.iter().filter(|version| parameters.flag("IncludeDeprecated") || !version.stages.is_empty()).collect();
    let (versions, next) =
        page(&matching, world.pages.versions, parameters, "NextToken", "MaxResults").map_err(|_| wrong_token())?;
    let key = secret.kms_key_id.as_deref().unwrap_or("DefaultEncryptionKey");
    Ok(Shape::structure()
        .with(
            "Versions",
            Shape::list(versions.iter().map(|version| {
                Shape::structure()
                    .with("VersionId", &version.id)
                    .with("VersionStages", Shape::list(&version.stages))
                    .with("CreatedDate", version.created)
                    .with("KmsKeyIds", Shape::list([key]))
            })),
        )
        .with("NextToken", next)
        .with("ARN", &secret.arn)
        .with("Name", &secret.name))
}

pub(super) fn get_resource_policy(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let secret = asked(world, request)?;
    if secret.deleted {
        return Err(WireError::new(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        ));
    }
    Ok(Shape::structure()
        .with("ARN", &secret.arn)
        .with("Name", &secret.name)
        .with("ResourcePolicy", secret.policy.as_ref().map(ToString::to_string)))
}

fn wrong_token() -> WireError {
    WireError::new("InvalidNextTokenException", "Invalid pagination token.")
}
