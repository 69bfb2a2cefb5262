//! The network between the rotation function and what it must reach, as EC2 describes it.
//!
//! Every list is an observation of its own, so that a refused call costs only what it would have told.

use super::ip_range::{IpProtocol, IpRange, PortRange};
use super::observation::Observation;
use super::step::StepName;
use super::target_database::TargetDatabase;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::convert::Infallible;
use std::fmt;

/// The networks of the function and of the databases it may change.
///
/// What stands in no list was not seen: only [`endpoints`](Network::endpoints) is complete, for the function's VPC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// The function's VPC, and the databases' where it is another one.
    pub vpcs: Observation<Vec<Vpc>>,
    /// The subnets of the function, of its endpoints and of the databases.
    pub subnets: Observation<Vec<Subnet>>,
    /// All route tables of these VPCs.
    pub route_tables: Observation<Vec<RouteTable>>,
    /// The NAT gateways that routes name or that stand in the function's VPC.
    pub nat_gateways: Observation<Vec<NatGateway>>,
    /// All network ACLs of these VPCs.
    pub network_acls: Observation<Vec<NetworkAcl>>,
    /// The groups of the function, of its endpoints and of the databases.
    pub security_groups: Observation<Vec<SecurityGroup>>,
    /// The prefix lists that rules and routes name.
    pub prefix_lists: Observation<Vec<PrefixList>>,
    /// Every endpoint of the function's VPC, whatever its service.
    pub endpoints: Observation<Vec<VpcEndpoint>>,
    /// The peering connections that routes name.
    pub peerings: Observation<Vec<Peering>>,
    /// The attachments of the function's VPC to the transit gateways that routes name.
    pub transit_attachments: Observation<Vec<TransitAttachment>>,
    /// What the attachments of these VPCs are to the gateways that routes name.
    #[serde(default = "not_asked")]
    pub transit_associations: Observation<Vec<TransitAssociation>>,
    /// The gateways' route tables that these attachments are associated with.
    #[serde(default = "not_asked")]
    pub transit_tables: Observation<Vec<TransitTable>>,
    /// The databases the secret may be for, the likeliest first.
    pub databases: Observation<Vec<TargetDatabase>>,
    /// The lists of which a part was worth a call, and the calls did not suffice for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut_short: Vec<NetworkList>,
}

/// A list that may be cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkList {
    Subnets,
    RouteTables,
    NatGateways,
    NetworkAcls,
    SecurityGroups,
    PrefixLists,
    Peerings,
    TransitAssociations,
}

impl Network {
    /// Calls that a look may cost. A list of several pages is one.
    pub const MOST_CALLS: usize = 8;

    /// The steps that a look at the network is a part of, and is counted in.
    pub const STEPS: [StepName; 2] = [StepName::RotationFunction, StepName::SecretAccess];

    /// A network of which every part is missing for the same reason.
    #[must_use]
    pub fn unseen(reason: &Observation<Infallible>) -> Network {
        fn unseen<T>(reason: &Observation<Infallible>) -> Observation<T> {
            reason.clone().and_then(|never| match never {})
        }
        Network {
            vpcs: unseen(reason),
            subnets: unseen(reason),
            route_tables: unseen(reason),
            nat_gateways: unseen(reason),
            network_acls: unseen(reason),
            security_groups: unseen(reason),
            prefix_lists: unseen(reason),
            endpoints: unseen(reason),
            peerings: unseen(reason),
            transit_attachments: unseen(reason),
            transit_associations: unseen(reason),
            transit_tables: unseen(reason),
            databases: unseen(reason),
            cut_short: Vec::new(),
        }
    }

    /// A network that nobody looked at, as nothing made it worth the calls.
    #[must_use]
    pub fn unasked() -> Network {
        Network::unseen(&Observation::NotApplicable { because: "nothing made the network worth a look".to_owned() })
    }

    /// Why a part that was worth a call was not asked for, as the end of a sentence.
    #[must_use]
    pub fn no_calls_left() -> String {
        format!("as a look at the network makes at most {} calls to AWS", Network::MOST_CALLS)
    }

    /// A part that a look left out, as nothing made it worth a call.
    #[must_use]
    pub fn left_out<T>() -> Observation<T> {
        not_asked()
    }
}

/// What a look that was kept from an earlier version did not ask for.
fn not_asked<T>() -> Observation<T> {
    Observation::NotApplicable { because: "nothing made it worth a call".to_owned() }
}

