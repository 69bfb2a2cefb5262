//! The host, the port and the server behind them.

use super::{Advice, Shown};
use crate::diagnosis::database::{AdministratorCommand, Callers, LIFTED_LIMIT, Of};
use crate::diagnosis::readings::strategy;
use crate::diagnosis::remedy::{NETWORK_ACCESS, TROUBLESHOOTING, aws_in};
use crate::model::Remediation;
use regex::Regex;
use std::sync::LazyLock;

pub(super) fn read_only_host(shown: Shown<'_, '_, '_>) -> Advice {
    let remediation = Remediation::new(
        "Find the host that accepts writes: the cluster's writer endpoint, or the instance that the replica copies. Store it as \
         \"host\" in the secret, and in the superuser's secret where there is one. Remove AWSPENDING from the version that names \
         the reader, and rotate.",
    );
    Advice {
        title: "the host in the secret is read-only: a reader endpoint or a replica".into(),
        explanation: format!(
            "The function logged in, but the server refused to change the user{}, because this host is read-only: a reader \
             endpoint, a read replica, or a standby. User and password are right.",
            shown.in_step()
        ),
        remediation: shown
            .list_hosts(remediation)
            .run_statement(shown.statement_of(
                "SELECT @@hostname, @@read_only",
                "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')",
            ))
            .put_value(shown.context)
            .discard_pending(shown.context)
            .database_writes(shown.context, shown.engine(), writer(shown))
            .rotate(shown.context)
            .link(TROUBLESHOOTING),
    }
}

/// Whose statement it is that was refused.
fn writer(shown: Shown<'_, '_, '_>) -> Of<'static> {
    match strategy::alternates(shown.context) {
        true => Of::Superuser(None),
        false => Of::Rotated,
    }
}

pub(super) fn another_instance(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the database instance was changed between versions of the secret".into(),
        explanation: format!(
            "The function stopped{}: the pending version names another database instance than the current one, and the function \
             changes a user only on the instance of the current version.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Store one value that names the right instance and a credential that works there, remove AWSPENDING from the version \
             created before, and rotate.",
        )
        .put_value(shown.context)
        .discard_pending(shown.context)
        .rotate(shown.context)
        .link(TROUBLESHOOTING),
    }
}

pub(super) fn not_accepting(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let closed = shown.closed_database();
    let remediation = Remediation::new(format!(
        "Check that the {noun} runs and accepts logins. Start it, or wait until it has started. Then rotate."
    ));
    Advice {
        title: format!("the {noun} is not accepting connections"),
        explanation: format!(
            "The server was reached and answered{} that it accepts no connections now: it is starting, stopping, recovering or \
             closed for maintenance. Neither the network nor the password is at fault.",
            shown.in_step()
        ),
        remediation: shown
            .list_instances(remediation)
            .when(closed.is_some(), |fix| {
                fix.warn(
                    "Somebody may have closed the database on purpose, as before it is dropped or moved: ask before you open it to \
                     every application again.",
                )
            })
            .run_statement(closed)
            .rotate_after_others(shown.context)
            .link(TROUBLESHOOTING),
    }
}

impl Shown<'_, '_, '_> {
    /// Opens the one database that takes no connections, where the line names it.
    fn closed_database(&self) -> Option<AdministratorCommand> {
        let (before, _) = self.text().split_once(" is not currently accepting connections")?;
        let (_, name) = before.trim_end_matches(['\\', '"']).rsplit_once('"')?;
        self.statement(&format!("ALTER DATABASE \"{name}\" allow_connections true"))
    }
}

pub(super) fn connection_ended(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let remediation = Remediation::new(format!(
        "Look at the {noun}'s events around that time: a failover, a restart, an idle limit, or somebody who ended the session. \
         When that is over, rotate."
    ));
    let events = ["rds", "describe-events", "--source-type", "db-instance", "--duration", "1440"];
    Advice {
        title: format!("the {noun} ended the function's connection"),
        explanation: format!(
            "The function was connected when the server ended the connection{}. Neither the network nor the password is at \
             fault.",
            shown.in_step()
        ),
        remediation: remediation
            .when(shown.context.behind().is_database(), |fix| fix.run(aws_in(shown.context, &events)).needs("rds:DescribeEvents"))
            .rotate_after_others(shown.context)
            .link(TROUBLESHOOTING),
    }
}

