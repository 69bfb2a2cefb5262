//! NAT gateways.

use crate::aws::Aws;
use crate::aws::query::xml::list;
use crate::aws::query::{Listing, QueryAction, QueryClient};
use crate::model::NatGateway;
use serde::Deserialize;

/// The NAT gateways.
pub(in crate::aws) struct DescribeNatGateways;

impl QueryAction for DescribeNatGateways {
    const ACTION: &'static str = "DescribeNatGateways";
    const CALL: &'static str = "ec2:DescribeNatGateways";
    type Answer = NatGateways;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

impl Listing for DescribeNatGateways {
    type Item = NatGateway;

    fn page(answer: NatGateways) -> (Vec<NatGateway>, Option<String>) {
        (answer.gateways.into_iter().map(NatGateway::from).collect(), answer.next)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct NatGateways {
    #[serde(rename = "natGatewaySet", deserialize_with = "list")]
    gateways: Vec<WireNatGateway>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireNatGateway {
    nat_gateway_id: String,
    #[serde(default)]
    vpc_id: String,
    subnet_id: Option<String>,
    #[serde(default)]
    state: String,
    connectivity_type: Option<String>,
    failure_message: Option<String>,
    #[serde(default, deserialize_with = "list")]
    nat_gateway_address_set: Vec<WireNatAddress>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireNatAddress {
    public_ip: Option<String>,
}

impl From<WireNatGateway> for NatGateway {
    fn from(gateway: WireNatGateway) -> NatGateway {
        NatGateway {
            id: gateway.nat_gateway_id,
            vpc_id: gateway.vpc_id,
            subnet_id: gateway.subnet_id.filter(|id| !id.is_empty()),
            state: gateway.state,
            is_public: gateway.connectivity_type.as_deref() != Some("private"),
            failure: gateway.failure_message.filter(|text| !text.is_empty()),
            public_addresses: gateway
                .nat_gateway_address_set
                .into_iter()
                .filter_map(|address| address.public_ip?.parse().ok())
                .collect(),
        }
    }
}
