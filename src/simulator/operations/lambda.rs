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

/// Where a package is to be had, for ten minutes, by whoever has the address.
fn location(request: &WireRequest, kind: &str, path: &str) -> Shape {
    let region = &request.region;
    let address =
        format!("https://awslambda-{region}-{kind}.s3.{region}.amazonaws.com/snapshots/{path}?X-Amz-Signature=not-a-real-one");
    Shape::structure().with("Location", address)
}

pub(super) fn get_function(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let (function, _) = find(world, request)?;
    let code = match function.package {
        Some(_) => location(request, "tasks", &format!("functions/{}", function.name)).with("RepositoryType", "S3"),
        None => Shape::structure().with("RepositoryType", "ECR"),
    };
    Ok(Shape::structure().with("Configuration", function.configuration.clone()).with("Code", code))
}

pub(super) fn get_layer_version(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let arn = request.parameters().required("Arn")?;
    if !world.layers.contains_key(arn) {
        return Err(not_found("The resource you requested does not exist."));
    }
    let content = location(request, "layers", &format!("layers/{arn}"));
    Ok(Shape::structure().with("LayerVersionArn", arn).with("Content", content))
}

/// The package at an address that was given out, as its path says.
pub(in crate::simulator) fn package<'w>(world: &'w SimulatedAccount, path: &str) -> Option<&'w [u8]> {
    let path = path.strip_prefix("/snapshots/")?;
    match path.split_once('/')? {
        ("functions", name) => world.functions.iter().find(|function| function.name == name)?.package.as_deref(),
        ("layers", arn) => world.layers.get(arn).map(Vec::as_slice),
        _ => None,
    }
}