pub(super) fn connections_used_up(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let sessions = shown.statement_of(
        "SHOW FULL PROCESSLIST",
        "SELECT usename, application_name, client_addr, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC",
    );
    let of_user = shown.account().zip(limit_of_one_user(shown.text())).and_then(|(account, limit)| {
        let user = &account.user;
        shown.statement_of(
            &format!("ALTER USER '{user}'@'{}' WITH {limit} 0", account.host()),
            &format!("ALTER ROLE \"{user}\" CONNECTION LIMIT -1"),
        )
    });
    let of_database = shown.text().split_once("too many connections for database ").and_then(|(_, rest)| {
        let name = rest.trim_start_matches(['\\', '"']).split(['\\', '"']).next().filter(|name| !name.is_empty())?;
        shown.statement(&format!("ALTER DATABASE \"{name}\" CONNECTION LIMIT -1"))
    });
    let remediation = Remediation::new(format!(
        "See who holds the connections. Close idle ones, limit the applications' connection pools, or raise the limit of the \
         {noun} or of this user. Then rotate."
    ));
    Advice {
        title: format!("every connection that the {noun} allows is in use"),
        explanation: format!(
            "The {noun} was reached but accepted no further connection{}: its limit of connections, or one of this user or \
             database, is used up. {}",
            shown.in_step(),
            match is_judged_after_login(shown.text()) {
                true => "It judges this limit after the password, which was right.",
                false => "The password was not checked.",
            }
        ),
        remediation: shown
            .list_instances(remediation.run_statement(sessions))
            .when(of_user.is_some() || of_database.is_some(), |fix| fix.warn(LIFTED_LIMIT))
            .run_statement(of_user)
            .run_statement(of_database)
            .rotate_after_others(shown.context)
            .link("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html"),
    }
}

/// The limit in the words of MySQL's ALTER USER, where it is one user's own and not the server's. Source: MySQL's manual,
/// "Setting Account Resource Limits", and `sql_connect.cc` for the names in error 1226.
fn limit_of_one_user(text: &str) -> Option<&'static str> {
    const OF_MYSQL: [(&str, &str); 4] = [
        ("max_connections_per_hour", "MAX_CONNECTIONS_PER_HOUR"),
        ("max_questions", "MAX_QUERIES_PER_HOUR"),
        ("max_updates", "MAX_UPDATES_PER_HOUR"),
        ("max_user_connections", "MAX_USER_CONNECTIONS"),
    ];
    let of_mysql = OF_MYSQL.into_iter().find_map(|(named, option)| text.contains(named).then_some(option));
    of_mysql.or(text.contains("too many connections for role").then_some("MAX_USER_CONNECTIONS"))
}

/// True where the server knows who it is before it judges this limit: the limits of a user and of a database, and the slots
/// that are reserved. Source: PostgreSQL's `postinit.c` (`InitPostgres`), MySQL's `sql_connect.cc` (`check_for_max_user_connections`
/// follows `acl_authenticate`).
fn is_judged_after_login(text: &str) -> bool {
    limit_of_one_user(text).is_some()
        || text.contains("too many connections for database")
        || text.contains("remaining connection slots are reserved")
}

/// True where the line speaks of a lock; a statement that only ran out of time may have met a slow server.
fn names_a_lock(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["lock", "concurren", "serializ", "another transaction", "resource busy", "ora-", "sql091", "40001"]
        .iter()
        .any(|words| text.contains(words))
}

pub(super) fn locked(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    if !names_a_lock(shown.text()) {
        return Advice {
            title: "the function's statement ran out of time".into(),
            explanation: format!(
                "The function was logged in; its statement did not end in time{}: it waited for another session, or the {noun} is \
                 slow or no longer answers. The password is not at fault.",
                shown.in_step()
            ),
            remediation: unlock(shown),
        };
    }
    Advice {
        title: LOCKED.into(),
        explanation: format!(
            "The function was logged in; its statement waited for a lock or ran out of time{}, and was cancelled. The password is \
             not at fault.",
            shown.in_step()
        ),
        remediation: unlock(shown),
    }
}

/// The title of a statement that another session keeps waiting.
pub(in crate::diagnosis) const LOCKED: &str = "another session keeps the function's statement waiting";

fn unlock(shown: Shown<'_, '_, '_>) -> Remediation {
    let noun = shown.noun();
    let remediation = Remediation::new(format!(
        "See which session holds the lock: an open transaction on the user catalogue, a dump, or a second rotation of the same \
         {noun}. Wait until it ends, or end it. Then rotate; if this happens again, rotate at a quieter hour."
    ));
    let waits = shown.statement_of(
        "SHOW FULL PROCESSLIST",
        "SELECT pid, usename, state, xact_start, pg_blocking_pids(pid), query FROM pg_stat_activity WHERE state <> 'idle'",
    );
    let remediation = remediation.run_statement(waits);
    shown.list_instances(remediation).rotate_after_others(shown.context).link(TROUBLESHOOTING)
}

