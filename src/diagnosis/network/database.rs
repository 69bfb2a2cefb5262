//! The way to a database.

use super::path::{Hop, HopPlace, HopStanding, NetworkFault, NetworkPaths, Path};
use super::walk::{FarEnd, NearEnd, addresses_behind_nat, from_public, near_ends, to_private, to_public};
use super::{ipv6, view};
use crate::model::{DatabaseKind, FunctionFacts, IpRange, Network, Subnet, TargetDatabase};

/// The paths of the function to the database; `None` where its port is not known.
#[must_use]
pub fn to_database(network: &Network, function: &FunctionFacts, database: &TargetDatabase) -> Option<NetworkPaths> {
    let port = database.port?;
    let target = database.id.clone();
    let Some(vpc) = &function.vpc else {
        return Some(NetworkPaths { target, paths: vec![without_vpc(network, database, port)] });
    };
    let paths = near_ends(network, vpc)
        .into_iter()
        .map(|near| match near {
            Ok(near) => path(network, &near, database, port),
            Err((id, missing)) => {
                let mut path = Path { subnet: Some(id.clone()), hops: Vec::new() };
                path.push(HopPlace::Route, id, HopStanding::Unseen(missing));
                path
            }
        })
        .map(|mut path| {
            // It takes connections whether or not its database can be reached.
            if database.kind == DatabaseKind::Proxy {
                let behind = format!("the way from {} to the database behind it", database.id);
                path.push(HopPlace::Link, &database.id, HopStanding::Unseen(behind));
            }
            path
        })
        .collect();
    Some(NetworkPaths { target, paths })
}

fn without_vpc(network: &Network, database: &TargetDatabase, port: u16) -> Path {
    let mut path = Path { subnet: None, hops: Vec::new() };
    let is_private = database.status.is_some() && !database.publicly_accessible;
    if is_private {
        path.push(HopPlace::Route, "", HopStanding::Stops(NetworkFault::NoVpc));
        return path;
    }
    on_public_side(&mut path, network, database, port, &[]);
    path
}

fn on_public_side(path: &mut Path, network: &Network, database: &TargetDatabase, port: u16, sources: &[IpRange]) {
    let ways = far_ends(network, database, port).into_iter().map(|far| {
        let mut way = path.clone();
        from_public(&mut way, network, &far, sources);
        way
    });
    if let Some(way) = Path::one_of(ways.collect(), &format!("in which subnet {} stands", database.id)) {
        *path = way;
    }
}

/// A connection to another private network; a gateway to the public one is none.
fn is_private_link(hop: &Hop) -> bool {
    hop.place == HopPlace::Link && !hop.id.starts_with("nat-") && !hop.id.starts_with("igw-")
}

/// The database in each of the subnets it may stand in; where none of them was seen, at the address that a line names.
fn far_ends<'a>(network: &'a Network, database: &'a TargetDatabase, port: u16) -> Vec<FarEnd<'a>> {
    let groups = (!database.security_group_ids.is_empty()).then_some(database.security_group_ids.as_slice());
    let far = |ranges: Vec<IpRange>, subnet: Result<&'a Subnet, String>| FarEnd {
        ranges,
        subnet,
        groups,
        vpc_id: database.vpc_id.as_deref(),
        port,
    };
    let seen = |id: &String| view::subnet(network, id).is_ok();
    let is_placed = !database.subnet_ids.is_empty() && database.subnet_ids.iter().all(seen);
    if let Some(address) = database.address.filter(|_| !is_placed) {
        let holds = |subnet: &&Subnet| {
            subnet.range.is_some_and(|range| range.contains(address))
                && database.vpc_id.as_ref().is_none_or(|vpc| *vpc == subnet.vpc_id)
        };
        let all = network.subnets.found().map(Vec::as_slice).unwrap_or_default();
        let mut holding = all.iter().filter(holds);
        let subnet = match (holding.next(), holding.next()) {
            (Some(subnet), None) => Ok(subnet),
            _ => Err(format!("the subnet of {address}")),
        };
        return vec![far(vec![IpRange::one(address)], subnet)];
    }
    if database.subnet_ids.is_empty() {
        let ranges = database.vpc_id.as_deref().and_then(|vpc| view::vpc(network, vpc).ok()).map(|vpc| vpc.ranges.clone());
        return vec![far(ranges.unwrap_or_default(), Err(format!("the subnet of {}", database.id)))];
    }
    let in_subnet = |id: &'a String| {
        let subnet = view::subnet(network, id);
        far(subnet.as_ref().ok().and_then(|subnet| subnet.range).into_iter().collect(), subnet)
    };
    database.subnet_ids.iter().map(in_subnet).collect()
}

fn path(network: &Network, near: &NearEnd<'_>, database: &TargetDatabase, port: u16) -> Path {
    if database.is_ipv6_only {
        return ipv6::only_way(near, &database.id, None);
    }
    // A driver tried this address; whether the host has one of IPv4 too was not told.
    if let Some(address) = database.address.filter(|address| address.is_ipv6() && database.subnet_ids.is_empty()) {
        let mut path = Path { subnet: Some(near.subnet.id.clone()), hops: Vec::new() };
        path.push(HopPlace::Name, &database.id, HopStanding::Unseen(format!("the way to {address} over IPv6")));
        return path;
    }
    let which = format!("in which subnet {} stands", database.id);
    let ends = far_ends(network, database, port);
    let mut privately = Path::one_of(ends.iter().map(|far| to_private(network, near, far)).collect(), &which);
    if let Some(path) =
        privately.as_mut().filter(|_| database.is_dual_stack && ends.iter().any(|far| ipv6::may_reach(network, near, far)))
    {
        path.leave_open(|fault| format!("the way to {} over IPv6, while over IPv4 {}", database.id, fault.text()));
    }
    let is_elsewhere = database.vpc_id.as_ref().is_some_and(|vpc| *vpc != near.subnet.vpc_id);
    // Inside its VPC the host name of a public database leads to its private address; from another one it depends.
    if !(database.publicly_accessible && is_elsewhere) {
        return privately.unwrap_or_else(|| Path { subnet: Some(near.subnet.id.clone()), hops: Vec::new() });
    }
    let mut publicly = to_public(network, near, port);
    let sources = addresses_behind_nat(network, near, port);
    on_public_side(&mut publicly, network, database, port, &sources);
    if let Some(by) = ipv6::public_way(network, near, port).filter(|_| database.is_dual_stack) {
        publicly.leave_open(|fault| format!("the way to {} over IPv6 by {by}, while over IPv4 {}", database.id, fault.text()));
    }
    match privately {
        Some(privately) if privately.hops.iter().any(is_private_link) => {
            let which = format!("at which of its addresses {} is reached", database.id);
            Path::one_of(vec![privately, publicly.clone()], &which).unwrap_or(publicly)
        }
        _ => publicly,
    }
}
