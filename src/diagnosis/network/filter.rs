//! What security groups and network ACLs let through.
//!
//! Sources: Amazon VPC User Guide, "Security group rules" (rules only allow, and all groups of an interface count together) and
//! "Network ACL rules" (the lowest number that matches decides).

use super::area::{AddressBlock, Area};
use super::view;
use crate::model::{AclEntry, GroupPeer, GroupRule, IpProtocol, Network, NetworkAcl, Observation};

/// Which way packets cross a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
}

/// What a filter does with the packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FilterAnswer {
    /// It lets all of them through; names what does.
    Lets(String),
    /// It lets none of them through; the number of an ACL's entry that says so, where somebody wrote one.
    Stops { entry: Option<u32> },
    /// It cannot be told, or is true of some of them; names what is missing.
    Open(String),
}

/// The groups at the other end, and whether a rule may name them.
#[derive(Debug, Clone)]
pub(super) struct PeerGroups<'a> {
    /// `None` where they are not known.
    pub(super) ids: Option<&'a [String]>,
    /// `Ok(true)` where packets arrive with the address of the interface that carries the groups, from where they may be named.
    pub(super) may_be_named: Result<bool, String>,
}

impl PeerGroups<'_> {
    /// An end that carries no group that a rule could name.
    pub(super) const NONE: PeerGroups<'static> = PeerGroups { ids: Some(&[]), may_be_named: Ok(false) };
}

/// What all groups of an interface do with packets to or from `area`.
pub(super) fn groups_answer(
    network: &Network,
    ids: &[String],
    direction: Direction,
    area: &Area,
    peers: &PeerGroups<'_>,
) -> FilterAnswer {
    let mut left = area.clone();
    let mut open = None;
    let mut lets = None;
    for id in ids {
        let group = match view::group(network, id) {
            Ok(group) => group,
            Err(missing) => {
                open.get_or_insert(missing);
                continue;
            }
        };
        let rules = if direction == Direction::In { &group.ingress } else { &group.egress };
        for rule in rules.iter().filter(|rule| rule.protocol != IpProtocol::Other) {
            let took = match take(network, rule, &mut left, peers) {
                Ok(took) => took,
                Err(missing) => {
                    open.get_or_insert(missing);
                    continue;
                }
            };
            if took {
                lets = Some((id, rule));
            }
            if left.is_empty() {
                return FilterAnswer::Lets(
                    lets.map(|(id, rule)| format!("{id}: {}", words_of(rule, direction))).unwrap_or_default(),
                );
            }
        }
    }
    match (open, lets) {
        (Some(missing), _) => FilterAnswer::Open(missing),
        (None, Some((id, rule))) => FilterAnswer::Open(format!("which address is used: {id} has {}", words_of(rule, direction))),
        (None, None) if ids.is_empty() => FilterAnswer::Open("the security groups".to_owned()),
        (None, None) => FilterAnswer::Stops { entry: None },
    }
}

/// Takes away what the rule allows; true where that is anything.
fn take(network: &Network, rule: &GroupRule, left: &mut Area, peers: &PeerGroups<'_>) -> Result<bool, String> {
    // A rule for all protocols is one for all ports, whatever it says of them.
    let ports = rule.ports.filter(|_| rule.protocol == IpProtocol::Tcp);
    let anywhere = AddressBlock::anywhere(ports);
    match &rule.peer {
        GroupPeer::Range(range) => Ok(AddressBlock::of(range, ports).is_some_and(|block| left.take(&block))),
        GroupPeer::PrefixList(id) => {
            if !left.clone().take(&anywhere) {
                return Ok(false);
            }
            let ranges = ranges_of(network, id)?;
            let mut took = false;
            for block in ranges.iter().filter_map(|range| AddressBlock::of(range, ports)) {
                took |= left.take(&block);
            }
            Ok(took)
        }
        GroupPeer::Group { id, peering_status, .. } => {
            let is_stale = peering_status.as_deref().is_some_and(|status| status != "active");
            match (peers.ids, &peers.may_be_named) {
                _ if is_stale => Ok(false),
                (Some(ids), _) if !ids.contains(id) => Ok(false),
                (_, Ok(false)) => Ok(false),
                (Some(_), Ok(true)) => Ok(left.take(&anywhere)),
                _ if !left.clone().take(&anywhere) => Ok(false),
                (_, Err(missing)) => Err(missing.clone()),
                (None, Ok(true)) => Err(format!("the groups of the other end, which may include {id}")),
            }
        }
    }
}

/// The ranges of a prefix list.
pub(super) fn ranges_of<'n>(network: &'n Network, id: &str) -> Result<&'n [crate::model::IpRange], String> {
    match &view::prefix_list(network, id)?.ranges {
        Observation::Found(ranges) => Ok(ranges),
        other => Err(other.missing().unwrap_or_else(|| format!("the entries of {id}"))),
    }
}

fn words_of(rule: &GroupRule, direction: Direction) -> String {
    let ports = match (rule.protocol, rule.ports) {
        (IpProtocol::All, _) => "all traffic".to_owned(),
        (_, None) => "all ports".to_owned(),
        (_, Some(ports)) => format!("port {ports}"),
    };
    let way = if direction == Direction::In { "from" } else { "to" };
    match &rule.peer {
        GroupPeer::Range(range) => format!("{ports} {way} {range}"),
        GroupPeer::PrefixList(id) | GroupPeer::Group { id, .. } => format!("{ports} {way} {id}"),
    }
}

/// What an ACL does with packets to or from `area`.
pub(super) fn acl_answer(acl: &NetworkAcl, direction: Direction, area: &Area) -> FilterAnswer {
    let is_of = |entry: &&AclEntry| {
        entry.is_egress == (direction == Direction::Out) && entry.protocol != IpProtocol::Other && entry.range.is_v4()
    };
    let mut entries: Vec<&AclEntry> = acl.entries.iter().filter(is_of).collect();
    entries.sort_by_key(|entry| entry.number);
    let mut left = area.clone();
    let (mut lets, mut stops) = (None, None);
    for entry in entries {
        let ports = entry.ports.filter(|_| entry.protocol == IpProtocol::Tcp);
        if AddressBlock::of(&entry.range, ports).is_some_and(|block| left.take(&block)) {
            let decides = if entry.is_allow { &mut lets } else { &mut stops };
            decides.get_or_insert(Some(entry.number));
        }
        if left.is_empty() {
            break;
        }
    }
    if !left.is_empty() {
        stops.get_or_insert(None);
    }
    match (lets, stops) {
        (None, Some(entry)) => FilterAnswer::Stops { entry },
        (Some(_), Some(number)) => {
            let number = number.map_or_else(|| "its last entry".to_owned(), |number| format!("entry {number}"));
            FilterAnswer::Open(format!("which address and port is used: {number} of {} stops some", acl.id))
        }
        (lets, None) => {
            let by = lets.flatten().map(|number| format!(", entry {number}")).unwrap_or_default();
            FilterAnswer::Lets(format!("{}{by}", acl.id))
        }
    }
}
