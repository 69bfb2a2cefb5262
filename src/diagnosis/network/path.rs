//! A path, hop by hop, and what breaks it.

use super::filter::Direction;
use crate::model::{PortRange, StepName};

/// Whether packets get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reachability {
    /// Every hop lets them through.
    Reachable,
    /// No hop that was seen stops them, and not all were seen.
    Unknown,
    /// A hop stops them.
    Blocked,
}

/// One hop.
#[derive(Debug, Clone, PartialEq)]
pub struct Hop {
    pub place: HopPlace,
    /// What stands there, by its id where it has one.
    pub id: String,
    pub standing: HopStanding,
}

/// Where on the way a hop is, in the order of travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HopPlace {
    /// What the host name leads to.
    Name,
    /// The function's security groups.
    Egress,
    /// The function's subnet: its route table.
    Route,
    /// Its network ACL, on the way out.
    AclOut,
    /// The NAT gateway, peering connection or transit gateway that the route leads to.
    Link,
    /// The network ACL of the other end's subnet, on the way in.
    AclIn,
    /// The other end's security groups.
    Ingress,
    /// The answers' way.
    Back,
}

impl HopPlace {
    /// What the hop is, in a word or two.
    pub const fn title(self) -> &'static str {
        match self {
            HopPlace::Name => "host name",
            HopPlace::Egress => "function's security groups",
            HopPlace::Route => "route",
            HopPlace::AclOut => "network ACL out",
            HopPlace::Link => "way on",
            HopPlace::AclIn => "network ACL in",
            HopPlace::Ingress => "security groups there",
            HopPlace::Back => "answers",
        }
    }
}

/// What a hop does.
#[derive(Debug, Clone, PartialEq)]
pub enum HopStanding {
    /// It lets the packets through; says by what.
    Passes(String),
    /// It stops them.
    Stops(NetworkFault),
    /// It cannot be told; says what is missing.
    Unseen(String),
}

/// What is wrong with a hop, with what its mending takes.
#[derive(Debug, Clone, PartialEq)]
pub enum NetworkFault {
    /// The function is in no VPC, and the other end has no public address.
    NoVpc,
    /// The other end has addresses of IPv6 alone, and the function has none; with the endpoint, where it is one.
    NoIpv6 { target: String, endpoint: Option<String> },
    /// No rule of the function's groups lets the packets out.
    Egress { groups: Vec<String>, port: u16, to: OtherEnd },
    /// No rule of the other end's groups lets them in.
    Ingress { groups: Vec<String>, port: u16, from: OtherEnd },
    /// An ACL stops them.
    Acl {
        acl: String,
        subnet: String,
        direction: Direction,
        ports: PortRange,
        range: String,
        entry: Option<u32>,
        is_answer: bool,
    },
    /// The table has no route there.
    NoRoute { table: String, subnet: String, to: Option<String> },
    /// The route's target is gone.
    Blackhole { table: String, destination: String, target: String },
    /// The route leads to an Internet gateway, which needs a public address that the function has not.
    InternetGateway { table: String, gateway: String, subnet: String },
    /// The NAT gateway does not work.
    NatState { nat: String, state: String, failure: Option<String> },
    /// The NAT gateway reaches no public network.
    NatInside { nat: String, because: String },
    /// The route leads to the Internet, where no private address is reached.
    OnlyToInternet { table: String, subnet: String, to: String, target: String },
    /// The peering connection does not work.
    PeeringState { peering: String, status: String },
    /// It leads to another VPC than that of the other end.
    PeeringElsewhere { peering: String, leads_to: String, wanted: String },
    /// The attachment to the transit gateway does not work.
    AttachmentState { attachment: String, state: String },
    /// The attachment has no subnet in the zone of the function's.
    AttachmentZone { attachment: String, gateway: String, subnet: String, zone: String },
    /// The attachment is associated with no route table of the gateway; with the one that serves the other end, where it has one.
    NoTransitTable { attachment: String, gateway: String, other_table: Option<String> },
    /// The gateway's table has no route there, or one that drops the packets; with the attachment that it has to lead to.
    TransitRoute { gateway: String, table: String, to: String, blackhole: Option<String>, over: Option<String> },
    /// The other end's table has no route for the answers.
    NoWayBack { table: String, to: String, over: String },
    /// The endpoint has no interface in any subnet.
    EndpointWithoutSubnets { endpoint: String },
    /// The endpoint does not work.
    EndpointState { endpoint: String, state: String },
    /// The service's name does not lead to the endpoint.
    PrivateDnsOff { endpoint: String, public: Box<NetworkFault> },
    /// The same, as an attribute of the VPC keeps it from working; without what stops it on the public way, no name leads anywhere.
    DnsAttribute { vpc: String, attribute: &'static str, public: Option<Box<NetworkFault>> },
}

/// The other end of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum OtherEnd {
    /// Whoever carries these groups.
    Groups(Vec<String>),
    /// These addresses.
    Ranges(Vec<String>),
    /// The public network.
    Public,
}

