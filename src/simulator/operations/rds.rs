//! RDS's databases.

use super::OperationResult;
use crate::simulator::network::{DatabaseForm, DatabaseKindForm};
use crate::simulator::pages::page;
use crate::simulator::wire::{Parameters, Shape, WireError, WireRequest};
use crate::simulator::world::SimulatedAccount;

/// Answers with the page of those of `all` that pass every filter.
fn listed<T>(
    world: &SimulatedAccount,
    request: &WireRequest,
    set: &str,
    all: Vec<T>,
    attribute: impl Fn(&T, &str) -> Option<String>,
    shape: impl Fn(&T) -> Shape,
) -> OperationResult {
    let parameters = request.parameters();
    if let Some(limit) = parameters.integer("MaxRecords")
        && !(20..=100).contains(&limit)
    {
        return Err(WireError::new(
            "InvalidParameterValue",
            format!("Invalid value {limit} for MaxRecords. Must be between 20 and 100"),
        ));
    }
    let mut fitting = Vec::new();
    let filters = parameters.structure("Filters").map(|filters| filters.numbered("Filter")).unwrap_or_default();
    for one in &all {
        let mut fits = true;
        for filter in &filters {
            let name = filter.text("Name").unwrap_or_default();
            let values = filter.structure("Values").map(|values| values.numbered_texts("Value")).unwrap_or_default();
            let own = attribute(one, name)
                .ok_or_else(|| WireError::new("InvalidParameterValue", format!("Unrecognized filter name: {name}")))?;
            fits &= values.contains(&own.as_str());
        }
        if fits {
            fitting.push(shape(one));
        }
    }
    let (items, next) = page(&fitting, world.pages.databases, parameters, "Marker", "MaxRecords")
        .map_err(|_| WireError::new("InvalidParameterValue", "The marker is not valid."))?;
    Ok(Shape::structure().with(set, items.to_vec()).with("Marker", next))
}

/// An instance of its own, or a cluster's writer.
struct Instance<'w> {
    form: &'w DatabaseForm,
    id: String,
}

fn instances(world: &SimulatedAccount) -> Vec<Instance<'_>> {
    let forms = world.network.databases.iter();
    forms
        .filter_map(|form| match form.kind {
            DatabaseKindForm::Instance => Some(Instance { form, id: form.id.clone() }),
            DatabaseKindForm::Cluster => Some(Instance { form, id: format!("{}-1", form.id) }),
            DatabaseKindForm::Proxy => None,
        })
        .collect()
}

pub(super) fn describe_db_instances(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let asked = request.parameters().text("DBInstanceIdentifier");
    let mut all = instances(world);
    all.retain(|instance| asked.is_none_or(|id| instance.id == id));
    if let (Some(id), true) = (asked, all.is_empty()) {
        return Err(WireError::new("DBInstanceNotFound", format!("DBInstance {id} not found.")).with_status(404));
    }
    listed(
        world,
        request,
        "DBInstances",
        all,
        |instance, name| match name {
            "db-instance-id" => Some(instance.id.clone()),
            "db-cluster-id" => Some(if is_cluster(instance.form) { instance.form.id.clone() } else { String::new() }),
            "engine" => Some(instance.form.engine.clone()),
            _ => None,
        },
        |instance| instance_shape(world, request, instance),
    )
}

fn is_cluster(form: &DatabaseForm) -> bool {
    form.kind == DatabaseKindForm::Cluster
}

/// The part of a host's name that is an account's own in a region, as the scenarios' log lines have it.
const ACCOUNT_LABEL: &str = "c9abcdefghij";

fn arn(world: &SimulatedAccount, request: &WireRequest, kind: &str, id: &str) -> String {
    format!("arn:aws:rds:{}:{}:{kind}:{id}", request.region, world.account)
}

fn instance_shape(world: &SimulatedAccount, request: &WireRequest, Instance { form, id }: &Instance<'_>) -> Shape {
    let host = format!("{id}.{}.{}.rds.amazonaws.com", ACCOUNT_LABEL, request.region);
    let all = world.network.subnets.iter();
    let subnets: Vec<_> = all.filter(|subnet| form.subnets.iter().flatten().any(|id| *id == subnet.id)).collect();
    let zone = |letter: &str| format!("{}{letter}", request.region);
    let group = Shape::structure()
        .with("DBSubnetGroupName", format!("{}-subnets", form.id))
        .with("DBSubnetGroupDescription", "simulated")
        .with("VpcId", &form.vpc)
        .with("SubnetGroupStatus", "Complete")
        .with(
            "Subnets",
            Shape::list(subnets.iter().map(|subnet| {
                Shape::structure()
                    .with("SubnetIdentifier", &subnet.id)
                    .with("SubnetAvailabilityZone", Shape::structure().with("Name", zone(&subnet.zone)))
                    .with("SubnetStatus", "Active")
            })),
        );
    // One that is being made has no endpoint yet.
    let endpoint = (form.status != "creating").then(|| Shape::structure().with("Address", &host).with("Port", form.port()));
    let parameters = Shape::structure()
        .with("DBParameterGroupName", format!("{}-parameters", form.id))
        .with("ParameterApplyStatus", "in-sync");
    Shape::structure()
        .with("DBInstanceIdentifier", id)
        .with("DBInstanceArn", arn(world, request, "db", id))
        .with("DBInstanceClass", "db.t4g.medium")
        .with("Engine", &form.engine)
        .with("DBInstanceStatus", &form.status)
        .with("MasterUsername", "admin")
        .with("Endpoint", endpoint)
        .with("AllocatedStorage", form.storage)
        .with("VpcSecurityGroups", memberships(form))
        .with("DBParameterGroups", Shape::list([parameters]))
        .with("AvailabilityZone", subnets.first().map(|subnet| zone(&subnet.zone)))
        .with("DBSubnetGroup", group)
        .with("MultiAZ", form.multi_az)
        .with("PubliclyAccessible", form.public)
        .with("NetworkType", if form.dual_stack { "DUAL" } else { "IPV4" })
        .with("DBClusterIdentifier", is_cluster(form).then_some(form.id.as_str()))
        .with("CACertificateIdentifier", "rds-ca-rsa2048-g1")
        .with("MasterUserSecret", if is_cluster(form) { Shape::Absent } else { master_secret(form) })
}

