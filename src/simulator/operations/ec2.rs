//! EC2's networks.

use super::OperationResult;
use crate::simulator::network::{
    AclForm, AclRule, EndpointForm, GroupForm, GroupRuleText, NatForm, NetworkForms, Peer, PeeringForm, PrefixListForm,
    RouteTableForm, RouteText, SubnetForm, VpcDeclaration,
};
use crate::simulator::pages::page;
use crate::simulator::wire::{Parameters, Shape, WireError, WireRequest};
use crate::simulator::world::SimulatedAccount;

/// What filters may ask of a thing: the filter's name, and the values that fit.
type Attributes = Vec<(&'static str, Vec<String>)>;

/// Answers with the page of those of `all` that pass every filter.
pub(super) fn listed<'w, T>(
    world: &SimulatedAccount,
    request: &WireRequest,
    (set, largest): (&str, i64),
    all: impl IntoIterator<Item = &'w T>,
    attributes: impl Fn(&'w T) -> Attributes,
    shape: impl Fn(&'w T) -> Shape,
) -> OperationResult
where
    T: 'w,
{
    let parameters = request.parameters();
    if let Some(limit) = parameters.integer("MaxResults")
        && !(5..=largest).contains(&limit)
    {
        let message =
            format!("Value ( {limit} ) for parameter maxResults is invalid. Expecting a value between 5 and {largest}.");
        return Err(WireError::new("InvalidParameterValue", message));
    }
    let filters: Vec<(&str, Vec<&str>)> = parameters
        .numbered("Filter")
        .into_iter()
        .map(|filter| (filter.text("Name").unwrap_or_default(), filter.numbered_texts("Value")))
        .collect();
    let mut fitting = Vec::new();
    for one in all {
        let own = attributes(one);
        let mut fits = true;
        for (name, values) in &filters {
            let Some((_, known)) = own.iter().find(|(known, _)| known == name) else {
                return Err(WireError::new("InvalidParameterValue", format!("The filter '{name}' is invalid")));
            };
            fits &= known.iter().any(|value| values.contains(&value.as_str()));
        }
        if fits {
            fitting.push(shape(one));
        }
    }
    let (items, next) = page(&fitting, world.pages.network, parameters, "NextToken", "MaxResults")
        .map_err(|_| WireError::new("InvalidNextToken", "The specified token is invalid."))?;
    Ok(Shape::structure().with(set, items.to_vec()).with("nextToken", next))
}

pub(super) fn one(value: &str) -> Vec<String> {
    vec![value.to_owned()]
}

pub(super) fn network(world: &SimulatedAccount) -> &NetworkForms {
    &world.network
}

/// What belongs to another account is not listed.
pub(super) fn is_own(world: &SimulatedAccount, vpc: &str) -> bool {
    owner(world, vpc) == world.account
}

pub(super) fn owner<'w>(world: &'w SimulatedAccount, vpc: &str) -> &'w str {
    let declared = network(world).vpcs.iter().find(|known| known.id == vpc).and_then(|vpc| vpc.account.as_deref());
    declared.unwrap_or(&world.account)
}

fn range_of<'w>(world: &'w SimulatedAccount, vpc: &str) -> Option<&'w str> {
    network(world).vpcs.iter().find(|known| known.id == vpc).map(|vpc| vpc.cidr.as_str())
}

pub(super) fn describe_security_groups(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let all = network(world).groups.iter().filter(|form| is_own(world, &form.vpc));
    listed(
        world,
        request,
        ("securityGroupInfo", 1000),
        all,
        |form| vec![("vpc-id", one(&form.vpc)), ("group-id", one(&form.id))],
        |form| group(world, form),
    )
}

fn group(world: &SimulatedAccount, form: &GroupForm) -> Shape {
    let name = if form.name.is_empty() { &form.id } else { &form.name };
    let rules = |rules: &[String]| {
        Shape::list(rules.iter().filter_map(|rule| Some(permission(world, form, GroupRuleText::parse(rule).ok()?))))
    };
    Shape::structure()
        .with("ownerId", owner(world, &form.vpc))
        .with("groupId", &form.id)
        .with("groupName", name)
        .with("groupDescription", "simulated")
        .with("vpcId", &form.vpc)
        .with("ipPermissions", rules(&form.ingress))
        .with("ipPermissionsEgress", rules(&form.egress))
        .with("tagSet", Shape::list::<Shape>([]))
}

