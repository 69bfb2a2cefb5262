//! What is asked of EC2 about networks. None of these actions can be allowed for single resources.

use super::query::{ec2, transit};
use super::{Aws, AwsCaller, QueryInput};
use crate::model::{
    IpRange, NatGateway, NetworkAcl, Observation, Peering, RouteTable, SecurityGroup, Subnet, TransitAssociation,
    TransitAttachment, TransitRoute, VpcEndpoint,
};

/// The resource of an action that has none.
const ANY: &str = "*";

/// An attribute of a VPC that decides whether the names of its endpoints are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DnsAttribute {
    Support,
    Hostnames,
}

impl Aws {
    pub(crate) async fn security_groups(&self, caller: &AwsCaller, asked: QueryInput) -> Observation<Vec<SecurityGroup>> {
        self.list(ec2::DescribeSecurityGroups, caller, ANY, asked).await
    }

    pub(crate) async fn subnets(&self, caller: &AwsCaller, asked: QueryInput) -> Observation<Vec<Subnet>> {
        self.list(ec2::DescribeSubnets, caller, ANY, asked).await
    }

    pub(crate) async fn route_tables(&self, caller: &AwsCaller, asked: QueryInput) -> Observation<Vec<RouteTable>> {
        self.list(ec2::DescribeRouteTables, caller, ANY, asked).await
    }

    pub(crate) async fn network_acls(&self, caller: &AwsCaller, asked: QueryInput) -> Observation<Vec<NetworkAcl>> {
        self.list(ec2::DescribeNetworkAcls, caller, ANY, asked).await
    }

    pub(crate) async fn vpc_endpoints(&self, caller: &AwsCaller, asked: QueryInput) -> Observation<Vec<VpcEndpoint>> {
        self.list(ec2::DescribeVpcEndpoints, caller, ANY, asked).await
    }

    pub(crate) async fn nat_gateways(&self, caller: &AwsCaller, asked: QueryInput) -> Observation<Vec<NatGateway>> {
        self.list(ec2::DescribeNatGateways, caller, ANY, asked).await
    }

    pub(crate) async fn peerings(&self, caller: &AwsCaller, asked: QueryInput) -> Observation<Vec<Peering>> {
        self.list(ec2::DescribeVpcPeeringConnections, caller, ANY, asked).await
    }

    pub(crate) async fn transit_attachments(&self, caller: &AwsCaller, asked: QueryInput) -> Observation<Vec<TransitAttachment>> {
        self.list(transit::DescribeTransitGatewayVpcAttachments, caller, ANY, asked).await
    }

    /// What the attachments of transit gateways are associated with.
    pub(crate) async fn transit_associations(
        &self,
        caller: &AwsCaller,
        asked: QueryInput,
    ) -> Observation<Vec<TransitAssociation>> {
        self.list(transit::DescribeTransitGatewayAttachments, caller, ANY, asked).await
    }

    /// The routes of a transit gateway's table, which only the gateway's account reads.
    pub(crate) async fn transit_routes(&self, caller: &AwsCaller, table_id: &str) -> Observation<Vec<TransitRoute>> {
        let asked =
            QueryInput::default().with("TransitGatewayRouteTableId", table_id).filtered("state", &["active", "blackhole"]);
        let answer = self.ask(transit::SearchTransitGatewayRoutes, caller, table_id, asked).await;
        answer.and_then(|routes| match routes.whole() {
            Some(routes) => Observation::Found(routes),
            None => Observation::Failed { error: format!("{table_id} has more routes than one answer holds") },
        })
    }

    /// The ranges of a prefix list.
    pub(crate) async fn prefix_list(&self, caller: &AwsCaller, id: &str) -> Observation<Vec<IpRange>> {
        self.list(ec2::GetManagedPrefixListEntries, caller, id, QueryInput::default().with("PrefixListId", id)).await
    }

    /// Whether an attribute of a VPC is on. EC2 answers for one attribute at a time.
    pub(crate) async fn dns_attribute(&self, caller: &AwsCaller, vpc_id: &str, attribute: DnsAttribute) -> Observation<bool> {
        let name = match attribute {
            DnsAttribute::Support => "enableDnsSupport",
            DnsAttribute::Hostnames => "enableDnsHostnames",
        };
        let asked = QueryInput::default().with("VpcId", vpc_id).with("Attribute", name);
        let answer = self.ask(ec2::DescribeVpcAttribute, caller, vpc_id, asked).await;
        answer.and_then(|attribute| match attribute.is_on() {
            Some(is_on) => Observation::Found(is_on),
            None => Observation::Failed { error: format!("the answer of ec2:DescribeVpcAttribute has no {name}") },
        })
    }
}
