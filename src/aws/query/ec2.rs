//! What is asked of EC2, and its answers.
//!
//! Source of all names: the service model of EC2, `2016-11-15`.

use super::xml::list;
use super::{Listing, QueryAction, QueryClient};
use crate::aws::Aws;
use crate::model::{
    AclEntry, EndpointKind, GroupPeer, GroupRule, IpProtocol, IpRange, NatGateway, NetworkAcl, PeeredVpc, Peering, PortRange,
    RouteDestination, RouteTable, RouteTarget, SecurityGroup, Subnet, VpcEndpoint, VpcRoute,
};
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
        (Some(from), Some(to)) => ports(from, to),
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

fn ports(from: i64, to: i64) -> Option<PortRange> {
    Some(PortRange { from: u16::try_from(from).ok()?, to: u16::try_from(to).ok()? })
}

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
            routes: table.route_set.into_iter().filter_map(route_of).collect(),
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
    association_set: Vec<WireAssociation>,
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
        ports: entry.port_range.and_then(|range| ports(range.from?, range.to?)),
    })
}

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

/// The entries of a prefix list, which EC2 gives by no call whose name begins with `Describe`.
pub(in crate::aws) struct GetManagedPrefixListEntries;

impl QueryAction for GetManagedPrefixListEntries {
    const ACTION: &'static str = "GetManagedPrefixListEntries";
    const CALL: &'static str = "ec2:GetManagedPrefixListEntries";
    type Answer = PrefixListEntries;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

impl Listing for GetManagedPrefixListEntries {
    type Item = IpRange;

    fn page(answer: PrefixListEntries) -> (Vec<IpRange>, Option<String>) {
        (answer.entries.into_iter().filter_map(|entry| entry.cidr.parse().ok()).collect(), answer.next)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct PrefixListEntries {
    #[serde(rename = "entrySet", deserialize_with = "list")]
    entries: Vec<WirePrefixListEntry>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WirePrefixListEntry {
    cidr: String,
}

/// One attribute of a VPC.
pub(in crate::aws) struct DescribeVpcAttribute;

impl QueryAction for DescribeVpcAttribute {
    const ACTION: &'static str = "DescribeVpcAttribute";
    const CALL: &'static str = "ec2:DescribeVpcAttribute";
    type Answer = VpcAttribute;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

/// The attribute that was asked for; the other one is not there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::aws) struct VpcAttribute {
    enable_dns_support: Option<WireFlag>,
    enable_dns_hostnames: Option<WireFlag>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct WireFlag {
    value: bool,
}

impl VpcAttribute {
    /// Whether the attribute is on.
    pub(in crate::aws) fn is_on(&self) -> Option<bool> {
        let flag = self.enable_dns_support.as_ref().or(self.enable_dns_hostnames.as_ref());
        flag.map(|flag| flag.value)
    }
}
