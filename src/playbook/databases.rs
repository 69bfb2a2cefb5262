//! Which database the secret is for: the first of several ways to tell that answers, and what RDS says about it.

use super::call_budget::{NetworkBudget, out_of_budget};
use crate::aws::{Aws, AwsCaller, QueryInput, rds};
use crate::model::{
    DatabaseChoice, DatabaseHost, DatabaseKind, DatabaseRef, Evidence, MasterSecret, Network, NetworkLook, Observation,
    TargetDatabase, TlsDemand, more_like,
};
use tokio::sync::OnceCell;

/// Databases that are judged at most; a guess among more would say little.
const MAX_DATABASES: usize = 10;

/// Which database, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatabaseCandidate {
    found_by: DatabaseChoice,
    wanted: WantedDatabase,
}

/// What RDS is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum WantedDatabase {
    Named(DatabaseRef),
    /// The one that owns the secret with this ARN.
    OwnerOf(String),
    /// Those of the VPC that carry one of the groups.
    CarryingGroup(Vec<String>),
    /// Those of the VPC.
    Any,
}

/// A database, and the parameter group that decides about TLS.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DescribedDatabase {
    pub(super) target: TargetDatabase,
    parameters: Option<NamedParameterGroup>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum NamedParameterGroup {
    OfInstance(String),
    OfCluster(String),
}

/// The ways to tell which database it is, the surest first.
pub(super) fn candidates(evidence: &Evidence, look: &NetworkLook, configured: Option<&DatabaseRef>) -> Vec<DatabaseCandidate> {
    let mut candidates = Vec::new();
    let mut named = |found_by, database: DatabaseRef| {
        let candidate = DatabaseCandidate { found_by, wanted: WantedDatabase::Named(database) };
        if !candidates.iter().any(|known: &DatabaseCandidate| known.wanted == candidate.wanted) {
            candidates.push(candidate);
        }
    };
    if let Some(configured) = configured {
        named(DatabaseChoice::Configured, configured.clone());
    }
    let secret = evidence.secret.found();
    let owned_by_rds = secret.is_some_and(|secret| secret.owning_service.as_deref() == Some("rds"));
    for database in secret.iter().flat_map(|secret| &secret.named_databases) {
        named(if owned_by_rds { DatabaseChoice::Owner } else { DatabaseChoice::Tagged }, database.clone());
    }
    let logged = look.hosts.iter().map(|host| DatabaseRef::of_host(host.clone()));
    let (elsewhere, of_rds): (Vec<_>, Vec<_>) = logged.partition(|database| matches!(database, DatabaseRef::Host(_)));
    for database in of_rds {
        named(DatabaseChoice::Logged, database);
    }
    if let Some(secret) = secret.filter(|_| owned_by_rds) {
        // Whoever owns it says so in a tag; without the tag, the databases say whose secret is whose.
        if !candidates.iter().any(|candidate| candidate.found_by == DatabaseChoice::Owner) {
            let wanted = WantedDatabase::OwnerOf(secret.arn.arn().as_str().to_owned());
            candidates.insert(candidates.len().min(1), DatabaseCandidate { found_by: DatabaseChoice::Owner, wanted });
        }
        return candidates;
    }
    let hosts = elsewhere
        .into_iter()
        .map(|host| DatabaseCandidate { found_by: DatabaseChoice::Logged, wanted: WantedDatabase::Named(host) });
    if evidence.function.found().is_none_or(|function| function.vpc.is_none()) {
        candidates.extend(hosts);
    } else {
        if !look.changed_groups.is_empty() {
            let wanted = WantedDatabase::CarryingGroup(look.changed_groups.clone());
            candidates.push(DatabaseCandidate { found_by: DatabaseChoice::ChangedGroup, wanted });
        }
        // A host that RDS does not know may be another name of a database that it does.
        candidates.extend(hosts);
        if look.engine.as_deref().is_none_or(|engine| !engines(engine).is_empty()) {
            candidates.push(DatabaseCandidate { found_by: DatabaseChoice::SameEngine, wanted: WantedDatabase::Any });
        }
    }
    candidates
}