pub(super) fn server_error(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let remediation = Remediation::new(
        "First correct what the quoted answer names, such as full storage, too little memory, or a stopped archiver. Then \
         rotate.",
    );
    Advice {
        title: format!("the {noun} itself has failed"),
        explanation: format!(
            "The {noun} was reached and reported a fault of its own{}, such as a full disk. Neither the credential nor the \
             function is at fault.",
            shown.in_step()
        ),
        remediation: shown.list_instances(remediation).rotate_after_others(shown.context).link(TROUBLESHOOTING),
    }
}

pub(super) fn host_not_allowed(shown: Shown<'_, '_, '_>) -> Advice {
    let blocked = shown.text().contains("1129") || shown.text().contains("blocked");
    let (title, what, sql) = if blocked {
        (
            "the database has blocked the function's host",
            "it has blocked this host after too many broken connections",
            "TRUNCATE TABLE performance_schema.host_cache",
        )
    } else {
        (
            "no account of the database may log in from the function's host",
            "no account has a host part that matches the function's address",
            "SELECT user, host FROM mysql.user ORDER BY user, host",
        )
    };
    let quoted = shown.text().split_once("Host '").and_then(|(_, rest)| rest.split_once('\''));
    let host = quoted.map(|(host, _)| format!(" ({host})")).unwrap_or_default();
    Advice {
        title: title.into(),
        explanation: format!(
            "MySQL was reached and answered{} that {what}{host}. It did not ask for a password.",
            shown.in_step()
        ),
        remediation: Remediation::new(if blocked {
            "Clear the host cache (which forgets the counts of every host, and cuts nobody off), and find out what connects from the \
             function's subnets without logging in. Then rotate."
        } else {
            "See for which hosts the secret's user exists, give it a host part that covers the function's subnets (RENAME USER), and \
             rotate."
        })
        .run_statement(shown.statement(sql))
        .when(!blocked, |fix| fix.admit_callers(shown.context, shown.engine(), Callers::named(shown.text())))
        .rotate(shown.context)
        .link("https://dev.mysql.com/doc/refman/8.4/en/account-names.html"),
    }
}

/// The address in the words of Snowflake and of MongoDB Atlas.
static REFUSED_ADDRESS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\bIP(?:/Token| address)?:? (?P<address>[0-9a-f.:]{7,45})\b").ok());

/// A service that lets in only the addresses on a list of its own.
struct Doorkeeper {
    title: &'static str,
    name: &'static str,
    /// What lists the addresses.
    list: &'static str,
    /// Where an address is allowed.
    place: &'static str,
    link: &'static str,
}

const SNOWFLAKE: Doorkeeper = Doorkeeper {
    title: "Snowflake's network policy does not let the function's address in",
    name: "Snowflake",
    list: "a network policy of the account or the user",
    place: "the network policy of the Snowflake account or user (ALTER NETWORK RULE, or ALLOWED_IP_LIST of the policy)",
    link: "https://docs.snowflake.com/en/user-guide/network-policies",
};

const ATLAS: Doorkeeper = Doorkeeper {
    title: "the access list of MongoDB Atlas does not let the function's address in",
    name: "MongoDB Atlas",
    list: "the IP access list of the project, or of the API key,",
    place: "the IP access list of the project, or of the API key",
    link: "https://www.mongodb.com/docs/atlas/security/ip-access-list/",
};

pub(super) fn address_not_allowed(shown: Shown<'_, '_, '_>) -> Advice {
    let is_atlas = ["mongodb", "ACCESS_LIST", "access this resource"].iter().any(|word| shown.text().contains(word));
    let keeper = if is_atlas { ATLAS } else { SNOWFLAKE };
    let found = REFUSED_ADDRESS.as_ref().and_then(|pattern| pattern.captures(shown.text())?.name("address"));
    let address = found.map(|address| address.as_str().trim_end_matches('.'));
    let named = address.map(|address| format!(" {address}")).unwrap_or_default();
    let filter = shown
        .context
        .function()
        .and_then(|function| function.vpc.as_ref())
        .map(|vpc| format!("Name=vpc-id,Values={}", vpc.vpc_id));
    let place = keeper.place;
    let fix = Remediation::new(match &filter {
        Some(_) => {
            format!("Compare the address{named} with those of the VPC's NAT gateways, and allow these in {place}. Then rotate.")
        }
        None => format!(
            "The function is in no VPC, so that its address{named} is another one every time. Put it into a VPC with a NAT gateway, and \
             allow the gateway's address in {place}. Then rotate."
        ),
    });
    let fix = match filter {
        Some(filter) => {
            let query = "NatGateways[].[NatGatewayId,State,NatGatewayAddresses[].PublicIp]";
            fix.run(aws_in(shown.context, &["ec2", "describe-nat-gateways", "--filter", &filter, "--query", query]))
                .needs("ec2:DescribeNatGateways")
        }
        None => fix,
    };
    Advice {
        title: keeper.title.into(),
        explanation: format!(
            "{} was reached{} and refused the address{named} before it checked user and password: {} lists the addresses that \
             may log in.",
            keeper.name,
            shown.in_step(),
            keeper.list
        ),
        remediation: fix.rotate(shown.context).link(keeper.link),
    }
}

