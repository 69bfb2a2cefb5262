//! The way to an endpoint of AWS: through an interface endpoint where the service's name leads to one, else over the public network.
//!
//! Source: AWS PrivateLink Guide, "Access an AWS service using an interface VPC endpoint": private DNS takes both of the VPC's DNS
//! attributes, and only one endpoint of a service in a VPC can have it.

use super::path::{HopPlace, HopStanding, NetworkFault, NetworkPaths, Path, Reachability};
use super::walk::{FarEnd, NearEnd, near_ends, to_private, to_public};
use super::{ipv6, view};
use crate::model::{EndpointKind, FunctionFacts, Network, RouteTarget, Vpc, VpcConfig, VpcEndpoint};

const HTTPS: u16 = 443;

/// Where the service's name leads.
enum Leads<'n> {
    ToEndpoint(&'n VpcEndpoint),
    /// To the public network; with what keeps it from an endpoint that is there.
    ToPublic(Option<Detour<'n>>),
    /// Either may be.
    Either(&'n VpcEndpoint, String),
    /// Nowhere, as this VPC resolves no name; with where it would lead.
    Nowhere(&'n str, Box<Leads<'n>>),
    Unseen(String),
}

enum Detour<'n> {
    PrivateDnsOff(&'n VpcEndpoint),
    Attribute(&'n str, &'static str),
    State(&'n VpcEndpoint),
}

/// The interface endpoint that the function's calls of the service go through, where that is sure.
pub(crate) fn endpoint_in_use<'n>(
    network: &'n Network,
    function: &FunctionFacts,
    region: &str,
    service: &str,
) -> Option<&'n VpcEndpoint> {
    match leads(network, &function.vpc.as_ref()?.vpc_id, region, service) {
        Leads::ToEndpoint(endpoint) => Some(endpoint),
        _ => None,
    }
}

/// True where the function's calls of the service surely go over the public network.
pub(crate) fn goes_public(network: &Network, function: &FunctionFacts, region: &str, service: &str) -> bool {
    function.vpc.as_ref().is_some_and(|vpc| matches!(leads(network, &vpc.vpc_id, region, service), Leads::ToPublic(None)))
}

/// The paths of a function in a VPC to the service; `None` for a function in none, which reaches every service.
#[must_use]
pub fn to_service(network: &Network, function: &FunctionFacts, region: &str, service: &str) -> Option<NetworkPaths> {
    let vpc = function.vpc.as_ref()?;
    let leads = leads(network, &vpc.vpc_id, region, service);
    Some(NetworkPaths { target: service.to_owned(), paths: paths_by(network, vpc, &leads) })
}

fn paths_by(network: &Network, vpc: &VpcConfig, leads: &Leads<'_>) -> Vec<Path> {
    near_ends(network, vpc)
        .into_iter()
        .map(|near| match near {
            Ok(near) => path(network, &near, leads),
            Err((id, missing)) => {
                let mut path = Path { subnet: Some(id.clone()), hops: Vec::new() };
                path.push(HopPlace::Route, id, HopStanding::Unseen(missing));
                path
            }
        })
        .collect()
}

/// The paths of a function in a VPC to a host of `service` that no endpoint of the VPC stands in for, as it is another region's;
/// `None` for a function in none.
#[must_use]
pub(crate) fn to_public_host(network: &Network, function: &FunctionFacts, service: &str) -> Option<NetworkPaths> {
    let vpc = function.vpc.as_ref()?;
    let leads = where_names_resolve(network, &vpc.vpc_id, Leads::ToPublic(None));
    Some(NetworkPaths { target: service.to_owned(), paths: paths_by(network, vpc, &leads) })
}

/// The paths of a function in a VPC to the service's host of both families, below `api.aws`; `None` for a function in none.
///
/// Whether private DNS leads that name to an endpoint too is told of few services, so that either way may be taken.
/// Source: AWS KMS Developer Guide, "Dual-stack endpoint support".
#[must_use]
pub(crate) fn to_dual_stack_host(
    network: &Network,
    function: &FunctionFacts,
    region: &str,
    service: &str,
) -> Option<NetworkPaths> {
    let vpc = function.vpc.as_ref()?;
    let leads = of_both_families(leads(network, &vpc.vpc_id, region, service), &format!("{service}.{region}.api.aws"));
    Some(NetworkPaths { target: service.to_owned(), paths: paths_by(network, vpc, &leads) })
}

fn of_both_families<'n>(leads: Leads<'n>, host: &str) -> Leads<'n> {
    match leads {
        Leads::ToEndpoint(endpoint) | Leads::Either(endpoint, _) => {
            Leads::Either(endpoint, format!("the address of {host}, which may be that of {}", endpoint.id))
        }
        Leads::ToPublic(_) => Leads::ToPublic(None),
        Leads::Nowhere(vpc, beyond) => Leads::Nowhere(vpc, Box::new(of_both_families(*beyond, host))),
        Leads::Unseen(missing) => Leads::Unseen(missing),
    }
}

