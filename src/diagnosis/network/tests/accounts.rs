//! Accounts as people build them: what looks closed and is not, and what looks open and is not.

use super::*;
use crate::model::{
    DatabaseKind, EndpointKind, RouteDestination, TransitAssociation, TransitEnd, TransitRoute, TransitTable, VpcEndpoint,
    VpcRoute,
};

fn by_list(list: &str, target: &str) -> VpcRoute {
    VpcRoute {
        destination: RouteDestination::PrefixList(list.to_owned()),
        target: RouteTarget::from(target.to_owned()),
        is_blackhole: false,
    }
}

fn gateway_endpoint(id: &str) -> VpcEndpoint {
    let mut endpoint = list(&mut world().endpoints)[0].clone();
    (endpoint.id, endpoint.kind, endpoint.private_dns) = (id.to_owned(), EndpointKind::Gateway, false);
    endpoint.service = "com.amazonaws.eu-west-1.s3".to_owned();
    (endpoint.subnet_ids, endpoint.security_group_ids) = (Vec::new(), Vec::new());
    endpoint
}

#[test]
fn a_gateway_endpoint_in_the_table_hides_neither_the_nat_gateway_nor_the_database() {
    let with_s3 = |n: &mut Network| list(&mut n.route_tables)[1].routes.push(by_list("pl-6da54004", "vpce-0s3"));
    let both = without_endpoint(|n| {
        with_s3(n);
        list(&mut n.endpoints).push(gateway_endpoint("vpce-0s3"));
    });
    reachable(&to_aws(&both));
    reachable(&to_db(&both));
    // Where nobody listed the endpoints, the database is reached all the same.
    reachable(&to_db(&changed(|n| {
        with_s3(n);
        n.endpoints = denied("ec2:DescribeVpcEndpoints");
    })));
    // A list of the customer's own may hold anything, but nothing inside the VPC.
    let own = without_endpoint(|n| list(&mut n.route_tables)[1].routes.push(by_list("pl-0own", "tgw-0a")));
    unknown(&to_aws(&own), "pl-0own");
    reachable(&to_db(&own));
}

/// The database in a VPC of its own, to which no route leads but the default one.
fn apart() -> Network {
    let mut network = peered();
    list(&mut network.peerings).clear();
    list(&mut network.route_tables)[1].routes.retain(|route| !matches!(route.target, RouteTarget::Peering(_)));
    network
}

#[test]
fn a_default_route_to_a_nat_gateway_is_no_route_to_another_vpc() {
    blocked(&to_db(&apart()), "rtb-0fn of subnet-0a1b2c3d has no route to 10.1.2.0/24 but the one to nat-0a1b2c3d");
    // The NAT gateway's own subnet may know more.
    let mut beyond = apart();
    list(&mut beyond.route_tables)[2].routes.push(route("10.0.0.0/8", "tgw-0a"));
    unknown(&to_db(&beyond), "what lies behind nat-0a1b2c3d");
    // Behind a NAT gateway the packets have its address, which the database may let in.
    list(&mut beyond.security_groups)[1].ingress[0].peer = GroupPeer::Range(range("10.0.3.0/24"));
    unknown(&to_db(&beyond), "what lies behind nat-0a1b2c3d");
    let mut unseen = apart();
    unseen.nat_gateways = denied("ec2:DescribeNatGateways");
    unknown(&to_db(&unseen), "what lies behind nat-0a1b2c3d");
    // A VPC may use addresses that are public elsewhere.
    let mut odd = apart();
    list(&mut odd.subnets)[1].range = Some(range("52.94.0.0/24"));
    unknown(&to_db(&odd), "what lies behind nat-0a1b2c3d");
}

#[test]
fn a_public_database_is_reached_where_it_lets_in_the_nat_gateways_own_address() {
    let public = |from: &str| {
        let mut network = apart();
        list(&mut network.databases)[0].publicly_accessible = true;
        list(&mut network.route_tables)[3].routes.push(route("0.0.0.0/0", "igw-0db"));
        list(&mut network.security_groups)[1].ingress[0].peer = GroupPeer::Range(range(from));
        network
    };
    reachable(&to_db(&public("203.0.113.7/32")));
    reachable(&to_db(&public("203.0.113.0/24")));
    blocked(&to_db(&public("203.0.113.8/32")), "lets TCP port 5432 in from 203.0.113.7/32");
    let mut unknown_address = public("203.0.113.7/32");
    list(&mut unknown_address.nat_gateways)[0].public_addresses.clear();
    unknown(&to_db(&unknown_address), "which address is used");
    let mut two = public("203.0.113.7/32");
    list(&mut two.nat_gateways)[0].public_addresses.push("203.0.113.9".parse().unwrap());
    unknown(&to_db(&two), "which address is used");
}