/// How resolvers tell of an answer that did not come, and not of a name that does not exist: EAI_AGAIN, which is -3 on Linux.
const NO_ANSWER: [&str; 3] = ["Temporary failure in name resolution", "EAI_AGAIN", "Errno -3]"];

/// The name may be right: nobody said that it is not.
fn name_server_silent(shown: Shown<'_, '_, '_>) -> Advice {
    let vpc = shown.context.function().and_then(|function| function.vpc.as_ref()).map(|vpc| vpc.vpc_id.as_str());
    let fix = Remediation::new(match vpc {
        Some(_) => {
            "If it failed once, rotate. If it fails each time, check that the VPC's name server is on (enableDnsSupport), and that the \
             name servers of its DHCP options, or those that Route 53 Resolver's rules forward the name to, answer. Then rotate."
        }
        None => {
            "Rotate: outside a VPC this passes by itself. If it fails each time, check the name servers of the host's domain."
        }
    });
    let fix = match vpc {
        Some(vpc) => fix
            .run(aws_in(shown.context, &["ec2", "describe-vpc-attribute", "--vpc-id", vpc, "--attribute", "enableDnsSupport"]))
            .run(aws_in(shown.context, &["ec2", "describe-vpcs", "--vpc-ids", vpc, "--query", "Vpcs[].DhcpOptionsId"]))
            .needs("ec2:DescribeVpcAttribute")
            .needs("ec2:DescribeVpcs"),
        None => fix,
    };
    Advice {
        title: "no name server answered the function".into(),
        explanation: format!(
            "The function asked for the address of the {}'s host{} and got no answer, which is not what a name server says of a name \
             that does not exist. No connection was tried.",
            shown.noun(),
            shown.in_step()
        ),
        remediation: fix.rotate(shown.context).link(NETWORK_ACCESS),
    }
}

pub(super) fn name_not_resolved(shown: Shown<'_, '_, '_>) -> Advice {
    if NO_ANSWER.iter().any(|words| shown.text().contains(words)) {
        return name_server_silent(shown);
    }
    let noun = shown.noun();
    let compared = match shown.context.behind().is_database() {
        true => "Compare \"host\" in the secret with the addresses of the databases. If it is one of them".to_owned(),
        false => format!("Compare \"host\" in the secret with the address of the {noun}. If they are the same"),
    };
    let remediation = Remediation::new(format!(
        "{compared}, the function's VPC cannot resolve it: check the VPC's DNS settings and the private hosted zone. Otherwise store \
         the right host. Then rotate."
    ));
    Advice {
        title: format!("the name of the {noun}'s host does not resolve"),
        explanation: format!(
            "The function could not resolve the host in the secret{}: the name is misspelt, the {noun} was deleted or renamed, \
             or the name is private to another network. No connection was tried.",
            shown.in_step()
        ),
        remediation: shown.put_value(shown.list_hosts(remediation)).rotate(shown.context).link(NETWORK_ACCESS),
    }
}

pub(super) fn port_refused(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let remediation = Remediation::new(format!(
        "Check that the {noun} runs and that \"port\" in the secret is the right one; a security group would not have refused \
         but stayed silent. Start the {noun} or store the right port, and rotate."
    ));
    Advice {
        title: format!("nothing listens on the {noun}'s port"),
        explanation: format!(
            "The connection was refused at once{}: the host was reached, but nothing listens on that port. The {noun} is \
             stopped or restarting, or the host or port in the secret is wrong.",
            shown.in_step()
        ),
        remediation: shown.put_value(shown.list_instances(remediation)).rotate(shown.context).link(NETWORK_ACCESS),
    }
}