fn leads<'n>(network: &'n Network, vpc_id: &str, region: &str, service: &str) -> Leads<'n> {
    where_names_resolve(network, vpc_id, leads_once_resolved(network, vpc_id, region, service))
}

/// The same, unless the VPC resolves no name at all.
fn where_names_resolve<'n>(network: &'n Network, vpc_id: &str, leads: Leads<'n>) -> Leads<'n> {
    match view::vpc(network, vpc_id) {
        Ok(Vpc { id, dns_support: Some(false), .. }) => Leads::Nowhere(id, Box::new(leads)),
        _ => leads,
    }
}

fn leads_once_resolved<'n>(network: &'n Network, vpc_id: &str, region: &str, service: &str) -> Leads<'n> {
    let endpoints = match view::endpoints(network, vpc_id) {
        Ok(endpoints) => endpoints,
        Err(missing) => return Leads::Unseen(missing),
    };
    let suffix = format!(".{region}.{service}");
    let mut own =
        endpoints.into_iter().filter(|one| one.kind == EndpointKind::Interface && one.service.ends_with(&suffix)).peekable();
    if own.peek().is_none() {
        return Leads::ToPublic(None);
    }
    let own: Vec<&VpcEndpoint> = own.collect();
    let works =
        |one: &&&VpcEndpoint| matches!(one.state.to_ascii_lowercase().as_str(), "available" | "pending" | "pendingacceptance");
    if let Some(endpoint) = own.iter().filter(works).find(|one| one.private_dns) {
        if !endpoint.state.eq_ignore_ascii_case("available") {
            return Leads::Unseen(format!("what becomes of {}, which is {}", endpoint.id, endpoint.state));
        }
        return match view::vpc(network, vpc_id) {
            // Host names are asked about alone only where some name was resolved.
            Ok(Vpc { dns_hostnames: Some(true), .. }) => Leads::ToEndpoint(endpoint),
            Ok(Vpc { id, dns_hostnames: Some(false), .. }) => Leads::ToPublic(Some(Detour::Attribute(id, "enableDnsHostnames"))),
            Ok(_) => Leads::Either(endpoint, format!("the DNS attributes of {vpc_id}")),
            Err(missing) => Leads::Either(endpoint, missing),
        };
    }
    match own.iter().find(|one| works(one)) {
        Some(endpoint) => Leads::ToPublic(Some(Detour::PrivateDnsOff(endpoint))),
        None => Leads::ToPublic(own.first().map(|endpoint| Detour::State(endpoint))),
    }
}

fn path(network: &Network, near: &NearEnd<'_>, leads: &Leads<'_>) -> Path {
    match leads {
        Leads::ToEndpoint(endpoint) => to_endpoint(network, near, endpoint),
        Leads::ToPublic(detour) => over_public(network, near, detour.as_ref()),
        Leads::Either(endpoint, which) => {
            let ways = vec![to_endpoint(network, near, endpoint), over_public(network, near, None)];
            let is_open = ways.iter().all(|way| way.reach() == Reachability::Reachable);
            let path = Path::one_of(ways, which).unwrap_or_else(|| over_public(network, near, None));
            with_open_name(path, endpoint, which, is_open)
        }
        Leads::Nowhere(vpc, beyond) => {
            let mut path = path(network, near, beyond);
            let fault = NetworkFault::DnsAttribute { vpc: (*vpc).to_owned(), attribute: "enableDnsSupport", public: None };
            let hop = super::path::Hop { place: HopPlace::Name, id: (*vpc).to_owned(), standing: HopStanding::Stops(fault) };
            path.hops.insert(0, hop);
            path
        }
        Leads::Unseen(missing) => {
            let mut path = Path { subnet: Some(near.subnet.id.clone()), hops: Vec::new() };
            path.push(HopPlace::Name, "", HopStanding::Unseen(missing.clone()));
            path
        }
    }
}

