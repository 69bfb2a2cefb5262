//! Whether the packets of a rotation get through the declared network: a walk with addresses in numbers, the simulator's own.
//!
//! Every subnet of the function is tried, at the edges of its range.

use super::forms::{DatabaseForm, EndpointForm, GroupForm, NetworkForms, SubnetForm};
use super::rules::{AclRule, GroupRuleText, Peer, RouteText};
use std::net::Ipv4Addr;

/// An address of the public network that stands for AWS. Source of the range: RFC 2544, for benchmarks.
const AT_AWS: u32 = u32::from_be_bytes([198, 18, 0, 1]);

/// A port that answers go to.
const ANSWERS: i64 = 40_000;

const HTTPS: i64 = 443;

/// States in which a database takes connections.
const SERVING: &[&str] = &["available", "backing-up", "modifying", "maintenance", "storage-optimization"];

/// Where the function stands.
pub(in crate::simulator) struct FunctionInVpc {
    pub(in crate::simulator) subnets: Vec<String>,
    pub(in crate::simulator) groups: Vec<String>,
}

/// The endpoint that the function's calls to Secrets Manager go through; `None` where they leave for the public network.
///
/// # Errors
/// What stops them.
pub(in crate::simulator) fn to_secrets_manager<'n>(
    network: &'n NetworkForms,
    function: &FunctionInVpc,
) -> Result<Option<&'n EndpointForm>, String> {
    let endpoint = function.subnets.first().and_then(|id| endpoint_for(network, id, "secretsmanager"));
    for from in packets_from(network, function) {
        match endpoint {
            Some(endpoint) => {
                for subnet in endpoint.subnets.iter().flatten().filter_map(|id| subnet(network, id)) {
                    let to = PacketTarget { subnet, groups: endpoint.groups.as_deref().unwrap_or_default(), port: HTTPS };
                    through(network, &from, &to).map_err(|why| format!("Secrets Manager is not reached: {why}"))?;
                }
                if endpoint.subnets.iter().flatten().next().is_none() {
                    return Err(format!("{} has no interface", endpoint.id));
                }
            }
            None => out(network, &from).map_err(|why| format!("Secrets Manager is not reached: {why}"))?,
        }
    }
    Ok(endpoint)
}

/// # Errors
/// What stops the function on its way to the database of the secret, or the state that the database is in.
pub(in crate::simulator) fn to_database(network: &NetworkForms, function: &FunctionInVpc, secret: &str) -> Result<(), String> {
    let mut of_secret = network.databases.iter().filter(|one| one.secret.as_deref() == Some(secret));
    let mut of_nobody = network.databases.iter().filter(|one| one.secret.is_none());
    let database = match (of_secret.next(), of_nobody.next(), of_nobody.next()) {
        (Some(database), ..) | (None, Some(database), None) => database,
        _ => return Ok(()),
    };
    if !SERVING.contains(&database.status.as_str()) {
        return Err(format!("{} is {}", database.id, database.status));
    }
    let stopped = |why: String| format!("{} is not reached: {why}", database.id);
    for from in packets_from(network, function) {
        if database.public && database.vpc != from.subnet.vpc {
            public_database(network, &from, database).map_err(stopped)?;
            continue;
        }
        for subnet in database.subnets.iter().flatten().filter_map(|id| subnet(network, id)) {
            let to = PacketTarget { subnet, groups: database.groups.as_deref().unwrap_or_default(), port: database.port() };
            through(network, &from, &to).map_err(stopped)?;
        }
    }
    Ok(())
}

/// A packet of the function.
struct SentPacket<'n> {
    subnet: &'n SubnetForm,
    address: u32,
    groups: &'n [String],
}

/// Whom it is for.
struct PacketTarget<'n> {
    subnet: &'n SubnetForm,
    groups: &'n [String],
    port: i64,
}