/// The database in a VPC of its own, behind a transit gateway in which the function's VPC has a foot in `zone`.
fn attached(zone: &str, far: Option<&str>) -> Network {
    let mut network = apart();
    network.transit_associations = Observation::NotApplicable { because: "nobody asked".to_owned() };
    list(&mut network.route_tables)[1].routes.push(route("10.1.0.0/16", "tgw-0a"));
    list(&mut network.route_tables)[3].routes[1].target = RouteTarget::from("tgw-0a".to_owned());
    list(&mut network.security_groups)[1].ingress[0].peer = GroupPeer::Range(range("10.0.1.0/24"));
    let mut attachment_subnet = subnet("subnet-0tgw", VPC, "10.0.9.0/28");
    attachment_subnet.zone = zone.to_owned();
    list(&mut network.subnets).push(attachment_subnet);
    let one = |id: &str, vpc: &str, subnet: &str, state: &str| TransitAttachment {
        id: id.to_owned(),
        transit_gateway_id: "tgw-0a".to_owned(),
        vpc_id: vpc.to_owned(),
        state: state.to_owned(),
        subnet_ids: vec![subnet.to_owned()],
        may_reference_groups: Some(true),
    };
    list(&mut network.transit_attachments).push(one("tgw-attach-0a", VPC, "subnet-0tgw", "available"));
    list(&mut network.transit_attachments).extend(far.map(|state| one("tgw-attach-0b", "vpc-0db", DB_SUBNET, state)));
    network
}

#[test]
fn an_attachment_serves_only_the_zones_of_its_subnets() {
    unknown(&to_db(&attached("eu-west-1a", None)), "the routes of tgw-0a");
    unknown(&to_db(&attached("eu-west-1a", Some("available"))), "the routes of tgw-0a");
    blocked(&to_db(&attached("eu-west-1b", None)), "tgw-attach-0a has no subnet in eu-west-1a");
    blocked(&to_db(&attached("eu-west-1a", Some("failed"))), "tgw-attach-0b is failed");
    let mut unseen = attached("eu-west-1b", None);
    list(&mut unseen.subnets).pop();
    unknown(&to_db(&unseen), "the routes of tgw-0a");
}

fn transit_route(to: &str, attachment: &str, kind: &str, resource: &str) -> TransitRoute {
    let end = TransitEnd { attachment_id: attachment.to_owned(), kind: kind.to_owned(), resource_id: resource.to_owned() };
    let is_blackhole = attachment.is_empty();
    let destination = RouteDestination::Range(range(to));
    TransitRoute { destination, to: if is_blackhole { Vec::new() } else { vec![end] }, is_blackhole }
}

/// The same, with the gateway's own table, which joins both VPCs.
fn joined() -> Network {
    let mut network = attached("eu-west-1a", Some("available"));
    let one = |attachment: &str, vpc: &str| TransitAssociation {
        attachment_id: attachment.to_owned(),
        transit_gateway_id: "tgw-0a".to_owned(),
        gateway_owner: Some("123456789012".to_owned()),
        resource_id: vpc.to_owned(),
        resource_owner: Some("123456789012".to_owned()),
        table_id: Some("tgw-rtb-0a".to_owned()),
        is_changing: false,
    };
    network.transit_associations = Observation::Found(vec![one("tgw-attach-0a", VPC), one("tgw-attach-0b", "vpc-0db")]);
    let routes = Observation::Found(vec![
        transit_route("10.0.0.0/16", "tgw-attach-0a", "vpc", VPC),
        transit_route("10.1.0.0/16", "tgw-attach-0b", "vpc", "vpc-0db"),
    ]);
    network.transit_tables = Observation::Found(vec![TransitTable { id: "tgw-rtb-0a".to_owned(), routes }]);
    network
}