/// RDS's names of an engine; none for an engine that RDS does not run.
///
/// Source: RDS API reference, `CreateDBInstance`, parameter `Engine`. The template for MySQL serves MariaDB too.
fn engines(engine: &str) -> &'static [&'static str] {
    match engine {
        "postgres" => &["postgres", "aurora-postgresql"],
        "mysql" => &["mysql", "aurora-mysql", "mariadb"],
        "mariadb" => &["mariadb", "mysql"],
        "oracle" => &["oracle-ee", "oracle-ee-cdb", "oracle-se2", "oracle-se2-cdb"],
        "sqlserver" => &["sqlserver-ee", "sqlserver-se", "sqlserver-ex", "sqlserver-web"],
        "db2" => &["db2-ae", "db2-se"],
        "mongodb" | "documentdb" => &["docdb"],
        _ => &[],
    }
}

/// Asks RDS about the surest candidate, and about the others together where that one is not there.
pub(super) async fn describe(
    aws: &Aws,
    caller: &AwsCaller,
    budget: &NetworkBudget,
    evidence: &Evidence,
    look: &NetworkLook,
    candidates: &[DatabaseCandidate],
) -> Observation<Vec<DescribedDatabase>> {
    let unknown = || Observation::NotApplicable { because: "nothing tells which database the secret is for".to_owned() };
    let Some((surest, others)) = candidates.split_first() else { return unknown() };
    let asking = DatabaseSearch { aws, caller, budget, evidence, look, listing: OnceCell::new() };
    let first = asking.candidate(surest).await;
    if is_there(&first) || others.is_empty() {
        return first;
    }
    let found = futures::future::join_all(others.iter().map(|candidate| asking.candidate(candidate))).await;
    let mut last = first;
    for one in found {
        if is_there(&one) {
            return one;
        }
        if !matches!(one, Observation::NotApplicable { .. }) {
            last = one;
        }
    }
    last
}

/// False where RDS answered that there is none, or was not worth asking.
fn is_there<T>(found: &Observation<T>) -> bool {
    !matches!(found, Observation::NoData { .. } | Observation::NotApplicable { .. })
}

struct DatabaseSearch<'a> {
    aws: &'a Aws,
    caller: &'a AwsCaller,
    budget: &'a NetworkBudget,
    evidence: &'a Evidence,
    look: &'a NetworkLook,
    /// The databases of the region, of the engine where that is known: those that carry a group and those of the VPC are among them.
    listing: OnceCell<Observation<Vec<rds::RdsInstance>>>,
}