/// The path with a host name of which nobody saw where it leads; `is_open` where that makes no difference.
fn with_open_name(mut path: Path, endpoint: &VpcEndpoint, which: &str, is_open: bool) -> Path {
    // Which way is blocked may be said of it already.
    let said = path.hops.iter().find_map(|hop| match &hop.standing {
        HopStanding::Unseen(text) if text.starts_with(which) => Some(text.clone()),
        _ => None,
    });
    let standing = match is_open {
        true => HopStanding::Passes(format!("it leads to {} or to the public address, and either way is open", endpoint.id)),
        false => HopStanding::Unseen(said.unwrap_or_else(|| which.to_owned())),
    };
    // The name says it, so that the answers need not.
    path.hops.retain(|hop| hop.place != HopPlace::Back || hop.standing != HopStanding::Unseen(which.to_owned()));
    let hop = super::path::Hop { place: HopPlace::Name, id: endpoint.id.clone(), standing };
    match path.hops.iter_mut().find(|hop| hop.place == HopPlace::Name) {
        Some(name) if matches!(name.standing, HopStanding::Passes(_)) => *name = hop,
        Some(_) => {}
        None => path.hops.insert(0, hop),
    }
    path
}

fn to_endpoint(network: &Network, near: &NearEnd<'_>, endpoint: &VpcEndpoint) -> Path {
    if endpoint.is_ipv6_only {
        return ipv6::only_way(near, &endpoint.id, Some(&endpoint.id));
    }
    let named = |mut path: Path| {
        let hop = super::path::Hop {
            place: HopPlace::Name,
            id: endpoint.id.clone(),
            standing: HopStanding::Passes("private DNS leads to the endpoint".to_owned()),
        };
        path.hops.insert(0, hop);
        path
    };
    let ways: Vec<Path> = endpoint
        .subnet_ids
        .iter()
        .map(|id| {
            let subnet = view::subnet(network, id);
            let far = FarEnd {
                ranges: subnet.as_ref().ok().and_then(|subnet| subnet.range).into_iter().collect(),
                subnet,
                groups: Some(&endpoint.security_group_ids),
                vpc_id: Some(&endpoint.vpc_id),
                port: HTTPS,
            };
            to_private(network, near, &far)
        })
        .collect();
    match Path::one_of(ways, &format!("which interface of {} is taken", endpoint.id)) {
        Some(path) => named(path),
        None => {
            let mut path = Path { subnet: Some(near.subnet.id.clone()), hops: Vec::new() };
            let fault = NetworkFault::EndpointWithoutSubnets { endpoint: endpoint.id.clone() };
            path.push(HopPlace::Name, &endpoint.id, HopStanding::Stops(fault));
            path
        }
    }
}

/// Over the public network. Where that is stopped, an endpoint that could be used and is not is the fault to name.
fn over_public(network: &Network, near: &NearEnd<'_>, detour: Option<&Detour<'_>>) -> Path {
    let mut path = to_public(network, near, HTTPS);
    let Some(fault) = path.fault().cloned() else { return path };
    if let Some(by) = ipv6::public_way(network, near, HTTPS) {
        path.leave_open(|fault| format!("the way to the service over IPv6 by {by}, while over IPv4 {}", fault.text()));
        return path;
    }
    if let Some(detour) = detour {
        let public = Box::new(fault);
        let (id, fault) = match detour {
            Detour::PrivateDnsOff(one) => (one.id.as_str(), NetworkFault::PrivateDnsOff { endpoint: one.id.clone(), public }),
            Detour::Attribute(vpc, attribute) => {
                (*vpc, NetworkFault::DnsAttribute { vpc: (*vpc).to_owned(), attribute, public: Some(public) })
            }
            Detour::State(one) => {
                (one.id.as_str(), NetworkFault::EndpointState { endpoint: one.id.clone(), state: one.state.clone() })
            }
        };
        path.hops.insert(0, super::path::Hop { place: HopPlace::Name, id: id.to_owned(), standing: HopStanding::Stops(fault) });
        return path;
    }
    // A name server of the network may lead to an endpoint in another VPC, where there is a way to one.
    if let Some(beyond) = way_beyond(network, near) {
        for hop in &mut path.hops {
            if matches!(&hop.standing, HopStanding::Stops(fault) if !matches!(fault, NetworkFault::Egress { .. })) {
                hop.standing = HopStanding::Unseen(format!("an endpoint behind {beyond}, to which the service's name may lead"));
            }
        }
    }
    path
}

/// What leads from the near subnet to other networks, as far as that can be ruled out.
fn way_beyond<'n>(network: &'n Network, near: &NearEnd<'_>) -> Option<&'n str> {
    let Ok(table) = view::route_table(network, near.subnet) else { return Some("a route that was not seen") };
    let leads_on = |target: &RouteTarget| {
        matches!(
            target,
            RouteTarget::Peering(_) | RouteTarget::TransitGateway(_) | RouteTarget::Other(_) | RouteTarget::Appliance(_)
        )
    };
    table.routes.iter().find(|route| !route.is_blackhole && leads_on(&route.target)).map(|route| route.target.id())
}