#[test]
fn that_an_attachment_allows_groups_to_be_named_does_not_say_that_the_gateway_does() {
    let by_group = |allowed: [Option<bool>; 2]| {
        let mut network = joined();
        list(&mut network.security_groups)[1].ingress[0].peer = to_group(GROUP);
        let attachments = list(&mut network.transit_attachments).iter_mut();
        attachments.zip(allowed).for_each(|(one, allowed)| one.may_reference_groups = allowed);
        to_db(&network)
    };
    unknown(&by_group([Some(true), Some(true)]), "the setting of tgw-0a that lets rules name groups across it");
    unknown(&by_group([None, Some(true)]), "the setting of tgw-0a that lets rules name groups across it");
    // Either end refuses for both.
    blocked(&by_group([Some(true), Some(false)]), "no inbound rule of sg-0db lets TCP port 5432 in from 10.0.1.0/24");
    blocked(&by_group([Some(false), Some(true)]), "no inbound rule of sg-0db");
}

#[test]
fn the_answers_need_a_foot_of_the_gateway_in_the_zone_of_the_database_too() {
    let mut network = joined();
    list(&mut network.subnets)[1].zone = "eu-west-1c".to_owned();
    list(&mut network.transit_attachments)[1].subnet_ids = vec!["subnet-0foot".to_owned()];
    // Where the foot stands was not seen.
    reachable(&to_db(&network));
    list(&mut network.subnets).push(subnet("subnet-0foot", "vpc-0db", "10.1.9.0/28"));
    blocked(&to_db(&network), "tgw-attach-0b has no subnet in eu-west-1c, so that nothing in subnet-0db reaches tgw-0a");
}

#[test]
fn an_attachment_that_was_made_anew_is_not_taken_for_the_one_that_was_deleted() {
    let mut network = joined();
    let mut gone = list(&mut network.transit_attachments)[0].clone();
    (gone.id, gone.state) = ("tgw-attach-0old".to_owned(), "deleted".to_owned());
    list(&mut network.transit_attachments).insert(0, gone);
    reachable(&to_db(&network));
    list(&mut network.transit_attachments)[1].state = "deleted".to_owned();
    blocked(&to_db(&network), "tgw-attach-0old is deleted");
}

#[test]
fn of_routes_as_specific_the_static_one_and_the_one_to_a_range_are_taken() {
    let with = |routes: Vec<VpcRoute>| {
        let mut network = peered();
        let own = &mut list(&mut network.route_tables)[1].routes;
        own.retain(|route| !matches!(route.target, RouteTarget::Peering(_)));
        own.extend(routes);
        let ranges = Observation::Found(vec![range("10.1.0.0/16")]);
        list(&mut network.prefix_lists).push(PrefixList { id: "pl-0own".to_owned(), name: None, ranges });
        to_db(&network)
    };
    reachable(&with(vec![by_list("pl-0own", "tgw-0a"), route("10.1.0.0/16", "pcx-0a")]));
    // A table has its static routes first.
    reachable(&with(vec![route("10.1.0.0/16", "pcx-0a"), route("10.1.0.0/16", "vgw-0a")]));
    unknown(&with(vec![route("10.1.0.0/16", "pcx-0a"), route("10.1.2.0/24", "vgw-0a")]), "what vgw-0a does with the packets");
}

#[test]
fn answers_inside_a_vpc_may_be_led_elsewhere_by_a_more_specific_route() {
    let with = |target: &str, to: &str, is_blackhole: bool| {
        changed(|n| {
            let gone = VpcRoute { is_blackhole, ..route(to, target) };
            list(&mut n.route_tables).push(table("rtb-0db", VPC, &[DB_SUBNET], vec![route("10.0.0.0/16", "local"), gone]));
        })
    };
    reachable(&to_db(&with("eni-0fw", "10.0.9.0/24", false)));
    unknown(&to_db(&with("eni-0fw", "10.0.1.0/24", false)), "the way back over eni-0fw");
    unknown(&to_db(&with("eni-0fw", "10.0.1.0/25", true)), "which of several routes of rtb-0db is taken");
    blocked(&to_db(&with("eni-0fw", "10.0.1.0/24", true)), "the route of rtb-0db to 10.0.1.0/24 leads to eni-0fw, which is gone");
}

