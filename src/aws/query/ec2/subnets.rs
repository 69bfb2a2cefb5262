//! Subnets.

use crate::aws::Aws;
use crate::aws::query::xml::list;
use crate::aws::query::{Listing, QueryAction, QueryClient};
use crate::model::{IpRange, Subnet};
use serde::Deserialize;

/// The subnets.
pub(in crate::aws) struct DescribeSubnets;

impl QueryAction for DescribeSubnets {
    const ACTION: &'static str = "DescribeSubnets";
    const CALL: &'static str = "ec2:DescribeSubnets";
    type Answer = Subnets;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

impl Listing for DescribeSubnets {
    type Item = Subnet;

    fn page(answer: Subnets) -> (Vec<Subnet>, Option<String>) {
        (answer.subnets.into_iter().map(Subnet::from).collect(), answer.next)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct Subnets {
    #[serde(rename = "subnetSet", deserialize_with = "list")]
    subnets: Vec<WireSubnet>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSubnet {
    subnet_id: String,
    vpc_id: String,
    cidr_block: Option<String>,
    #[serde(default)]
    availability_zone: String,
    #[serde(default)]
    available_ip_address_count: u32,
    #[serde(default, deserialize_with = "list")]
    ipv6_cidr_block_association_set: Vec<WireIpv6Association>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireIpv6Association {
    ipv6_cidr_block: Option<String>,
    ipv6_cidr_block_state: Option<WireIpv6State>,
}

#[derive(Debug, Deserialize)]
struct WireIpv6State {
    state: Option<String>,
}

impl WireIpv6Association {
    /// The range, while it is the subnet's.
    fn range(self) -> Option<IpRange> {
        let state = self.ipv6_cidr_block_state.and_then(|state| state.state);
        let is_own = state.is_none_or(|state| state == "associated");
        self.ipv6_cidr_block.filter(|_| is_own)?.parse().ok()
    }
}

impl From<WireSubnet> for Subnet {
    fn from(subnet: WireSubnet) -> Subnet {
        Subnet {
            range: subnet.cidr_block.and_then(|range| range.parse().ok()),
            id: subnet.subnet_id,
            vpc_id: subnet.vpc_id,
            zone: subnet.availability_zone,
            free_addresses: subnet.available_ip_address_count,
            ipv6_ranges: subnet.ipv6_cidr_block_association_set.into_iter().filter_map(WireIpv6Association::range).collect(),
        }
    }
}
