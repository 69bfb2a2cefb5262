//! Whether a look at the network is worth its calls, and what it has to ask.

use super::context::DiagnosisContext;
use super::network::{Hop, HopPlace, HopStanding, NetworkPaths, Reachability};
use super::readings::network::databases;
use super::signatures::engine_of;
use crate::model::{
    Cause, Change, Concern, Confidence, DatabaseHost, Finding, Network, NetworkLook, Outcome, Severity, VpcConfig,
};
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// Hosts and groups that are followed; more would only spend the budget.
const MAX_HINTS: usize = 3;

/// What to look at: nothing where the network was looked at already, where the cause is known without it, or where nothing
/// can be seen there.
///
/// A healthy secret whose function is in a VPC is looked at too, so that its forecast knows of a way that is closed. Where the way to
/// Secrets Manager may be closed, the database is looked at as well, as far as the calls suffice: what opens the one does not open the
/// other.
pub(super) fn decide(context: &DiagnosisContext<'_>, outcome: Outcome, findings: &[Finding]) -> Option<NetworkLook> {
    if context.secret()?.deleted_at.is_some() {
        return None;
    }
    let vpc = context.function().and_then(|function| function.vpc.as_ref());
    let root = findings.first().filter(|finding| finding.severity > Severity::Info && finding.inhibited_by.is_none());
    let open = match (outcome, root) {
        _ if context.evidence.network != Network::unasked() => over_transit(context, outcome, root),
        (Outcome::NotFound, _) => None,
        (Outcome::RootCause, Some(root)) => about(root, vpc),
        // What is possible and no more leaves the rest open.
        (Outcome::Inconclusive | Outcome::RootCause, root) => match root.and_then(|root| about(root, vpc)) {
            Some(look) if vpc.is_none() => Some(look),
            look => everything(vpc).map(|all| joined(all, look)),
        },
        (Outcome::Healthy, _) => everything(vpc).filter(|_| rotates_again(context)),
    }?;
    let is_endpoints_alone = open.paths && open.endpoints && !open.database;
    let failed = has_line(context, &RESOLVING);
    // Where a connection was tried, a name had been resolved: then one of the two attributes is settled without a call.
    let resolved = !failed && has_line(context, &CONNECTING);
    let database = open.database || is_endpoints_alone;
    Some(NetworkLook {
        dns_support: open.endpoints && (failed || is_endpoints_alone && !resolved),
        dns_hostnames: is_endpoints_alone,
        database,
        engine: engine(context).map(str::to_owned),
        hosts: if database { hosts(context) } else { Vec::new() },
        changed_groups: if database { changed_groups(context, vpc) } else { Vec::new() },
        ..open
    })
}

/// The transit gateway that the packets to the database go to, where nothing else that was seen stops them. What it takes comes on top
/// of what a look may cost, so that no forecast is worth it.
fn over_transit(context: &DiagnosisContext<'_>, outcome: Outcome, root: Option<&Finding>) -> Option<NetworkLook> {
    let is_unasked = context.evidence.network.transit_attachments == Network::left_out();
    let is_failing = matches!(outcome, Outcome::RootCause | Outcome::Inconclusive);
    let is_open = root.is_none_or(|root| root.cause == Cause::DbNetworkUnreachable || root.confidence < Confidence::Confirmed);
    if !(is_unasked && is_failing && is_open) {
        return None;
    }
    let paths = databases(context).into_iter().next()?.paths?;
    let is_by_transit = paths.reach() == Reachability::Unknown && hops(&paths).any(is_open_transit);
    is_by_transit.then(|| NetworkLook { transit: true, ..NetworkLook::default() })
}

fn hops(paths: &NetworkPaths) -> impl Iterator<Item = &Hop> {
    paths.paths.iter().flat_map(|path| &path.hops)
}

fn is_open_transit(hop: &Hop) -> bool {
    hop.place == HopPlace::Link && hop.id.starts_with("tgw-") && matches!(hop.standing, HopStanding::Unseen(_))
}

