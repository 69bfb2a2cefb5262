//! A look at the network between the function and what it must reach: one round trip more, where it can matter, and another for what
//! only the first answers name.
//!
//! What is asked belongs to step 3 (the function's own network) and to step 8 (endpoints and database), and is counted there.

use super::call_budget::NetworkBudget;
use super::databases::{self, DescribedDatabase};
use super::runner::{is_second_look, note_calls};
use super::{PlaybookRequest, Progress, text};
use crate::aws::{Aws, AwsCaller, DnsAttribute, QueryInput};
use crate::clock::{self, Clock};
use crate::model::{
    DatabaseHost, DatabaseRef, Evidence, GroupPeer, IpRange, Network, NetworkList, NetworkLook, Observation, PrefixList,
    RouteDestination, RouteTable, RouteTarget, StepName, StepRecord, TargetDatabase, TlsDemand, TransitAssociation, TransitTable,
    Vpc, VpcConfig,
};
use std::collections::BTreeSet;

/// Route tables on one page. Source: EC2 API reference, `DescribeRouteTables`.
const ROUTE_TABLES_ON_A_PAGE: &str = "100";

/// Route tables of transit gateways that are read: that of the function's VPC and that of the database's.
const MAX_TRANSIT_TABLES: usize = 2;

/// What stands in a step's summary before what the look adds.
const NETWORK: &str = "; network: ";

pub(super) async fn look(
    aws: &Aws,
    clock: &Clock,
    request: &PlaybookRequest,
    mut evidence: Evidence,
    look: &NetworkLook,
    budget: &NetworkBudget,
    progress: &dyn Progress,
) -> Evidence {
    let deadline = clock::deadline(request.deadline_per_step.min(request.total_deadline));
    let (configured, fresh) = (request.database.as_ref(), is_second_look(request));
    let looking = Looking {
        aws,
        function: AwsCaller::new(aws, *clock, deadline, fresh).limited(budget.requests()),
        access: AwsCaller::new(aws, *clock, deadline, fresh).limited(budget.requests()),
        budget,
        evidence: &evidence,
        look,
        configured,
    };
    Network::STEPS.into_iter().for_each(|step| progress.started(step));
    let network = Box::pin(looking.network()).await;
    let (function, access) = (looking.function, looking.access);
    note(&mut evidence.function, &function, &function_summary(&network));
    note(&mut evidence.access, &access, &access_summary(&network));
    let ended = [
        (StepName::RotationFunction, evidence.function.observation.status(), &evidence.function.summary),
        (StepName::SecretAccess, evidence.access.observation.status(), &evidence.access.summary),
    ];
    ended.into_iter().for_each(|(step, status, summary)| progress.finished(step, status, summary));
    evidence.network = network;
    evidence
}

/// Adds to a step's record what was asked for its part of the network.
fn note<T>(record: &mut StepRecord<T>, caller: &AwsCaller, summary: &str) {
    if note_calls(record, caller) && !summary.is_empty() {
        // A look that is repeated replaces what the last one told.
        let own = record.summary.split(NETWORK).next().unwrap_or_default();
        record.summary = format!("{own}{NETWORK}{summary}");
    }
}

struct Looking<'a> {
    aws: &'a Aws,
    /// Asks for step 3.
    function: AwsCaller,
    /// Asks for step 8.
    access: AwsCaller,
    budget: &'a NetworkBudget,
    evidence: &'a Evidence,
    look: &'a NetworkLook,
    configured: Option<&'a DatabaseRef>,
}

