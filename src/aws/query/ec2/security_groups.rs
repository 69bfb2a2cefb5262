//! Security groups, with their rules.

use crate::aws::Aws;
use crate::aws::query::xml::list;
use crate::aws::query::{Listing, QueryAction, QueryClient};
use crate::model::{GroupPeer, GroupRule, IpProtocol, PortRange, SecurityGroup};
use serde::Deserialize;

/// The security groups.
pub(in crate::aws) struct DescribeSecurityGroups;

impl QueryAction for DescribeSecurityGroups {
    const ACTION: &'static str = "DescribeSecurityGroups";
    const CALL: &'static str = "ec2:DescribeSecurityGroups";
    type Answer = SecurityGroups;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

impl Listing for DescribeSecurityGroups {
    type Item = SecurityGroup;

    fn page(answer: SecurityGroups) -> (Vec<SecurityGroup>, Option<String>) {
        (answer.groups.into_iter().map(SecurityGroup::from).collect(), answer.next)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct SecurityGroups {
    #[serde(rename = "securityGroupInfo", deserialize_with = "list")]
    groups: Vec<WireGroup>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireGroup {
    group_id: String,
    group_name: Option<String>,
    #[serde(default)]
    vpc_id: String,
    #[serde(default, deserialize_with = "list")]
    ip_permissions: Vec<WirePermission>,
    #[serde(default, deserialize_with = "list")]
    ip_permissions_egress: Vec<WirePermission>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePermission {
    ip_protocol: String,
    from_port: Option<i64>,
    to_port: Option<i64>,
    #[serde(default, deserialize_with = "list")]
    groups: Vec<WireGroupPair>,
    #[serde(default, deserialize_with = "list")]
    ip_ranges: Vec<WireRange>,
    #[serde(default, deserialize_with = "list")]
    ipv6_ranges: Vec<WireRange6>,
    #[serde(default, deserialize_with = "list")]
    prefix_list_ids: Vec<WirePrefixListId>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireGroupPair {
    group_id: Option<String>,
    user_id: Option<String>,
    vpc_id: Option<String>,
    vpc_peering_connection_id: Option<String>,
    peering_status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRange {
    cidr_ip: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRange6 {
    cidr_ipv6: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePrefixListId {
    prefix_list_id: String,
}

impl From<WireGroup> for SecurityGroup {
    fn from(group: WireGroup) -> SecurityGroup {
        let rules = |permissions: Vec<WirePermission>| permissions.into_iter().flat_map(rules_of).collect();
        SecurityGroup {
            ingress: rules(group.ip_permissions),
            egress: rules(group.ip_permissions_egress),
            id: group.group_id,
            name: group.group_name,
            vpc_id: group.vpc_id,
        }
    }
}

/// One rule for each peer. A peer that cannot be read makes no rule: a rule only ever allows.
fn rules_of(permission: WirePermission) -> Vec<GroupRule> {
    let protocol = IpProtocol::of(&permission.ip_protocol);
    // EC2 writes -1, or nothing, for all ports.
    let ports = match (permission.from_port, permission.to_port) {
        (Some(from), Some(to)) => PortRange::between(from, to),
        _ => None,
    };
    let groups = permission.groups.into_iter().filter_map(|pair| {
        Some(GroupPeer::Group {
            id: pair.group_id?,
            owner: pair.user_id,
            vpc_id: pair.vpc_id,
            peering_id: pair.vpc_peering_connection_id,
            peering_status: pair.peering_status,
        })
    });
    let ranges = permission.ip_ranges.into_iter().map(|range| range.cidr_ip);
    let ranges = ranges.chain(permission.ipv6_ranges.into_iter().map(|range| range.cidr_ipv6));
    let ranges = ranges.filter_map(|range| range.parse().ok().map(GroupPeer::Range));
    let lists = permission.prefix_list_ids.into_iter().map(|list| GroupPeer::PrefixList(list.prefix_list_id));
    groups.chain(ranges).chain(lists).map(|peer| GroupRule { protocol, ports, peer }).collect()
}
