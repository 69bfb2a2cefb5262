//! What commands do to the network: the evidence as it would be, the words for it, and the way back.

use super::command::{AwsCommand, nothing};
use crate::diagnosis::remedy::aws;
use crate::model::{
    AclEntry, EndpointKind, Evidence, GroupPeer, GroupRule, IpProtocol, IpRange, Network, NetworkAcl, Observation, PortRange,
    RouteDestination, RouteTable, RouteTarget, SecurityGroup, TargetDatabase, TransitEnd, TransitRoute, TransitTable, Vpc,
    VpcEndpoint, VpcRoute,
};
use serde_json::Value;

/// The id that stands for an endpoint that is made.
const NEW_ENDPOINT: &str = "vpce-new";

/// A change of the network, or of a database's state.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NetworkChange {
    /// A rule comes to a security group.
    GroupRule {
        group: String,
        is_egress: bool,
        rule: GroupRule,
    },
    /// A table gets a route, in place of one to the same destination where there is one.
    Route {
        table: String,
        route: VpcRoute,
    },
    AclEntry {
        acl: String,
        entry: AclEntry,
    },
    EndpointPolicy {
        endpoint: String,
        document: Value,
    },
    EndpointSubnets {
        endpoint: String,
        subnets: Vec<String>,
    },
    PrivateDns {
        endpoint: String,
    },
    /// An endpoint gets addresses of both families.
    DualStack {
        endpoint: String,
    },
    DnsAttribute {
        vpc: String,
        is_support: bool,
    },
    Endpoint(Box<VpcEndpoint>),
    AcceptsPeering {
        peering: String,
    },
    AttachmentSubnets {
        attachment: String,
        subnets: Vec<String>,
    },
    /// A table of a transit gateway gets a route over an attachment, in place of one to the same destination where there is one.
    TransitRoute {
        table: String,
        destination: IpRange,
        attachment: String,
    },
    TransitAssociation {
        attachment: String,
        table: String,
    },
    MoreStorage {
        id: String,
        gib: u32,
    },
    StartsDatabase {
        id: String,
    },
}

impl NetworkChange {
    /// Reads it from the command; `None` where it is about what the evidence does not hold.
    pub(super) fn of(command: &AwsCommand, evidence: &Evidence) -> Option<NetworkChange> {
        let network = &evidence.network;
        let text = |name: &str| command.option(name).map(str::to_owned);
        Some(match (command.service.as_str(), command.operation.as_str()) {
            ("ec2", operation @ ("authorize-security-group-ingress" | "authorize-security-group-egress")) => {
                let group = text("group-id").filter(|id| group(network, id).is_some())?;
                NetworkChange::GroupRule { group, is_egress: operation.ends_with("egress"), rule: rule_of(command)? }
            }
            ("ec2", "create-route" | "replace-route") => {
                let table = text("route-table-id").filter(|id| table(network, id).is_some())?;
                let range: IpRange = command.option("destination-cidr-block")?.parse().ok()?;
                let targets = ["nat-gateway-id", "vpc-peering-connection-id", "transit-gateway-id", "gateway-id"];
                let target = targets.iter().find_map(|name| text(name)).filter(|id| id.contains('-'))?;
                let route = VpcRoute {
                    destination: RouteDestination::Range(range),
                    target: RouteTarget::from(target),
                    is_blackhole: false,
                };
                NetworkChange::Route { table, route }
            }
            ("ec2", "create-network-acl-entry") => {
                let acl = text("network-acl-id").filter(|id| acl(network, id).is_some())?;
                NetworkChange::AclEntry { acl, entry: entry_of(command)? }
            }
            ("ec2", "modify-vpc-endpoint") => {
                let endpoint = text("vpc-endpoint-id").filter(|id| endpoint(network, id).is_some())?;
                if command.option("ip-address-type") == Some("dualstack") {
                    NetworkChange::DualStack { endpoint }
                } else if command.has("private-dns-enabled") {
                    NetworkChange::PrivateDns { endpoint }
                } else if command.has("add-subnet-ids") {
                    NetworkChange::EndpointSubnets { endpoint, subnets: command.values("add-subnet-ids").to_vec() }
                } else {
                    NetworkChange::EndpointPolicy { endpoint, document: command.document("policy-document")? }
                }
            }
            ("ec2", "modify-vpc-attribute") => NetworkChange::DnsAttribute {
                vpc: text("vpc-id").filter(|id| vpc(network, id).is_some())?,
                is_support: command.has("enable-dns-support"),
            },
            ("ec2", "create-vpc-endpoint") => NetworkChange::Endpoint(Box::new(VpcEndpoint {
                id: NEW_ENDPOINT.to_owned(),
                kind: EndpointKind::Interface,
                service: text("service-name")?,
                vpc_id: text("vpc-id").filter(|id| vpc(network, id).is_some())?,
                state: "available".to_owned(),
                subnet_ids: command.values("subnet-ids").to_vec(),
                route_table_ids: Vec::new(),
                security_group_ids: command.values("security-group-ids").to_vec(),
                private_dns: command.has("private-dns-enabled"),
                is_ipv6_only: false,
                policy: None,
            })),
            ("ec2", "accept-vpc-peering-connection") => {
                NetworkChange::AcceptsPeering { peering: text("vpc-peering-connection-id")? }
            }
            ("ec2", "modify-transit-gateway-vpc-attachment") => NetworkChange::AttachmentSubnets {
                attachment: text("transit-gateway-attachment-id")?,
                subnets: command.values("add-subnet-ids").to_vec(),
            },
            ("ec2", "create-transit-gateway-route" | "replace-transit-gateway-route") => NetworkChange::TransitRoute {
                table: text("transit-gateway-route-table-id").filter(|id| transit_table(network, id).is_some())?,
                destination: command.option("destination-cidr-block")?.parse().ok()?,
                attachment: text("transit-gateway-attachment-id")?,
            },
            ("ec2", "associate-transit-gateway-route-table") => NetworkChange::TransitAssociation {
                attachment: text("transit-gateway-attachment-id")?,
                table: text("transit-gateway-route-table-id")?,
            },
            ("rds", "modify-db-instance") => NetworkChange::MoreStorage {
                id: text("db-instance-identifier")?,
                gib: command.option("allocated-storage")?.parse().ok()?,
            },
            ("rds", "start-db-instance") => NetworkChange::StartsDatabase { id: text("db-instance-identifier")? },
            ("rds", "start-db-cluster") => NetworkChange::StartsDatabase { id: text("db-cluster-identifier")? },
            _ => return None,
        })
    }

