//! Each hop broken alone, near-misses, and what adding and hiding things does.

mod accounts;
mod differential;
mod drawn;

use super::path::{HopPlace, HopStanding};
use super::testing::*;
use super::{NetworkPaths, Reachability, to_database, to_service, view};
use crate::diagnosis::testing::{denied, facts, healthy};
use crate::model::{
    AclEntry, FunctionFacts, GroupPeer, IpProtocol, Network, NetworkList, Observation, PeeredVpc, Peering, PortRange, PrefixList,
    RouteTarget, TargetDatabase, TransitAttachment, Vpc,
};

fn function() -> FunctionFacts {
    let mut evidence = healthy();
    facts(&mut evidence.function).clone()
}

fn list<T>(observation: &mut Observation<Vec<T>>) -> &mut Vec<T> {
    observation.found_mut().unwrap()
}

fn to_aws(network: &Network) -> NetworkPaths {
    to_service(network, &function(), "eu-west-1", "secretsmanager").unwrap()
}

fn to_db(network: &Network) -> NetworkPaths {
    let database = network.databases.found().unwrap().first().unwrap();
    to_database(network, &function(), database).unwrap()
}

#[track_caller]
fn blocked(paths: &NetworkPaths, text: &str) {
    let fault = paths.worst().and_then(|path| path.fault()).map(super::NetworkFault::text);
    assert_eq!(paths.reach(), Reachability::Blocked, "{paths:#?}");
    assert!(fault.as_deref().is_some_and(|fault| fault.contains(text)), "{fault:?}");
}

#[track_caller]
fn reachable(paths: &NetworkPaths) {
    assert_eq!(paths.reach(), Reachability::Reachable, "{paths:#?}");
}

#[track_caller]
fn unknown(paths: &NetworkPaths, missing: &str) {
    assert_eq!(paths.reach(), Reachability::Unknown, "{paths:#?}");
    assert!(paths.missing().is_some_and(|said| said.contains(missing)), "{:?}", paths.missing());
}

fn changed(change: impl FnOnce(&mut Network)) -> Network {
    let mut network = world();
    change(&mut network);
    network
}

#[test]
fn what_the_calls_did_not_suffice_for_is_named_as_not_asked_for() {
    let unseen = |network: &Network| view::group(network, "sg-0far").unwrap_err();
    let mut network = world();
    assert_eq!(unseen(&network), "sg-0far (not in AWS's answer)");
    network.cut_short = vec![NetworkList::SecurityGroups];
    assert_eq!(unseen(&network), "sg-0far (not asked for, as a look at the network makes at most 8 calls to AWS)");
    network.security_groups = Observation::TimedOut { after_ms: 2_000 };
    assert_eq!(unseen(&network), "no answer within 2 s");
}

#[test]
fn a_host_name_whose_dns_was_not_seen_passes_only_where_either_way_is_open() {
    let name = |network: &Network| {
        let hops = to_aws(network).paths.remove(0).hops;
        let names: Vec<_> = hops.iter().filter(|hop| hop.place == HopPlace::Name).cloned().collect();
        assert!(
            hops.iter().all(|hop| hop.place != HopPlace::Back || matches!(hop.standing, HopStanding::Passes(_))),
            "{hops:#?}"
        );
        assert_eq!(names.len(), 1, "{hops:#?}");
        names[0].standing.clone()
    };
    let both = changed(|network| list(&mut network.vpcs)[0].dns_hostnames = None);
    assert!(matches!(name(&both), HopStanding::Passes(text) if text.contains("either way is open")));
    let only_endpoint = changed(|network| {
        list(&mut network.vpcs)[0].dns_hostnames = None;
        list(&mut network.route_tables)[1].routes.truncate(1);
    });
    assert!(matches!(name(&only_endpoint), HopStanding::Unseen(missing) if missing.contains("the DNS attributes of")));
    unknown(&to_aws(&only_endpoint), "the DNS attributes of");
}

fn without_endpoint(change: impl FnOnce(&mut Network)) -> Network {
    changed(|network| {
        list(&mut network.endpoints).clear();
        change(network);
    })
}