impl DatabaseSearch<'_> {
    async fn candidate(&self, candidate: &DatabaseCandidate) -> Observation<Vec<DescribedDatabase>> {
        let found_by = candidate.found_by;
        let found = match &candidate.wanted {
            WantedDatabase::Named(DatabaseRef::Instance(id)) => self.instances(id, found_by).await,
            WantedDatabase::Named(DatabaseRef::Cluster(id)) => self.cluster(id, found_by).await,
            WantedDatabase::Named(DatabaseRef::Id(id)) => self.instance_or_cluster(id, found_by).await,
            WantedDatabase::Named(DatabaseRef::Proxy(name)) => self.proxy(name, found_by).await,
            WantedDatabase::Named(DatabaseRef::Host(host)) => Observation::Found(vec![of_host(host, found_by)]),
            WantedDatabase::OwnerOf(secret) => self.owner(secret).await,
            WantedDatabase::CarryingGroup(groups) => self.in_vpc(found_by, |target| carries(target, groups)).await,
            WantedDatabase::Any => self.in_vpc(found_by, |_| true).await,
        };
        let logged = (found_by == DatabaseChoice::Logged).then(|| self.host_elsewhere(&found)).flatten();
        logged.map_or(found, |host| Observation::Found(vec![of_host(host, found_by)]))
    }

    /// The host that a line names, where what was found has no more than its identifier: it is of another region, of whose databases RDS
    /// tells nothing here.
    fn host_elsewhere(&self, found: &Observation<Vec<DescribedDatabase>>) -> Option<&DatabaseHost> {
        let target = &found.found()?.first()?.target;
        let own = region_of(target.host.as_deref()?)?;
        let mut named = self.look.hosts.iter().filter(|host| host.of_rds().is_some_and(|one| one.name() == target.id));
        let first = named.next()?;
        let is_own = |host: &DatabaseHost| region_of(&host.name).is_none_or(|region| region.eq_ignore_ascii_case(own));
        (!is_own(first) && !named.any(is_own)).then_some(first)
    }

    async fn instances(&self, id: &str, found_by: DatabaseChoice) -> Observation<Vec<DescribedDatabase>> {
        if !self.budget.take(1) {
            return out_of_budget();
        }
        let asked = QueryInput::default().with("DBInstanceIdentifier", id);
        let found = self.aws.database_instances(self.caller, &format!("database instance {id}"), asked).await;
        some(found.map(|all| all.iter().map(|one| of_instance(one, found_by)).collect()), &format!("instance {id}"))
    }

    async fn cluster(&self, id: &str, found_by: DatabaseChoice) -> Observation<Vec<DescribedDatabase>> {
        let resource = format!("database cluster {id}");
        if !self.budget.take(2) {
            // Its members tell all but its own parameter group and secret.
            let members = match self.budget.take(1) {
                true => self.members(id, &resource).await,
                false => return out_of_budget(),
            };
            return some(members.map(|all| as_cluster(&all, found_by)), &resource);
        }
        let (clusters, members) = tokio::join!(
            self.aws.database_clusters(self.caller, &resource, QueryInput::default().with("DBClusterIdentifier", id)),
            self.members(id, &resource),
        );
        let members = members.found().map(Vec::as_slice).unwrap_or_default();
        some(clusters.map(|all| all.iter().map(|one| of_cluster(one, members, found_by)).collect()), &resource)
    }

    async fn members(&self, cluster: &str, resource: &str) -> Observation<Vec<rds::RdsInstance>> {
        self.aws.database_instances(self.caller, resource, QueryInput::default().selected("db-cluster-id", &[cluster])).await
    }

    /// Whatever has this identifier. A cluster is told by its members, as one without any takes no connection; only its parameter
    /// group stands nowhere else.
    async fn instance_or_cluster(&self, id: &str, found_by: DatabaseChoice) -> Observation<Vec<DescribedDatabase>> {
        if !self.budget.take(1) {
            return out_of_budget();
        }
        let (with_members, with_group) = (self.budget.take(1), self.look.tls && self.budget.take(1));
        let resource = format!("database {id}");
        let own = |filter: &str| QueryInput::default().selected(filter, &[id]);
        let members = async { if with_members { self.members(id, &resource).await } else { out_of_budget() } };
        let clusters = async {
            match with_group {
                true => self.aws.database_clusters(self.caller, &resource, own("db-cluster-id")).await,
                false => Network::left_out(),
            }
        };
        let instances = self.aws.database_instances(self.caller, &resource, own("db-instance-id"));
        let (instances, members, clusters) = tokio::join!(instances, members, clusters);
        if let Some(all) = instances.found().filter(|all| !all.is_empty()) {
            return Observation::Found(all.iter().map(|one| of_instance(one, found_by)).collect());
        }
        let of_cluster_id = members.found().map(Vec::as_slice).unwrap_or_default();
        if let Some(all) = clusters.found().filter(|all| !all.is_empty()) {
            return Observation::Found(all.iter().map(|one| of_cluster(one, of_cluster_id, found_by)).collect());
        }
        if !of_cluster_id.is_empty() {
            return Observation::Found(as_cluster(of_cluster_id, found_by));
        }
        let unanswered = if instances.is_answered() { members } else { instances };
        some(unanswered.map(|_| Vec::new()), &resource)
    }

    async fn proxy(&self, name: &str, found_by: DatabaseChoice) -> Observation<Vec<DescribedDatabase>> {
        if !self.budget.take(1) {
            return out_of_budget();
        }
        let resource = format!("database proxy {name}");
        let found = self.aws.database_proxies(self.caller, &resource, QueryInput::default().with("DBProxyName", name)).await;
        some(found.map(|all| all.iter().map(|one| of_proxy(one, found_by)).collect()), &resource)
    }

    async fn owner(&self, secret: &str) -> Observation<Vec<DescribedDatabase>> {
        if !self.budget.take(2) {
            return out_of_budget();
        }
        let (instances, clusters) = tokio::join!(
            self.aws.database_instances(self.caller, "*", QueryInput::default()),
            self.aws.database_clusters(self.caller, "*", QueryInput::default()),
        );
        let is_its = |own: &Option<rds::MasterUserSecret>| own.as_ref().is_some_and(|own| own.arn.as_deref() == Some(secret));
        let members = instances.found().map(Vec::as_slice).unwrap_or_default();
        let owning =
            members.iter().filter(|one| is_its(&one.master_user_secret)).map(|one| of_instance(one, DatabaseChoice::Owner));
        let mut owners: Vec<DescribedDatabase> = owning.collect();
        let all = clusters.found().map(Vec::as_slice).unwrap_or_default().iter();
        owners
            .extend(all.filter(|one| is_its(&one.master_user_secret)).map(|one| of_cluster(one, members, DatabaseChoice::Owner)));
        if !owners.is_empty() {
            return Observation::Found(owners);
        }
        let unanswered = if instances.is_answered() { clusters.map(drop) } else { instances.map(drop) };
        some(unanswered.map(|()| Vec::new()), "database that owns the secret")
    }

    /// The databases of the function's VPC that `fits` lets through, the likeliest first.
    async fn in_vpc(
        &self,
        found_by: DatabaseChoice,
        fits: impl Fn(&TargetDatabase) -> bool,
    ) -> Observation<Vec<DescribedDatabase>> {
        let Some(vpc) = self.evidence.function.found().and_then(|function| function.vpc.as_ref()) else {
            return Observation::NotApplicable { because: "the function is in no VPC".to_owned() };
        };
        let listed = self.listing.get_or_init(|| async {
            if !self.budget.take(1) {
                return out_of_budget();
            }
            let names = self.look.engine.as_deref().map(engines).unwrap_or_default();
            let asked = if names.is_empty() { QueryInput::default() } else { QueryInput::default().selected("engine", names) };
            self.aws.database_instances(self.caller, "*", asked).await
        });
        let likeliest = listed.await.as_ref().map(|all| {
            let here = all.iter().filter(|one| vpc_of(one) == Some(vpc.vpc_id.as_str()));
            let mut targets: Vec<DescribedDatabase> = clustered(&here.collect::<Vec<_>>(), found_by);
            targets.retain(|described| fits(&described.target));
            let secret = self.evidence.secret.found().map_or_else(|| self.evidence.asked.name(), |secret| &secret.name);
            let own_word = secret.rsplit('/').next().unwrap_or(secret);
            targets.sort_by(|one, other| {
                more_like(own_word, &one.target.id, &other.target.id).then_with(|| one.target.id.cmp(&other.target.id))
            });
            targets.truncate(MAX_DATABASES);
            targets
        });
        let of_engine = self.look.engine.as_deref().map(|engine| format!(" of engine {engine}")).unwrap_or_default();
        some(likeliest, &format!("database{of_engine} in {}", vpc.vpc_id))
    }
}