impl OtherEnd {
    fn words(&self) -> String {
        match self {
            OtherEnd::Groups(ids) | OtherEnd::Ranges(ids) => ids.join(", "),
            OtherEnd::Public => "the public network".to_owned(),
        }
    }
}

impl NetworkFault {
    /// What is wrong, as the end of a sentence.
    pub fn text(&self) -> String {
        match self {
            NetworkFault::NoVpc => "the function is in no VPC, and it has no public address".to_owned(),
            NetworkFault::NoIpv6 { target, .. } => format!("{target} has addresses of IPv6 alone, and the function has none"),
            NetworkFault::Egress { groups, port, to } => {
                format!("no outbound rule of {} lets TCP port {port} out to {}", groups.join(", "), to.words())
            }
            NetworkFault::Ingress { groups, port, from } => {
                format!("no inbound rule of {} lets TCP port {port} in from {}", groups.join(", "), from.words())
            }
            NetworkFault::Acl { acl, subnet, direction, ports, entry, is_answer, .. } => {
                let what = if *is_answer { "the answers to ports" } else { "TCP port" };
                let way = if *direction == Direction::In { "into" } else { "out of" };
                let by = entry.map_or_else(|| "no entry lets it through".to_owned(), |entry| format!("entry {entry} denies it"));
                format!("the network ACL {acl} stops {what} {ports} {way} {subnet}: {by}")
            }
            NetworkFault::NoRoute { table, subnet, to: Some(to) } => format!("{table} of {subnet} has no route to {to}"),
            NetworkFault::NoRoute { table, subnet, to: None } => {
                format!("{table} of {subnet} has no route to the public network, such as to a NAT gateway")
            }
            NetworkFault::Blackhole { table, destination, target } => {
                format!("the route of {table} to {destination} leads to {target}, which is gone")
            }
            NetworkFault::InternetGateway { table, gateway, subnet } => format!(
                "{subnet} is a public subnet: {table} leads to {gateway}, which serves only what has a public address, and a function \
                 has none"
            ),
            NetworkFault::NatState { nat, state, failure } => {
                let because = failure.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
                format!("{nat} is in the state {state}{because}")
            }
            NetworkFault::NatInside { nat, because } => format!("{nat} reaches no public network: {because}"),
            NetworkFault::OnlyToInternet { table, subnet, to, target } => format!(
                "{table} of {subnet} has no route to {to} but the one to {target}, and so to the Internet, where no private address is \
                 reached"
            ),
            NetworkFault::PeeringState { peering, status } => format!("{peering} is {status}"),
            NetworkFault::PeeringElsewhere { peering, leads_to, wanted } => {
                format!("{peering} leads to {leads_to}, and what must be reached is in {wanted}")
            }
            NetworkFault::AttachmentState { attachment, state } => format!("{attachment} is {state}"),
            NetworkFault::AttachmentZone { attachment, gateway, subnet, zone } => {
                format!("{attachment} has no subnet in {zone}, so that nothing in {subnet} reaches {gateway}")
            }
            NetworkFault::NoTransitTable { attachment, gateway, .. } => {
                format!("{attachment} is associated with no route table of {gateway}, which drops what comes from it")
            }
            NetworkFault::TransitRoute { gateway, table, to, blackhole: None, .. } => {
                format!("{table} of {gateway} has no route to {to}")
            }
            NetworkFault::TransitRoute { gateway, table, to, blackhole: Some(destination), .. } => {
                format!("the route of {table} of {gateway} to {destination} is a blackhole, which drops the packets to {to}")
            }
            NetworkFault::NoWayBack { table, to, over } => format!("{table} has no route back to {to} over {over}"),
            NetworkFault::EndpointWithoutSubnets { endpoint } => format!("{endpoint} has no interface in any subnet"),
            NetworkFault::EndpointState { endpoint, state } => format!("{endpoint} is {state}"),
            NetworkFault::PrivateDnsOff { endpoint, public } => format!(
                "private DNS of {endpoint} is off, so that the service's name leads to its public address, and {}",
                public.text()
            ),
            NetworkFault::DnsAttribute { vpc, attribute, public: None } => {
                format!("{attribute} of {vpc} is off, so that no name resolves in it")
            }
            NetworkFault::DnsAttribute { vpc, attribute, public: Some(public) } => format!(
                "{attribute} of {vpc} is off, so that the service's name leads to its public address, and {}",
                public.text()
            ),
        }
    }

