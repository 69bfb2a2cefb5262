//! The walk along a path: each hop is asked, and all their answers are kept.
//!
//! Sources: Amazon VPC User Guide, "Control subnet traffic with network access control lists", "NAT gateways"; Amazon VPC Peering
//! Guide, "VPC peering limitations"; AWS Lambda Developer Guide, "Internet access for VPC-connected functions".

use super::area::Area;
use super::filter::{Direction, FilterAnswer, PeerGroups, acl_answer, groups_answer};
use super::path::{HopPlace, HopStanding, NetworkFault, OtherEnd, Path};
use super::transit::{self, TransitGoal};
use super::{route, view};
use crate::model::{IpRange, Network, RouteTable, RouteTarget, Subnet, VpcConfig, VpcRoute};

/// The ports that answers go to. Source: Amazon VPC User Guide, "Ephemeral ports": Lambda functions and NAT gateways use these.
pub(super) const EPHEMERAL: crate::model::PortRange = crate::model::PortRange { from: 1024, to: u16::MAX };

/// The near end: an interface of the function in one of its subnets.
pub(super) struct NearEnd<'a> {
    pub(super) subnet: &'a Subnet,
    pub(super) groups: &'a [String],
    /// True where it has an address of IPv6 too.
    pub(super) has_ipv6: bool,
}

/// The far end inside a private network.
pub(super) struct FarEnd<'a> {
    /// Its addresses; empty where nothing is known of them.
    pub(super) ranges: Vec<IpRange>,
    /// The subnet it stands in, where it was seen.
    pub(super) subnet: Result<&'a Subnet, String>,
    /// Its groups; `None` where they are not known.
    pub(super) groups: Option<&'a [String]>,
    pub(super) vpc_id: Option<&'a str>,
    pub(super) port: u16,
}

/// A route that was taken, or what stands in its place.
enum TakenRoute<'n> {
    Route(&'n VpcRoute),
    None,
    Unseen(String),
}

pub(super) fn standing_of(answer: FilterAnswer, fault: impl FnOnce(Option<u32>) -> NetworkFault) -> HopStanding {
    match answer {
        FilterAnswer::Lets(by) => HopStanding::Passes(by),
        FilterAnswer::Stops { entry } => HopStanding::Stops(fault(entry)),
        FilterAnswer::Open(missing) => HopStanding::Unseen(missing),
    }
}

fn texts(ranges: &[IpRange]) -> Vec<String> {
    ranges.iter().map(ToString::to_string).collect()
}

/// What the ACL of a subnet does with packets to or from `area`.
fn at_acl(
    path: &mut Path,
    network: &Network,
    place: HopPlace,
    subnet: &Subnet,
    direction: Direction,
    area: &Area,
    ports: crate::model::PortRange,
) {
    match view::acl(network, &subnet.id) {
        Ok(acl) => {
            let standing = standing_of(acl_answer(acl, direction, area), |entry| NetworkFault::Acl {
                acl: acl.id.clone(),
                subnet: subnet.id.clone(),
                direction,
                ports,
                range: area.as_range(),
                entry,
                is_answer: place == HopPlace::Back,
            });
            path.push(place, &acl.id, standing);
        }
        Err(missing) => path.push(place, "", HopStanding::Unseen(missing)),
    }
}

/// The one route that packets to `area` take; where they may take several, that cannot be told.
fn taken<'n>(network: &'n Network, subnet: &Subnet, area: &Area) -> (String, TakenRoute<'n>) {
    let table = match view::route_table(network, subnet) {
        Ok(table) => table,
        Err(missing) => return (String::new(), TakenRoute::Unseen(missing)),
    };
    (table.id.clone(), taken_by(network, table, area))
}

