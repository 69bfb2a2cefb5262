//! STS: who asks, and becoming somebody else.

use super::OperationResult;
use crate::clock::Clock;
use crate::simulator::ids;
use crate::simulator::wire::{Shape, WireError, WireRequest};
use crate::simulator::world::SimulatedAccount;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The sessions that AssumeRole opened: access key to ARN.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Sessions(Mutex<BTreeMap<String, String>>);

pub(super) fn get_caller_identity(world: &SimulatedAccount, sessions: &Sessions, request: &WireRequest) -> OperationResult {
    let opened = sessions.0.lock().unwrap_or_else(PoisonError::into_inner);
    let arn = opened.get(&request.access_key).unwrap_or(&world.caller);
    let account = arn.split(':').nth(4).unwrap_or(&world.account);
    Ok(Shape::structure().with("UserId", ids::iam_id("AROA", arn)).with("Account", account).with("Arn", arn))
}

pub(super) fn assume_role(world: &SimulatedAccount, sessions: &Sessions, request: &WireRequest) -> OperationResult {
    let parameters = request.parameters();
    let role = parameters.required("RoleArn")?;
    let session = parameters.required("RoleSessionName")?;
    let (Some(account), Some(name)) = (role.split(':').nth(4), role.rsplit('/').next()) else {
        return Err(WireError::new("ValidationError", format!("{role} is invalid")));
    };
    let arn = format!("arn:aws:sts::{account}:assumed-role/{name}/{session}");
    let key = ids::iam_id("ASIA", &arn);
    sessions.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), arn.clone());
    // The SDK compares the expiry with its own clock, which need not be the simulated one.
    let lifetime = SignedDuration::from_secs(parameters.integer("DurationSeconds").unwrap_or(3600));
    let expiration = world.now.max(Clock::system().now()).checked_add(lifetime).ok();
    Ok(Shape::structure()
        .with(
            "Credentials",
            Shape::structure()
                .with("AccessKeyId", &key)
                .with("SecretAccessKey", "simulated")
                .with("SessionToken", "simulated")
                .with("Expiration", expiration),
        )
        .with(
            "AssumedRoleUser",
            Shape::structure().with("AssumedRoleId", format!("{}:{session}", ids::iam_id("AROA", name))).with("Arn", arn),
        ))
}
