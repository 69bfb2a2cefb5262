//! The other family of addresses, where the function and what it must reach have both.
//!
//! Hop by hop only the ways over IPv4 are judged. Where they are closed, a function that may use IPv6 may get through all the same:
//! what could carry its packets is named then, and the answer stays open. What surely carries none changes no answer.
//!
//! Sources: Lambda Developer Guide, "IPv6 support" of functions in a VPC; Amazon VPC User Guide, "Enable outbound IPv6 traffic using
//! an egress-only internet gateway" and "DNS64 and NAT64".

use super::filter::{Direction, ranges_of};
use super::path::{HopPlace, HopStanding, NetworkFault, Path};
use super::view;
use super::walk::{EPHEMERAL, FarEnd, NearEnd};
use crate::model::{AclEntry, GroupPeer, GroupRule, IpProtocol, IpRange, Network, PortRange, RouteDestination, RouteTarget};

/// What may carry packets of IPv6 from the function to the public network; `None` where surely nothing does.
pub(super) fn public_way(network: &Network, near: &NearEnd<'_>, port: u16) -> Option<String> {
    if !near.has_ipv6 {
        return None;
    }
    let table = match view::route_table(network, near.subnet) {
        Ok(table) => table,
        Err(missing) => return Some(missing),
    };
    let leads_out = |destination: &RouteDestination| match destination {
        RouteDestination::Range(range) => !range.is_v4(),
        RouteDestination::PrefixList(id) => holds_ipv6(network, id),
    };
    let mut routes = table.routes.iter().filter(|route| !route.is_blackhole && route.target != RouteTarget::Local);
    let way = routes.find(|route| leads_out(&route.destination))?;
    let ports = PortRange::one(port);
    let is_let = |rule: &GroupRule| is_for(rule.protocol, rule.ports, ports) && names_ipv6(network, &rule.peer, &[]);
    let passes = some_rule(network, near.groups, Direction::Out, is_let)
        && some_entry(network, &near.subnet.id, Direction::Out, ports)
        && some_entry(network, &near.subnet.id, Direction::In, EPHEMERAL);
    passes.then(|| way.target.id().to_owned())
}

/// True where packets of IPv6 may get from the function to what stands in a private network.
pub(super) fn may_reach(network: &Network, near: &NearEnd<'_>, far: &FarEnd<'_>) -> bool {
    let has_range = far.subnet.as_ref().map_or(true, |subnet| !subnet.ipv6_ranges.is_empty());
    if !near.has_ipv6 || !has_range {
        return false;
    }
    let ports = PortRange::one(far.port);
    let peers = far.groups.unwrap_or_default();
    let lets_out = |rule: &GroupRule| is_for(rule.protocol, rule.ports, ports) && names_ipv6(network, &rule.peer, peers);
    let lets_in = |rule: &GroupRule| is_for(rule.protocol, rule.ports, ports) && names_ipv6(network, &rule.peer, near.groups);
    let enters = far.groups.is_none_or(|groups| some_rule(network, groups, Direction::In, lets_in));
    let is_same_subnet = far.subnet.as_ref().is_ok_and(|subnet| subnet.id == near.subnet.id);
    let from = is_same_subnet
        || some_entry(network, &near.subnet.id, Direction::Out, ports)
            && some_entry(network, &near.subnet.id, Direction::In, EPHEMERAL);
    let into = far.subnet.as_ref().map_or(true, |subnet| {
        is_same_subnet
            || some_entry(network, &subnet.id, Direction::In, ports) && some_entry(network, &subnet.id, Direction::Out, EPHEMERAL)
    });
    some_rule(network, near.groups, Direction::Out, lets_out) && enters && from && into
}

/// The way to what has addresses of IPv6 alone: closed to a function that has none, and else not judged.
pub(super) fn only_way(near: &NearEnd<'_>, target: &str, endpoint: Option<&str>) -> Path {
    let mut path = Path { subnet: Some(near.subnet.id.clone()), hops: Vec::new() };
    let standing = match near.has_ipv6 {
        true => HopStanding::Unseen(format!("the way to {target} over IPv6, the only family that it has")),
        false => HopStanding::Stops(NetworkFault::NoIpv6 { target: target.to_owned(), endpoint: endpoint.map(str::to_owned) }),
    };
    path.push(HopPlace::Name, target, standing);
    path
}

fn is_for(protocol: IpProtocol, own: Option<PortRange>, ports: PortRange) -> bool {
    match protocol {
        IpProtocol::All => true,
        IpProtocol::Tcp => own.is_none_or(|own| own.overlaps(&ports)),
        IpProtocol::Other => false,
    }
}

/// A list that was not seen may hold some.
fn holds_ipv6(network: &Network, list: &str) -> bool {
    ranges_of(network, list).map_or(true, |ranges| ranges.iter().any(|range| !range.is_v4()))
}

/// A reference to a group holds for the addresses of both families.
fn names_ipv6(network: &Network, peer: &GroupPeer, groups: &[String]) -> bool {
    match peer {
        GroupPeer::Range(range) => !range.is_v4(),
        GroupPeer::PrefixList(id) => holds_ipv6(network, id),
        GroupPeer::Group { id, .. } => groups.contains(id),
    }
}

/// True where a rule of the groups is such a one, or a group was not seen.
fn some_rule(network: &Network, ids: &[String], direction: Direction, is_it: impl Fn(&GroupRule) -> bool) -> bool {
    ids.iter().any(|id| match view::group(network, id) {
        Ok(group) => (if direction == Direction::In { &group.ingress } else { &group.egress }).iter().any(&is_it),
        Err(_) => true,
    })
}

/// True where the subnet's ACL lets some packets of IPv6 through, or was not seen.
fn some_entry(network: &Network, subnet: &str, direction: Direction, ports: PortRange) -> bool {
    let Ok(acl) = view::acl(network, subnet) else { return true };
    let is_of = |entry: &&AclEntry| {
        entry.is_egress == (direction == Direction::Out) && !entry.range.is_v4() && is_for(entry.protocol, entry.ports, ports)
    };
    let mut entries: Vec<&AclEntry> = acl.entries.iter().filter(is_of).collect();
    entries.sort_by_key(|entry| entry.number);
    let mut denied: Vec<IpRange> = Vec::new();
    for entry in entries {
        if entry.is_allow {
            if !denied.iter().any(|range| range.covers(&entry.range)) {
                return true;
            }
        } else if entry.protocol == IpProtocol::All || entry.ports.is_none_or(|own| own.covers(&ports)) {
            denied.push(entry.range);
        }
    }
    false
}