fn memberships(form: &DatabaseForm) -> Shape {
    let group = |id| Shape::structure().with("VpcSecurityGroupId", id).with("Status", "active");
    Shape::list(form.groups.iter().flatten().map(group))
}

fn master_secret(form: &DatabaseForm) -> Shape {
    match &form.secret_arn {
        Some(arn) => Shape::structure().with("SecretArn", arn).with("SecretStatus", &form.secret_status),
        None => Shape::Absent,
    }
}

pub(super) fn describe_db_clusters(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let asked = request.parameters().text("DBClusterIdentifier");
    let all = world.network.databases.iter().filter(|form| is_cluster(form));
    let all: Vec<&DatabaseForm> = all.filter(|form| asked.is_none_or(|id| form.id == id)).collect();
    if let (Some(id), true) = (asked, all.is_empty()) {
        return Err(WireError::new("DBClusterNotFoundFault", format!("DBCluster {id} not found.")).with_status(404));
    }
    listed(
        world,
        request,
        "DBClusters",
        all,
        |form, name| match name {
            "db-cluster-id" => Some(form.id.clone()),
            "engine" => Some(form.engine.clone()),
            _ => None,
        },
        |form| {
            let host = |kind: &str| format!("{}.{kind}-{}.{}.rds.amazonaws.com", form.id, ACCOUNT_LABEL, request.region);
            let member = Shape::structure().with("DBInstanceIdentifier", format!("{}-1", form.id)).with("IsClusterWriter", true);
            Shape::structure()
                .with("DBClusterIdentifier", &form.id)
                .with("DBClusterArn", arn(world, request, "cluster", &form.id))
                .with("Engine", &form.engine)
                .with("Status", &form.status)
                .with("Endpoint", host("cluster"))
                .with("ReaderEndpoint", host("cluster-ro"))
                .with("Port", form.port())
                .with("NetworkType", if form.dual_stack { "DUAL" } else { "IPV4" })
                .with("DBSubnetGroup", format!("{}-subnets", form.id))
                .with("DBClusterParameterGroup", format!("{}-parameters", form.id))
                .with("VpcSecurityGroups", memberships(form))
                .with("DBClusterMembers", Shape::list([member]))
                .with("MasterUserSecret", master_secret(form))
        },
    )
}

pub(super) fn describe_db_proxies(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let asked = request.parameters().text("DBProxyName");
    let all = world.network.databases.iter().filter(|form| form.kind == DatabaseKindForm::Proxy);
    let all: Vec<&DatabaseForm> = all.filter(|form| asked.is_none_or(|id| form.id == id)).collect();
    if let (Some(id), true) = (asked, all.is_empty()) {
        return Err(
            WireError::new("DBProxyNotFoundFault", format!("The specified proxy name {id} was not found.")).with_status(404)
        );
    }
    listed(
        world,
        request,
        "DBProxies",
        all,
        |_, _| None,
        |form| {
            let family = if form.engine.contains("mysql") || form.engine == "mariadb" { "MYSQL" } else { "POSTGRESQL" };
            Shape::structure()
                .with("DBProxyName", &form.id)
                .with("Status", &form.status)
                .with("EngineFamily", family)
                .with("VpcId", &form.vpc)
                .with("VpcSecurityGroupIds", Shape::list(form.groups.iter().flatten()))
                .with("VpcSubnetIds", Shape::list(form.subnets.iter().flatten()))
                .with("Endpoint", format!("{}.proxy-{}.{}.rds.amazonaws.com", form.id, ACCOUNT_LABEL, request.region))
                .with("RequireTLS", form.requires_tls)
        },
    )
}

pub(super) fn describe_db_parameters(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    parameters_of(world, request, "DBParameterGroupName", "DBParameterGroupNotFound")
}

pub(super) fn describe_db_cluster_parameters(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    parameters_of(world, request, "DBClusterParameterGroupName", "DBParameterGroupNotFound")
}

fn parameters_of(world: &SimulatedAccount, request: &WireRequest, member: &str, unknown: &str) -> OperationResult {
    let parameters: Parameters<'_> = request.parameters();
    let name = parameters.text(member).unwrap_or_default();
    let form = world.network.databases.iter().find(|form| format!("{}-parameters", form.id) == name);
    let form = form.ok_or_else(|| WireError::new(unknown, format!("DBParameterGroup not found: {name}")).with_status(404))?;
    listed(
        world,
        request,
        "Parameters",
        form.parameters.iter().collect(),
        |(own, _), name| (name == "parameter-name").then(|| (*own).clone()),
        |(name, value)| {
            Shape::structure()
                .with("ParameterName", *name)
                .with("ParameterValue", *value)
                .with("Source", "user")
                .with("IsModifiable", true)
        },
    )
}