/// What a host of RDS ends with, which names its region: all but the identifier and the account's label.
fn region_of(host: &str) -> Option<&str> {
    let (_, rest) = host.split_once('.')?;
    rest.split_once('.').map(|(_, region)| region)
}

fn carries(target: &TargetDatabase, groups: &[String]) -> bool {
    target.security_group_ids.iter().any(|id| groups.contains(id))
}

/// An empty list means that there is none.
fn some(found: Observation<Vec<DescribedDatabase>>, searched: &str) -> Observation<Vec<DescribedDatabase>> {
    found.and_then(|all| match all.is_empty() {
        true => Observation::NoData { searched: format!("there is no {searched}") },
        false => Observation::Found(all),
    })
}

fn vpc_of(instance: &rds::RdsInstance) -> Option<&str> {
    instance.subnet_group.as_ref()?.vpc_id.as_deref()
}

/// Whether TLS is forced is asked only where it is a question.
fn tls_unasked() -> Observation<TlsDemand> {
    Observation::NotApplicable { because: "nothing made TLS a question".to_owned() }
}

fn of_host(host: &DatabaseHost, found_by: DatabaseChoice) -> DescribedDatabase {
    let target = TargetDatabase {
        kind: DatabaseKind::Host,
        id: host.name.clone(),
        engine: None,
        host: Some(host.name.clone()),
        address: host.address,
        port: host.port,
        status: None,
        vpc_id: None,
        subnet_ids: Vec::new(),
        security_group_ids: Vec::new(),
        publicly_accessible: false,
        is_dual_stack: false,
        is_ipv6_only: false,
        storage_gib: None,
        tls: tls_unasked(),
        authority: None,
        master_secret: None,
        found_by,
    };
    DescribedDatabase { target, parameters: None }
}

