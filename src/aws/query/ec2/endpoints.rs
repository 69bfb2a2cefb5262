//! VPC endpoints.

use crate::aws::Aws;
use crate::aws::query::xml::list;
use crate::aws::query::{Listing, QueryAction, QueryClient};
use crate::model::{EndpointKind, VpcEndpoint};
use serde::Deserialize;

/// The endpoints of a VPC.
pub(in crate::aws) struct DescribeVpcEndpoints;

impl QueryAction for DescribeVpcEndpoints {
    const ACTION: &'static str = "DescribeVpcEndpoints";
    const CALL: &'static str = "ec2:DescribeVpcEndpoints";
    type Answer = VpcEndpoints;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

impl Listing for DescribeVpcEndpoints {
    type Item = VpcEndpoint;

    fn page(answer: VpcEndpoints) -> (Vec<VpcEndpoint>, Option<String>) {
        (answer.endpoints.into_iter().map(VpcEndpoint::from).collect(), answer.next)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct VpcEndpoints {
    #[serde(rename = "vpcEndpointSet", deserialize_with = "list")]
    endpoints: Vec<WireEndpoint>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEndpoint {
    vpc_endpoint_id: String,
    #[serde(default)]
    vpc_endpoint_type: String,
    #[serde(default)]
    vpc_id: String,
    #[serde(default)]
    service_name: String,
    #[serde(default)]
    state: String,
    policy_document: Option<String>,
    #[serde(default, deserialize_with = "list")]
    route_table_id_set: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    subnet_id_set: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    group_set: Vec<WireMembership>,
    #[serde(default)]
    private_dns_enabled: bool,
    dns_options: Option<WireDnsOptions>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDnsOptions {
    dns_record_ip_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMembership {
    group_id: String,
}

impl From<WireEndpoint> for VpcEndpoint {
    fn from(endpoint: WireEndpoint) -> VpcEndpoint {
        VpcEndpoint {
            kind: match endpoint.vpc_endpoint_type.to_ascii_lowercase().as_str() {
                "interface" => EndpointKind::Interface,
                "gateway" => EndpointKind::Gateway,
                _ => EndpointKind::Other,
            },
            id: endpoint.vpc_endpoint_id,
            service: endpoint.service_name,
            vpc_id: endpoint.vpc_id,
            // The wire has `available` and `Available`, as the version of the model wills.
            state: endpoint.state,
            subnet_ids: endpoint.subnet_id_set,
            route_table_ids: endpoint.route_table_id_set,
            security_group_ids: endpoint.group_set.into_iter().map(|group| group.group_id).collect(),
            private_dns: endpoint.private_dns_enabled,
            is_ipv6_only: endpoint.dns_options.and_then(|dns| dns.dns_record_ip_type).as_deref() == Some("ipv6"),
            policy: endpoint.policy_document.and_then(|text| serde_json::from_str(&text).ok()),
        }
    }
}
