//! Lambda.

use super::OperationResult;
use crate::simulator::ids;
use crate::simulator::json::set;
use crate::simulator::policy::document;
use crate::simulator::wire::{Shape, WireError, WireRequest};
use crate::simulator::world::{Function, SimulatedAccount};

/// The function, by name, `name:qualifier`, or ARN with or without a qualifier; and the qualifier.
fn find<'w>(world: &'w SimulatedAccount, request: &WireRequest) -> Result<(&'w Function, Option<String>), WireError> {
    let asked = request.parameters().required("FunctionName")?;
    let qualifier = request.parameters().text("Qualifier").map(str::to_owned);
    let (name, own) = match asked.strip_prefix("arn:") {
        Some(arn) => {
            let mut parts = arn.split(':').skip(5);
            (parts.next().unwrap_or_default(), parts.next())
        }
        None => match asked.split_once(':') {
            Some((name, own)) => (name, Some(own)),
            None => (asked, None),
        },
    };
    let function = world
        .functions
        .iter()
        .find(|function| function.name == name && function.region == request.region && function.exists)
        .ok_or_else(|| {
            not_found(format!("Function not found: arn:aws:lambda:{}:{}:function:{name}", request.region, world.account))
        })?;
    Ok((function, own.map(str::to_owned).or(qualifier)))
}

fn not_found(message: impl Into<String>) -> WireError {
    WireError::new("ResourceNotFoundException", message).with_status(404)
}

pub(super) fn get_function_configuration(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let (function, _) = find(world, request)?;
    Ok(function.configuration.clone())
}

pub(super) fn get_policy(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let (function, qualifier) = find(world, request)?;
    let statements = function
        .policy
        .get(&qualifier.filter(|qualifier| qualifier != "$LATEST"))
        .ok_or_else(|| not_found("The resource you requested does not exist."))?;
    let mut policy = document(statements.clone());
    set(&mut policy, "Id", "default");
    Ok(Shape::structure().with("Policy", policy.to_string()).with("RevisionId", ids::uuid(&function.arn)))
}

pub(super) fn get_function_concurrency(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let (function, _) = find(world, request)?;
    Ok(Shape::structure().with("ReservedConcurrentExecutions", function.concurrency))
}
