//! Route tables, with their routes.

use crate::aws::Aws;
use crate::aws::query::xml::list;
use crate::aws::query::{Listing, QueryAction, QueryClient};
use crate::model::{RouteDestination, RouteTable, RouteTarget, VpcRoute};
use serde::Deserialize;

/// The route tables.
pub(in crate::aws) struct DescribeRouteTables;

impl QueryAction for DescribeRouteTables {
    const ACTION: &'static str = "DescribeRouteTables";
    const CALL: &'static str = "ec2:DescribeRouteTables";
    type Answer = RouteTables;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

impl Listing for DescribeRouteTables {
    type Item = RouteTable;

    fn page(answer: RouteTables) -> (Vec<RouteTable>, Option<String>) {
        (answer.tables.into_iter().map(RouteTable::from).collect(), answer.next)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct RouteTables {
    #[serde(rename = "routeTableSet", deserialize_with = "list")]
    tables: Vec<WireRouteTable>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRouteTable {
    route_table_id: String,
    vpc_id: String,
    #[serde(default, deserialize_with = "list")]
    route_set: Vec<WireRoute>,
    #[serde(default, deserialize_with = "list")]
    association_set: Vec<WireAssociation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRoute {
    destination_cidr_block: Option<String>,
    destination_ipv6_cidr_block: Option<String>,
    destination_prefix_list_id: Option<String>,
    gateway_id: Option<String>,
    nat_gateway_id: Option<String>,
    egress_only_internet_gateway_id: Option<String>,
    vpc_peering_connection_id: Option<String>,
    transit_gateway_id: Option<String>,
    network_interface_id: Option<String>,
    instance_id: Option<String>,
    carrier_gateway_id: Option<String>,
    local_gateway_id: Option<String>,
    core_network_arn: Option<String>,
    state: Option<String>,
    origin: Option<String>,
}

impl WireRoute {
    /// True where a virtual private gateway told the table of it.
    fn is_propagated(&self) -> bool {
        self.origin.as_deref() == Some("EnableVgwRoutePropagation")
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAssociation {
    #[serde(default)]
    main: bool,
    subnet_id: Option<String>,
}

impl From<WireRouteTable> for RouteTable {
    fn from(table: WireRouteTable) -> RouteTable {
        RouteTable {
            is_main: table.association_set.iter().any(|association| association.main),
            subnet_ids: table.association_set.into_iter().filter_map(|association| association.subnet_id).collect(),
            routes: {
                let (propagated, fixed): (Vec<_>, Vec<_>) = table.route_set.into_iter().partition(WireRoute::is_propagated);
                fixed.into_iter().chain(propagated).filter_map(route_of).collect()
            },
            id: table.route_table_id,
            vpc_id: table.vpc_id,
        }
    }
}

fn route_of(route: WireRoute) -> Option<VpcRoute> {
    let range = route.destination_cidr_block.or(route.destination_ipv6_cidr_block);
    let destination = match (range, route.destination_prefix_list_id) {
        (Some(range), _) => RouteDestination::Range(range.parse().ok()?),
        (None, Some(list)) => RouteDestination::PrefixList(list),
        (None, None) => return None,
    };
    // An instance stands beside its interface.
    let target = [
        route.gateway_id,
        route.nat_gateway_id,
        route.egress_only_internet_gateway_id,
        route.vpc_peering_connection_id,
        route.transit_gateway_id,
        route.network_interface_id,
        route.instance_id,
        route.carrier_gateway_id,
        route.local_gateway_id,
        route.core_network_arn,
    ];
    let target = target.into_iter().flatten().find(|id| !id.is_empty()).unwrap_or_default();
    let is_blackhole = route.state.as_deref() == Some("blackhole");
    Some(VpcRoute { destination, target: RouteTarget::from(target), is_blackhole })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn static_routes_come_before_those_that_a_gateway_propagates() {
        let route = |target: &str, origin: &str| {
            format!(
                "<item><destinationCidrBlock>10.1.0.0/16</destinationCidrBlock><gatewayId>{target}</gatewayId>\
                 <state>active</state><origin>{origin}</origin></item>"
            )
        };
        let routes = [route("vgw-1", "EnableVgwRoutePropagation"), route("pcx-1", "CreateRoute")].concat();
        let answer = format!(
            "<DescribeRouteTablesResponse><routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId>\
             <routeSet>{routes}</routeSet></item></routeTableSet></DescribeRouteTablesResponse>"
        );
        let (tables, _) = DescribeRouteTables::page(quick_xml::de::from_str(&answer).unwrap());
        let targets: Vec<&str> = tables[0].routes.iter().map(|route| route.target.id()).collect();
        assert_eq!(targets, ["pcx-1", "vgw-1"]);
    }
}