    /// What it does, for people.
    pub(super) fn describe(&self) -> String {
        match self {
            NetworkChange::GroupRule { group, is_egress, rule } => {
                let ports = rule.ports.map_or_else(|| "all ports".to_owned(), |ports| format!("TCP port {ports}"));
                let peer = match &rule.peer {
                    GroupPeer::Range(range) => range.to_string(),
                    GroupPeer::PrefixList(id) | GroupPeer::Group { id, .. } => id.clone(),
                };
                match is_egress {
                    true => format!("lets {ports} out of {group} to {peer}"),
                    false => format!("lets {ports} into {group} from {peer}"),
                }
            }
            NetworkChange::Route { table, route } => {
                format!("leads {} of {table} to {}, for everything in its subnets", route.destination, route.target.id())
            }
            NetworkChange::AclEntry { acl, entry } => {
                let way = if entry.is_egress { "out" } else { "in" };
                format!("lets {} {way} through {acl}, for everything in its subnets", entry.range)
            }
            NetworkChange::EndpointPolicy { endpoint, .. } => format!("sets the policy of {endpoint}, for everybody who uses it"),
            NetworkChange::EndpointSubnets { endpoint, subnets } => {
                format!("gives {endpoint} an interface in {}", subnets.join(", "))
            }
            NetworkChange::PrivateDns { endpoint } => {
                format!("leads the service's host name to {endpoint}, for everything in the VPC")
            }
            NetworkChange::DualStack { endpoint } => format!("gives {endpoint} addresses of IPv4 too"),
            NetworkChange::DnsAttribute { vpc, is_support: true } => format!("turns on the name server of {vpc}"),
            NetworkChange::DnsAttribute { vpc, is_support: false } => format!("turns on DNS host names in {vpc}"),
            NetworkChange::Endpoint(made) => {
                format!(
                    "makes an endpoint for {} in {}: go on once it is available, after some minutes",
                    made.service, made.vpc_id
                )
            }
            NetworkChange::AcceptsPeering { peering } => format!("accepts the peering connection {peering}"),
            NetworkChange::AttachmentSubnets { attachment, subnets } => {
                format!("gives {attachment} an interface in {}", subnets.join(", "))
            }
            NetworkChange::TransitRoute { table, destination, attachment } => {
                format!("leads {destination} of {table} to {attachment}, for everything that the table serves")
            }
            NetworkChange::TransitAssociation { attachment, table } => {
                format!("sends what comes from {attachment} on by {table}")
            }
            NetworkChange::MoreStorage { id, gib } => {
                format!("gives the database {id} {gib} GiB of storage, which takes some minutes and cannot be made less again")
            }
            NetworkChange::StartsDatabase { id } => format!("starts the database {id}, which takes some minutes"),
        }
    }