    /// The call that shows it.
    pub const fn call(&self) -> &'static str {
        match self {
            NetworkFault::NoVpc => "lambda:GetFunctionConfiguration",
            NetworkFault::NoIpv6 { endpoint: None, .. } => "rds:DescribeDBProxies",
            NetworkFault::Egress { .. } | NetworkFault::Ingress { .. } => "ec2:DescribeSecurityGroups",
            NetworkFault::Acl { .. } => "ec2:DescribeNetworkAcls",
            NetworkFault::NoRoute { .. }
            | NetworkFault::Blackhole { .. }
            | NetworkFault::InternetGateway { .. }
            | NetworkFault::OnlyToInternet { .. }
            | NetworkFault::NoWayBack { .. } => "ec2:DescribeRouteTables",
            NetworkFault::NatState { .. } | NetworkFault::NatInside { .. } => "ec2:DescribeNatGateways",
            NetworkFault::PeeringState { .. } | NetworkFault::PeeringElsewhere { .. } => "ec2:DescribeVpcPeeringConnections",
            NetworkFault::AttachmentState { .. } | NetworkFault::AttachmentZone { .. } => {
                "ec2:DescribeTransitGatewayVpcAttachments"
            }
            NetworkFault::NoTransitTable { .. } => "ec2:DescribeTransitGatewayAttachments",
            NetworkFault::TransitRoute { .. } => "ec2:SearchTransitGatewayRoutes",
            NetworkFault::EndpointWithoutSubnets { .. }
            | NetworkFault::EndpointState { .. }
            | NetworkFault::NoIpv6 { endpoint: Some(_), .. }
            | NetworkFault::PrivateDnsOff { .. } => "ec2:DescribeVpcEndpoints",
            NetworkFault::DnsAttribute { .. } => "ec2:DescribeVpcAttribute",
        }
    }

    /// The step whose evidence it is: the function's own surroundings, or what lies beyond them.
    pub const fn step(&self) -> StepName {
        match self {
            NetworkFault::NoVpc
            | NetworkFault::Egress { .. }
            | NetworkFault::NoRoute { .. }
            | NetworkFault::Blackhole { .. }
            | NetworkFault::InternetGateway { .. }
            | NetworkFault::OnlyToInternet { .. } => StepName::RotationFunction,
            _ => StepName::SecretAccess,
        }
    }

    /// True where a name server or a route that nobody sees could lead around it.
    pub const fn may_be_led_around(&self) -> bool {
        matches!(self, NetworkFault::PrivateDnsOff { .. } | NetworkFault::DnsAttribute { .. })
    }
}

/// A path from one subnet of the function.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// The function's subnet; `None` for a function in no VPC.
    pub subnet: Option<String>,
    /// In the order of travel.
    pub hops: Vec<Hop>,
}

