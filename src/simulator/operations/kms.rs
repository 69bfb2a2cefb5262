//! KMS.

use super::OperationResult;
use crate::simulator::wire::{Shape, WireError, WireRequest};
use crate::simulator::world::{SimulatedAccount, SimulatedKey};
use jiff::SignedDuration;

fn find<'w>(world: &'w SimulatedAccount, request: &WireRequest) -> Result<&'w SimulatedKey, WireError> {
    let asked = request.parameters().required("KeyId")?;
    let key = world
        .keys
        .iter()
        .filter(|key| key.region == request.region && key.exists)
        .find(|key| key.id == asked || key.arn == asked)
        .ok_or_else(|| {
            let arn = if asked.starts_with("arn:") {
                asked.to_owned()
            } else {
                format!("arn:aws:kms:{}:{}:key/{asked}", request.region, world.account)
            };
            WireError::new("NotFoundException", format!("Key '{arn}' does not exist"))
        })?;
    if key.foreign {
        let action = format!("kms:{}", request.operation);
        return Err(WireError::new(
            "AccessDeniedException",
            format!(
                "User: {} is not authorized to perform: {action} on resource: {} because no resource-based policy allows the {action} action",
                world.caller, key.arn
            ),
        ));
    }
    Ok(key)
}

pub(super) fn describe_key(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let key = find(world, request)?;
    let created = world.now.checked_sub(SignedDuration::from_hours(500 * 24)).ok();
    Ok(Shape::structure().with(
        "KeyMetadata",
        Shape::structure()
            .with("AWSAccountId", &world.account)
            .with("KeyId", &key.id)
            .with("Arn", &key.arn)
            .with("CreationDate", created)
            .with("Enabled", key.state == "Enabled")
            .with("Description", "")
            .with("KeyUsage", "ENCRYPT_DECRYPT")
            .with("KeyState", &key.state)
            .with("DeletionDate", key.deletion)
            .with("Origin", "AWS_KMS")
            .with("KeyManager", "CUSTOMER")
            .with("CustomerMasterKeySpec", "SYMMETRIC_DEFAULT")
            .with("KeySpec", "SYMMETRIC_DEFAULT")
            .with("EncryptionAlgorithms", Shape::list(["SYMMETRIC_DEFAULT"]))
            .with("MultiRegion", false),
    ))
}

pub(super) fn get_key_policy(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let key = find(world, request)?;
    Ok(Shape::structure().with("Policy", key.policy.to_string()).with("PolicyName", "default"))
}