fn of_instance(instance: &rds::RdsInstance, found_by: DatabaseChoice) -> DescribedDatabase {
    let endpoint = instance.endpoint.as_ref();
    // A cluster's setting decides for its instances.
    let parameters = match &instance.cluster {
        Some(_) => None,
        None => instance.parameter_groups.iter().find_map(|group| group.name.clone()).map(NamedParameterGroup::OfInstance),
    };
    let target = TargetDatabase {
        kind: DatabaseKind::Instance,
        id: instance.id.clone(),
        engine: instance.engine.clone(),
        host: endpoint.and_then(|endpoint| endpoint.address.clone()),
        address: None,
        port: endpoint.and_then(|endpoint| endpoint.port),
        status: instance.status.clone(),
        vpc_id: vpc_of(instance).map(str::to_owned),
        subnet_ids: subnets_of(instance),
        security_group_ids: ids(&instance.vpc_security_groups),
        publicly_accessible: instance.publicly_accessible,
        is_dual_stack: is_dual(instance.network_type.as_deref()),
        is_ipv6_only: is_only_ipv6(instance.network_type.as_deref()),
        // Aurora's instances share their cluster's volume.
        storage_gib: instance.storage_gib.filter(|_| instance.cluster.is_none()),
        tls: tls_unasked(),
        authority: instance.authority.clone(),
        master_secret: master_secret(instance.master_user_secret.as_ref()),
        found_by,
    };
    DescribedDatabase { target, parameters }
}