impl Path {
    /// Blocked where a hop is, whatever was not seen of the others.
    pub fn reach(&self) -> Reachability {
        let of = |hop: &Hop| match hop.standing {
            HopStanding::Passes(_) => Reachability::Reachable,
            HopStanding::Unseen(_) => Reachability::Unknown,
            HopStanding::Stops(_) => Reachability::Blocked,
        };
        self.hops.iter().map(of).max().unwrap_or(Reachability::Unknown)
    }

    /// The first hop that stops it.
    pub fn fault(&self) -> Option<&NetworkFault> {
        self.faults().next()
    }

    /// Every hop that stops it, in the order of travel.
    pub fn faults(&self) -> impl Iterator<Item = &NetworkFault> {
        self.hops.iter().filter_map(|hop| match &hop.standing {
            HopStanding::Stops(fault) => Some(fault),
            _ => None,
        })
    }

    /// What was not seen of it, in the order of travel.
    pub fn unseen(&self) -> impl Iterator<Item = &str> {
        self.hops.iter().filter_map(|hop| match &hop.standing {
            HopStanding::Unseen(missing) => Some(missing.as_str()),
            _ => None,
        })
    }

    /// Leaves open what stops it, as there may be a way that is not judged.
    pub(super) fn leave_open(&mut self, because: impl Fn(&NetworkFault) -> String) {
        for hop in &mut self.hops {
            if let HopStanding::Stops(fault) = &hop.standing {
                hop.standing = HopStanding::Unseen(because(fault));
            }
        }
    }

    pub(super) fn push(&mut self, place: HopPlace, id: impl Into<String>, standing: HopStanding) {
        self.hops.push(Hop { place, id: id.into(), standing });
    }

    /// One path for several that may be taken, nobody knows which: what all agree on, else that it cannot be told.
    pub(super) fn one_of(mut paths: Vec<Path>, which: &str) -> Option<Path> {
        let first = paths.first()?.reach();
        if paths.iter().all(|path| path.reach() == first) || paths.len() == 1 {
            return Some(paths.swap_remove(0));
        }
        // The one that leaves most open is shown; where it stops, that is no longer sure.
        let at = paths.iter().position(|path| path.reach() == Reachability::Blocked).unwrap_or(0);
        let mut path = paths.swap_remove(at);
        path.leave_open(|fault| format!("{which} (one possible way is blocked: {})", fault.text()));
        if path.reach() == Reachability::Reachable {
            path.push(HopPlace::Back, "", HopStanding::Unseen(which.to_owned()));
        }
        Some(path)
    }
}

/// The paths from all subnets of a function to one target: Lambda takes any of them.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkPaths {
    /// What must be reached, for people.
    pub target: String,
    /// At least one.
    pub paths: Vec<Path>,
}

impl NetworkPaths {
    /// Blocked where one subnet's path is.
    pub fn reach(&self) -> Reachability {
        self.paths.iter().map(Path::reach).max().unwrap_or(Reachability::Unknown)
    }

    /// The path to tell of: the first that fares worst.
    pub fn worst(&self) -> Option<&Path> {
        self.paths.iter().find(|path| path.reach() == self.reach())
    }

    /// What stops it, from whatever subnet, each fault once: those of the path to tell of come first.
    pub fn faults(&self) -> Vec<&NetworkFault> {
        let mut faults: Vec<&NetworkFault> = Vec::new();
        for fault in self.worst().into_iter().chain(&self.paths).flat_map(Path::faults) {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        faults
    }

    /// True where it is blocked from every subnet.
    pub fn is_blocked_everywhere(&self) -> bool {
        !self.paths.is_empty() && self.paths.iter().all(|path| path.reach() == Reachability::Blocked)
    }

    /// What was not seen, where that leaves the answer open.
    pub fn missing(&self) -> Option<String> {
        (self.reach() == Reachability::Unknown)
            .then(|| self.paths.iter().find_map(|path| path.unseen().next()).unwrap_or("the network").to_owned())
    }
}