fn taken_by<'n>(network: &'n Network, table: &'n RouteTable, area: &Area) -> TakenRoute<'n> {
    match route::routes_to(network, table, area) {
        Err(missing) => TakenRoute::Unseen(missing),
        Ok(routes) => match routes.as_slice() {
            [Some(route)] => TakenRoute::Route(route),
            [None] => TakenRoute::None,
            [Some(first), others @ ..]
                if others
                    .iter()
                    .all(|other| other.is_some_and(|o| o.target == first.target && o.is_blackhole == first.is_blackhole)) =>
            {
                TakenRoute::Route(first)
            }
            _ => TakenRoute::Unseen(format!("which of several routes of {} is taken", table.id)),
        },
    }
}

/// From the function to an address in its own or another private network.
pub(super) fn to_private(network: &Network, near: &NearEnd<'_>, far: &FarEnd<'_>) -> Path {
    let mut path = Path { subnet: Some(near.subnet.id.clone()), hops: Vec::with_capacity(8) };
    let port = crate::model::PortRange::one(far.port);
    let there = if far.ranges.is_empty() { Area::anywhere(port) } else { Area::within(&far.ranges, port) };
    let Some(own) = near.subnet.range else {
        path.push(HopPlace::Route, &near.subnet.id, HopStanding::Unseen(format!("the IPv4 range of {}", near.subnet.id)));
        return path;
    };
    let here = Area::within(&[own], port);

    let (table, route) = taken(network, near.subnet, &there);
    let link = link_of(network, near, far, (&table, &route), &there);
    let translates = match &route {
        TakenRoute::Route(VpcRoute { target: RouteTarget::NatGateway(id) | RouteTarget::Appliance(id), .. }) => Some(id.clone()),
        TakenRoute::Unseen(_) if far.vpc_id.is_none_or(|vpc| vpc != near.subnet.vpc_id) => {
            Some("a route that was not seen".to_owned())
        }
        _ => None,
    };
    let gateway = match &route {
        TakenRoute::Route(VpcRoute { target: RouteTarget::TransitGateway(id), .. }) => Some(id.clone()),
        _ => None,
    };
    let is_inside = matches!(&route, TakenRoute::Route(VpcRoute { target: RouteTarget::Local, .. }));
    let far_groups = PeerGroups { ids: far.groups, may_be_named: link.may_name_groups.clone() };
    let near_groups = PeerGroups { ids: Some(near.groups), may_be_named: link.may_name_groups.clone() };

    let to = match far.groups {
        Some(groups) if link.may_name_groups == Ok(true) && !groups.is_empty() => OtherEnd::Groups(groups.to_vec()),
        _ => OtherEnd::Ranges(texts(&far.ranges)),
    };
    let out = groups_answer(network, near.groups, Direction::Out, &there, &far_groups);
    let egress = standing_of(out, |_| NetworkFault::Egress { groups: near.groups.to_vec(), port: far.port, to });
    path.push(HopPlace::Egress, near.groups.join(", "), egress);

    let standing = match route {
        TakenRoute::Route(route) if route.is_blackhole => HopStanding::Stops(NetworkFault::Blackhole {
            table: table.clone(),
            destination: route.destination.to_string(),
            target: route.target.id().to_owned(),
        }),
        TakenRoute::Route(VpcRoute { target: RouteTarget::InternetGateway(gateway), .. }) if !far.ranges.is_empty() => {
            HopStanding::Stops(NetworkFault::InternetGateway {
                table: table.clone(),
                gateway: gateway.clone(),
                subnet: near.subnet.id.clone(),
            })
        }
        TakenRoute::Route(route) => HopStanding::Passes(format!("{} to {}", route.destination, route.target.id())),
        // An address that nothing is known of may be any.
        TakenRoute::None if far.ranges.is_empty() => HopStanding::Unseen("the address of what must be reached".to_owned()),
        TakenRoute::None => HopStanding::Stops(NetworkFault::NoRoute {
            table: table.clone(),
            subnet: near.subnet.id.clone(),
            to: Some(texts(&far.ranges).join(", ")),
        }),
        TakenRoute::Unseen(missing) => HopStanding::Unseen(missing),
    };
    path.push(HopPlace::Route, table, standing);

    let is_same_subnet = far.subnet.as_ref().is_ok_and(|subnet| subnet.id == near.subnet.id);
    if !is_same_subnet {
        at_acl(&mut path, network, HopPlace::AclOut, near.subnet, Direction::Out, &there, port);
    }
    let over = link.hop.as_ref().map(|(id, _)| id.clone());
    if let Some((id, standing)) = link.hop {
        path.push(HopPlace::Link, id, standing);
    }
    if let Some(by) = translates {
        let unseen = HopStanding::Unseen(format!("which address the packets have behind {by}"));
        path.push(HopPlace::Ingress, far.groups.unwrap_or_default().join(", "), unseen);
        return path;
    }
    match &far.subnet {
        Ok(_) if is_same_subnet => {}
        Ok(subnet) => at_acl(&mut path, network, HopPlace::AclIn, subnet, Direction::In, &here, port),
        Err(missing) => path.push(HopPlace::AclIn, "", HopStanding::Unseen(missing.clone())),
    }

    let standing = match far.groups {
        Some(groups) => {
            let from = match link.may_name_groups {
                Ok(true) => OtherEnd::Groups(near.groups.to_vec()),
                _ => OtherEnd::Ranges(texts(&[own])),
            };
            let enters = groups_answer(network, groups, Direction::In, &here, &near_groups);
            standing_of(enters, |_| NetworkFault::Ingress { groups: groups.to_vec(), port: far.port, from })
        }
        None => HopStanding::Unseen("who is let in there".to_owned()),
    };
    path.push(HopPlace::Ingress, far.groups.unwrap_or_default().join(", "), standing);

    if is_same_subnet {
        return path;
    }
    if let (Some(gateway), Some(vpc)) = (gateway, far.vpc_id) {
        let goal = TransitGoal { area: &here, ranges: own.to_string(), vpc_id: Some(&near.subnet.vpc_id) };
        let foot = far.subnet.as_ref().ok().and_then(|subnet| without_foot(network, &gateway, subnet));
        let standing = foot.map_or_else(|| transit::onward(network, &gateway, vpc, &goal), HopStanding::Stops);
        path.push(HopPlace::Back, &gateway, standing);
    }
    if let Ok(subnet) = &far.subnet {
        let here = Area::within(&[own], EPHEMERAL);
        match over {
            Some(over) => back_over(&mut path, network, subnet, &here, &texts(&[own]).join(", "), &over),
            None if is_inside => back_inside(&mut path, network, subnet, &here),
            None => {}
        }
        at_acl(&mut path, network, HopPlace::Back, subnet, Direction::Out, &here, EPHEMERAL);
    } else if let (Some(over), Some(vpc)) = (over, far.vpc_id) {
        back_from_anywhere(&mut path, network, vpc, &Area::within(&[own], EPHEMERAL), &own.to_string(), &over);
    }
    at_acl(&mut path, network, HopPlace::Back, near.subnet, Direction::In, &there.at(EPHEMERAL), EPHEMERAL);
    path
}