fn of_cluster(cluster: &rds::Cluster, members: &[rds::RdsInstance], found_by: DatabaseChoice) -> DescribedDatabase {
    let members: Vec<&rds::RdsInstance> =
        members.iter().filter(|member| member.cluster.as_deref() == Some(cluster.id.as_str())).collect();
    let groups = ids(&cluster.vpc_security_groups);
    let target = TargetDatabase {
        kind: DatabaseKind::Cluster,
        id: cluster.id.clone(),
        engine: cluster.engine.clone(),
        host: cluster.endpoint.clone(),
        address: None,
        port: cluster.port.or_else(|| members.iter().find_map(|member| member.endpoint.as_ref()?.port)),
        status: cluster.status.clone(),
        vpc_id: members.iter().find_map(|member| vpc_of(member)).map(str::to_owned),
        subnet_ids: all_subnets(&members),
        security_group_ids: groups,
        publicly_accessible: cluster.publicly_accessible || members.iter().any(|member| member.publicly_accessible),
        is_dual_stack: is_dual(cluster.network_type.as_deref()),
        is_ipv6_only: is_only_ipv6(cluster.network_type.as_deref()),
        storage_gib: None,
        tls: tls_unasked(),
        authority: members.iter().find_map(|member| member.authority.clone()),
        master_secret: master_secret(cluster.master_user_secret.as_ref()),
        found_by,
    };
    DescribedDatabase { target, parameters: cluster.parameter_group.clone().map(NamedParameterGroup::OfCluster) }
}

fn of_proxy(proxy: &rds::Proxy, found_by: DatabaseChoice) -> DescribedDatabase {
    let port = match proxy.engine_family.as_deref() {
        Some("MYSQL") => Some(3306),
        Some("POSTGRESQL") => Some(5432),
        Some("SQLSERVER") => Some(1433),
        _ => None,
    };
    let tls = TlsDemand { is_forced: proxy.requires_tls, parameter: "RequireTLS".to_owned(), parameter_group: None };
    let target = TargetDatabase {
        kind: DatabaseKind::Proxy,
        id: proxy.name.clone(),
        engine: proxy.engine_family.as_ref().map(|family| family.to_ascii_lowercase()),
        host: proxy.endpoint.clone(),
        address: None,
        port,
        status: proxy.status.clone(),
        vpc_id: proxy.vpc_id.clone(),
        subnet_ids: proxy.vpc_subnet_ids.clone(),
        security_group_ids: proxy.vpc_security_group_ids.clone(),
        publicly_accessible: false,
        is_dual_stack: is_dual(proxy.endpoint_network_type.as_deref()),
        is_ipv6_only: is_only_ipv6(proxy.endpoint_network_type.as_deref()),
        storage_gib: None,
        tls: Observation::Found(tls),
        authority: None,
        master_secret: None,
        found_by,
    };
    DescribedDatabase { target, parameters: None }
}

/// Source: RDS API reference, `NetworkType` of an instance and of a cluster; DocumentDB's clusters have it too.
fn is_dual(network_type: Option<&str>) -> bool {
    network_type.is_some_and(|kind| kind.eq_ignore_ascii_case("DUAL"))
}

/// Source: RDS API reference, `EndpointNetworkType` of a proxy.
fn is_only_ipv6(network_type: Option<&str>) -> bool {
    network_type.is_some_and(|kind| kind.eq_ignore_ascii_case("IPV6"))
}

/// The cluster that these are the members of.
fn as_cluster(members: &[rds::RdsInstance], found_by: DatabaseChoice) -> Vec<DescribedDatabase> {
    clustered(&members.iter().collect::<Vec<_>>(), found_by)
}

/// The instances, those of one cluster as one database.
fn clustered(instances: &[&rds::RdsInstance], found_by: DatabaseChoice) -> Vec<DescribedDatabase> {
    let mut targets: Vec<DescribedDatabase> = Vec::new();
    for instance in instances {
        let Some(cluster) = &instance.cluster else {
            targets.push(of_instance(instance, found_by));
            continue;
        };
        if targets.iter().any(|known| known.target.kind == DatabaseKind::Cluster && known.target.id == *cluster) {
            continue;
        }
        let members: Vec<&rds::RdsInstance> =
            instances.iter().filter(|member| member.cluster.as_ref() == Some(cluster)).copied().collect();
        // It serves as long as one of its members does.
        let serving = members.iter().find(|member| member.status.as_deref() == Some("available")).unwrap_or(instance);
        let mut described = of_instance(serving, found_by);
        described.target.kind = DatabaseKind::Cluster;
        described.target.id.clone_from(cluster);
        described.target.subnet_ids = all_subnets(&members);
        targets.push(described);
    }
    targets
}

