//! Which routes of a table packets take.
//!
//! Source: Amazon VPC User Guide, "Route priority": the longest prefix that matches decides.

use super::area::{AddressBlock, Area};
use super::filter::ranges_of;
use crate::model::{IpRange, Network, RouteDestination, RouteTable, VpcRoute};

/// Beginning of the names of AWS's own prefix lists, none of which holds a database or an interface endpoint.
const OF_AWS: &str = "com.amazonaws.";

/// The routes that packets to `area` may take, each once; `None` among them for packets that none takes.
pub(super) fn routes_to<'n>(
    network: &'n Network,
    table: &'n RouteTable,
    area: &Area,
) -> Result<Vec<Option<&'n VpcRoute>>, String> {
    let mut by_length: Vec<(IpRange, &VpcRoute)> = Vec::with_capacity(table.routes.len());
    for route in &table.routes {
        match &route.destination {
            RouteDestination::Range(range) => by_length.push((*range, route)),
            RouteDestination::PrefixList(id) => {
                let named = super::view::prefix_list(network, id).ok().and_then(|list| list.name.as_deref());
                if named.is_some_and(|name| name.starts_with(OF_AWS)) {
                    continue;
                }
                by_length.extend(ranges_of(network, id)?.iter().map(|range| (*range, route)));
            }
        }
    }
    by_length.sort_by_key(|(range, _)| std::cmp::Reverse(range.bits()));
    let mut left = area.clone();
    let mut taken: Vec<Option<&VpcRoute>> = Vec::new();
    for (range, route) in by_length {
        let takes = AddressBlock::of(&range, None).is_some_and(|block| left.take(&block));
        if takes && !taken.contains(&Some(route)) {
            taken.push(Some(route));
        }
        if left.is_empty() {
            return Ok(taken);
        }
    }
    taken.push(None);
    Ok(taken)
}