fn permission(world: &SimulatedAccount, own: &GroupForm, rule: GroupRuleText<'_>) -> Shape {
    let (mut groups, mut ranges, mut ranges6, mut lists) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    match rule.peer {
        Peer::Range(range) if range.contains(':') => ranges6.push(Shape::structure().with("cidrIpv6", range)),
        Peer::Range(range) => ranges.push(Shape::structure().with("cidrIp", range)),
        Peer::PrefixList(id) => lists.push(Shape::structure().with("prefixListId", id)),
        Peer::Group { id, peering } => {
            let connection = peering.and_then(|id| network(world).peerings.iter().find(|known| known.id == id));
            let vpc = connection.map(|known| if known.from == own.vpc { &known.to } else { &known.from });
            groups.push(
                Shape::structure()
                    .with("userId", vpc.map_or(world.account.as_str(), |vpc| owner(world, vpc)))
                    .with("groupId", id)
                    .with("vpcId", vpc)
                    .with("vpcPeeringConnectionId", peering)
                    .with("peeringStatus", peering.map(|_| connection.map_or("deleted", |known| known.status.as_str()))),
            );
        }
    }
    Shape::structure()
        .with("ipProtocol", rule.protocol)
        .with("fromPort", rule.ports.map(|(from, _)| from))
        .with("toPort", rule.ports.map(|(_, to)| to))
        .with("groups", groups)
        .with("ipRanges", ranges)
        .with("ipv6Ranges", ranges6)
        .with("prefixListIds", lists)
}

pub(super) fn describe_subnets(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let all = network(world).subnets.iter().filter(|form| is_own(world, &form.vpc));
    listed(
        world,
        request,
        ("subnetSet", 1000),
        all,
        |form| vec![("vpc-id", one(&form.vpc)), ("subnet-id", one(&form.id))],
        |form: &SubnetForm| {
            Shape::structure()
                .with("subnetId", &form.id)
                .with("state", "available")
                .with("ownerId", &world.account)
                .with("vpcId", &form.vpc)
                .with("cidrBlock", &form.cidr)
                .with(
                    "ipv6CidrBlockAssociationSet",
                    Shape::list(form.cidr6.iter().map(|range| {
                        Shape::structure()
                            .with("ipv6CidrBlock", range)
                            .with("ipv6CidrBlockState", Shape::structure().with("state", "associated"))
                    })),
                )
                .with("availableIpAddressCount", form.free)
                .with("availabilityZone", format!("{}{}", request.region, form.zone))
                .with("defaultForAz", false)
                .with("mapPublicIpOnLaunch", false)
        },
    )
}

pub(super) fn describe_route_tables(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let all = network(world).route_tables.iter().filter(|form| is_own(world, &form.vpc));
    listed(
        world,
        request,
        ("routeTableSet", 100),
        all,
        |form| {
            vec![("vpc-id", one(&form.vpc)), ("route-table-id", one(&form.id)), ("association.subnet-id", form.subnets.clone())]
        },
        |form| route_table(world, form),
    )
}

fn route_table(world: &SimulatedAccount, form: &RouteTableForm) -> Shape {
    let local =
        range_of(world, &form.vpc).map(|range| route(&RouteText { destination: range, target: "local", is_blackhole: false }));
    let declared = form.routes.iter().filter_map(|text| Some(route(&RouteText::parse(text).ok()?)));
    let association = |subnet: Option<&String>| {
        let id = format!("rtbassoc-{}", subnet.unwrap_or(&form.id).rsplit('-').next().unwrap_or_default());
        Shape::structure()
            .with("routeTableAssociationId", id)
            .with("routeTableId", &form.id)
            .with("subnetId", subnet)
            .with("main", subnet.is_none())
            .with("associationState", Shape::structure().with("state", "associated"))
    };
    let associations =
        form.main.then(|| association(None)).into_iter().chain(form.subnets.iter().map(|id| association(Some(id))));
    Shape::structure()
        .with("routeTableId", &form.id)
        .with("vpcId", &form.vpc)
        .with("ownerId", &world.account)
        .with("routeSet", Shape::list(local.into_iter().chain(declared)))
        .with("associationSet", Shape::list(associations))
        .with("propagatingVgwSet", Shape::list::<Shape>([]))
        .with("tagSet", Shape::list::<Shape>([]))
}

