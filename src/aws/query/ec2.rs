//! What is asked of EC2, and its answers.
//!
//! Source of all names: the service model of EC2, `2016-11-15`.

mod endpoints;
mod nat_gateways;
mod network_acls;
mod peerings;
mod prefix_lists;
mod route_tables;
mod security_groups;
mod subnets;
mod vpc_attribute;

pub(in crate::aws) use endpoints::DescribeVpcEndpoints;
pub(in crate::aws) use nat_gateways::DescribeNatGateways;
pub(in crate::aws) use network_acls::DescribeNetworkAcls;
pub(in crate::aws) use peerings::DescribeVpcPeeringConnections;
pub(in crate::aws) use prefix_lists::GetManagedPrefixListEntries;
pub(in crate::aws) use route_tables::DescribeRouteTables;
pub(in crate::aws) use security_groups::DescribeSecurityGroups;
pub(in crate::aws) use subnets::DescribeSubnets;
pub(in crate::aws) use vpc_attribute::DescribeVpcAttribute;