    /// Changes the evidence as the command would.
    pub(super) fn apply(&self, network: &mut Network) {
        match self {
            NetworkChange::GroupRule { group, is_egress, rule } => {
                each(
                    &mut network.security_groups,
                    |one: &SecurityGroup| one.id == *group,
                    |one| {
                        let rules = if *is_egress { &mut one.egress } else { &mut one.ingress };
                        rules.push(rule.clone());
                    },
                );
            }
            NetworkChange::Route { table, route } => {
                each(
                    &mut network.route_tables,
                    |one: &RouteTable| one.id == *table,
                    |one| {
                        one.routes.retain(|old| old.destination != route.destination);
                        one.routes.push(route.clone());
                    },
                );
            }
            NetworkChange::AclEntry { acl, entry } => {
                each(&mut network.network_acls, |one: &NetworkAcl| one.id == *acl, |one| one.entries.push(entry.clone()));
            }
            NetworkChange::EndpointPolicy { endpoint, document } => {
                on_endpoint(network, endpoint, |one| one.policy = Some(document.clone()));
            }
            NetworkChange::EndpointSubnets { endpoint, subnets } => {
                on_endpoint(network, endpoint, |one| one.subnet_ids.extend(subnets.iter().cloned()));
            }
            NetworkChange::PrivateDns { endpoint } => on_endpoint(network, endpoint, |one| one.private_dns = true),
            NetworkChange::DualStack { endpoint } => on_endpoint(network, endpoint, |one| one.is_ipv6_only = false),
            NetworkChange::DnsAttribute { vpc, is_support } => {
                each(
                    &mut network.vpcs,
                    |one: &Vpc| one.id == *vpc,
                    |one| {
                        let attribute = if *is_support { &mut one.dns_support } else { &mut one.dns_hostnames };
                        *attribute = Some(true);
                    },
                );
            }
            NetworkChange::Endpoint(made) => {
                let mut all = network.endpoints.found().cloned().unwrap_or_default();
                all.push((**made).clone());
                network.endpoints = Observation::Found(all);
            }
            NetworkChange::AcceptsPeering { peering } => {
                each(&mut network.peerings, |one| one.id == *peering, |one| one.status = "active".to_owned());
            }
            NetworkChange::AttachmentSubnets { attachment, subnets } => {
                each(
                    &mut network.transit_attachments,
                    |one| one.id == *attachment,
                    |one| one.subnet_ids.extend(subnets.iter().cloned()),
                );
            }
            NetworkChange::TransitRoute { table, destination, attachment } => {
                let all = network.transit_associations.found().map(Vec::as_slice).unwrap_or_default();
                let end = all.iter().find(|one| one.attachment_id == *attachment).map(|one| TransitEnd {
                    attachment_id: attachment.clone(),
                    kind: "vpc".to_owned(),
                    resource_id: one.resource_id.clone(),
                });
                let destination = RouteDestination::Range(*destination);
                each(
                    &mut network.transit_tables,
                    |one: &TransitTable| one.id == *table,
                    |one| {
                        if let Some(routes) = one.routes.found_mut() {
                            routes.retain(|old| old.destination != destination);
                            let to = end.clone().into_iter().collect();
                            routes.push(TransitRoute { destination: destination.clone(), to, is_blackhole: false });
                        }
                    },
                );
            }
            NetworkChange::TransitAssociation { attachment, table } => {
                each(
                    &mut network.transit_associations,
                    |one| one.attachment_id == *attachment,
                    |one| one.table_id = Some(table.clone()),
                );
            }
            NetworkChange::MoreStorage { id, gib } => {
                each(
                    &mut network.databases,
                    |one: &TargetDatabase| one.id == *id,
                    |one| {
                        one.storage_gib = Some(*gib);
                        if one.status.as_deref() == Some("storage-full") {
                            one.status = Some("available".to_owned());
                        }
                    },
                );
            }
            NetworkChange::StartsDatabase { id } => {
                each(
                    &mut network.databases,
                    |one: &TargetDatabase| one.id == *id,
                    |one| {
                        one.status = Some("available".to_owned());
                    },
                );
            }
        }
    }