/// Whether the far subnet's table leads answers back over the same link.
fn back_over(path: &mut Path, network: &Network, far: &Subnet, here: &Area, own: &str, over: &str) {
    let (table, route) = taken(network, far, here);
    path.push(HopPlace::Back, table.clone(), way_back(&table, route, own, over));
}

/// The same, where the far subnet was not seen: what all tables of its VPC agree on.
fn back_from_anywhere(path: &mut Path, network: &Network, vpc: &str, here: &Area, own: &str, over: &str) {
    let all = network.route_tables.found().map(Vec::as_slice).unwrap_or_default();
    let tables: Vec<&RouteTable> = all.iter().filter(|table| table.vpc_id == vpc).collect();
    let ways: Vec<HopStanding> =
        tables.iter().map(|table| way_back(&table.id, taken_by(network, table, here), own, over)).collect();
    let (Some(table), Some(first)) = (tables.first(), ways.first()) else { return };
    let agree = ways.iter().all(|way| core::mem::discriminant(way) == core::mem::discriminant(first));
    match agree && !matches!(first, HopStanding::Unseen(_)) {
        true => path.push(HopPlace::Back, &table.id, first.clone()),
        false => path.push(HopPlace::Back, "", HopStanding::Unseen(format!("by which route table of {vpc} answers come back"))),
    }
}