/// What the network can tell about a cause; `None` where it decides nothing.
fn about(root: &Finding, vpc: Option<&VpcConfig>) -> Option<NetworkLook> {
    let paths = vpc.is_some();
    let look = match root.cause {
        Cause::AwsEndpointUnreachable | Cause::SuperuserMetadataApiError if paths => {
            NetworkLook { paths, endpoints: true, ..NetworkLook::default() }
        }
        Cause::VpcEndpointPolicyDeny if paths => NetworkLook { endpoints: true, ..NetworkLook::default() },
        Cause::LambdaVpcCapacity if paths => NetworkLook { paths, ..NetworkLook::default() },
        Cause::DbNetworkUnreachable => NetworkLook { paths, database: true, ..NetworkLook::default() },
        Cause::LambdaTimeoutTooShort if paths => NetworkLook { paths, endpoints: true, database: true, ..NetworkLook::default() },
        Cause::DbLoginAmbiguous | Cause::DbSuperuserLoginAmbiguous => {
            NetworkLook { paths, database: true, tls: true, ..NetworkLook::default() }
        }
        Cause::DbSslMismatch => NetworkLook { database: true, tls: true, ..NetworkLook::default() },
        Cause::ManagedRotationFailing | Cause::ManagedSecretImpaired => NetworkLook { database: true, ..NetworkLook::default() },
        _ => return None,
    };
    // A wait that may have been for the one or for the other.
    let is_vague = root.confidence == Confidence::Possible && paths && look.paths;
    Some(NetworkLook { endpoints: look.endpoints || is_vague, database: look.database || is_vague, ..look })
}

fn everything(vpc: Option<&VpcConfig>) -> Option<NetworkLook> {
    vpc.map(|_| NetworkLook { paths: true, endpoints: true, database: true, ..NetworkLook::default() })
}

fn joined(all: NetworkLook, more: Option<NetworkLook>) -> NetworkLook {
    NetworkLook { tls: more.is_some_and(|more| more.tls), ..all }
}

fn rotates_again(context: &DiagnosisContext<'_>) -> bool {
    context.config().is_some_and(|config| config.enabled == Some(true) && config.function_arn.is_some())
}

/// The lines of the failing invocations, the newest first.
fn lines<'c>(context: &'c DiagnosisContext<'_>) -> impl Iterator<Item = &'c str> {
    let newest = context.failures.iter().rev();
    newest.flat_map(|failure| failure.invocation.lines.iter().rev().map(|event| event.text.as_str()))
}

fn has_line(context: &DiagnosisContext<'_>, words: &LazyLock<Option<Regex>>) -> bool {
    lines(context).any(|line| words.as_ref().is_some_and(|words| words.is_match(line)))
}

fn engine(context: &DiagnosisContext<'_>) -> Option<&'static str> {
    let by_line = || lines(context).find_map(engine_of);
    let by_function = || engine_of(context.function_name()?);
    by_line().or_else(by_function).or_else(|| engine_of(&context.secret()?.name))
}

/// Words of a host whose name was not resolved: Python's, botocore's, Node's, Java's and Go's.
static RESOLVING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)name or service not known|name resolution|nameresolutionerror|failed to resolve|getaddrinfo|EAI_AGAIN|ENOTFOUND|UnknownHostException|no such host",
    )
    .ok()
});

/// Words of a connection to a host of AWS that was tried and did not open: botocore's, Node's and Java's. botocore's "Could not
/// connect to the endpoint URL" is none of them, as it stands for a name that was not resolved too.
static CONNECTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)connect timeout on endpoint url|connect ETIMEDOUT \d|connect timed out|connection timed out to \d").ok()
});

/// A host of RDS wherever it stands, and other hosts where a driver says that it could not connect to them.
static HOSTS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    const PATTERNS: [&str; 6] = [
        r"(?i)\b(?P<host>[a-z][a-z0-9-]{0,62}\.(?:[a-z-]{1,20}-)?[a-z0-9]{6,20}\.(?:[a-z0-9-]+\.(?:rds|docdb|neptune)|(?:rds|docdb|neptune)\.[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?)(?::(?P<port>\d{1,5}))?",
        r#"(?i)connection to server at "(?P<host>[^"\s]+)"(?: \((?P<address>[0-9a-f.:]+)\))?, port (?P<port>\d{1,5})"#,
        r#"(?i)could not translate host name "(?P<host>[^"\s]+)""#,
        r#"(?i)running on host "(?P<host>[^"\s]+)"(?: \((?P<address>[0-9a-f.:]+)\))? and accepting\s+TCP/IP connections on port (?P<port>\d{1,5})"#,
        r"(?i)can't connect to (?:local )?(?:mysql |mariadb )?server on '(?P<host>[^'\s:]+)(?::(?P<port>\d{1,5}))?'",
        r"(?i)adaptive server is unavailable or does not exist \((?P<host>[^)\s:]+)(?::(?P<port>\d{1,5}))?\)",
    ];
    PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
});