/// Without a standby, an instance stands in a subnet of its own zone.
fn subnets_of(instance: &rds::RdsInstance) -> Vec<String> {
    let all = instance.subnet_group.as_ref().map(|group| group.subnets.as_slice()).unwrap_or_default();
    let of_zone = |subnet: &&rds::GroupedSubnet| {
        instance.is_multi_az
            || instance.zone.is_none()
            || subnet.zone.as_ref().and_then(|zone| zone.name.as_ref()) == instance.zone.as_ref()
    };
    let own: Vec<String> = all.iter().filter(of_zone).map(|subnet| subnet.id.clone()).collect();
    if own.is_empty() { all.iter().map(|subnet| subnet.id.clone()).collect() } else { own }
}

fn all_subnets(members: &[&rds::RdsInstance]) -> Vec<String> {
    let mut all: Vec<String> = members.iter().flat_map(|member| subnets_of(member)).collect();
    all.sort();
    all.dedup();
    all
}

fn ids(memberships: &[rds::Membership]) -> Vec<String> {
    memberships.iter().map(|membership| membership.id.clone()).collect()
}

fn master_secret(secret: Option<&rds::MasterUserSecret>) -> Option<MasterSecret> {
    let secret = secret?;
    Some(MasterSecret {
        arn: secret.arn.clone()?,
        status: secret.status.clone().unwrap_or_default(),
        kms_key_id: secret.kms_key_id.clone(),
    })
}

/// True where a parameter group decides whether the database refuses connections without TLS.
pub(super) fn is_tls_open(described: &DescribedDatabase) -> bool {
    let is_unasked = matches!(described.target.tls, Observation::NotApplicable { .. });
    is_unasked && described.parameters.is_some() && described.target.engine.as_deref().and_then(tls_parameter).is_some()
}

/// Asks the parameter group whether the database refuses connections without TLS.
pub(super) async fn tls_demand(aws: &Aws, caller: &AwsCaller, described: &DescribedDatabase) -> Option<Observation<TlsDemand>> {
    let name = tls_parameter(described.target.engine.as_deref()?)?;
    let (group, answer) = match described.parameters.as_ref()? {
        NamedParameterGroup::OfInstance(group) => (group, aws.instance_parameter(caller, group, name).await),
        NamedParameterGroup::OfCluster(group) => (group, aws.cluster_parameter(caller, group, name).await),
    };
    Some(answer.and_then(|all| match all.iter().find(|parameter| parameter.name == name) {
        Some(parameter) => Observation::Found(TlsDemand {
            is_forced: parameter.value.as_deref().is_some_and(is_on),
            parameter: name.to_owned(),
            parameter_group: Some(group.clone()),
        }),
        None => Observation::NoData { searched: format!("the parameter group {group} has no {name}") },
    }))
}

/// The parameter that makes a server refuse connections without TLS.
///
/// Source: RDS User Guide, "Requiring an SSL connection" for PostgreSQL and SQL Server, "Requiring SSL/TLS for all connections"
/// for MySQL and MariaDB; DocumentDB Developer Guide, "Managing TLS settings".
fn tls_parameter(engine: &str) -> Option<&'static str> {
    match engine {
        "postgres" | "aurora-postgresql" => Some("rds.force_ssl"),
        "mysql" | "aurora-mysql" | "mariadb" => Some("require_secure_transport"),
        "docdb" => Some("tls"),
        engine if engine.starts_with("sqlserver") => Some("rds.force_ssl"),
        _ => None,
    }
}

fn is_on(value: &str) -> bool {
    ["1", "on", "true", "enabled", "fips-140-3", "tls1.2+", "tls1.3+"].contains(&value.to_ascii_lowercase().as_str())
}