fn route(text: &RouteText<'_>) -> Shape {
    let destination = match text.destination {
        list if list.starts_with("pl-") => "destinationPrefixListId",
        range if range.contains(':') => "destinationIpv6CidrBlock",
        _ => "destinationCidrBlock",
    };
    let target = match text.target.split('-').next().unwrap_or_default() {
        "nat" => "natGatewayId",
        "pcx" => "vpcPeeringConnectionId",
        "tgw" => "transitGatewayId",
        "eni" => "networkInterfaceId",
        "eigw" => "egressOnlyInternetGatewayId",
        // Also a gateway endpoint, a virtual private gateway and the VPC itself.
        _ => "gatewayId",
    };
    let origin = if text.target == "local" { "CreateRouteTable" } else { "CreateRoute" };
    Shape::structure()
        .with(destination, text.destination)
        .with(target, text.target)
        .with("state", if text.is_blackhole { "blackhole" } else { "active" })
        .with("origin", origin)
}

pub(super) fn describe_network_acls(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let all = network(world).acls.iter().filter(|form| is_own(world, &form.vpc));
    listed(
        world,
        request,
        ("networkAclSet", 1000),
        all,
        |form| {
            vec![("vpc-id", one(&form.vpc)), ("network-acl-id", one(&form.id)), ("association.subnet-id", form.subnets.clone())]
        },
        |form| acl(world, form),
    )
}

fn acl(world: &SimulatedAccount, form: &AclForm) -> Shape {
    // What no entry matches falls to these two, which nobody can delete.
    let last = [false, true].map(|egress| AclRule {
        number: 32767,
        egress,
        action: "deny",
        protocol: "-1",
        ports: None,
        range: "0.0.0.0/0",
    });
    let entries = form.entries.iter().filter_map(|text| AclRule::parse(text).ok()).chain(last).map(|entry| {
        let ports = entry.ports.map(|(from, to)| Shape::structure().with("from", from).with("to", to));
        Shape::structure()
            .with("ruleNumber", entry.number)
            .with("protocol", entry.protocol)
            .with("ruleAction", entry.action)
            .with("egress", entry.egress)
            .with(if entry.range.contains(':') { "ipv6CidrBlock" } else { "cidrBlock" }, entry.range)
            .with("portRange", ports)
    });
    let associations = form.subnets.iter().map(|subnet| {
        Shape::structure()
            .with("networkAclAssociationId", format!("aclassoc-{}", subnet.rsplit('-').next().unwrap_or_default()))
            .with("networkAclId", &form.id)
            .with("subnetId", subnet)
    });
    Shape::structure()
        .with("networkAclId", &form.id)
        .with("vpcId", &form.vpc)
        .with("ownerId", &world.account)
        .with("default", form.default)
        .with("entrySet", Shape::list(entries))
        .with("associationSet", Shape::list(associations))
        .with("tagSet", Shape::list::<Shape>([]))
}

pub(super) fn describe_vpc_endpoints(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let all = network(world).endpoints.iter().filter(|form| is_own(world, &form.vpc));
    listed(
        world,
        request,
        ("vpcEndpointSet", 1000),
        all,
        |form| {
            vec![
                ("vpc-id", one(&form.vpc)),
                ("vpc-endpoint-id", one(&form.id)),
                ("service-name", vec![service_name(form, &request.region)]),
            ]
        },
        |form| endpoint(world, form, &request.region),
    )
}

fn service_name(form: &EndpointForm, region: &str) -> String {
    match form.service.contains('.') {
        true => form.service.clone(),
        false => format!("com.amazonaws.{region}.{}", form.service),
    }
}

fn endpoint(world: &SimulatedAccount, form: &EndpointForm, region: &str) -> Shape {
    // An endpoint without a policy of its own has the one that lets everything through.
    let everything = "{\"Statement\":[{\"Action\":\"*\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Resource\":\"*\"}]}";
    let policy = form.document.as_ref().map_or_else(|| everything.to_owned(), ToString::to_string);
    let groups = form.groups.iter().flatten().map(|id| Shape::structure().with("groupId", id).with("groupName", id));
    Shape::structure()
        .with("vpcEndpointId", &form.id)
        .with("vpcEndpointType", if form.gateway { "Gateway" } else { "Interface" })
        .with("vpcId", &form.vpc)
        .with("serviceName", service_name(form, region))
        .with("state", &form.state)
        .with("policyDocument", policy)
        .with("routeTableIdSet", Shape::list(&form.route_tables))
        .with("subnetIdSet", Shape::list(form.subnets.iter().flatten()))
        .with("groupSet", Shape::list(groups))
        .with("privateDnsEnabled", form.private_dns && !form.gateway)
        .with("requesterManaged", false)
        .with("ownerId", &world.account)
}

