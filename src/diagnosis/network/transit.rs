//! What a transit gateway does with the packets between two of its attachments.
//!
//! Source: Amazon VPC Transit Gateways Guide, "How transit gateways work": packets from an attachment are sent on by the one route
//! table that it is associated with, by the most specific route there; one without a table sends nothing. Only the gateway's own
//! account reads its tables.

use super::area::Area;
use super::path::{HopStanding, NetworkFault};
use super::{route, view};
use crate::model::{Network, Observation, RouteDestination, Subnet, TransitAssociation, TransitAttachment, TransitRoute};

/// Where the packets have to arrive.
pub(super) struct TransitGoal<'a> {
    pub(super) area: &'a Area,
    /// Its ranges as a route names them, joined by commas; empty where they are not known.
    pub(super) ranges: String,
    pub(super) vpc_id: Option<&'a str>,
}

/// True where the attachment has a subnet in the zone of `near`, or that cannot be told.
///
/// Source: Amazon VPC Transit Gateways Guide, "Transit gateway VPC attachments": only what stands in a zone of the attachment's
/// subnets reaches the gateway.
pub(super) fn is_in_zone(network: &Network, attachment: &TransitAttachment, near: &Subnet) -> bool {
    let zones: Vec<Option<&str>> = attachment
        .subnet_ids
        .iter()
        .map(|id| view::subnet(network, id).ok().map(|subnet| subnet.zone.as_str()).filter(|zone| !zone.is_empty()))
        .collect();
    zones.is_empty() || zones.contains(&None) || zones.contains(&Some(near.zone.as_str()))
}

/// Whether the attachment of the VPC works, where it was seen.
pub(super) fn attachment_fault(network: &Network, gateway: &str, vpc: &str) -> Option<NetworkFault> {
    let attachment = view::attachment(network, gateway, vpc).ok()?;
    (!attachment.works())
        .then(|| NetworkFault::AttachmentState { attachment: attachment.id.clone(), state: attachment.state.clone() })
}

/// What the gateway does with packets that come from the VPC `from`.
pub(super) fn onward(network: &Network, gateway: &str, from: &str, goal: &TransitGoal<'_>) -> HopStanding {
    let association = match association(network, gateway, from) {
        Ok(association) => association,
        Err(missing) => return HopStanding::Unseen(missing),
    };
    let is_ours = association.gateway_owner == association.resource_owner;
    let Some(table) = &association.table_id else {
        return match is_ours && !association.is_changing {
            true => HopStanding::Stops(NetworkFault::NoTransitTable {
                attachment: association.attachment_id.clone(),
                gateway: gateway.to_owned(),
                other_table: goal.vpc_id.and_then(|vpc| view::association(network, gateway, vpc).ok()?.table_id.clone()),
            }),
            false => HopStanding::Unseen(format!("which route table of {gateway} serves {}", association.attachment_id)),
        };
    };
    let routes = match view::transit_table(network, table).map(|table| &table.routes) {
        Ok(Observation::Found(routes)) => routes,
        Ok(other) => return HopStanding::Unseen(other.missing().unwrap_or_else(|| format!("the routes of {table}"))),
        Err(_) => return HopStanding::Unseen(unread(gateway, association, is_ours)),
    };
    if goal.ranges.is_empty() {
        return HopStanding::Unseen("the address of what must be reached".to_owned());
    }
    let taken = match taken(network, routes, goal.area) {
        Ok(taken) => taken,
        Err(missing) => return HopStanding::Unseen(missing),
    };
    let over = goal.vpc_id.and_then(|vpc| Some(view::association(network, gateway, vpc).ok()?.attachment_id.clone()));
    let stops = |blackhole: Option<&TransitRoute>| {
        HopStanding::Stops(NetworkFault::TransitRoute {
            gateway: gateway.to_owned(),
            table: table.clone(),
            to: goal.ranges.clone(),
            blackhole: blackhole.map(|route| route.destination.to_string()),
            over: over.clone(),
        })
    };
    let mut ways = taken.into_iter().map(|route| match route {
        None => stops(None),
        Some(route) if route.is_blackhole => stops(Some(route)),
        Some(route) => leads(table, route, goal.vpc_id),
    });
    let first = ways.next().unwrap_or_else(|| stops(None));
    let is_alike = |other: HopStanding| match (&first, &other) {
        (HopStanding::Stops(_), HopStanding::Stops(_)) => true,
        _ => first == other,
    };
    match ways.all(is_alike) {
        true => first,
        false => HopStanding::Unseen(format!("which of several routes of {table} is taken")),
    }
}

fn association<'n>(network: &'n Network, gateway: &str, vpc: &str) -> Result<&'n TransitAssociation, String> {
    match &network.transit_associations {
        Observation::NotApplicable { .. } => Err(format!("the routes of {gateway}")),
        _ => view::association(network, gateway, vpc),
    }
}

fn unread(gateway: &str, association: &TransitAssociation, is_ours: bool) -> String {
    match (&association.gateway_owner, is_ours) {
        (Some(owner), false) => format!("the routes of {gateway}, which belongs to the account {owner}"),
        _ => format!("the routes of {gateway}"),
    }
}

/// The routes that packets to `area` may take; `None` among them for packets that none takes.
fn taken<'n>(network: &Network, routes: &'n [TransitRoute], area: &Area) -> Result<Vec<Option<&'n TransitRoute>>, String> {
    let (mut by_range, mut by_list) = (Vec::with_capacity(routes.len()), Vec::new());
    for route in routes {
        match &route.destination {
            RouteDestination::Range(range) => by_range.push((*range, route)),
            RouteDestination::PrefixList(id) => {
                by_list.extend(super::filter::ranges_of(network, id)?.iter().map(|range| (*range, route)));
            }
        }
    }
    by_range.extend(by_list);
    Ok(route::most_specific(by_range, area))
}

/// Where the route leads: another VPC than the wanted one may hold a firewall that sends the packets on.
fn leads(table: &str, route: &TransitRoute, wanted: Option<&str>) -> HopStanding {
    match route.to.as_slice() {
        [end] if wanted == Some(end.resource_id.as_str()) => {
            HopStanding::Passes(format!("{table}, {} to {}", route.destination, end.resource_id))
        }
        [end] => HopStanding::Unseen(format!("what lies behind {} ({} {})", end.attachment_id, end.kind, end.resource_id)),
        _ => HopStanding::Unseen(format!("where the route of {table} to {} leads", route.destination)),
    }
}