fn deny_entry(is_egress: bool, from: u16, to: u16) -> AclEntry {
    AclEntry {
        number: 50,
        is_egress,
        is_allow: false,
        protocol: IpProtocol::Tcp,
        range: range("0.0.0.0/0"),
        ports: Some(PortRange { from, to }),
    }
}

#[test]
fn everything_is_reached_in_the_world_that_works_by_endpoint_and_by_nat() {
    reachable(&to_aws(&world()));
    reachable(&to_aws(&without_endpoint(|_| {})));
    reachable(&to_db(&world()));
}

#[test]
fn each_hop_to_an_endpoint_of_aws_broken_alone_is_named() {
    blocked(
        &to_aws(&changed(|n| list(&mut n.security_groups)[2].ingress.clear())),
        "no inbound rule of sg-0vpce lets TCP port 443",
    );
    blocked(&to_aws(&changed(|n| list(&mut n.security_groups)[0].egress.clear())), "no outbound rule of sg-0a1b2c3d");
    blocked(&to_aws(&changed(|n| list(&mut n.endpoints)[0].subnet_ids.clear())), "vpce-0a1b2c3d has no interface");
    blocked(
        &to_aws(&without_endpoint(|n| list(&mut n.route_tables)[1].routes.truncate(1))),
        "rtb-0fn of subnet-0a1b2c3d has no route",
    );
    blocked(
        &to_aws(&without_endpoint(|n| list(&mut n.route_tables)[1].routes[1].is_blackhole = true)),
        "nat-0a1b2c3d, which is gone",
    );
    blocked(
        &to_aws(&without_endpoint(|n| list(&mut n.nat_gateways)[0].state = "failed".to_owned())),
        "nat-0a1b2c3d is in the state failed",
    );
    blocked(&to_aws(&without_endpoint(|n| list(&mut n.nat_gateways)[0].is_public = false)), "it is a private one");
    blocked(
        &to_aws(&without_endpoint(|n| list(&mut n.route_tables)[2].routes.truncate(1))),
        "rtb-0pub of its subnet subnet-0pub",
    );
    blocked(&to_aws(&public_subnet()), "is a public subnet");
    let no_nat = |n: &mut Network| list(&mut n.route_tables)[1].routes.truncate(1);
    blocked(
        &to_aws(&changed(|n| {
            no_nat(n);
            list(&mut n.endpoints)[0].private_dns = false;
        })),
        "private DNS of vpce-0a1b2c3d is off",
    );
    blocked(
        &to_aws(&changed(|n| {
            no_nat(n);
            list(&mut n.vpcs)[0].dns_hostnames = Some(false);
        })),
        "enableDnsHostnames of vpc-0a1b2c3d is off",
    );
    blocked(
        &to_aws(&changed(|n| {
            no_nat(n);
            list(&mut n.endpoints)[0].state = "failed".to_owned();
        })),
        "vpce-0a1b2c3d is failed",
    );
    let mut acl_out = without_endpoint(|n| list(&mut n.network_acls)[0].entries.push(deny_entry(true, 443, 443)));
    blocked(&to_aws(&acl_out), "entry 50 denies it");
    list(&mut acl_out.network_acls)[0].entries.pop();
    list(&mut acl_out.network_acls)[0].entries.push(deny_entry(false, 1024, 65535));
    blocked(&to_aws(&acl_out), "the answers to ports 1024-65535 into");
}

#[test]
fn an_endpoint_that_is_broken_is_not_saved_by_a_nat_gateway_and_one_that_is_not_used_breaks_nothing() {
    blocked(&to_aws(&changed(|n| list(&mut n.security_groups)[2].ingress.clear())), "sg-0vpce");
    reachable(&to_aws(&changed(|n| {
        list(&mut n.security_groups)[2].ingress.clear();
        list(&mut n.endpoints)[0].private_dns = false;
    })));
    let other = changed(|n| {
        let mut second = list(&mut n.endpoints)[0].clone();
        (second.id, second.service) = ("vpce-0kms".to_owned(), "com.amazonaws.eu-west-1.kms".to_owned());
        second.security_group_ids = vec![DB_GROUP.to_owned()];
        list(&mut n.endpoints).push(second);
    });
    reachable(&to_aws(&other));
    blocked(&to_service(&other, &function(), "eu-west-1", "kms").unwrap(), "sg-0db");
    reachable(&to_service(&other, &function(), "eu-west-1", "sts").unwrap());
}