#[test]
fn where_the_vpc_resolves_no_names_no_way_helps() {
    let off = |change: fn(&mut Network)| {
        changed(|n| {
            list(&mut n.vpcs)[0].dns_support = Some(false);
            change(n);
        })
    };
    let no_name = "enableDnsSupport of vpc-0a1b2c3d is off, so that no name resolves in it";
    blocked(&to_aws(&off(|_| {})), no_name);
    blocked(&to_aws(&off(|n| list(&mut n.endpoints).clear())), no_name);
    blocked(&to_aws(&off(|n| list(&mut n.endpoints)[0].private_dns = false)), no_name);
    let of_another_region = |n: &Network| super::super::to_public_host(n, &function(), "sts").unwrap();
    blocked(&of_another_region(&off(|_| {})), no_name);
    reachable(&of_another_region(&world()));
    // What is wrong beside it is named too.
    let both = to_aws(&off(|n| list(&mut n.security_groups)[2].ingress.clear()));
    let texts: Vec<String> = both.faults().into_iter().map(super::super::NetworkFault::text).collect();
    assert!(texts.len() == 2 && texts[1].contains("no inbound rule of sg-0vpce"), "{texts:?}");
}

#[test]
fn of_the_dns_attributes_one_is_enough_where_the_other_is_settled_and_neither_where_nothing_is() {
    let seen = |support: Option<bool>, hostnames: Option<bool>| {
        to_aws(&changed(|n| {
            list(&mut n.route_tables)[1].routes.truncate(1);
            let own = &mut list(&mut n.vpcs)[0];
            (own.dns_support, own.dns_hostnames) = (support, hostnames);
        }))
    };
    reachable(&seen(None, Some(true)));
    blocked(&seen(None, Some(false)), "enableDnsHostnames of vpc-0a1b2c3d is off");
    unknown(&seen(Some(true), None), "the DNS attributes of vpc-0a1b2c3d");
    unknown(&seen(None, None), "the DNS attributes of vpc-0a1b2c3d");
}

#[test]
fn what_stands_behind_a_proxy_is_open_and_a_proxy_that_lets_nobody_in_is_closed() {
    let proxy = || changed(|n| list(&mut n.databases)[0].kind = DatabaseKind::Proxy);
    unknown(&to_db(&proxy()), "the way from orders to the database behind it");
    let mut closed = proxy();
    list(&mut closed.security_groups)[1].ingress.clear();
    blocked(&to_db(&closed), "sg-0db");
}

fn transit_routes(network: &mut Network) -> &mut Vec<TransitRoute> {
    list(&mut list(&mut network.transit_tables)[0].routes)
}

#[test]
fn a_transit_gateway_of_the_account_is_judged_by_its_own_routes_there_and_back() {
    let with = |change: fn(&mut Network)| {
        let mut network = joined();
        change(&mut network);
        to_db(&network)
    };
    reachable(&with(|_| {}));
    blocked(
        &with(|n| {
            transit_routes(n).pop();
        }),
        "tgw-rtb-0a of tgw-0a has no route to 10.1.2.0/24",
    );
    blocked(
        &with(|n| {
            transit_routes(n).remove(0);
        }),
        "tgw-rtb-0a of tgw-0a has no route to 10.0.1.0/24",
    );
    // The most specific route decides, and one that drops packets may stand beside one that does not.
    blocked(&with(|n| transit_routes(n).push(transit_route("10.1.2.0/24", "", "", ""))), "to 10.1.2.0/24 is a blackhole");
    reachable(&with(|n| transit_routes(n).push(transit_route("10.0.0.0/8", "", "", ""))));
    unknown(&with(|n| transit_routes(n).push(transit_route("10.1.2.0/25", "", "", ""))), "which of several routes of tgw-rtb-0a");
    blocked(
        &with(|n| list(&mut n.transit_associations)[0].table_id = None),
        "tgw-attach-0a is associated with no route table of tgw-0a",
    );
    unknown(
        &with(|n| {
            let association = &mut list(&mut n.transit_associations)[0];
            (association.table_id, association.is_changing) = (None, true);
        }),
        "which route table of tgw-0a serves tgw-attach-0a",
    );
}

