//! An endpoint that the function's calls of a service go through, where the VPC has none.

use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::network::{OtherEnd, Reachability, to_service};
use crate::model::{EndpointKind, FunctionFacts, Network, Observation, Remediation, SecurityGroup, VpcConfig, VpcEndpoint};

impl Remediation {
    /// An interface endpoint with a security group that lets the function in: one that does, else the function's own.
    pub(in crate::diagnosis) fn make_endpoint(
        self,
        context: &DiagnosisContext<'_>,
        vpc: &VpcConfig,
        service: &str,
    ) -> Remediation {
        let network = &context.evidence.network;
        let mut fix = self;
        for (attribute, is_on) in dns_attributes(network, &vpc.vpc_id) {
            if is_on == Some(false) {
                fix = fix.turn_on_dns(context, &vpc.vpc_id, attribute);
            }
        }
        let group = match endpoint_group(context, vpc, service) {
            Some(group) => group,
            None => {
                let Some(own) = vpc.security_group_ids.first() else { return fix };
                fix = fix.let_in(context, std::slice::from_ref(own), 443, &OtherEnd::Groups(vec![own.clone()]));
                own
            }
        };
        let name = format!("com.amazonaws.{}.{service}", context.evidence.region);
        let mut words = vec!["ec2", "create-vpc-endpoint", "--vpc-id", &vpc.vpc_id, "--vpc-endpoint-type", "Interface"];
        words.extend(["--service-name", &name, "--subnet-ids"]);
        words.extend(one_per_zone(network, vpc));
        words.extend(["--security-group-ids", group, "--private-dns-enabled"]);
        fix.call(context, &words).needs("ec2:CreateVpcEndpoint").warn(
            "Private DNS sends the whole VPC's calls to this service through the endpoint: its security group must let in \
             everything that calls it today.",
        )
    }
}

fn dns_attributes(network: &Network, vpc: &str) -> [(&'static str, Option<bool>); 2] {
    let found = network.vpcs.found().and_then(|all| all.iter().find(|one| one.id == vpc));
    [("enableDnsSupport", found.and_then(|vpc| vpc.dns_support)), ("enableDnsHostnames", found.and_then(|vpc| vpc.dns_hostnames))]
}

/// A group of the VPC that lets the function in to port 443, so that an endpoint with it can be used.
fn endpoint_group<'a>(context: &DiagnosisContext<'a>, vpc: &VpcConfig, service: &str) -> Option<&'a str> {
    let function = context.function()?;
    let network = &context.evidence.network;
    let groups = network.security_groups.found()?;
    let is_usable = |group: &&SecurityGroup| group.vpc_id == vpc.vpc_id && lets_in(network, function, group, service, context);
    groups.iter().find(is_usable).map(|group| group.id.as_str())
}

/// True where the function would reach an endpoint that has this group alone.
fn lets_in(
    network: &Network,
    function: &FunctionFacts,
    group: &SecurityGroup,
    service: &str,
    context: &DiagnosisContext<'_>,
) -> bool {
    let Some(vpc) = &function.vpc else { return false };
    let region = &context.evidence.region;
    let mut with = network.clone();
    let made = made_endpoint("vpce-new", vpc, &format!("com.amazonaws.{region}.{service}"), &group.id);
    with.endpoints = Observation::Found(vec![made]);
    if let Observation::Found(vpcs) = &mut with.vpcs {
        vpcs.iter_mut().for_each(|one| (one.dns_support, one.dns_hostnames) = (Some(true), Some(true)));
    }
    to_service(&with, function, region, service).is_some_and(|paths| paths.reach() == Reachability::Reachable)
}

fn made_endpoint(id: &str, vpc: &VpcConfig, service: &str, group: &str) -> VpcEndpoint {
    VpcEndpoint {
        id: id.to_owned(),
        kind: EndpointKind::Interface,
        service: service.to_owned(),
        vpc_id: vpc.vpc_id.clone(),
        state: "available".to_owned(),
        subnet_ids: vpc.subnet_ids.clone(),
        route_table_ids: Vec::new(),
        security_group_ids: vec![group.to_owned()],
        private_dns: true,
        is_ipv6_only: false,
        policy: None,
    }
}

/// The function's subnets, one for each zone: an endpoint takes no two of one.
fn one_per_zone<'v>(network: &Network, vpc: &'v VpcConfig) -> Vec<&'v str> {
    let zone_of =
        |id: &str| network.subnets.found().and_then(|all| all.iter().find(|one| one.id == id)).map(|subnet| subnet.zone.clone());
    let mut zones = Vec::new();
    let mut kept = Vec::new();
    for id in &vpc.subnet_ids {
        let zone = zone_of(id);
        if zone.is_none() || !zones.contains(&zone) {
            zones.push(zone);
            kept.push(id.as_str());
        }
    }
    kept
}