#[test]
fn each_hop_to_the_database_broken_alone_is_named() {
    blocked(
        &to_db(&changed(|n| list(&mut n.security_groups)[1].ingress.clear())),
        "no inbound rule of sg-0db lets TCP port 5432",
    );
    blocked(
        &to_db(&changed(|n| list(&mut n.security_groups)[0].egress = vec![rule(443, GroupPeer::Range(range("0.0.0.0/0")))])),
        "port 5432",
    );
    blocked(&to_db(&changed(|n| list(&mut n.security_groups)[1].ingress[0].ports = Some(PortRange::one(3306)))), "sg-0db");
    blocked(
        &to_db(&changed(|n| list(&mut n.security_groups)[1].ingress[0].peer = GroupPeer::Range(range("10.0.9.0/24")))),
        "sg-0db",
    );
    for is_egress in [false, true] {
        let acls = |from, to| {
            changed(|n| {
                let all = list(&mut n.network_acls);
                all[0].subnet_ids.retain(|id| id != DB_SUBNET);
                let mut own = open_acl("acl-0db", VPC, &[DB_SUBNET]);
                own.entries.push(deny_entry(is_egress, from, to));
                all.push(own);
            })
        };
        let paths = if is_egress { to_db(&acls(1024, 65535)) } else { to_db(&acls(5432, 5432)) };
        blocked(&paths, "acl-0db");
        let of_other_ports = if is_egress { to_db(&acls(0, 1023)) } else { to_db(&acls(3306, 3306)) };
        reachable(&of_other_ports);
        if is_egress {
            unknown(&to_db(&acls(1024, 32767)), "entry 50 of acl-0db stops some");
        }
    }
}

#[test]
fn a_rule_by_range_by_prefix_list_and_for_all_protocols_lets_the_function_in() {
    for covering in ["10.0.1.0/24", "10.0.0.0/16", "0.0.0.0/0"] {
        reachable(&to_db(&changed(|n| list(&mut n.security_groups)[1].ingress[0].peer = GroupPeer::Range(range(covering)))));
    }
    let part = changed(|n| list(&mut n.security_groups)[1].ingress[0].peer = GroupPeer::Range(range("10.0.1.0/26")));
    unknown(&to_db(&part), "which address is used");
    let mut by_list = changed(|n| {
        list(&mut n.security_groups)[1].ingress[0].peer = GroupPeer::PrefixList("pl-0a".to_owned());
        let ranges = Observation::Found(vec![range("10.0.1.0/25"), range("10.0.1.128/25")]);
        list(&mut n.prefix_lists).push(PrefixList { id: "pl-0a".to_owned(), name: None, ranges });
    });
    reachable(&to_db(&by_list));
    list(&mut by_list.prefix_lists)[0].ranges = denied("ec2:GetManagedPrefixListEntries");
    unknown(&to_db(&by_list), "ec2:GetManagedPrefixListEntries");
    let all = changed(|n| {
        let one = &mut list(&mut n.security_groups)[1].ingress[0];
        (one.protocol, one.ports) = (IpProtocol::All, None);
    });
    reachable(&to_db(&all));
}

