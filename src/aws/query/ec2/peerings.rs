//! VPC peering connections.

use crate::aws::Aws;
use crate::aws::query::xml::list;
use crate::aws::query::{Listing, QueryAction, QueryClient};
use crate::model::{IpRange, PeeredVpc, Peering};
use serde::Deserialize;

/// The connections between VPCs.
pub(in crate::aws) struct DescribeVpcPeeringConnections;

impl QueryAction for DescribeVpcPeeringConnections {
    const ACTION: &'static str = "DescribeVpcPeeringConnections";
    const CALL: &'static str = "ec2:DescribeVpcPeeringConnections";
    type Answer = Peerings;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

impl Listing for DescribeVpcPeeringConnections {
    type Item = Peering;

    fn page(answer: Peerings) -> (Vec<Peering>, Option<String>) {
        (answer.peerings.into_iter().map(Peering::from).collect(), answer.next)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct Peerings {
    #[serde(rename = "vpcPeeringConnectionSet", deserialize_with = "list")]
    peerings: Vec<WirePeering>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePeering {
    vpc_peering_connection_id: String,
    status: Option<WireStatus>,
    requester_vpc_info: WirePeer,
    accepter_vpc_info: WirePeer,
}

#[derive(Debug, Deserialize)]
struct WireStatus {
    code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePeer {
    #[serde(default)]
    vpc_id: String,
    owner_id: Option<String>,
    region: Option<String>,
    cidr_block: Option<String>,
    #[serde(default, deserialize_with = "list")]
    cidr_block_set: Vec<WireBlock>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireBlock {
    cidr_block: String,
}

impl From<WirePeering> for Peering {
    fn from(peering: WirePeering) -> Peering {
        Peering {
            id: peering.vpc_peering_connection_id,
            status: peering.status.and_then(|status| status.code).unwrap_or_default(),
            requester: PeeredVpc::from(peering.requester_vpc_info),
            accepter: PeeredVpc::from(peering.accepter_vpc_info),
        }
    }
}

impl From<WirePeer> for PeeredVpc {
    fn from(peer: WirePeer) -> PeeredVpc {
        let mut ranges: Vec<IpRange> = Vec::new();
        for text in peer.cidr_block.into_iter().chain(peer.cidr_block_set.into_iter().map(|block| block.cidr_block)) {
            if let Ok(range) = text.parse()
                && !ranges.contains(&range)
            {
                ranges.push(range);
            }
        }
        PeeredVpc { vpc_id: peer.vpc_id, owner: peer.owner_id, region: peer.region, ranges }
    }
}