#[test]
fn what_a_transit_gateway_leads_to_that_nobody_sees_is_open_and_named() {
    let with = |change: fn(&mut Network)| {
        let mut network = joined();
        change(&mut network);
        to_db(&network)
    };
    // A VPC in between may hold a firewall.
    unknown(
        &with(|n| transit_routes(n)[1] = transit_route("10.1.0.0/16", "tgw-attach-0f", "vpc", "vpc-0fw")),
        "what lies behind tgw-attach-0f (vpc vpc-0fw)",
    );
    unknown(
        &with(|n| transit_routes(n)[1] = transit_route("0.0.0.0/0", "tgw-attach-0v", "vpn", "vpn-0a")),
        "what lies behind tgw-attach-0v (vpn vpn-0a)",
    );
    unknown(&with(|n| list(&mut n.transit_tables)[0].routes = denied("ec2:SearchTransitGatewayRoutes")), "ec2:SearchTransit");
    unknown(&with(|n| n.transit_associations = denied("ec2:DescribeTransitGatewayAttachments")), "ec2:DescribeTransit");
    // Of a gateway of another account nobody here reads the tables, and not even which of them serves the VPC.
    unknown(
        &with(|n| {
            n.transit_tables = Observation::Found(Vec::new());
            let own = list(&mut n.transit_associations);
            own.iter_mut().for_each(|one| one.gateway_owner = Some("999988887777".to_owned()));
        }),
        "the routes of tgw-0a, which belongs to the account 999988887777",
    );
    unknown(
        &with(|n| {
            let own = list(&mut n.transit_associations);
            own.iter_mut().for_each(|one| (one.gateway_owner, one.table_id) = (Some("999988887777".to_owned()), None));
        }),
        "which route table of tgw-0a serves tgw-attach-0a",
    );
}

#[test]
fn what_has_addresses_of_ipv6_alone_is_closed_to_a_function_without_any() {
    let proxy = |network: &Network, function: &FunctionFacts| {
        let mut one = database();
        one.is_ipv6_only = true;
        to_database(network, function, &one).unwrap()
    };
    blocked(&proxy(&world(), &function()), "orders has addresses of IPv6 alone, and the function has none");
    let (network, allowed) = dual_stack();
    unknown(&proxy(&network, &allowed), "the way to orders over IPv6, the only family that it has");
    let endpoint = changed(|n| list(&mut n.endpoints)[0].is_ipv6_only = true);
    blocked(&to_aws(&endpoint), "vpce-0a1b2c3d has addresses of IPv6 alone");
    let mut host = database();
    (host.subnet_ids, host.address) = (Vec::new(), Some("2001:db8::7".parse().unwrap()));
    unknown(&to_database(&world(), &function(), &host).unwrap(), "the way to 2001:db8::7 over IPv6");
}

#[test]
fn private_dns_is_not_sure_to_lead_a_host_of_both_families_to_the_endpoint() {
    let to = |network: &Network| super::super::to_dual_stack_host(network, &function(), "eu-west-1", "secretsmanager").unwrap();
    reachable(&to(&world()));
    reachable(&to(&without_endpoint(|_| {})));
    // By the endpoint it would be reached, and over the public network it is not.
    let no_nat = |n: &mut Network| list(&mut n.route_tables)[1].routes.truncate(1);
    unknown(&to(&changed(no_nat)), "the address of secretsmanager.eu-west-1.api.aws, which may be that of vpce-0a1b2c3d");
    blocked(&to(&without_endpoint(no_nat)), "rtb-0fn of subnet-0a1b2c3d has no route");
    blocked(
        &to(&changed(|n| {
            no_nat(n);
            list(&mut n.endpoints)[0].private_dns = false;
        })),
        "rtb-0fn of subnet-0a1b2c3d has no route",
    );
}

fn allow_v6(is_egress: bool) -> AclEntry {
    AclEntry { number: 101, is_allow: true, protocol: IpProtocol::All, range: range("::/0"), ports: None, is_egress }
}

/// Both families in the function's subnet and in the database's; everything of IPv6 is open.
fn dual_stack() -> (Network, FunctionFacts) {
    let network = without_endpoint(|n| {
        list(&mut n.subnets)[0].ipv6_ranges = vec![range("2001:db8:0:1::/64")];
        list(&mut n.subnets)[1].ipv6_ranges = vec![range("2001:db8:0:2::/64")];
        list(&mut n.route_tables)[1].routes[1] = route("::/0", "eigw-0a");
        list(&mut n.network_acls)[0].entries.extend([allow_v6(false), allow_v6(true)]);
        let out = list(&mut n.security_groups)[0].egress[0].clone();
        let anywhere = GroupPeer::Range(range("::/0"));
        list(&mut n.security_groups)[0].egress.push(crate::model::GroupRule { peer: anywhere, ..out });
    });
    let mut function = function();
    function.vpc.as_mut().unwrap().ipv6_allowed = true;
    (network, function)
}