impl Looking<'_> {
    async fn network(&self) -> Network {
        if self.look.transit {
            return self.over_transit().await;
        }
        let (mut network, likeliest) = self.at_once().await;
        self.beyond(&mut network, likeliest.as_ref()).await;
        network
    }

    /// All that can be asked before anything is known, together; with the likeliest database.
    async fn at_once(&self) -> (Network, Option<DescribedDatabase>) {
        let vpc = self.vpc();
        let id = vpc.map(|vpc| vpc.vpc_id.as_str());
        let (aws, function, access) = (self.aws, &self.function, &self.access);
        let paths = id.filter(|_| self.look.paths);
        let endpoints = id.filter(|_| self.look.endpoints);
        // In the order in which the budget is spent.
        let of_paths = paths.filter(|_| self.budget.take(4));
        let of_endpoints = endpoints.filter(|_| self.budget.take(2));
        let support = endpoints.filter(|_| self.look.dns_support && self.budget.take(1));
        let hostnames = endpoints.filter(|_| self.look.dns_hostnames && self.budget.take(1));
        let tables = |id| QueryInput::in_vpc(id).with("MaxResults", ROUTE_TABLES_ON_A_PAGE);
        let (groups, subnets, tables, acls, endpoints, gateways, dns_support, dns_hostnames, databases) = tokio::join!(
            asked(of_paths, |id| aws.security_groups(function, QueryInput::in_vpc(id))),
            asked(of_paths, |id| aws.subnets(function, QueryInput::in_vpc(id))),
            asked(of_paths, |id| aws.route_tables(function, tables(id))),
            asked(of_paths, |id| aws.network_acls(function, QueryInput::in_vpc(id))),
            asked(of_endpoints, |id| aws.vpc_endpoints(access, QueryInput::in_vpc(id))),
            asked(of_endpoints, |id| aws.nat_gateways(function, QueryInput::in_vpc(id))),
            asked(support, |id| aws.dns_attribute(access, id, DnsAttribute::Support)),
            asked(hostnames, |id| aws.dns_attribute(access, id, DnsAttribute::Hostnames)),
            self.databases(),
        );
        let vpcs = tables.as_ref().map(|tables| {
            let dns = (dns_support.found().copied(), dns_hostnames.found().copied());
            id.map(|id| vpc_of(id, tables, dns)).into_iter().collect()
        });
        let likeliest = databases.found().and_then(|all| all.first()).cloned();
        let network = Network {
            vpcs,
            subnets,
            route_tables: tables,
            nat_gateways: gateways,
            network_acls: acls,
            security_groups: groups,
            prefix_lists: unasked(),
            endpoints,
            peerings: unasked(),
            transit_attachments: unasked(),
            transit_associations: unasked(),
            transit_tables: unasked(),
            databases: databases.map(|all| self.with_addresses(all)),
            cut_short: Vec::new(),
        };
        (network, likeliest)
    }

    async fn databases(&self) -> Observation<Vec<DescribedDatabase>> {
        if !self.look.database {
            return unasked();
        }
        let candidates = databases::candidates(self.evidence, self.look, self.configured);
        databases::describe(self.aws, &self.access, self.budget, self.evidence, self.look, &candidates).await
    }

    /// The databases, each at the address that a line names.
    fn with_addresses(&self, described: Vec<DescribedDatabase>) -> Vec<TargetDatabase> {
        let mut targets: Vec<TargetDatabase> = described.into_iter().map(|DescribedDatabase { target, .. }| target).collect();
        for target in targets.iter_mut().filter(|target| target.address.is_none()) {
            let by_host = |host: &&DatabaseHost| {
                host.of_rds().is_some_and(|named| named.name() == target.id) || target.host.as_ref() == Some(&host.name)
            };
            target.address = self.look.hosts.iter().find(by_host).and_then(|host| host.address);
        }
        targets
    }

    /// What only the first answers name: the network of a database in another VPC, the way there, prefix lists, the parameter that
    /// forces TLS.
    async fn beyond(&self, network: &mut Network, likeliest: Option<&DescribedDatabase>) {
        let database = likeliest.map(|likeliest| &likeliest.target);
        let own = self.vpc().map(|vpc| vpc.vpc_id.as_str());
        let elsewhere = database.and_then(|database| database.vpc_id.as_deref()).filter(|id| Some(*id) != own);
        // Without a VPC of its own, the function comes from the Internet; a question about TLS alone is none about the way.
        let is_open = self.look.paths || (own.is_none() && self.evidence.function.found().is_some() && !self.look.tls);
        let elsewhere = elsewhere.filter(|_| is_open);
        // What leads out of the VPC matters only where the database stands outside.
        let leaves = database.is_some_and(|database| own.is_some() && database.vpc_id.as_deref() != own);
        let targets = if leaves { self.targets_of_routes(network) } else { Vec::new() };
        let (aws, function, access) = (self.aws, &self.function, &self.access);

        // In the order in which the budget is spent.
        let tls = likeliest.filter(|one| self.look.tls && databases::is_tls_open(one) && self.budget.take(1));
        let foreign = elsewhere.filter(|_| self.budget.take(1));
        let group_ids: Vec<&str> =
            database.iter().flat_map(|database| &database.security_group_ids).map(String::as_str).collect();
        let peering_ids: Vec<&str> = targets.iter().filter_map(peering_of).collect();
        let has_peering = !peering_ids.is_empty();
        let peerings = Some(peering_ids).filter(|_| has_peering && self.budget.take(1));
        let back = elsewhere.filter(|_| self.budget.take(1));
        let named_lists = self.prefix_lists_of(network, database);
        let lists: Vec<&str> = named_lists.iter().map(String::as_str).filter(|_| self.budget.take(1)).collect();
        let is_by_transit = targets.iter().any(|target| matches!(target, RouteTarget::TransitGateway(_)));
        let attached: Vec<&str> = own.into_iter().chain(elsewhere).collect();
        let associations = own.filter(|_| is_by_transit && self.budget.take(1));
        // The endpoints' look has asked for the NAT gateways already.
        let is_by_nat = targets.iter().any(|target| matches!(target, RouteTarget::NatGateway(_)));
        let wants_gateways = own.is_some() && is_by_nat && is_unasked(&network.nat_gateways);
        let gateways = own.filter(|_| wants_gateways && self.budget.take(1));
        let foreign_acls = elsewhere.filter(|_| self.budget.take(1));
        let foreign_subnets = elsewhere.filter(|_| self.budget.take(1));
        let is_foreign = elsewhere.is_some();
        let cut_short = [
            (NetworkList::SecurityGroups, is_foreign && foreign.is_none()),
            (NetworkList::Peerings, has_peering && peerings.is_none()),
            (NetworkList::RouteTables, is_foreign && back.is_none()),
            (NetworkList::PrefixLists, lists.len() < named_lists.len()),
            (NetworkList::TransitAssociations, own.is_some() && is_by_transit && associations.is_none()),
            (NetworkList::NatGateways, wants_gateways && gateways.is_none()),
            (NetworkList::NetworkAcls, is_foreign && foreign_acls.is_none()),
            (NetworkList::Subnets, is_foreign && foreign_subnets.is_none()),
        ];
        network.cut_short.extend(cut_short.into_iter().filter_map(|(list, is_cut)| is_cut.then_some(list)));

        let (tls, groups, peerings, tables, lists, associations, gateways, acls, subnets) = tokio::join!(
            self.tls_demand(tls),
            asked(foreign, |_| aws.security_groups(access, QueryInput::default().filtered("group-id", &group_ids))),
            asked(peerings, |ids| { aws.peerings(function, QueryInput::default().filtered("vpc-peering-connection-id", &ids)) }),
            asked(back, |id| aws.route_tables(access, QueryInput::in_vpc(id).with("MaxResults", ROUTE_TABLES_ON_A_PAGE))),
            futures::future::join_all(lists.iter().map(|id| async move {
                PrefixList { id: (*id).to_owned(), name: None, ranges: aws.prefix_list(access, id).await }
            })),
            asked(associations, |_| aws.transit_associations(function, attached_to(&attached, "resource-id"))),
            asked(gateways, |id| aws.nat_gateways(function, QueryInput::in_vpc(id))),
            asked(foreign_acls, |id| aws.network_acls(access, QueryInput::in_vpc(id))),
            asked(foreign_subnets, |id| aws.subnets(access, QueryInput::in_vpc(id))),
        );
        if let (Some(id), Observation::Found(tables)) = (elsewhere, &tables) {
            let vpc = vec![vpc_of(id, tables, (None, None))];
            merge(&mut network.vpcs, Observation::Found(vpc));
        }
        merge(&mut network.security_groups, groups);
        merge(&mut network.route_tables, tables);
        merge(&mut network.network_acls, acls);
        merge(&mut network.subnets, subnets);
        merge(&mut network.peerings, peerings);
        network.transit_associations = associations;
        merge(&mut network.nat_gateways, gateways);
        if !lists.is_empty() {
            network.prefix_lists = Observation::Found(lists);
        }
        if let (Some(tls), Observation::Found(databases)) = (tls, &mut network.databases)
            && let Some(first) = databases.first_mut()
        {
            first.tls = tls;
        }
    }

    async fn tls_demand(&self, likeliest: Option<&DescribedDatabase>) -> Option<Observation<TlsDemand>> {
        databases::tls_demand(self.aws, &self.access, likeliest?).await
    }

    /// Adds to an earlier look how the transit gateway on the way to the database is attached, and where it leads.
    async fn over_transit(&self) -> Network {
        let mut network = self.evidence.network.clone();
        let Some(own) = self.vpc().map(|vpc| vpc.vpc_id.as_str()) else { return network };
        let far = network.databases.found().and_then(|all| all.first()?.vpc_id.clone());
        let attached: Vec<&str> = std::iter::once(own).chain(far.as_deref().filter(|id| *id != own)).collect();
        let targets = self.targets_of_routes(&network);
        self.budget.widen_for_transit();
        let attachments = Some(own).filter(|_| self.budget.take(1));
        let is_open = is_unasked(&network.transit_associations);
        let associations = Some(own).filter(|_| is_open && self.budget.take(1));
        let (aws, function) = (self.aws, &self.function);
        let (attachments, associations, tables) = tokio::join!(
            asked(attachments, |_| aws.transit_attachments(function, attached_to(&attached, "vpc-id"))),
            asked(associations, |_| aws.transit_associations(function, attached_to(&attached, "resource-id"))),
            self.transit_tables(&network.transit_associations, &targets),
        );
        network.transit_attachments = attachments;
        network.transit_tables = tables;
        if is_open {
            network.transit_tables = self.transit_tables(&associations, &targets).await;
            network.transit_associations = associations;
            network.cut_short.retain(|list| *list != NetworkList::TransitAssociations);
        }
        network
    }

    /// The tables of the transit gateways that the routes lead to, as far as they are the account's own: nobody else reads them.
    async fn transit_tables(
        &self,
        associations: &Observation<Vec<TransitAssociation>>,
        targets: &[RouteTarget],
    ) -> Observation<Vec<TransitTable>> {
        let account = self.evidence.function.found().map(|function| function.arn.arn().account_id());
        let is_target = |id: &str| targets.iter().any(|target| matches!(target, RouteTarget::TransitGateway(own) if own == id));
        let all = associations.found().map(Vec::as_slice).unwrap_or_default();
        let own = all.iter().filter(|one| one.gateway_owner.as_deref() == account && is_target(&one.transit_gateway_id));
        let ids: BTreeSet<&str> = own.filter_map(|one| one.table_id.as_deref()).collect();
        let ids: Vec<&str> = ids.into_iter().take(MAX_TRANSIT_TABLES).filter(|_| self.budget.take(1)).collect();
        if ids.is_empty() {
            return unasked();
        }
        let tables = ids.into_iter().map(|id| async move {
            TransitTable { id: id.to_owned(), routes: self.aws.transit_routes(&self.function, id).await }
        });
        Observation::Found(futures::future::join_all(tables).await)
    }

    fn vpc(&self) -> Option<&VpcConfig> {
        self.evidence.function.found()?.vpc.as_ref()
    }

    /// Where the routes of the function's subnets lead.
    fn targets_of_routes(&self, network: &Network) -> Vec<RouteTarget> {
        let Some(vpc) = self.vpc() else { return Vec::new() };
        let tables = network.route_tables.found().map(Vec::as_slice).unwrap_or_default();
        let serves = |table: &&RouteTable| {
            table.subnet_ids.iter().any(|id| vpc.subnet_ids.contains(id)) || (table.is_main && table.vpc_id == vpc.vpc_id)
        };
        tables.iter().filter(serves).flat_map(|table| &table.routes).map(|route| route.target.clone()).collect()
    }

    /// The prefix lists that decide: those in rules of the function's groups and of the database's, and in routes that are no
    /// gateway endpoint's.
    fn prefix_lists_of(&self, network: &Network, database: Option<&TargetDatabase>) -> BTreeSet<String> {
        let mut lists = BTreeSet::new();
        let groups = network.security_groups.found().map(Vec::as_slice).unwrap_or_default();
        let of_function = self.vpc().map(|vpc| vpc.security_group_ids.as_slice()).unwrap_or_default();
        let of_database = database.map(|database| database.security_group_ids.as_slice()).unwrap_or_default();
        let egress = groups.iter().filter(|group| of_function.contains(&group.id)).flat_map(|group| &group.egress);
        let ingress = groups.iter().filter(|group| of_database.contains(&group.id)).flat_map(|group| &group.ingress);
        lists.extend(egress.chain(ingress).filter_map(|rule| match &rule.peer {
            GroupPeer::PrefixList(id) => Some(id.clone()),
            _ => None,
        }));
        let tables = network.route_tables.found().map(Vec::as_slice).unwrap_or_default();
        let routes = tables.iter().flat_map(|table| &table.routes);
        lists.extend(routes.filter_map(|route| match (&route.destination, &route.target) {
            (RouteDestination::PrefixList(_), RouteTarget::VpcEndpoint(_)) => None,
            (RouteDestination::PrefixList(id), _) => Some(id.clone()),
            _ => None,
        }));
        lists
    }
}