pub(super) fn describe_nat_gateways(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let all = network(world).nat_gateways.iter().filter(|form| is_own(world, &form.vpc));
    listed(
        world,
        request,
        ("natGatewaySet", 1000),
        all,
        |form| {
            vec![
                ("vpc-id", one(&form.vpc)),
                ("nat-gateway-id", one(&form.id)),
                ("subnet-id", one(&form.subnet)),
                ("state", one(&form.state)),
            ]
        },
        |form: &NatForm| {
            Shape::structure()
                .with("natGatewayId", &form.id)
                .with("vpcId", &form.vpc)
                .with("subnetId", &form.subnet)
                .with("state", &form.state)
                .with("connectivityType", if form.private { "private" } else { "public" })
                .with("failureMessage", form.failure.as_ref())
                .with(
                    "natGatewayAddressSet",
                    Shape::list((!form.private).then(|| Shape::structure().with("publicIp", &form.address))),
                )
        },
    )
}

pub(super) fn describe_vpc_peering_connections(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    listed(
        world,
        request,
        ("vpcPeeringConnectionSet", 1000),
        &network(world).peerings,
        |form| {
            vec![
                ("vpc-peering-connection-id", one(&form.id)),
                ("requester-vpc-info.vpc-id", one(&form.from)),
                ("accepter-vpc-info.vpc-id", one(&form.to)),
            ]
        },
        |form: &PeeringForm| {
            let side = |vpc: &str| {
                let range = range_of(world, vpc);
                Shape::structure()
                    .with("vpcId", vpc)
                    .with("ownerId", owner(world, vpc))
                    .with("region", &request.region)
                    .with("cidrBlock", range)
                    .with("cidrBlockSet", Shape::list(range.map(|range| Shape::structure().with("cidrBlock", range))))
            };
            Shape::structure()
                .with("vpcPeeringConnectionId", &form.id)
                .with("requesterVpcInfo", side(&form.from))
                .with("accepterVpcInfo", side(&form.to))
                .with("status", Shape::structure().with("code", &form.status).with("message", &form.status))
        },
    )
}

pub(super) fn get_managed_prefix_list_entries(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let id = missing(request, "PrefixListId")?;
    let list: &PrefixListForm = network(world)
        .prefix_lists
        .iter()
        .find(|form| form.id == id)
        .ok_or_else(|| WireError::new("InvalidPrefixListID.NotFound", format!("The prefix list ID '{id}' does not exist")))?;
    let entries: Vec<Shape> = list.ranges.iter().map(|range| Shape::structure().with("cidr", range)).collect();
    let (entries, next) = page(&entries, world.pages.network.min(100), request.parameters(), "NextToken", "MaxResults")
        .map_err(|_| WireError::new("InvalidNextToken", "The specified token is invalid."))?;
    Ok(Shape::structure().with("entrySet", entries.to_vec()).with("nextToken", next))
}

pub(super) fn describe_vpc_attribute(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let (id, attribute) = (missing(request, "VpcId")?, missing(request, "Attribute")?);
    let vpc: &VpcDeclaration = network(world)
        .vpcs
        .iter()
        .find(|form| form.id == id && is_own(world, id))
        .ok_or_else(|| WireError::new("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist")))?;
    let is_on = match attribute {
        "enableDnsSupport" => vpc.dns_support,
        "enableDnsHostnames" => vpc.dns_hostnames,
        _ => {
            return Err(WireError::new(
                "InvalidParameterValue",
                format!("Value ({attribute}) for parameter attribute is invalid."),
            ));
        }
    };
    Ok(Shape::structure().with("vpcId", id).with(attribute, Shape::structure().with("value", is_on)))
}

pub(super) fn missing<'r>(request: &'r WireRequest, name: &str) -> Result<&'r str, WireError> {
    let given: Parameters<'r> = request.parameters();
    given
        .text(name)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| WireError::new("MissingParameter", format!("The request must contain the parameter {name}")))
}