fn packets_from<'n>(network: &'n NetworkForms, function: &'n FunctionInVpc) -> Vec<SentPacket<'n>> {
    let known = function.subnets.iter().filter_map(|id| subnet(network, id));
    known
        .flat_map(|subnet| edges(&subnet.cidr).into_iter().map(move |address| (subnet, address)))
        .map(|(subnet, address)| SentPacket { subnet, address, groups: &function.groups })
        .collect()
}

fn subnet<'n>(network: &'n NetworkForms, id: &str) -> Option<&'n SubnetForm> {
    network.subnets.iter().find(|subnet| subnet.id == id)
}

/// First address and length; `None` for a range of IPv6.
fn range(text: &str) -> Option<(u32, u32)> {
    let (address, bits) = text.split_once('/')?;
    Some((u32::from(address.parse::<Ipv4Addr>().ok()?), bits.parse().ok().filter(|bits| *bits <= 32)?))
}

fn holds(text: &str, address: u32) -> bool {
    range(text).is_some_and(|(first, bits)| bits == 0 || (first ^ address).leading_zeros() >= bits)
}

/// The first and the last address that an interface may get: AWS keeps four at the beginning and one at the end.
fn edges(text: &str) -> Vec<u32> {
    let Some((first, bits)) = range(text) else { return Vec::new() };
    let size = 1_u64 << (32 - bits);
    let last = u64::from(first) + size.saturating_sub(2);
    u32::try_from(last).map_or_else(|_| vec![first], |last| vec![first.saturating_add(4).min(last), last])
}

fn endpoint_for<'n>(network: &'n NetworkForms, subnet_id: &str, service: &str) -> Option<&'n EndpointForm> {
    let vpc = &subnet(network, subnet_id)?.vpc;
    let names = network.vpcs.iter().find(|known| known.id == *vpc)?;
    let is_it = |one: &&EndpointForm| {
        let own = one.service == service || one.service.ends_with(&format!(".{service}"));
        own && one.vpc == *vpc && one.private_dns && !one.gateway && one.state == "available"
    };
    network.endpoints.iter().filter(|_| names.dns_support && names.dns_hostnames).find(is_it)
}

/// Between two private addresses, there and back.
fn through(network: &NetworkForms, from: &SentPacket<'_>, to: &PacketTarget<'_>) -> Result<(), String> {
    for there in edges(&to.subnet.cidr) {
        let over = route(network, &from.subnet.id, there)?;
        let may_name = over == "local" || over.starts_with("pcx-");
        let groups_there: &[String] = if may_name { to.groups } else { &[] };
        let groups_here: &[String] = if may_name { from.groups } else { &[] };
        group_lets(network, from.groups, false, to.port, there, groups_there)?;
        joined(network, &over, from.subnet, to.subnet)?;
        if from.subnet.id != to.subnet.id {
            acl_lets(network, &from.subnet.id, "out", to.port, there)?;
            acl_lets(network, &to.subnet.id, "in", to.port, from.address)?;
            acl_lets(network, &to.subnet.id, "out", ANSWERS, from.address)?;
            acl_lets(network, &from.subnet.id, "in", ANSWERS, there)?;
        }
        group_lets(network, to.groups, true, to.port, from.address, groups_here)?;
        let back = route(network, &to.subnet.id, from.address)?;
        if back != over {
            return Err(format!("answers from {} go to {back}", to.subnet.id));
        }
    }
    Ok(())
}

/// Whether what the route leads over joins the two subnets.
fn joined(network: &NetworkForms, over: &str, from: &SubnetForm, to: &SubnetForm) -> Result<(), String> {
    let is_joined = match over.split('-').next() {
        Some("local") => from.vpc == to.vpc,
        Some("pcx") => network.peerings.iter().any(|one| {
            let ends = [(&one.from, &one.to), (&one.to, &one.from)];
            one.id == over && one.status == "active" && ends.contains(&(&from.vpc, &to.vpc))
        }),
        Some("tgw") => {
            let mut own = network.attachments.iter().filter(|one| one.gateway == over && one.vpc == from.vpc);
            own.any(|one| one.state == "available" && has_zone(network, &one.subnets, &from.zone))
                && transit_leads(network, over, from, to)
                && transit_leads(network, over, to, from)
        }
        _ => false,
    };
    is_joined.then_some(()).ok_or_else(|| format!("{over} does not lead from {} to {}", from.id, to.id))
}