/// The hosts that the failing invocations name as the database's, the newest first.
fn hosts(context: &DiagnosisContext<'_>) -> Vec<DatabaseHost> {
    let mut hosts: Vec<DatabaseHost> = Vec::new();
    for line in lines(context) {
        for found in HOSTS.iter().filter_map(|pattern| pattern.captures(line)) {
            let Some(name) = found.name("host") else { continue };
            let port = found.name("port").and_then(|port| port.as_str().parse().ok());
            let mut host = DatabaseHost::new(name.as_str(), port);
            host.address = host.address.or_else(|| found.name("address").and_then(|address| address.as_str().parse().ok()));
            let has_room = hosts.len() < MAX_HINTS && host.name != "localhost";
            match hosts.iter_mut().find(|known| known.name == host.name) {
                // Several patterns read one line, and not each of them the address.
                Some(known) => {
                    known.address = known.address.or(host.address);
                    known.port = known.port.or(host.port);
                }
                None if has_room => hosts.push(host),
                None => {}
            }
        }
    }
    hosts
}

/// The groups whose rules were changed, but the function's own: they may be the database's.
fn changed_groups(context: &DiagnosisContext<'_>, vpc: Option<&VpcConfig>) -> Vec<String> {
    let changes = context.evidence.changes.found().map(|changes| changes.changes.as_slice()).unwrap_or_default();
    let own = vpc.map(|vpc| vpc.security_group_ids.as_slice()).unwrap_or_default();
    let mut groups = Vec::new();
    let of_groups = |change: &&Change| change.concerns == Concern::Network && change.event.contains("SecurityGroup");
    for id in changes.iter().rev().filter(of_groups).filter_map(|change| group_of(&change.parameters)) {
        if !own.contains(&id) && !groups.contains(&id) && groups.len() < MAX_HINTS {
            groups.push(id);
        }
    }
    groups
}

