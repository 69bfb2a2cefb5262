//! The network's parts by their ids, and what is missing where one was not seen.

use crate::model::{
    NatGateway, Network, NetworkAcl, NetworkList, Observation, Peering, PrefixList, RouteTable, SecurityGroup, Subnet,
    TransitAssociation, TransitAttachment, TransitTable, Vpc, VpcEndpoint,
};

/// What was not seen, for people.
pub(super) type Unseen = String;

/// Why a part of the list is not there; the call's own reason comes before that it was not among what was asked for.
fn unseen<T>(list: &Observation<T>, what: impl FnOnce() -> String) -> Unseen {
    match list {
        Observation::NotApplicable { .. } => format!("{} (not asked for)", what()),
        other => other.missing().unwrap_or_else(|| format!("{} (not in AWS's answer)", what())),
    }
}

fn find<T>(list: &Observation<Vec<T>>, is_it: impl Fn(&T) -> bool, what: impl FnOnce() -> String) -> Result<&T, Unseen> {
    list.found().and_then(|all| all.iter().find(|one| is_it(one))).ok_or_else(|| unseen(list, what))
}

/// The same, of a list that may have been cut short.
fn find_in<'n, T>(
    (network, name, list): (&'n Network, NetworkList, &'n Observation<Vec<T>>),
    is_it: impl Fn(&T) -> bool,
    what: impl FnOnce() -> String,
) -> Result<&'n T, Unseen> {
    let found = list.found().and_then(|all| all.iter().find(|one| is_it(one)));
    found.ok_or_else(|| match network.cut_short.contains(&name) && list.missing().is_none() {
        true => format!("{} (not asked for, {})", what(), Network::no_calls_left()),
        false => unseen(list, what),
    })
}

pub(super) fn vpc<'n>(network: &'n Network, id: &str) -> Result<&'n Vpc, Unseen> {
    find(&network.vpcs, |vpc| vpc.id == id, || id.to_owned())
}

pub(super) fn subnet<'n>(network: &'n Network, id: &str) -> Result<&'n Subnet, Unseen> {
    find_in((network, NetworkList::Subnets, &network.subnets), |subnet| subnet.id == id, || id.to_owned())
}

/// The table that the subnet uses: the one that names it, else its VPC's main one.
pub(super) fn route_table<'n>(network: &'n Network, subnet: &Subnet) -> Result<&'n RouteTable, Unseen> {
    let named = |table: &RouteTable| table.subnet_ids.contains(&subnet.id);
    let main = |table: &RouteTable| table.is_main && table.vpc_id == subnet.vpc_id;
    let what = || format!("the route table of {}", subnet.id);
    find_in((network, NetworkList::RouteTables, &network.route_tables), named, what)
        .or_else(|_| find_in((network, NetworkList::RouteTables, &network.route_tables), main, what))
}

pub(super) fn acl<'n>(network: &'n Network, subnet_id: &str) -> Result<&'n NetworkAcl, Unseen> {
    let filters = |acl: &NetworkAcl| acl.subnet_ids.iter().any(|id| id == subnet_id);
    find_in((network, NetworkList::NetworkAcls, &network.network_acls), filters, || format!("the network ACL of {subnet_id}"))
}

pub(super) fn group<'n>(network: &'n Network, id: &str) -> Result<&'n SecurityGroup, Unseen> {
    find_in((network, NetworkList::SecurityGroups, &network.security_groups), |group| group.id == id, || id.to_owned())
}

pub(super) fn nat_gateway<'n>(network: &'n Network, id: &str) -> Result<&'n NatGateway, Unseen> {
    find_in((network, NetworkList::NatGateways, &network.nat_gateways), |nat| nat.id == id, || id.to_owned())
}

pub(super) fn prefix_list<'n>(network: &'n Network, id: &str) -> Result<&'n PrefixList, Unseen> {
    find_in((network, NetworkList::PrefixLists, &network.prefix_lists), |list| list.id == id, || id.to_owned())
}

pub(super) fn peering<'n>(network: &'n Network, id: &str) -> Result<&'n Peering, Unseen> {
    find_in((network, NetworkList::Peerings, &network.peerings), |peering| peering.id == id, || id.to_owned())
}

pub(super) fn attachment<'n>(network: &'n Network, gateway: &str, vpc: &str) -> Result<&'n TransitAttachment, Unseen> {
    let is_it = |one: &TransitAttachment| one.transit_gateway_id == gateway && one.vpc_id == vpc;
    let what = || format!("the attachment of {vpc} to {gateway}");
    // Those before it that were deleted stay in the list for a while.
    find(&network.transit_attachments, |one| is_it(one) && one.works(), what)
        .or_else(|_| find(&network.transit_attachments, is_it, what))
}

pub(super) fn association<'n>(network: &'n Network, gateway: &str, vpc: &str) -> Result<&'n TransitAssociation, Unseen> {
    let is_it = |one: &TransitAssociation| one.transit_gateway_id == gateway && one.resource_id == vpc;
    find_in((network, NetworkList::TransitAssociations, &network.transit_associations), is_it, || {
        format!("the attachment of {vpc} to {gateway}")
    })
}

pub(super) fn transit_table<'n>(network: &'n Network, id: &str) -> Result<&'n TransitTable, Unseen> {
    find(&network.transit_tables, |table| table.id == id, || id.to_owned())
}

/// All endpoints of a VPC; the list is complete, so that one that is not in it does not exist.
pub(super) fn endpoints<'n>(network: &'n Network, vpc: &str) -> Result<Vec<&'n VpcEndpoint>, Unseen> {
    match &network.endpoints {
        Observation::Found(all) => Ok(all.iter().filter(|endpoint| endpoint.vpc_id == vpc).collect()),
        Observation::NoData { .. } => Ok(Vec::new()),
        other => Err(unseen(other, || format!("the endpoints of {vpc}"))),
    }
}