/// Whether the transit gateway sends what comes from the one subnet to the other.
fn transit_leads(network: &NetworkForms, gateway: &str, from: &SubnetForm, to: &SubnetForm) -> bool {
    let of = |vpc: &str| network.attachments.iter().find(|one| one.gateway == gateway && one.vpc == vpc);
    let (Some(own), Some(other)) = (of(&from.vpc), of(&to.vpc)) else { return false };
    let table = network.transit_tables.iter().find(|table| Some(&table.id) == own.table.as_ref());
    let routes = table.into_iter().flat_map(|table| &table.routes).filter_map(|text| text.split_once(' '));
    edges(&to.cidr).into_iter().all(|there| {
        let holding = routes.clone().filter(|(destination, _)| holds(destination, there));
        let best = holding.max_by_key(|(destination, _)| range(destination).map(|(_, bits)| bits));
        other.state == "available" && best.is_some_and(|(_, target)| target == other.id)
    })
}

fn has_zone(network: &NetworkForms, subnets: &[String], zone: &str) -> bool {
    subnets.is_empty() || subnets.iter().filter_map(|id| subnet(network, id)).any(|subnet| subnet.zone == zone)
}

/// To AWS over the public network.
fn out(network: &NetworkForms, from: &SentPacket<'_>) -> Result<(), String> {
    behind_nat(network, from, AT_AWS, HTTPS).map(drop)
}

/// Through a NAT gateway; the address that packets have behind it.
fn behind_nat(network: &NetworkForms, from: &SentPacket<'_>, there: u32, port: i64) -> Result<u32, String> {
    group_lets(network, from.groups, false, port, there, &[])?;
    let over = route(network, &from.subnet.id, there)?;
    let nat = network.nat_gateways.iter().find(|nat| nat.id == over).ok_or_else(|| format!("{over} is no NAT gateway"))?;
    if nat.state != "available" || nat.private {
        return Err(format!("{over} is {}", if nat.private { "a private one" } else { &nat.state }));
    }
    let on = route(network, &nat.subnet, there)?;
    if !on.starts_with("igw-") {
        return Err(format!("{over} stands where packets go on to {on}"));
    }
    acl_lets(network, &from.subnet.id, "out", port, there)?;
    acl_lets(network, &nat.subnet, "in", port, from.address)?;
    acl_lets(network, &nat.subnet, "out", port, there)?;
    acl_lets(network, &nat.subnet, "in", ANSWERS, there)?;
    acl_lets(network, &nat.subnet, "out", ANSWERS, from.address)?;
    acl_lets(network, &from.subnet.id, "in", ANSWERS, there)?;
    nat.address.parse::<Ipv4Addr>().map(u32::from).map_err(|_| format!("{over} has no public address"))
}

fn public_database(network: &NetworkForms, from: &SentPacket<'_>, database: &DatabaseForm) -> Result<(), String> {
    let port = database.port();
    let own = behind_nat(network, from, AT_AWS, port)?;
    group_lets(network, database.groups.as_deref().unwrap_or_default(), true, port, own, &[])?;
    for subnet in database.subnets.iter().flatten() {
        acl_lets(network, subnet, "in", port, own)?;
        acl_lets(network, subnet, "out", ANSWERS, own)?;
        let back = route(network, subnet, own)?;
        if !back.starts_with("igw-") {
            return Err(format!("{subnet} is no public subnet: answers go to {back}"));
        }
    }
    Ok(())
}