/// Inside a VPC answers come back by its local route, but where a more specific one leads them elsewhere.
fn back_inside(path: &mut Path, network: &Network, far: &Subnet, here: &Area) {
    let (table, route) = taken(network, far, here);
    let standing = match route {
        TakenRoute::None | TakenRoute::Route(VpcRoute { target: RouteTarget::Local, .. }) => return,
        TakenRoute::Route(route) if route.is_blackhole => HopStanding::Stops(NetworkFault::Blackhole {
            table: table.clone(),
            destination: route.destination.to_string(),
            target: route.target.id().to_owned(),
        }),
        TakenRoute::Route(route) => HopStanding::Unseen(format!("the way back over {}", route.target.id())),
        TakenRoute::Unseen(missing) => HopStanding::Unseen(missing),
    };
    path.push(HopPlace::Back, table, standing);
}

/// What keeps a subnet from a transit gateway: its VPC's attachment has no subnet in its zone.
fn without_foot(network: &Network, gateway: &str, subnet: &Subnet) -> Option<NetworkFault> {
    let attachment = view::attachment(network, gateway, &subnet.vpc_id).ok()?;
    (!transit::is_in_zone(network, attachment, subnet)).then(|| NetworkFault::AttachmentZone {
        attachment: attachment.id.clone(),
        gateway: gateway.to_owned(),
        subnet: subnet.id.clone(),
        zone: subnet.zone.clone(),
    })
}

fn way_back(table: &str, route: TakenRoute<'_>, own: &str, over: &str) -> HopStanding {
    let no_way =
        || HopStanding::Stops(NetworkFault::NoWayBack { table: table.to_owned(), to: own.to_owned(), over: over.to_owned() });
    match route {
        TakenRoute::Route(route) if route.is_blackhole => no_way(),
        TakenRoute::Route(route) if route.target.id() == over => HopStanding::Passes(format!("{} to {over}", route.destination)),
        TakenRoute::Route(route) => HopStanding::Unseen(format!("the way back over {}", route.target.id())),
        TakenRoute::None => no_way(),
        TakenRoute::Unseen(missing) => HopStanding::Unseen(missing),
    }
}

/// What the route leads over, and whether rules beyond it may name groups before it.
struct RouteLink {
    hop: Option<(String, HopStanding)>,
    may_name_groups: Result<bool, String>,
}