    /// The command that takes it back; `text` is the command itself.
    pub(super) fn undo(&self, text: &str, before: &Evidence) -> Option<String> {
        let here = |words: &[&str]| aws(&[words, &["--region", before.region.as_str()]].concat());
        let network = &before.network;
        Some(match self {
            NetworkChange::GroupRule { .. } => text.replacen(" authorize-", " revoke-", 1),
            NetworkChange::Route { table: id, route } => {
                let destination = route.destination.to_string();
                let old = table(network, id)?.routes.iter().find(|old| old.destination == route.destination);
                match old {
                    None => here(&["ec2", "delete-route", "--route-table-id", id, "--destination-cidr-block", &destination]),
                    Some(old) if old.is_blackhole => nothing(&format!("{} is not there any more", old.target.id())),
                    Some(old) => {
                        let (option, target) = (option_of(&old.target)?, old.target.id());
                        let words = ["ec2", "replace-route", "--route-table-id", id, "--destination-cidr-block", &destination];
                        here(&[&words[..], &[option, target]].concat())
                    }
                }
            }
            NetworkChange::AclEntry { acl, entry } => {
                let (number, way) = (entry.number.to_string(), if entry.is_egress { "--egress" } else { "--ingress" });
                here(&["ec2", "delete-network-acl-entry", "--network-acl-id", acl, "--rule-number", &number, way])
            }
            NetworkChange::EndpointPolicy { endpoint: id, .. } => {
                let words = ["ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", id];
                match &endpoint(network, id)?.policy {
                    Some(old) => here(&[&words[..], &["--policy-document", &old.to_string()]].concat()),
                    None => here(&[&words[..], &["--reset-policy"]].concat()),
                }
            }
            NetworkChange::EndpointSubnets { endpoint, subnets } => {
                let mut words = vec!["ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", endpoint, "--remove-subnet-ids"];
                words.extend(subnets.iter().map(String::as_str));
                here(&words)
            }
            NetworkChange::PrivateDns { endpoint } => {
                here(&["ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", endpoint, "--no-private-dns-enabled"])
            }
            NetworkChange::DualStack { endpoint } => {
                let words = ["ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", endpoint, "--ip-address-type", "ipv6"];
                here(&[&words[..], &["--dns-options", "DnsRecordIpType=ipv6"]].concat())
            }
            NetworkChange::DnsAttribute { vpc, is_support } => {
                let option = if *is_support { "--enable-dns-support" } else { "--enable-dns-hostnames" };
                here(&["ec2", "modify-vpc-attribute", "--vpc-id", vpc, option, r#"{"Value":false}"#])
            }
            // The id is given only when it is made.
            NetworkChange::Endpoint(made) => return endpoint_back(before, made),
            NetworkChange::AcceptsPeering { peering } => {
                here(&["ec2", "delete-vpc-peering-connection", "--vpc-peering-connection-id", peering])
            }
            NetworkChange::AttachmentSubnets { attachment, subnets } => {
                let words = ["ec2", "modify-transit-gateway-vpc-attachment", "--transit-gateway-attachment-id", attachment];
                let mut words = [&words[..], &["--remove-subnet-ids"]].concat();
                words.extend(subnets.iter().map(String::as_str));
                here(&words)
            }
            NetworkChange::TransitRoute { table, destination, attachment: _ } => {
                let range = RouteDestination::Range(*destination);
                let routes = transit_table(network, table)?.routes.found()?;
                let to = destination.to_string();
                let words = |verb: &'static str| {
                    ["ec2", verb, "--transit-gateway-route-table-id", table, "--destination-cidr-block", &to]
                };
                match routes.iter().find(|old| old.destination == range) {
                    Some(old) if old.is_blackhole => {
                        here(&[&words("replace-transit-gateway-route")[..], &["--blackhole"]].concat())
                    }
                    Some(_) => return None,
                    None => here(&words("delete-transit-gateway-route")),
                }
            }
            NetworkChange::TransitAssociation { attachment, table } => here(&[
                "ec2",
                "disassociate-transit-gateway-route-table",
                "--transit-gateway-route-table-id",
                table,
                "--transit-gateway-attachment-id",
                attachment,
            ]),
            // RDS makes no storage smaller.
            NetworkChange::MoreStorage { .. } => return None,
            NetworkChange::StartsDatabase { id } => {
                let stopped = text.contains(" start-db-cluster ");
                let (verb, option) = match stopped {
                    true => ("stop-db-cluster", "--db-cluster-identifier"),
                    false => ("stop-db-instance", "--db-instance-identifier"),
                };
                here(&["rds", verb, option, id])
            }
        })
    }
}

/// Deletes the endpoint that was made; its id is asked for at that moment.
fn endpoint_back(before: &Evidence, made: &VpcEndpoint) -> Option<String> {
    let region = before.region.as_str();
    let filters = [format!("Name=vpc-id,Values={}", made.vpc_id), format!("Name=service-name,Values={}", made.service)];
    let [in_vpc, of_service] = &filters;
    let is_only = before.network.endpoints.found().is_none_or(|all| !all.iter().any(|one| one.service == made.service));
    let ask = ["ec2", "describe-vpc-endpoints", "--filters", in_vpc, of_service, "--query", "VpcEndpoints[].VpcEndpointId"];
    let ask = aws(&[&ask[..], &["--output", "text", "--region", region]].concat());
    is_only.then(|| format!("aws ec2 delete-vpc-endpoints --vpc-endpoint-ids \"$({ask})\" --region {region}"))
}

fn option_of(target: &RouteTarget) -> Option<&'static str> {
    Some(match target {
        RouteTarget::InternetGateway(_) => "--gateway-id",
        RouteTarget::NatGateway(_) => "--nat-gateway-id",
        RouteTarget::Peering(_) => "--vpc-peering-connection-id",
        RouteTarget::TransitGateway(_) => "--transit-gateway-id",
        _ => return None,
    })
}

