//! The operations, one file per service.

mod cloudtrail;
mod cloudwatch;
mod ec2;
mod health;
mod iam;
mod kms;
mod lambda;
mod logs;
mod rds;
mod secretsmanager;
mod sts;
mod transit;

use super::wildcard;
use super::wire::{Service, Shape, WireError, WireRequest};
use super::world::SimulatedAccount;

pub(super) use lambda::package;
pub(super) use sts::Sessions;

type OperationResult = Result<Shape, WireError>;

/// Answers a request from what the world knows.
pub(super) fn answer(world: &SimulatedAccount, sessions: &Sessions, request: &WireRequest) -> OperationResult {
    let answer = match (request.service, request.operation.as_str()) {
        (Service::SecretsManager, "DescribeSecret") => secretsmanager::describe_secret,
        (Service::SecretsManager, "ListSecrets") => secretsmanager::list_secrets,
        (Service::SecretsManager, "ListSecretVersionIds") => secretsmanager::list_versions,
        (Service::SecretsManager, "GetResourcePolicy") => secretsmanager::get_resource_policy,
        (Service::Lambda, "GetFunctionConfiguration") => lambda::get_function_configuration,
        (Service::Lambda, "GetFunction") => lambda::get_function,
        (Service::Lambda, "GetLayerVersion") => lambda::get_layer_version,
        (Service::Lambda, "GetPolicy") => lambda::get_policy,
        (Service::Lambda, "GetFunctionConcurrency") => lambda::get_function_concurrency,
        (Service::Iam, "GetRole") => iam::get_role,
        (Service::Iam, "ListRolePolicies") => iam::list_role_policies,
        (Service::Iam, "GetRolePolicy") => iam::get_role_policy,
        (Service::Iam, "ListAttachedRolePolicies") => iam::list_attached_role_policies,
        (Service::Iam, "GetPolicy") => iam::get_policy,
        (Service::Iam, "GetPolicyVersion") => iam::get_policy_version,
        (Service::Iam, "SimulatePrincipalPolicy") => iam::simulate_principal_policy,
        (Service::CloudWatch, "GetMetricData") => cloudwatch::get_metric_data,
        (Service::Logs, "FilterLogEvents") => logs::filter_log_events,
        (Service::Logs, "DescribeLogGroups") => logs::describe_log_groups,
        (Service::CloudTrail, "LookupEvents") => cloudtrail::lookup_events,
        (Service::CloudTrail, "DescribeTrails") => cloudtrail::describe_trails,
        (Service::Kms, "DescribeKey") => kms::describe_key,
        (Service::Kms, "GetKeyPolicy") => kms::get_key_policy,
        (Service::Ec2, "DescribeNatGateways") => ec2::describe_nat_gateways,
        (Service::Ec2, "DescribeNetworkAcls") => ec2::describe_network_acls,
        (Service::Ec2, "DescribeRouteTables") => ec2::describe_route_tables,
        (Service::Ec2, "DescribeSecurityGroups") => ec2::describe_security_groups,
        (Service::Ec2, "DescribeSubnets") => ec2::describe_subnets,
        (Service::Ec2, "DescribeTransitGatewayAttachments") => transit::describe_transit_gateway_attachments,
        (Service::Ec2, "DescribeTransitGatewayVpcAttachments") => transit::describe_transit_gateway_vpc_attachments,
        (Service::Ec2, "DescribeVpcAttribute") => ec2::describe_vpc_attribute,
        (Service::Ec2, "DescribeVpcEndpoints") => ec2::describe_vpc_endpoints,
        (Service::Ec2, "DescribeVpcPeeringConnections") => ec2::describe_vpc_peering_connections,
        (Service::Ec2, "GetManagedPrefixListEntries") => ec2::get_managed_prefix_list_entries,
        (Service::Ec2, "SearchTransitGatewayRoutes") => transit::search_transit_gateway_routes,
        (Service::Rds, "DescribeDBClusterParameters") => rds::describe_db_cluster_parameters,
        (Service::Rds, "DescribeDBClusters") => rds::describe_db_clusters,
        (Service::Rds, "DescribeDBInstances") => rds::describe_db_instances,
        (Service::Rds, "DescribeDBParameters") => rds::describe_db_parameters,
        (Service::Rds, "DescribeDBProxies") => rds::describe_db_proxies,
        (Service::Health, "DescribeEvents") => health::describe_events,
        (Service::Sts, "GetCallerIdentity") => {
            return sts::get_caller_identity(world, sessions, request);
        }
        (Service::Sts, "AssumeRole") => return sts::assume_role(world, sessions, request),
        _ => {
            return Err(WireError::new("UnknownOperationException", format!("{} is not simulated", request.action())));
        }
    };
    answer(world, request)
}

