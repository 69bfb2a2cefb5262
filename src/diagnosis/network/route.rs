//! Which routes of a table packets take.
//!
//! Source: Amazon VPC User Guide, "Route priority": the longest prefix that matches decides; of two that are as long, a route to a
//! range comes before one to a prefix list, and a static one before a propagated one, in which order a table has them.

use super::area::{AddressBlock, Area};
use super::filter::ranges_of;
use crate::model::{EndpointKind, IpRange, Network, RouteDestination, RouteTable, RouteTarget, VpcRoute};

/// Beginning of the names of AWS's own prefix lists, none of which holds a database or an interface endpoint.
const OF_AWS: &str = "com.amazonaws.";

/// The routes that packets to `area` may take, each once; `None` among them for packets that none takes.
pub(super) fn routes_to<'n>(
    network: &'n Network,
    table: &'n RouteTable,
    area: &Area,
) -> Result<Vec<Option<&'n VpcRoute>>, String> {
    let mut by_length: Vec<(IpRange, &VpcRoute)> = Vec::with_capacity(table.routes.len());
    let mut by_list: Vec<(IpRange, &VpcRoute)> = Vec::new();
    let mut unseen = None;
    for route in &table.routes {
        match &route.destination {
            RouteDestination::Range(range) => by_length.push((*range, route)),
            RouteDestination::PrefixList(id) if is_of_aws(network, id) || is_by_gateway_endpoint(network, route) => {}
            RouteDestination::PrefixList(id) => match ranges_of(network, id) {
                Ok(ranges) => by_list.extend(ranges.iter().map(|range| (*range, route))),
                Err(missing) => unseen = unseen.or(Some(missing)),
            },
        }
    }
    by_length.extend(by_list);
    let taken = most_specific(by_length, area);
    // No list is more specific than the VPC itself.
    let is_inside = taken.iter().all(|route| route.is_some_and(|route| route.target == RouteTarget::Local));
    match unseen {
        Some(missing) if !is_inside => Err(missing),
        _ => Ok(taken),
    }
}

/// The routes that packets to `area` take where the longest prefix decides, and then the order of `routes`, each once; `None` among them
/// for packets that none takes.
pub(super) fn most_specific<'n, R: PartialEq>(mut routes: Vec<(IpRange, &'n R)>, area: &Area) -> Vec<Option<&'n R>> {
    routes.sort_by_key(|(range, _)| std::cmp::Reverse(range.bits()));
    let mut left = area.clone();
    let mut taken: Vec<Option<&R>> = Vec::new();
    for (range, route) in routes {
        let takes = AddressBlock::of(&range, None).is_some_and(|block| left.take(&block));
        if takes && !taken.contains(&Some(route)) {
            taken.push(Some(route));
        }
        if left.is_empty() {
            break;
        }
    }
    if !left.is_empty() {
        taken.push(None);
    }
    taken
}

fn is_of_aws(network: &Network, list: &str) -> bool {
    let named = super::view::prefix_list(network, list).ok().and_then(|list| list.name.as_deref());
    named.is_some_and(|name| name.starts_with(OF_AWS))
}

/// True for the way to S3 or DynamoDB, which leads to nothing else. An endpoint that was not listed counts as one: those of gateway
/// load balancers are routed by ranges.
///
/// Source: AWS PrivateLink Guide, "Gateway endpoints": the destination is the service's prefix list.
fn is_by_gateway_endpoint(network: &Network, route: &VpcRoute) -> bool {
    let RouteTarget::VpcEndpoint(id) = &route.target else { return false };
    let listed = network.endpoints.found().and_then(|all| all.iter().find(|one| one.id == *id));
    listed.is_none_or(|endpoint| endpoint.kind == EndpointKind::Gateway)
}
