//! Network ACLs, with their entries.

use crate::aws::Aws;
use crate::aws::query::xml::list;
use crate::aws::query::{Listing, QueryAction, QueryClient};
use crate::model::{AclEntry, IpProtocol, NetworkAcl, PortRange};
use serde::Deserialize;

/// The network ACLs.
pub(in crate::aws) struct DescribeNetworkAcls;

impl QueryAction for DescribeNetworkAcls {
    const ACTION: &'static str = "DescribeNetworkAcls";
    const CALL: &'static str = "ec2:DescribeNetworkAcls";
    type Answer = NetworkAcls;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

impl Listing for DescribeNetworkAcls {
    type Item = NetworkAcl;

    fn page(answer: NetworkAcls) -> (Vec<NetworkAcl>, Option<String>) {
        (answer.acls.into_iter().map(NetworkAcl::from).collect(), answer.next)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct NetworkAcls {
    #[serde(rename = "networkAclSet", deserialize_with = "list")]
    acls: Vec<WireAcl>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAcl {
    network_acl_id: String,
    vpc_id: String,
    #[serde(default, deserialize_with = "list")]
    association_set: Vec<WireAclAssociation>,
    #[serde(default, deserialize_with = "list")]
    entry_set: Vec<WireEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEntry {
    rule_number: u32,
    protocol: String,
    rule_action: String,
    egress: bool,
    cidr_block: Option<String>,
    ipv6_cidr_block: Option<String>,
    port_range: Option<WirePorts>,
}

#[derive(Debug, Deserialize)]
struct WirePorts {
    from: Option<i64>,
    to: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAclAssociation {
    subnet_id: Option<String>,
}

impl From<WireAcl> for NetworkAcl {
    fn from(acl: WireAcl) -> NetworkAcl {
        NetworkAcl {
            subnet_ids: acl.association_set.into_iter().filter_map(|association| association.subnet_id).collect(),
            entries: acl.entry_set.into_iter().filter_map(entry_of).collect(),
            id: acl.network_acl_id,
            vpc_id: acl.vpc_id,
        }
    }
}

fn entry_of(entry: WireEntry) -> Option<AclEntry> {
    Some(AclEntry {
        number: entry.rule_number,
        is_egress: entry.egress,
        is_allow: entry.rule_action.eq_ignore_ascii_case("allow"),
        protocol: IpProtocol::of(&entry.protocol),
        range: entry.cidr_block.or(entry.ipv6_cidr_block)?.parse().ok()?,
        ports: entry.port_range.and_then(|range| PortRange::between(range.from?, range.to?)),
    })
}