/// Whether nobody may send the request: it reads a secret's value, or would change something.
pub(super) fn is_forbidden(request: &WireRequest) -> bool {
    const HARMLESS: [&str; 9] = ["Get", "List", "Describe", "Lookup", "Filter", "Search", "Simulate", "GET ", "AssumeRole"];
    const SECRET_VALUES: [&str; 2] = ["GetSecretValue", "BatchGetSecretValue"];
    let operation = request.operation.as_str();
    SECRET_VALUES.contains(&operation) || !HARMLESS.iter().any(|verb| operation.starts_with(verb))
}

/// The error a service answers with when it is asked too often.
pub(super) fn throttled(request: &WireRequest) -> WireError {
    match request.service {
        Service::Lambda => WireError::new("TooManyRequestsException", "Rate exceeded").with_status(429),
        Service::Iam | Service::Sts | Service::CloudWatch | Service::Rds => WireError::new("Throttling", "Rate exceeded"),
        Service::Ec2 => WireError::new("RequestLimitExceeded", "Request limit exceeded.").with_status(503),
        _ => WireError::new("ThrottlingException", "Rate exceeded"),
    }
}

/// The refusal of a call that the caller's policies do not allow.
pub(super) fn denied(world: &SimulatedAccount, request: &WireRequest) -> WireError {
    let action = request.action();
    let resource = resource_of(world, request);
    let message = format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action",
        world.caller
    );
    match request.service {
        Service::Iam | Service::Sts => WireError::new("AccessDenied", message).with_status(403),
        Service::CloudWatch | Service::Rds => WireError::new("AccessDenied", message).with_status(403),
        // EC2 names no resource where an action has none.
        Service::Ec2 => {
            let message = format!(
                "You are not authorized to perform this operation. User: {} is not authorized to perform: {action} because no identity-based policy allows the {action} action",
                world.caller
            );
            WireError::new("UnauthorizedOperation", message).with_status(403)
        }
        Service::Lambda => WireError::new("AccessDeniedException", message).with_status(403),
        _ => WireError::new("AccessDeniedException", message),
    }
}

/// Whether `[caller]` denies the call.
pub(super) fn caller_is_denied(world: &SimulatedAccount, request: &WireRequest) -> bool {
    let action = request.action();
    world.caller_denied.iter().any(|pattern| wildcard::matches_ignoring_case(pattern, &action))
}

fn resource_of(world: &SimulatedAccount, request: &WireRequest) -> String {
    let parameters = request.parameters();
    let (account, region) = (&world.account, &request.region);
    if let Some(id) = parameters.text("SecretId") {
        return secretsmanager::find(world, request, id).map_or_else(|_| id.to_owned(), |secret| secret.arn.clone());
    }
    if let Some(name) = parameters.text("FunctionName") {
        return match name.starts_with("arn:") {
            true => name.to_owned(),
            false => format!("arn:aws:lambda:{region}:{account}:function:{name}"),
        };
    }
    if let Some(name) = parameters.text("RoleName") {
        return format!("arn:aws:iam::{account}:role/{name}");
    }
    if let Some(group) = parameters.text("logGroupName") {
        return format!("arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:");
    }
    let of_rds = [
        ("DBInstanceIdentifier", "db"),
        ("DBClusterIdentifier", "cluster"),
        ("DBProxyName", "db-proxy"),
        ("DBParameterGroupName", "pg"),
        ("DBClusterParameterGroupName", "cluster-pg"),
    ];
    if let Some((kind, id)) = of_rds.into_iter().find_map(|(member, kind)| Some((kind, parameters.text(member)?))) {
        return format!("arn:aws:rds:{region}:{account}:{kind}:{id}");
    }
    ["PolicySourceArn", "PolicyArn", "RoleArn", "KeyId"]
        .into_iter()
        .find_map(|member| parameters.text(member))
        .unwrap_or("*")
        .to_owned()
}