#[test]
fn a_way_over_ipv6_leaves_the_answer_open_and_is_named_and_one_that_is_closed_changes_none() {
    let to_aws_by =
        |network: &Network, function: &FunctionFacts| to_service(network, function, "eu-west-1", "secretsmanager").unwrap();
    let (network, allowed) = dual_stack();
    unknown(&to_aws_by(&network, &allowed), "over IPv6 by eigw-0a, while over IPv4 rtb-0fn of subnet-0a1b2c3d has no route");
    let closed: [fn(&mut Network, &mut FunctionFacts); 6] = [
        |_, function| function.vpc.as_mut().unwrap().ipv6_allowed = false,
        |network, _| list(&mut network.subnets)[0].ipv6_ranges.clear(),
        |network, _| list(&mut network.route_tables)[1].routes.truncate(1),
        |network, _| list(&mut network.route_tables)[1].routes[1].is_blackhole = true,
        |network, _| list(&mut network.security_groups)[0].egress.truncate(1),
        |network, _| {
            let entries = &mut list(&mut network.network_acls)[0].entries;
            entries.insert(0, AclEntry { number: 7, is_allow: false, ..allow_v6(true) });
        },
    ];
    for close in closed {
        let (mut network, mut function) = dual_stack();
        close(&mut network, &mut function);
        blocked(&to_aws_by(&network, &function), "rtb-0fn of subnet-0a1b2c3d has no route");
    }
    // A public subnet serves IPv6 even to a function.
    let (mut public, function) = dual_stack();
    list(&mut public.route_tables)[1].routes = vec![route("0.0.0.0/0", "igw-0a"), route("::/0", "igw-0a")];
    unknown(&to_aws_by(&public, &function), "over IPv6 by igw-0a");
}

#[test]
fn a_database_of_both_families_may_be_reached_over_the_other_one() {
    let by_v6 = |dual: bool, peer: GroupPeer| {
        let (mut network, function) = dual_stack();
        list(&mut network.security_groups)[1].ingress = vec![rule(5432, peer)];
        let mut one = database();
        one.is_dual_stack = dual;
        to_database(&network, &function, &one).unwrap()
    };
    let own = || GroupPeer::Range(range("2001:db8::/32"));
    unknown(&by_v6(true, own()), "the way to orders over IPv6, while over IPv4 no inbound rule of sg-0db");
    blocked(&by_v6(false, own()), "sg-0db");
    blocked(&by_v6(true, GroupPeer::Range(range("10.0.9.0/24"))), "sg-0db");
    reachable(&by_v6(true, to_group(GROUP)));
}

#[test]
fn the_entries_of_an_acl_count_by_their_numbers_and_not_in_their_order() {
    let entries = |numbers: [u32; 2]| {
        changed(|n| {
            let own = &mut list(&mut n.network_acls)[0].entries;
            own.clear();
            let both = |number, is_allow, is_egress| AclEntry {
                number,
                is_egress,
                is_allow,
                protocol: IpProtocol::All,
                range: range("0.0.0.0/0"),
                ports: None,
            };
            for is_egress in [false, true] {
                own.push(both(32_767, false, is_egress));
                own.push(both(numbers[0], false, is_egress));
                own.push(both(numbers[1], true, is_egress));
            }
        })
    };
    reachable(&to_db(&entries([200, 100])));
    blocked(&to_db(&entries([100, 200])), "entry 100 denies it");
}

#[test]
fn a_cluster_in_two_subnets_is_blocked_where_both_are_and_open_where_one_is() {
    let cluster = |closed: &[&str]| {
        let mut network = world();
        list(&mut network.subnets).push(subnet("subnet-0db2", VPC, "10.0.5.0/24"));
        let acls = list(&mut network.network_acls);
        acls[0].subnet_ids.push("subnet-0db2".to_owned());
        for &id in closed {
            acls[0].subnet_ids.retain(|own| own != id);
            let mut own = open_acl(&format!("acl-{id}"), VPC, &[id]);
            own.entries.push(deny_entry(false, 5432, 5432));
            acls.push(own);
        }
        list(&mut network.databases)[0].subnet_ids.push("subnet-0db2".to_owned());
        network
    };
    reachable(&to_db(&cluster(&[])));
    unknown(&to_db(&cluster(&["subnet-0db2"])), "in which subnet orders stands");
    blocked(&to_db(&cluster(&[DB_SUBNET, "subnet-0db2"])), "entry 50 denies it");
}