/// The group a request changes: beside its rules, or in the request's own structure.
fn group_of(parameters: &Value) -> Option<String> {
    let here = |value: &Value| ["groupId", "GroupId"].iter().find_map(|name| value.get(name)?.as_str().map(str::to_owned));
    here(parameters).or_else(|| parameters.as_object()?.values().find_map(here))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::network::testing::{range, route, rule, table, world};
    use crate::diagnosis::testing::{change, facts, fail, hang_in, healthy, hours_ago};
    use crate::model::{Evidence, FollowUp, GroupPeer, Observation, RotationStep};
    use serde_json::json;

    fn look(evidence: &Evidence) -> Option<NetworkLook> {
        match diagnose(evidence).follow_up {
            Some(FollowUp::LookAtNetwork(look)) => Some(look),
            _ => None,
        }
    }

    /// What is asked: paths, endpoints, DNS support, DNS host names, database, tls.
    fn asked(evidence: &Evidence) -> Option<[bool; 6]> {
        look(evidence).map(|look| [look.paths, look.endpoints, look.dns_support, look.dns_hostnames, look.database, look.tls])
    }

    fn failing(step: RotationStep, line: &str) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, step, &[line]);
        evidence
    }

    const TIMEOUT: &str =
        "[ERROR] ConnectTimeoutError: Connect timeout on endpoint URL: \"https://secretsmanager.eu-west-1.amazonaws.com/\"";
    const UNRESOLVED: &str = "[ERROR] EndpointConnectionError: Could not connect to the endpoint URL: \
                              \"https://secretsmanager.eu-west-1.amazonaws.com/\" ([Errno -2] Name or service not known)";
    /// botocore says the same of a name that was not resolved and of a connection that did not open.
    const UNSAID: &str = "[ERROR] EndpointConnectionError: Could not connect to the endpoint URL: \"https://secretsmanager.eu-west-1.amazonaws.com/\"";
    const DENIED: &str = "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutSecretValue \
                          operation: User: arn:aws:sts::123456789012:assumed-role/orders-rotator-role/orders-rotator is not \
                          authorized to perform: secretsmanager:PutSecretValue on resource: \
                          arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf because no identity-based \
                          policy allows the secretsmanager:PutSecretValue action";

    #[test]
    fn it_asks_for_what_the_cause_leaves_open_and_for_nothing_where_the_cause_is_known() {
        let refused = "psycopg2.OperationalError: connection to server at \"db.example.internal\" (10.0.4.7), port 5433 failed: \
                       Connection timed out";
        let tls = "[ERROR]\tSQL-CONNECTION-ERROR: FATAL:  no pg_hba.conf entry for host \"10.0.1.7\", user \"app\", database \"orders\", no encryption";
        for (evidence, expected) in [
            (healthy(), Some([true, true, false, false, true, false])),
            // A connection was tried, so that a name had been resolved.
            (failing(RotationStep::CreateSecret, TIMEOUT), Some([true, true, false, true, true, false])),
            (failing(RotationStep::CreateSecret, UNRESOLVED), Some([true, true, true, true, true, false])),
            (failing(RotationStep::CreateSecret, UNSAID), Some([true, true, true, true, true, false])),
            (failing(RotationStep::SetSecret, refused), Some([true, false, false, false, true, false])),
            (failing(RotationStep::SetSecret, tls), Some([false, false, false, false, true, true])),
            (failing(RotationStep::CreateSecret, DENIED), None),
        ] {
            assert_eq!(asked(&evidence), expected, "{:?}", diagnose(&evidence).root_cause().map(|root| root.cause));
        }
    }

    #[test]
    fn without_a_vpc_only_a_failure_about_reaching_something_is_looked_into() {
        let mut evidence = healthy();
        facts(&mut evidence.function).vpc = None;
        assert_eq!(look(&evidence), None);
        let mut unreached = failing(
            RotationStep::SetSecret,
            "psycopg2.OperationalError: could not translate host name \"db.example.internal\" to address: Unknown host",
        );
        facts(&mut unreached.function).vpc = None;
        assert_eq!(asked(&unreached), Some([false, false, false, false, true, false]));
    }

    #[test]
    fn it_is_looked_at_once_and_not_for_a_secret_that_will_not_rotate() {
        let mut seen = healthy();
        seen.network.databases = Observation::NoData { searched: "all".to_owned() };
        assert_eq!(look(&seen), None);
        let mut off = healthy();
        facts(&mut off.rotation_config).enabled = Some(false);
        assert_eq!(look(&off), None);
    }

    #[test]
    fn a_hang_asks_for_both_attributes_as_nothing_shows_that_a_name_was_resolved() {
        let mut evidence = healthy();
        let found = "[INFO]\t2026-03-10T11:00:00.000Z\tr1\tFound credentials in environment variables.";
        hang_in(&mut evidence, RotationStep::CreateSecret, &[found]);
        assert_eq!(asked(&evidence), Some([true, true, true, true, true, false]));
    }

    /// A database that does not answer, in a VPC of its own behind a transit gateway that nobody asked about yet.
    fn behind_a_transit_gateway() -> Evidence {
        let line = "psycopg2.OperationalError: connection to server at \"orders.abcdefghijkl.eu-west-1.rds.amazonaws.com\" \
                    (10.1.2.5), port 5432 failed: Connection timed out";
        let mut evidence = failing(RotationStep::SetSecret, line);
        let mut network = world();
        network.databases.found_mut().unwrap()[0].vpc_id = Some("vpc-0db".to_owned());
        let far = &mut network.subnets.found_mut().unwrap()[1];
        (far.vpc_id, far.range) = ("vpc-0db".to_owned(), Some(range("10.1.2.0/24")));
        let tables = network.route_tables.found_mut().unwrap();
        tables[1].routes.push(route("10.1.0.0/16", "tgw-0a"));
        tables.push(table("rtb-0db", "vpc-0db", &[], vec![route("10.1.0.0/16", "local"), route("10.0.0.0/16", "tgw-0a")]));
        network.security_groups.found_mut().unwrap()[1].ingress = vec![rule(5432, GroupPeer::Range(range("10.0.0.0/16")))];
        network.transit_attachments = Network::left_out();
        network.transit_associations = Network::left_out();
        network.transit_tables = Network::left_out();
        evidence.network = network;
        evidence
    }

    #[test]
    fn a_transit_gateway_is_looked_at_once_where_it_is_on_the_way_and_nothing_else_stops_it() {
        let is_asked = |evidence: &Evidence| look(evidence).is_some_and(|look| look.transit);
        let open = behind_a_transit_gateway();
        assert!(is_asked(&open), "{:#?}", diagnose(&open).network_paths);
        let only_transit = NetworkLook { transit: true, engine: look(&open).unwrap().engine, ..NetworkLook::default() };
        assert_eq!(look(&open), Some(only_transit));

        let mut seen = open.clone();
        seen.network.transit_attachments = Observation::Found(Vec::new());
        assert!(!is_asked(&seen));
        let mut closed = open.clone();
        closed.network.security_groups.found_mut().unwrap()[1].ingress.clear();
        assert!(!is_asked(&closed), "the group is the cause");
        let mut beside = open.clone();
        beside.network.databases = world().databases;
        beside.network.subnets = world().subnets;
        assert!(!is_asked(&beside), "the database is in the function's VPC");
        let mut works = healthy();
        works.network = open.network;
        assert!(!is_asked(&works), "no forecast is worth it");
    }

    #[test]
    fn the_hosts_of_drivers_lines_are_followed_the_newest_first() {
        for (line, name, address, port) in [
            (
                "psycopg2.OperationalError: connection to server at \"db.example.internal\" (10.0.4.7), port 5433 failed: Connection timed out",
                "db.example.internal",
                Some("10.0.4.7"),
                Some(5433),
            ),
            (
                "psycopg2.OperationalError: connection to server at \"orders.c9abcdefghij.eu-west-1.rds.amazonaws.com\" (10.1.1.9), port 5432 failed: Connection timed out",
                "orders.c9abcdefghij.eu-west-1.rds.amazonaws.com",
                Some("10.1.1.9"),
                Some(5432),
            ),
            (
                "could not connect to orders.cluster-c9abcdefghij.eu-west-1.rds.amazonaws.com:5432: timed out",
                "orders.cluster-c9abcdefghij.eu-west-1.rds.amazonaws.com",
                None,
                Some(5432),
            ),
            (
                "pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'orders.c9abcdefghij.eu-west-1.rds.amazonaws.com' (timed out)\")",
                "orders.c9abcdefghij.eu-west-1.rds.amazonaws.com",
                None,
                None,
            ),
            (
                "pymssql.OperationalError: (20009, b'DB-Lib error message 20009, severity 9:\\nUnable to connect: Adaptive Server is unavailable or does not exist (mssql.example.internal:1433)')",
                "mssql.example.internal",
                None,
                Some(1433),
            ),
        ] {
            let found = look(&failing(RotationStep::SetSecret, line)).unwrap_or_else(|| panic!("{line}"));
            let expected = DatabaseHost { name: name.into(), address: address.map(|text| text.parse().unwrap()), port };
            assert_eq!(found.hosts, [expected], "{line}");
        }
    }

    #[test]
    fn the_group_whose_rule_was_changed_is_followed_unless_it_is_the_functions_own() {
        let mut evidence = healthy();
        hang_in(&mut evidence, RotationStep::SetSecret, &[]);
        let own = facts(&mut evidence.function).vpc.as_ref().unwrap().security_group_ids[0].clone();
        let revoked = |id: &str, rule| crate::model::Change {
            parameters: json!({ "groupId": id, "ipPermissions": { "items": [rule] } }),
            ..change(hours_ago(2), "RevokeSecurityGroupIngress", Concern::Network)
        };
        let by_reference = json!({ "groups": { "items": [{ "groupId": own }] } });
        facts(&mut evidence.changes).changes = vec![
            crate::model::Change {
                parameters: json!({ "ModifySecurityGroupRulesRequest": { "GroupId": "sg-other" } }),
                ..change(hours_ago(3), "ModifySecurityGroupRules", Concern::Network)
            },
            revoked(&own, json!({})),
            revoked("sg-database", by_reference),
        ];
        assert_eq!(look(&evidence).unwrap().changed_groups, ["sg-database", "sg-other"]);
    }
}