fn link_of(
    network: &Network,
    near: &NearEnd<'_>,
    far: &FarEnd<'_>,
    (table, route): (&str, &TakenRoute<'_>),
    there: &Area,
) -> RouteLink {
    let plain = |may_name_groups| RouteLink { hop: None, may_name_groups };
    let TakenRoute::Route(route) = route else { return plain(Err("the way the packets take".to_owned())) };
    let hop = |id: &str, standing, may_name_groups| RouteLink { hop: Some((id.to_owned(), standing)), may_name_groups };
    match &route.target {
        RouteTarget::Local => match far.vpc_id {
            Some(vpc) if vpc != near.subnet.vpc_id => hop(
                "local",
                HopStanding::Unseen(format!("how {vpc} is reached, whose addresses are those of {} too", near.subnet.vpc_id)),
                Err("the way the packets take".to_owned()),
            ),
            _ => plain(Ok(true)),
        },
        RouteTarget::Peering(id) => match view::peering(network, id) {
            Err(missing) => hop(id, HopStanding::Unseen(missing.clone()), Err(missing)),
            Ok(peering) => {
                let other = if peering.requester.vpc_id == near.subnet.vpc_id { &peering.accepter } else { &peering.requester };
                let regions = (&peering.requester.region, &peering.accepter.region);
                let same_region = matches!(regions, (Some(one), Some(two)) if one == two);
                let may_name = match regions {
                    (Some(_), Some(_)) => Ok(same_region),
                    _ => Err(format!("the regions of {id}")),
                };
                let standing = if peering.status != "active" {
                    HopStanding::Stops(NetworkFault::PeeringState { peering: id.clone(), status: peering.status.clone() })
                } else if far.vpc_id.is_some_and(|vpc| vpc != other.vpc_id) {
                    HopStanding::Stops(NetworkFault::PeeringElsewhere {
                        peering: id.clone(),
                        leads_to: other.vpc_id.clone(),
                        wanted: far.vpc_id.unwrap_or_default().to_owned(),
                    })
                } else {
                    HopStanding::Passes(format!("active, to {}", other.vpc_id))
                };
                hop(id, standing, may_name)
            }
        },
        RouteTarget::TransitGateway(id) => {
            let foot = without_foot(network, id, near.subnet);
            let ends = [Some(near.subnet.vpc_id.as_str()), far.vpc_id].into_iter().flatten();
            let broken = || ends.clone().find_map(|vpc| transit::attachment_fault(network, id, vpc));
            let goal = TransitGoal { area: there, ranges: texts(&far.ranges).join(", "), vpc_id: far.vpc_id };
            let standing = match broken().or(foot) {
                Some(fault) => HopStanding::Stops(fault),
                None => transit::onward(network, id, &near.subnet.vpc_id, &goal),
            };
            // Each attachment may refuse it. That they do not is not enough: the gateway has a switch of its own, which is off unless
            // somebody turned it on. Source: EC2 API reference, `ModifyTransitGatewayOptions`.
            let refuses = |vpc: &str| view::attachment(network, id, vpc).is_ok_and(|one| one.may_reference_groups == Some(false));
            let may_name = match ends.clone().any(refuses) {
                true => Ok(false),
                false => Err(format!("the setting of {id} that lets rules name groups across it")),
            };
            hop(id, standing, may_name)
        }
        // Packets through a NAT gateway carry its address.
        RouteTarget::NatGateway(id) if there.is_private() && leads_to_internet(network, id, there) => hop(
            id,
            HopStanding::Stops(NetworkFault::OnlyToInternet {
                table: table.to_owned(),
                subnet: near.subnet.id.clone(),
                to: texts(&far.ranges).join(", "),
                target: id.clone(),
            }),
            Ok(false),
        ),
        RouteTarget::NatGateway(id) => hop(id, HopStanding::Unseen(format!("what lies behind {id}")), Ok(false)),
        RouteTarget::InternetGateway(id) => {
            hop(id, HopStanding::Unseen(format!("how a private address is reached, which the routes send to {id}")), Ok(false))
        }
        target => hop(
            target.id(),
            HopStanding::Unseen(format!("what {} does with the packets", target.id())),
            Err(format!("what {} does with the packets", target.id())),
        ),
    }
}

/// True where packets to `there` surely leave the NAT gateway for the Internet.
fn leads_to_internet(network: &Network, nat: &str, there: &Area) -> bool {
    let subnet = view::nat_gateway(network, nat).ok().and_then(|nat| nat.subnet_id.as_deref());
    let Some(subnet) = subnet.and_then(|id| view::subnet(network, id).ok()) else { return false };
    let (_, route) = taken(network, subnet, there);
    matches!(route, TakenRoute::Route(VpcRoute { target: RouteTarget::InternetGateway(_), .. }))
}

/// The public addresses that the function's packets carry behind a NAT gateway; empty where they are not known.
pub(super) fn addresses_behind_nat(network: &Network, near: &NearEnd<'_>, port: u16) -> Vec<IpRange> {
    let (_, route) = taken(network, near.subnet, &Area::public(crate::model::PortRange::one(port)));
    let TakenRoute::Route(VpcRoute { target: RouteTarget::NatGateway(id), .. }) = route else { return Vec::new() };
    let addresses = view::nat_gateway(network, id).map(|nat| nat.public_addresses.as_slice()).unwrap_or_default();
    addresses.iter().copied().map(IpRange::one).collect()
}

/// From the function to an address of the public network.
pub(super) fn to_public(network: &Network, near: &NearEnd<'_>, port: u16) -> Path {
    let mut path = Path { subnet: Some(near.subnet.id.clone()), hops: Vec::with_capacity(8) };
    let ports = crate::model::PortRange::one(port);
    let there = Area::public(ports);
    let out = groups_answer(network, near.groups, Direction::Out, &there, &PeerGroups::NONE);
    let egress = standing_of(out, |_| NetworkFault::Egress { groups: near.groups.to_vec(), port, to: OtherEnd::Public });
    path.push(HopPlace::Egress, near.groups.join(", "), egress);

    let (table, route) = taken(network, near.subnet, &there);
    let standing = match &route {
        TakenRoute::Unseen(missing) => HopStanding::Unseen(missing.clone()),
        TakenRoute::None => {
            HopStanding::Stops(NetworkFault::NoRoute { table: table.clone(), subnet: near.subnet.id.clone(), to: None })
        }
        TakenRoute::Route(route) if route.is_blackhole => HopStanding::Stops(NetworkFault::Blackhole {
            table: table.clone(),
            destination: route.destination.to_string(),
            target: route.target.id().to_owned(),
        }),
        TakenRoute::Route(route) => match &route.target {
            RouteTarget::InternetGateway(gateway) => HopStanding::Stops(NetworkFault::InternetGateway {
                table: table.clone(),
                gateway: gateway.clone(),
                subnet: near.subnet.id.clone(),
            }),
            RouteTarget::NatGateway(_) => HopStanding::Passes(format!("{} to {}", route.destination, route.target.id())),
            other => HopStanding::Unseen(format!("where {} leads packets for the public network", other.id())),
        },
    };
    path.push(HopPlace::Route, table, standing);
    at_acl(&mut path, network, HopPlace::AclOut, near.subnet, Direction::Out, &there, ports);
    if let TakenRoute::Route(VpcRoute { target: RouteTarget::NatGateway(id), is_blackhole: false, .. }) = route {
        through_nat(&mut path, network, near.subnet, id, &there, ports);
    }
    at_acl(&mut path, network, HopPlace::Back, near.subnet, Direction::In, &there.at(EPHEMERAL), EPHEMERAL);
    path
}

/// The NAT gateway, the way on from its subnet, and its subnet's ACL, which the packets cross twice each way.
fn through_nat(path: &mut Path, network: &Network, near: &Subnet, id: &str, there: &Area, ports: crate::model::PortRange) {
    let nat = match view::nat_gateway(network, id) {
        Ok(nat) => nat,
        Err(missing) => return path.push(HopPlace::Link, id, HopStanding::Unseen(missing)),
    };
    if nat.state != "available" {
        let fault = NetworkFault::NatState { nat: id.to_owned(), state: nat.state.clone(), failure: nat.failure.clone() };
        return path.push(HopPlace::Link, id, HopStanding::Stops(fault));
    }
    let inside = |because: String| HopStanding::Stops(NetworkFault::NatInside { nat: id.to_owned(), because });
    // One that serves a whole region has its routes to itself.
    let Some(subnet_id) = &nat.subnet_id else {
        return path.push(HopPlace::Link, id, HopStanding::Passes("available".to_owned()));
    };
    let subnet = match view::subnet(network, subnet_id) {
        Ok(subnet) => subnet,
        Err(missing) => return path.push(HopPlace::Link, id, HopStanding::Unseen(missing)),
    };
    let (table, route) = taken(network, subnet, there);
    let standing = match route {
        TakenRoute::Unseen(missing) => HopStanding::Unseen(missing),
        TakenRoute::None => inside(format!("{table} of its subnet {subnet_id} has no route there")),
        TakenRoute::Route(route) if route.is_blackhole => {
            inside(format!("{table} of {subnet_id} leads to {}, which is gone", route.target.id()))
        }
        TakenRoute::Route(route) => match &route.target {
            RouteTarget::InternetGateway(_) if !nat.is_public => inside("it is a private one".to_owned()),
            RouteTarget::InternetGateway(gateway) => HopStanding::Passes(format!("available, on to {gateway}")),
            RouteTarget::NatGateway(other) if other == id => inside(format!("{table} of {subnet_id} leads back to it")),
            other => HopStanding::Unseen(format!("where {} leads packets for the public network", other.id())),
        },
    };
    path.push(HopPlace::Link, id, standing);
    if subnet.id != near.id
        && let Some(own) = near.range
    {
        at_acl(path, network, HopPlace::AclIn, subnet, Direction::In, &Area::within(&[own], ports), ports);
        at_acl(path, network, HopPlace::Back, subnet, Direction::Out, &Area::within(&[own], EPHEMERAL), EPHEMERAL);
    }
    at_acl(path, network, HopPlace::AclOut, subnet, Direction::Out, there, ports);
    at_acl(path, network, HopPlace::Back, subnet, Direction::In, &there.at(EPHEMERAL), EPHEMERAL);
}

/// A database's public address, as seen from `sources`, or from anywhere on the public network where they are not known.
pub(super) fn from_public(path: &mut Path, network: &Network, far: &FarEnd<'_>, sources: &[IpRange]) {
    let port = crate::model::PortRange::one(far.port);
    let there = if sources.is_empty() { Area::public(port) } else { Area::within(sources, port) };
    let from = || if sources.is_empty() { OtherEnd::Public } else { OtherEnd::Ranges(texts(sources)) };
    let standing = match far.groups {
        Some(groups) => {
            let enters = groups_answer(network, groups, Direction::In, &there, &PeerGroups::NONE);
            standing_of(enters, |_| NetworkFault::Ingress { groups: groups.to_vec(), port: far.port, from: from() })
        }
        None => HopStanding::Unseen("who is let in there".to_owned()),
    };
    match &far.subnet {
        Ok(subnet) => at_acl(path, network, HopPlace::AclIn, subnet, Direction::In, &there, port),
        Err(missing) => path.push(HopPlace::AclIn, "", HopStanding::Unseen(missing.clone())),
    }
    path.push(HopPlace::Ingress, far.groups.unwrap_or_default().join(", "), standing);
    let Ok(subnet) = &far.subnet else { return };
    let (table, route) = taken(network, subnet, &there.at(EPHEMERAL));
    let no_way = || {
        HopStanding::Stops(NetworkFault::NoWayBack {
            table: table.clone(),
            to: "the public network".to_owned(),
            over: "an Internet gateway".to_owned(),
        })
    };
    let standing = match route {
        TakenRoute::Route(VpcRoute { target: RouteTarget::InternetGateway(id), is_blackhole: false, .. }) => {
            HopStanding::Passes(id.clone())
        }
        TakenRoute::Route(route) if route.is_blackhole => no_way(),
        TakenRoute::Route(route) => HopStanding::Unseen(format!("the way back over {}", route.target.id())),
        TakenRoute::None => no_way(),
        TakenRoute::Unseen(missing) => HopStanding::Unseen(missing),
    };
    path.push(HopPlace::Back, table.clone(), standing);
    at_acl(path, network, HopPlace::Back, subnet, Direction::Out, &there.at(EPHEMERAL), EPHEMERAL);
}

/// The function's interfaces, one for each of its subnets that was seen; what is missing of the others.
pub(super) fn near_ends<'a>(network: &'a Network, vpc: &'a VpcConfig) -> Vec<Result<NearEnd<'a>, (String, String)>> {
    vpc.subnet_ids
        .iter()
        .map(|id| {
            view::subnet(network, id)
                .map(|subnet| NearEnd {
                    subnet,
                    groups: &vpc.security_group_ids,
                    has_ipv6: vpc.ipv6_allowed && !subnet.ipv6_ranges.is_empty(),
                })
                .map_err(|missing| (id.clone(), missing))
        })
        .collect()
}