/// The database in a VPC of its own behind a peering connection.
fn peered() -> Network {
    changed(|n| {
        list(&mut n.subnets)[1].vpc_id = "vpc-0db".to_owned();
        list(&mut n.subnets)[1].range = Some(range("10.1.2.0/24"));
        let ranges = vec![range("10.1.0.0/16")];
        list(&mut n.vpcs).push(Vpc { id: "vpc-0db".to_owned(), ranges, dns_support: Some(true), dns_hostnames: Some(true) });
        list(&mut n.security_groups)[1].vpc_id = "vpc-0db".to_owned();
        let routes = vec![route("10.1.0.0/16", "local"), route("10.0.0.0/16", "pcx-0a")];
        list(&mut n.route_tables).push(table("rtb-0db", "vpc-0db", &[], routes));
        list(&mut n.route_tables)[1].routes.push(route("10.1.0.0/16", "pcx-0a"));
        list(&mut n.network_acls).push(open_acl("acl-0db", "vpc-0db", &[DB_SUBNET]));
        let side = |vpc: &str, addresses: &str| PeeredVpc {
            vpc_id: vpc.to_owned(),
            owner: None,
            region: Some("eu-west-1".to_owned()),
            ranges: vec![range(addresses)],
        };
        list(&mut n.peerings).push(Peering {
            id: "pcx-0a".to_owned(),
            status: "active".to_owned(),
            requester: side(VPC, "10.0.0.0/16"),
            accepter: side("vpc-0db", "10.1.0.0/16"),
        });
        let database = &mut list(&mut n.databases)[0];
        database.vpc_id = Some("vpc-0db".to_owned());
    })
}

#[test]
fn a_peering_connection_is_crossed_by_reference_and_by_range_and_each_of_its_ends_can_break() {
    reachable(&to_db(&peered()));
    let with = |change: fn(&mut Network)| {
        let mut network = peered();
        change(&mut network);
        to_db(&network)
    };
    reachable(&with(|n| list(&mut n.security_groups)[1].ingress[0].peer = GroupPeer::Range(range("10.0.1.0/24"))));
    blocked(&with(|n| list(&mut n.peerings)[0].status = "deleted".to_owned()), "pcx-0a is deleted");
    blocked(&with(|n| list(&mut n.peerings)[0].accepter.vpc_id = "vpc-0other".to_owned()), "pcx-0a leads to vpc-0other");
    blocked(&with(|n| list(&mut n.route_tables)[3].routes.truncate(1)), "rtb-0db has no route back to 10.0.1.0/24 over pcx-0a");
    // Across regions a rule cannot name a group.
    blocked(&with(|n| list(&mut n.peerings)[0].accepter.region = Some("us-east-1".to_owned())), "sg-0db");
    let stale = GroupPeer::Group {
        id: GROUP.to_owned(),
        owner: None,
        vpc_id: Some(VPC.to_owned()),
        peering_id: Some("pcx-0old".to_owned()),
        peering_status: Some("deleted".to_owned()),
    };
    let mut network = peered();
    list(&mut network.security_groups)[1].ingress[0].peer = stale;
    blocked(&to_db(&network), "sg-0db");
    // Another account's tables are not seen.
    let mut network = peered();
    list(&mut network.route_tables).pop();
    unknown(&to_db(&network), "the route table of subnet-0db");
}

#[test]
fn behind_a_transit_gateway_its_routes_are_unknown_and_a_missing_rule_blocks_all_the_same() {
    let transit = |state: &str| {
        let mut network = peered();
        list(&mut network.peerings).clear();
        for (table, target) in [(1, 2), (3, 1)] {
            list(&mut network.route_tables)[table].routes[target].target = RouteTarget::from("tgw-0a".to_owned());
        }
        list(&mut network.transit_attachments).push(TransitAttachment {
            id: "tgw-attach-0a".to_owned(),
            transit_gateway_id: "tgw-0a".to_owned(),
            vpc_id: VPC.to_owned(),
            state: state.to_owned(),
            subnet_ids: vec![SUBNET.to_owned()],
            may_reference_groups: Some(true),
        });
        network.transit_associations = Observation::NotApplicable { because: "nobody asked".to_owned() };
        network
    };
    unknown(&to_db(&transit("available")), "the routes of tgw-0a");
    blocked(&to_db(&transit("rejected")), "tgw-attach-0a is rejected");
    let mut closed = transit("available");
    list(&mut closed.security_groups)[1].ingress.clear();
    blocked(&to_db(&closed), "sg-0db");
    // A network beyond may hold an endpoint that a name server leads to.
    let mut central = transit("available");
    list(&mut central.endpoints).clear();
    list(&mut central.route_tables)[1].routes.retain(|route| !matches!(route.target, RouteTarget::NatGateway(_)));
    unknown(&to_aws(&central), "an endpoint behind tgw-0a");
}