/// A VPC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vpc {
    pub id: String,
    /// Its ranges of addresses, of both families.
    pub ranges: Vec<IpRange>,
    /// The attribute `enableDnsSupport`; `None` where it was not seen.
    pub dns_support: Option<bool>,
    /// The attribute `enableDnsHostnames`; `None` where it was not seen.
    pub dns_hostnames: Option<bool>,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subnet {
    pub id: String,
    pub vpc_id: String,
    /// Its range of IPv4 addresses; `None` where it has only IPv6.
    pub range: Option<IpRange>,
    /// Its availability zone by name, such as `eu-west-1a`.
    pub zone: String,
    /// How many IPv4 addresses are free.
    pub free_addresses: u32,
    /// Its ranges of IPv6 addresses.
    #[serde(default)]
    pub ipv6_ranges: Vec<IpRange>,
}

/// A route table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteTable {
    pub id: String,
    pub vpc_id: String,
    /// True for the table that subnets use which no other names.
    pub is_main: bool,
    /// The subnets that are associated with it by name.
    pub subnet_ids: Vec<String>,
    /// Static ones before propagated ones, which yield to them.
    pub routes: Vec<VpcRoute>,
}

/// One route of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VpcRoute {
    pub destination: RouteDestination,
    pub target: RouteTarget,
    /// True where its target is gone.
    pub is_blackhole: bool,
}

/// What a route or a rule of a group leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteDestination {
    Range(IpRange),
    /// The id of a prefix list, `pl-…`.
    PrefixList(String),
}

impl fmt::Display for RouteDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RouteDestination::Range(range) => write!(f, "{range}"),
            RouteDestination::PrefixList(id) => f.write_str(id),
        }
    }
}

/// Where a route sends its packets; written as the target's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum RouteTarget {
    /// Inside the VPC.
    Local,
    InternetGateway(String),
    NatGateway(String),
    EgressOnlyInternetGateway(String),
    /// A gateway endpoint, or an endpoint of a gateway load balancer.
    VpcEndpoint(String),
    Peering(String),
    TransitGateway(String),
    /// An interface or an instance: an appliance that forwards as it likes.
    Appliance(String),
    /// A virtual private gateway, a core network, and what else there is.
    Other(String),
}

impl From<String> for RouteTarget {
    fn from(id: String) -> RouteTarget {
        match id.split('-').next().unwrap_or_default() {
            "local" => RouteTarget::Local,
            "igw" => RouteTarget::InternetGateway(id),
            "nat" => RouteTarget::NatGateway(id),
            "eigw" => RouteTarget::EgressOnlyInternetGateway(id),
            "vpce" => RouteTarget::VpcEndpoint(id),
            "pcx" => RouteTarget::Peering(id),
            "tgw" => RouteTarget::TransitGateway(id),
            "eni" | "i" => RouteTarget::Appliance(id),
            _ => RouteTarget::Other(id),
        }
    }
}

impl RouteTarget {
    /// The target's id, `local` for the VPC itself.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            RouteTarget::Local => "local",
            RouteTarget::InternetGateway(id)
            | RouteTarget::NatGateway(id)
            | RouteTarget::EgressOnlyInternetGateway(id)
            | RouteTarget::VpcEndpoint(id)
            | RouteTarget::Peering(id)
            | RouteTarget::TransitGateway(id)
            | RouteTarget::Appliance(id)
            | RouteTarget::Other(id) => id,
        }
    }
}

impl From<RouteTarget> for String {
    fn from(target: RouteTarget) -> String {
        target.id().to_owned()
    }
}

/// A NAT gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NatGateway {
    pub id: String,
    pub vpc_id: String,
    /// Where it stands; `None` for one that serves a whole region.
    pub subnet_id: Option<String>,
    /// `pending`, `failed`, `available`, `deleting` or `deleted`.
    pub state: String,
    /// True where it reaches the Internet, false where its connectivity type is `private`.
    pub is_public: bool,
    /// Why it failed.
    pub failure: Option<String>,
    /// The public addresses that its packets carry; empty where none was told.
    #[serde(default)]
    pub public_addresses: Vec<IpAddr>,
}

/// A network ACL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkAcl {
    pub id: String,
    pub vpc_id: String,
    /// The subnets that it filters.
    pub subnet_ids: Vec<String>,
    pub entries: Vec<AclEntry>,
}

/// One entry of a network ACL; the lowest number that matches decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AclEntry {
    pub number: u32,
    /// True where it filters what leaves the subnet.
    pub is_egress: bool,
    pub is_allow: bool,
    pub protocol: IpProtocol,
    pub range: IpRange,
    /// The destination ports; `None` means all.
    pub ports: Option<PortRange>,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroup {
    pub id: String,
    pub name: Option<String>,
    pub vpc_id: String,
    pub ingress: Vec<GroupRule>,
    pub egress: Vec<GroupRule>,
}

