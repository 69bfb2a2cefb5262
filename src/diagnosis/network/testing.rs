//! A network in which everything is reached, for tests that break one thing of it.
//!
//! The function's subnet and group are those of the diagnosis's healthy world.

use crate::model::{
    AclEntry, DatabaseChoice, DatabaseKind, EndpointKind, GroupPeer, GroupRule, IpProtocol, IpRange, NatGateway, Network,
    NetworkAcl, Observation, PortRange, RouteDestination, RouteTable, RouteTarget, SecurityGroup, Subnet, TargetDatabase, Vpc,
    VpcEndpoint, VpcRoute,
};

pub(crate) const VPC: &str = "vpc-0a1b2c3d";
pub(crate) const SUBNET: &str = "subnet-0a1b2c3d";
pub(crate) const DB_SUBNET: &str = "subnet-0db";
pub(crate) const GROUP: &str = "sg-0a1b2c3d";
pub(crate) const DB_GROUP: &str = "sg-0db";
pub(crate) const ENDPOINT_GROUP: &str = "sg-0vpce";

pub(crate) fn range(text: &str) -> IpRange {
    text.parse().unwrap()
}

pub(crate) fn to_group(id: &str) -> GroupPeer {
    GroupPeer::Group { id: id.to_owned(), owner: None, vpc_id: None, peering_id: None, peering_status: None }
}

/// A rule for one TCP port.
pub(crate) fn rule(port: u16, peer: GroupPeer) -> GroupRule {
    GroupRule { protocol: IpProtocol::Tcp, ports: Some(PortRange::one(port)), peer }
}

pub(crate) fn group(id: &str, vpc: &str, ingress: Vec<GroupRule>) -> SecurityGroup {
    let out = GroupRule { protocol: IpProtocol::All, ports: None, peer: GroupPeer::Range(range("0.0.0.0/0")) };
    SecurityGroup { id: id.to_owned(), name: None, vpc_id: vpc.to_owned(), ingress, egress: vec![out] }
}

pub(crate) fn subnet(id: &str, vpc: &str, addresses: &str) -> Subnet {
    Subnet {
        id: id.to_owned(),
        vpc_id: vpc.to_owned(),
        range: Some(range(addresses)),
        zone: "eu-west-1a".to_owned(),
        free_addresses: 200,
        ipv6_ranges: Vec::new(),
    }
}

pub(crate) fn route(to: &str, target: &str) -> VpcRoute {
    VpcRoute {
        destination: RouteDestination::Range(range(to)),
        target: RouteTarget::from(target.to_owned()),
        is_blackhole: false,
    }
}

pub(crate) fn table(id: &str, vpc: &str, subnets: &[&str], routes: Vec<VpcRoute>) -> RouteTable {
    RouteTable {
        id: id.to_owned(),
        vpc_id: vpc.to_owned(),
        is_main: subnets.is_empty(),
        subnet_ids: subnets.iter().map(ToString::to_string).collect(),
        routes,
    }
}

/// An ACL that lets everything through, as EC2 makes it.
pub(crate) fn open_acl(id: &str, vpc: &str, subnets: &[&str]) -> NetworkAcl {
    let entry = |is_egress| AclEntry {
        number: 100,
        is_egress,
        is_allow: true,
        protocol: IpProtocol::All,
        range: range("0.0.0.0/0"),
        ports: None,
    };
    NetworkAcl {
        id: id.to_owned(),
        vpc_id: vpc.to_owned(),
        subnet_ids: subnets.iter().map(ToString::to_string).collect(),
        entries: vec![entry(false), entry(true)],
    }
}