#[test]
fn a_function_in_no_vpc_reaches_a_public_database_only() {
    let mut outside = function();
    outside.vpc = None;
    let network = world();
    let private = database();
    blocked(&to_database(&network, &outside, &private).unwrap(), "the function is in no VPC");
    let public = TargetDatabase { publicly_accessible: true, subnet_ids: vec!["subnet-0pub".to_owned()], ..private };
    blocked(&to_database(&network, &outside, &public).unwrap(), "sg-0db lets TCP port 5432 in from the public network");
    let open = changed(|n| list(&mut n.security_groups)[1].ingress[0].peer = GroupPeer::Range(range("0.0.0.0/0")));
    reachable(&to_database(&open, &outside, &public).unwrap());
    assert!(to_service(&network, &outside, "eu-west-1", "secretsmanager").is_none());
}

#[test]
fn one_blocked_subnet_of_two_blocks_and_is_named() {
    let mut network = world();
    list(&mut network.subnets).push(subnet("subnet-0b", VPC, "10.0.4.0/24"));
    list(&mut network.network_acls)[0].subnet_ids.push("subnet-0b".to_owned());
    list(&mut network.security_groups)[1].ingress[0].peer = GroupPeer::Range(range("10.0.1.0/24"));
    let mut two = function();
    two.vpc.as_mut().unwrap().subnet_ids.push("subnet-0b".to_owned());
    let paths = to_database(&network, &two, &database()).unwrap();
    assert_eq!((paths.reach(), paths.is_blocked_everywhere()), (Reachability::Blocked, false));
    assert_eq!(paths.worst().and_then(|path| path.subnet.as_deref()), Some("subnet-0b"));
}

#[test]
fn a_refused_call_leaves_the_other_answers_and_is_named() {
    type Change = fn(&mut Network);
    let hide: [(&str, Change); 7] = [
        ("ec2:DescribeSubnets", |n| n.subnets = denied("ec2:DescribeSubnets")),
        ("ec2:DescribeRouteTables", |n| n.route_tables = denied("ec2:DescribeRouteTables")),
        ("ec2:DescribeNetworkAcls", |n| n.network_acls = denied("ec2:DescribeNetworkAcls")),
        ("ec2:DescribeSecurityGroups", |n| n.security_groups = denied("ec2:DescribeSecurityGroups")),
        ("ec2:DescribeVpcEndpoints", |n| n.endpoints = denied("ec2:DescribeVpcEndpoints")),
        ("ec2:DescribeVpcAttribute", |n| n.vpcs = denied("ec2:DescribeVpcAttribute")),
        ("ec2:DescribeNatGateways", |n| {
            list(&mut n.endpoints).clear();
            n.nat_gateways = denied("ec2:DescribeNatGateways");
        }),
    ];
    for (action, hidden) in hide {
        if action == "ec2:DescribeVpcAttribute" {
            // Without an endpoint's way, the NAT gateway's stands: either is reached.
            reachable(&to_aws(&changed(hidden)));
            let mut network = changed(hidden);
            list(&mut network.route_tables)[1].routes.truncate(1);
            unknown(&to_aws(&network), action);
            continue;
        }
        // An endpoint in the function's own subnet is reached without an ACL.
        let paths = if action == "ec2:DescribeNetworkAcls" { to_db } else { to_aws };
        unknown(&paths(&changed(hidden)), action);
    }
    let mut closed = changed(|n| n.route_tables = denied("ec2:DescribeRouteTables"));
    list(&mut closed.security_groups)[0].egress.clear();
    blocked(&to_aws(&closed), "no outbound rule");
}

#[test]
fn redaction_keeps_what_the_network_says() {
    let text = serde_json::to_string(&peered()).unwrap();
    let long = text.replace("-0a1b2c3d\"", "-0a1b2c3d4e5f60718\"").replace("sg-0db", "sg-0f9e8d7c6b5a40312");
    let network: Network = serde_json::from_str(&long).unwrap();
    let mut evidence = healthy();
    evidence.network = network.clone();
    let (kept, _) = crate::redact::Redactor::default().redact_strings(evidence).unwrap();
    assert_eq!(kept.network, network);
}