fn peering_of(target: &RouteTarget) -> Option<&str> {
    match target {
        RouteTarget::Peering(id) => Some(id),
        _ => None,
    }
}

/// Asks where there is something to ask about.
async fn asked<T, Q, F: Future<Output = Observation<T>>>(about: Option<Q>, ask: impl FnOnce(Q) -> F) -> Observation<T> {
    match about {
        Some(about) => ask(about).await,
        None => unasked(),
    }
}

fn unasked<T>() -> Observation<T> {
    Network::left_out()
}

fn is_unasked<T>(seen: &Observation<T>) -> bool {
    matches!(seen, Observation::NotApplicable { .. })
}

/// The attachments of these VPCs.
fn attached_to(vpcs: &[&str], filter: &str) -> QueryInput {
    QueryInput::default().filtered(filter, vpcs)
}

/// Adds what was seen in another VPC; what was not seen there takes nothing away.
fn merge<T>(seen: &mut Observation<Vec<T>>, more: Observation<Vec<T>>) {
    match (&mut *seen, more) {
        (Observation::Found(seen), Observation::Found(more)) => seen.extend(more),
        (Observation::NotApplicable { .. }, more) => *seen = more,
        _ => {}
    }
}

/// A VPC, whose ranges are the destinations of its local routes.
fn vpc_of(id: &str, tables: &[RouteTable], (dns_support, dns_hostnames): (Option<bool>, Option<bool>)) -> Vpc {
    let mut ranges: Vec<IpRange> = Vec::new();
    for route in tables.iter().filter(|table| table.vpc_id == id).flat_map(|table| &table.routes) {
        if let (RouteTarget::Local, RouteDestination::Range(range)) = (&route.target, &route.destination)
            && !ranges.contains(range)
        {
            ranges.push(*range);
        }
    }
    Vpc { id: id.to_owned(), ranges, dns_support, dns_hostnames }
}

fn function_summary(network: &Network) -> String {
    let lists = [
        (count(&network.security_groups), "security group"),
        (count(&network.subnets), "subnet"),
        (count(&network.route_tables), "route table"),
        (count(&network.network_acls), "network ACL"),
        (count(&network.nat_gateways), "NAT gateway"),
    ];
    let told: Vec<String> = lists.into_iter().filter_map(|(count, what)| Some(text::counted(count?, what))).collect();
    told.join(", ")
}

fn access_summary(network: &Network) -> String {
    let endpoints = count(&network.endpoints).map(|count| text::counted(count, "VPC endpoint"));
    let database = match &network.databases {
        Observation::Found(all) => all.first().map(|database| {
            let status = database.status.as_deref().unwrap_or("not known to RDS");
            let others = match all.len() - 1 {
                0 => String::new(),
                others => format!(", and {others} more"),
            };
            format!("database {} {status}{others}", database.id)
        }),
        Observation::NoData { searched } => Some(searched.clone()),
        _ => None,
    };
    endpoints.into_iter().chain(database).collect::<Vec<_>>().join("; ")
}

fn count<T>(seen: &Observation<Vec<T>>) -> Option<usize> {
    seen.found().map(Vec::len)
}