/// A PostgreSQL instance that the configuration names, in its own subnet of the function's VPC.
pub(crate) fn database() -> TargetDatabase {
    TargetDatabase {
        kind: DatabaseKind::Instance,
        id: "orders".to_owned(),
        engine: Some("postgres".to_owned()),
        host: Some("orders.abcdefghijkl.eu-west-1.rds.amazonaws.com".to_owned()),
        address: None,
        port: Some(5432),
        status: Some("available".to_owned()),
        vpc_id: Some(VPC.to_owned()),
        subnet_ids: vec![DB_SUBNET.to_owned()],
        security_group_ids: vec![DB_GROUP.to_owned()],
        publicly_accessible: false,
        is_dual_stack: false,
        is_ipv6_only: false,
        storage_gib: Some(100),
        tls: Observation::NotApplicable { because: "nothing asks for it".to_owned() },
        authority: None,
        master_secret: None,
        found_by: DatabaseChoice::Configured,
    }
}

/// The function's subnet, that of the database, and a public one with a NAT gateway; an endpoint for Secrets Manager.
pub(crate) fn world() -> Network {
    let local = || route("10.0.0.0/16", "local");
    Network {
        cut_short: Vec::new(),
        vpcs: Observation::Found(vec![Vpc {
            id: VPC.to_owned(),
            ranges: vec![range("10.0.0.0/16")],
            dns_support: Some(true),
            dns_hostnames: Some(true),
        }]),
        subnets: Observation::Found(vec![
            subnet(SUBNET, VPC, "10.0.1.0/24"),
            subnet(DB_SUBNET, VPC, "10.0.2.0/24"),
            subnet("subnet-0pub", VPC, "10.0.3.0/24"),
        ]),
        route_tables: Observation::Found(vec![
            table("rtb-0main", VPC, &[], vec![local()]),
            table("rtb-0fn", VPC, &[SUBNET], vec![local(), route("0.0.0.0/0", "nat-0a1b2c3d")]),
            table("rtb-0pub", VPC, &["subnet-0pub"], vec![local(), route("0.0.0.0/0", "igw-0a1b2c3d")]),
        ]),
        nat_gateways: Observation::Found(vec![NatGateway {
            id: "nat-0a1b2c3d".to_owned(),
            vpc_id: VPC.to_owned(),
            subnet_id: Some("subnet-0pub".to_owned()),
            state: "available".to_owned(),
            is_public: true,
            failure: None,
            public_addresses: vec!["203.0.113.7".parse().unwrap()],
        }]),
        network_acls: Observation::Found(vec![open_acl("acl-0a1b2c3d", VPC, &[SUBNET, DB_SUBNET, "subnet-0pub"])]),
        security_groups: Observation::Found(vec![
            group(GROUP, VPC, Vec::new()),
            group(DB_GROUP, VPC, vec![rule(5432, to_group(GROUP))]),
            group(ENDPOINT_GROUP, VPC, vec![rule(443, GroupPeer::Range(range("10.0.0.0/16")))]),
        ]),
        prefix_lists: Observation::Found(Vec::new()),
        endpoints: Observation::Found(vec![VpcEndpoint {
            id: "vpce-0a1b2c3d".to_owned(),
            kind: EndpointKind::Interface,
            service: "com.amazonaws.eu-west-1.secretsmanager".to_owned(),
            vpc_id: VPC.to_owned(),
            state: "available".to_owned(),
            subnet_ids: vec![SUBNET.to_owned()],
            route_table_ids: Vec::new(),
            security_group_ids: vec![ENDPOINT_GROUP.to_owned()],
            private_dns: true,
            is_ipv6_only: false,
            policy: None,
        }]),
        peerings: Observation::Found(Vec::new()),
        transit_attachments: Observation::Found(Vec::new()),
        transit_associations: Observation::Found(Vec::new()),
        transit_tables: Observation::Found(Vec::new()),
        databases: Observation::Found(vec![database()]),
    }
}

/// The function's subnet leads to an Internet gateway, and there is no endpoint.
pub(crate) fn public_subnet() -> Network {
    let mut network = world();
    network.endpoints = Observation::Found(Vec::new());
    if let Observation::Found(tables) = &mut network.route_tables {
        tables[1].routes[1] = route("0.0.0.0/0", "igw-0a1b2c3d");
    }
    network
}