/// Where the subnet's table sends the packets.
fn route(network: &NetworkForms, subnet_id: &str, there: u32) -> Result<String, String> {
    let from = subnet(network, subnet_id).ok_or_else(|| format!("{subnet_id} does not exist"))?;
    let named = network.route_tables.iter().find(|table| table.subnets.contains(&from.id));
    let main = || network.route_tables.iter().find(|table| table.main && table.vpc == from.vpc);
    let table = named.or_else(main).ok_or_else(|| format!("{subnet_id} has no route table"))?;
    let mut best: Option<(u32, String)> = None;
    let mut consider = |destination: &str, target: &str| {
        let bits = range(destination).map(|(_, bits)| bits).filter(|_| holds(destination, there));
        if let Some(bits) = bits.filter(|bits| best.as_ref().is_none_or(|(longest, _)| bits > longest)) {
            best = Some((bits, target.to_owned()));
        }
    };
    for vpc in network.vpcs.iter().filter(|vpc| vpc.id == from.vpc) {
        consider(&vpc.cidr, "local");
    }
    for route in table.routes.iter().filter_map(|text| RouteText::parse(text).ok()) {
        let target = if route.is_blackhole { "a target that is gone" } else { route.target };
        match network.prefix_lists.iter().find(|list| list.id == route.destination) {
            Some(list) => list.ranges.iter().for_each(|range| consider(range, target)),
            None => consider(route.destination, target),
        }
    }
    best.map(|(_, target)| target).ok_or_else(|| format!("{} has no route to {}", table.id, Ipv4Addr::from(there)))
}

fn is_port(own: Option<(i64, i64)>, protocol: &str, port: i64) -> bool {
    match protocol {
        "-1" => true,
        "tcp" | "6" => own.is_none_or(|(from, to)| (from..=to).contains(&port)),
        _ => false,
    }
}

/// Whether a rule of the groups lets the packet through.
fn group_lets(
    network: &NetworkForms,
    ids: &[String],
    is_ingress: bool,
    port: i64,
    address: u32,
    peers: &[String],
) -> Result<(), String> {
    let groups: Vec<&GroupForm> = network.groups.iter().filter(|group| ids.contains(&group.id)).collect();
    let rules = groups.iter().flat_map(|group| if is_ingress { &group.ingress } else { &group.egress });
    let lets = |text: &String| {
        let Ok(rule) = GroupRuleText::parse(text) else { return false };
        let is_for = match rule.peer {
            Peer::Range(range) => holds(range, address),
            Peer::PrefixList(id) => {
                let list = network.prefix_lists.iter().find(|list| list.id == id);
                list.is_some_and(|list| list.ranges.iter().any(|range| holds(range, address)))
            }
            Peer::Group { id, peering } => {
                let is_active = |over: &str| network.peerings.iter().any(|one| one.id == over && one.status == "active");
                peers.iter().any(|peer| peer == id) && peering.is_none_or(is_active)
            }
        };
        is_for && is_port(rule.ports, rule.protocol, port)
    };
    let way = if is_ingress { "into" } else { "out of" };
    let found = rules.into_iter().any(lets);
    found.then_some(()).ok_or_else(|| format!("nothing lets port {port} {way} {}", ids.join(", ")))
}

fn acl_lets(network: &NetworkForms, subnet: &str, way: &str, port: i64, address: u32) -> Result<(), String> {
    let acl = network.acls.iter().find(|acl| acl.subnets.iter().any(|id| id == subnet));
    let acl = acl.ok_or_else(|| format!("{subnet} has no network ACL"))?;
    let mut entries: Vec<AclRule<'_>> = acl.entries.iter().filter_map(|text| AclRule::parse(text).ok()).collect();
    entries.retain(|entry| {
        entry.egress == (way == "out") && holds(entry.range, address) && is_port(entry.ports, entry.protocol, port)
    });
    let decides = entries.iter().min_by_key(|entry| entry.number);
    let lets = decides.is_some_and(|entry| entry.action == "allow");
    lets.then_some(()).ok_or_else(|| format!("{} lets port {port} not {way} at {subnet}", acl.id))
}