fn each<T>(list: &mut Observation<Vec<T>>, is_it: impl Fn(&T) -> bool, change: impl FnMut(&mut T)) {
    if let Some(all) = list.found_mut() {
        all.iter_mut().filter(|one| is_it(one)).for_each(change);
    }
}

fn on_endpoint(network: &mut Network, id: &str, change: impl FnMut(&mut VpcEndpoint)) {
    each(&mut network.endpoints, |one: &VpcEndpoint| one.id == id, change);
}

fn group<'n>(network: &'n Network, id: &str) -> Option<&'n SecurityGroup> {
    network.security_groups.found()?.iter().find(|one| one.id == id)
}

fn table<'n>(network: &'n Network, id: &str) -> Option<&'n RouteTable> {
    network.route_tables.found()?.iter().find(|one| one.id == id)
}

fn acl<'n>(network: &'n Network, id: &str) -> Option<&'n NetworkAcl> {
    network.network_acls.found()?.iter().find(|one| one.id == id)
}

fn endpoint<'n>(network: &'n Network, id: &str) -> Option<&'n VpcEndpoint> {
    network.endpoints.found()?.iter().find(|one| one.id == id)
}

fn transit_table<'n>(network: &'n Network, id: &str) -> Option<&'n TransitTable> {
    network.transit_tables.found()?.iter().find(|one| one.id == id)
}

fn vpc<'n>(network: &'n Network, id: &str) -> Option<&'n Vpc> {
    network.vpcs.found()?.iter().find(|one| one.id == id)
}

/// The rule of an `authorize-…` command: by its plain options, or in the short form of `--ip-permissions`.
fn rule_of(command: &AwsCommand) -> Option<GroupRule> {
    let to_group =
        |id: &str| GroupPeer::Group { id: id.to_owned(), owner: None, vpc_id: None, peering_id: None, peering_status: None };
    if let Some(permission) = command.option("ip-permissions") {
        let after = |name: &str| {
            let rest = permission.split_once(&format!("{name}="))?.1;
            rest.split([',', '}', ']']).next()
        };
        let ports = PortRange { from: after("FromPort")?.parse().ok()?, to: after("ToPort")?.parse().ok()? };
        let peer = match (after("GroupId"), after("CidrIp")) {
            (Some(id), _) => to_group(id),
            // One change is one rule.
            (None, Some(range)) if permission.matches("CidrIp=").count() == 1 => GroupPeer::Range(range.parse().ok()?),
            _ => return None,
        };
        return Some(GroupRule { protocol: IpProtocol::of(after("IpProtocol")?), ports: Some(ports), peer });
    }
    let peer = match (command.option("source-group"), command.option("cidr")) {
        (Some(id), _) => to_group(id),
        (None, Some(range)) => GroupPeer::Range(range.parse().ok()?),
        (None, None) => return None,
    };
    let port = PortRange::one(command.option("port")?.parse().ok()?);
    Some(GroupRule { protocol: IpProtocol::of(command.option("protocol")?), ports: Some(port), peer })
}

fn entry_of(command: &AwsCommand) -> Option<AclEntry> {
    let (from, to) = command.option("port-range")?.strip_prefix("From=")?.split_once(",To=")?;
    Some(AclEntry {
        number: command.option("rule-number")?.parse().ok()?,
        is_egress: command.has("egress"),
        is_allow: command.option("rule-action")? == "allow",
        protocol: IpProtocol::of(command.option("protocol")?),
        range: command.option("cidr-block")?.parse().ok()?,
        ports: Some(PortRange { from: from.parse().ok()?, to: to.parse().ok()? }),
    })
}