/// One rule of a security group, which allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupRule {
    pub protocol: IpProtocol,
    /// The destination ports; `None` means all.
    pub ports: Option<PortRange>,
    pub peer: GroupPeer,
}

/// Whom a rule of a security group lets in or out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupPeer {
    Range(IpRange),
    PrefixList(String),
    /// Whoever carries this group.
    Group {
        id: String,
        /// The account that owns it, where EC2 names one.
        owner: Option<String>,
        /// Its VPC, where it is another one.
        vpc_id: Option<String>,
        /// The peering connection it is reached over.
        peering_id: Option<String>,
        /// That connection's state, such as `active`; a deleted one leaves a stale rule.
        peering_status: Option<String>,
    },
}

/// A prefix list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrefixList {
    pub id: String,
    /// Such as `com.amazonaws.eu-west-1.s3`.
    pub name: Option<String>,
    pub ranges: Observation<Vec<IpRange>>,
}

/// An endpoint of a VPC for a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VpcEndpoint {
    pub id: String,
    pub kind: EndpointKind,
    /// Such as `com.amazonaws.eu-west-1.secretsmanager`.
    pub service: String,
    pub vpc_id: String,
    /// `available`, `pending`, `pendingAcceptance`, `rejected`, `failed`, `deleting`, …
    pub state: String,
    pub subnet_ids: Vec<String>,
    /// The route tables of a gateway endpoint.
    pub route_table_ids: Vec<String>,
    pub security_group_ids: Vec<String>,
    /// True where the service's own host name leads to it.
    pub private_dns: bool,
    /// True where its host names lead to addresses of IPv6 alone.
    #[serde(default)]
    pub is_ipv6_only: bool,
    /// Its policy; `None` where there is none or it was not told, which lets everything through.
    pub policy: Option<Value>,
}

/// What kind of endpoint it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointKind {
    Interface,
    Gateway,
    /// A gateway load balancer's, a resource's, a service network's.
    Other,
}

/// A peering connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Peering {
    pub id: String,
    /// `active`, `pending-acceptance`, `deleted`, `rejected`, `failed`, `expired`, `provisioning`, …
    pub status: String,
    pub requester: PeeredVpc,
    pub accepter: PeeredVpc,
}

/// One side of a peering connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeeredVpc {
    pub vpc_id: String,
    pub owner: Option<String>,
    pub region: Option<String>,
    pub ranges: Vec<IpRange>,
}

/// The attachment of a VPC to a transit gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransitAttachment {
    pub id: String,
    pub transit_gateway_id: String,
    pub vpc_id: String,
    /// `available`, `pendingAcceptance`, `rejected`, `deleted`, …
    pub state: String,
    pub subnet_ids: Vec<String>,
    /// False where no group of the VPC may be named in rules beyond the gateway, true where the gateway decides; `None` where it was
    /// not seen.
    pub may_reference_groups: Option<bool>,
}

impl TransitAttachment {
    /// True where packets pass it.
    #[must_use]
    pub fn works(&self) -> bool {
        TransitAttachment::works_in(&self.state)
    }

    /// True for a state of an attachment in which packets pass it.
    #[must_use]
    pub fn works_in(state: &str) -> bool {
        matches!(state, "available" | "modifying")
    }
}

/// How a transit gateway treats what comes from an attachment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransitAssociation {
    pub attachment_id: String,
    pub transit_gateway_id: String,
    /// The account of the gateway: only there its route tables can be read.
    pub gateway_owner: Option<String>,
    /// What is attached, such as a VPC's id.
    pub resource_id: String,
    /// The account of what is attached.
    pub resource_owner: Option<String>,
    /// The gateway's route table that packets from the attachment are sent on by; `None` where it has none, and they go nowhere.
    pub table_id: Option<String>,
    /// True while the association is being made or taken away.
    pub is_changing: bool,
}

/// A route table of a transit gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransitTable {
    pub id: String,
    pub routes: Observation<Vec<TransitRoute>>,
}

/// One route of a transit gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransitRoute {
    pub destination: RouteDestination,
    /// Where it leads: several for one that is shared, none for a blackhole.
    pub to: Vec<TransitEnd>,
    /// True where it drops what it matches, on purpose or as its attachment is gone.
    pub is_blackhole: bool,
}

/// An attachment that a route of a transit gateway leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransitEnd {
    pub attachment_id: String,
    /// `vpc`, `vpn`, `direct-connect-gateway`, `peering`, …
    pub kind: String,
    /// What is attached, such as a VPC's id.
    pub resource_id: String,
}
