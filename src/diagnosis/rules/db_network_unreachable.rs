//! # The function cannot reach the database over the network
//!
//! The function cannot open a connection to the database: because of a security group, a network ACL, a route, a peering
//! connection, DNS, a stopped database, or a wrong port.
//!
//! **Shows as** `timed out`, `could not translate host name`, `Connection refused`, MySQL's 2003, ORA-12170; or
//! `Unable to log into database` in an invocation of more than 5 seconds, which is how long a template waits for a
//! connection; or a timeout in setSecret or testSecret.
//!
//! **Is not it** when the same invocation established a connection. A login that fails within 2 seconds proves nothing: a
//! closed port and an unknown name fail as quickly.

use crate::diagnosis::network::{HopPlace, HopStanding, NetworkPaths, Reachability};
use crate::diagnosis::network_remedy::Towards;
use crate::diagnosis::readings::availability::is_serving;
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::hang::Hang;
use crate::diagnosis::readings::login::{self, Answer};
use crate::diagnosis::readings::network::{self, JudgedDatabase, MENDED};
use crate::diagnosis::readings::port::port_in;
use crate::diagnosis::remedy::{NETWORK_ACCESS, TROUBLESHOOTING, aws_in};
use crate::diagnosis::signatures::Reached;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::lambda_log::Record;
use crate::model::{Cause, Confidence, DatabaseChoice, Finding, Proof, Remediation, RotationStep, StepName, TargetDatabase};
use serde_json::Value;

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbNetworkUnreachable,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[
        change_events::SECURITY_GROUPS,
        change_events::NAT_GATEWAYS,
        change_events::FUNCTION_VPC,
        change_events::DATABASE,
        change_events::ROUTES,
        change_events::SECRET_VALUE,
    ],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

/// The steps that use the database.
pub(super) const AT_DATABASE: &[RotationStep] = &[RotationStep::SetSecret, RotationStep::TestSecret];

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let candidates = network::databases(context);
    match sign(context) {
        DbSign::Line(finding, text) => by_network(context, *finding, &candidates, Some(&text)),
        DbSign::Slow(finding) => by_network(context, *finding, &candidates, None),
        DbSign::Hang(finding) => {
            let reached = !candidates.is_empty() && candidates.iter().all(|one| one.reach() == Reachability::Reachable);
            match reached && context.suspects(RULE.cause).is_empty() {
                true => Verdict::clear(reached_words(&candidates)),
                false => by_network(context, with_doubt(context, *finding, &candidates), &candidates, None),
            }
        }
        DbSign::None(verdict) => by_network_alone(context, verdict, &candidates),
    }
}

/// What failing invocations say about a database that was not reached.
pub(super) enum DbSign {
    /// A driver's line says so.
    Line(Box<Finding>, String),
    /// A login took as long as only a connection takes that does not open.
    Slow(Box<Finding>),
    /// The function hung where it talks to the database.
    Hang(Box<Finding>),
    None(Verdict),
}

/// What the log says.
pub(super) fn sign(context: &DiagnosisContext<'_>) -> DbSign {
    let noun = context.behind().noun;
    if let Some(seen) = context.seen(RULE.cause) {
        let explanation = match seen.read.classification.reached {
            Reached::Closing => format!(
                "The connection to the {noun} broke off{}, while it was opened or later. A network that cuts it, a server that \
                 restarts, and a side that expects TLS where the other speaks none all end it like that.",
                seen.in_step()
            ),
            _ => format!("The function could not open a connection to the {noun}{}.", seen.in_step()),
        };
        let finding = said(context, RULE.cause, &seen, explanation, remediation(context));
        return DbSign::Line(Box::new(finding), Record::read(&seen.read.event.text).text.to_string());
    }
    if let Some(seen) = login::newest(context) {
        return match (login::answer(seen.failure), login::seconds(seen.failure)) {
            (Answer::None, Some(took)) => {
                let explanation = format!(
                    "The function could not log in to the {noun}{}, and the attempt took {took}. A refusal by the {noun} \
                     comes sooner; a connection that does not open is given up after 5 s.",
                    seen.in_step()
                );
                let mut finding = said(context, RULE.cause, &seen, explanation, remediation(context));
                finding.confidence = finding.confidence.min(Confidence::Likely);
                DbSign::Slow(Box::new(finding))
            }
            (Answer::Connected, _) => {
                DbSign::None(Verdict::clear(format!("a connection to the {noun} had been established before the login failed")))
            }
            _ => DbSign::None(Verdict::unknown(format!(
                "whether the {noun} was reached: the function does not log the answer to its login"
            ))),
        };
    }
    let Some(hang) = Hang::newest(context) else { return DbSign::None(not_said(context, &RULE)) };
    let Some(confidence) = hang.at_database() else {
        return DbSign::None(Verdict::clear(if hang.database_answered() {
            format!("a connection to the {noun} had been established before the function hung")
        } else {
            format!("the function hung{}, which does not use the {noun}", hang.in_step())
        }));
    };
    let explanation = match confidence {
        Confidence::Possible => format!("The function hung{} until its timeout.", hang.in_step()),
        _ => format!(
            "Secrets Manager answered, and then the function hung{} until its timeout, in the step where it talks to the {noun}.",
            hang.in_step()
        ),
    };
    DbSign::Hang(Box::new(context.finding(RULE.cause, confidence, explanation, hang.proofs(), remediation(context))))
}

/// True where the line says that nothing answered; a refusal or an unknown name is no work of a filter.
fn is_silence(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["timed out", "timeout", "time out", "timedout", "(110)", "(10060)", "ora-12170", "no route to host", "unreachable"]
        .iter()
        .any(|word| lower.contains(word))
}

/// The database to blame: the first that is blocked, where no likelier one is reached.
fn blamed<'c, 'a>(candidates: &'c [JudgedDatabase<'a>]) -> Option<&'c JudgedDatabase<'a>> {
    let is_named = candidates.first()?.database.found_by != DatabaseChoice::SameEngine;
    let considered = if is_named { candidates.get(..1)? } else { candidates };
    considered.iter().find(|one| one.reach() == Reachability::Blocked)
}

/// A hang of which nothing tells that the function waited for the database: said, unless the way there is closed.
fn with_doubt(context: &DiagnosisContext<'_>, mut finding: Finding, candidates: &[JudgedDatabase<'_>]) -> Finding {
    if finding.confidence == Confidence::Possible && blamed(candidates).is_none() {
        let noun = context.behind().noun;
        finding.explanation.push_str(&format!(" It may have been waiting for the {noun}; its log lines do not say."));
    }
    finding
}

/// What the log says, beside what the network does now.
fn by_network(
    context: &DiagnosisContext<'_>,
    mut finding: Finding,
    candidates: &[JudgedDatabase<'_>],
    line: Option<&str>,
) -> Verdict {
    if let Some(text) = line {
        if let Some((asked, database)) = wrong_port(text, candidates) {
            return at_wrong_port(context, finding, asked, database).into();
        }
        if !is_silence(text) {
            return finding.into();
        }
    }
    if let Some(candidate) = blamed(candidates)
        && let Some(paths) = &candidate.paths
    {
        let is_alone = candidates.len() == 1 && network::is_named_alike(context, candidate.database);
        let guessed = candidate.database.found_by == DatabaseChoice::SameEngine && !is_alone;
        finding.confidence = match (finding.confidence, guessed) {
            (Confidence::Possible, _) | (_, true) => Confidence::Likely,
            (_, false) => Confidence::Confirmed,
        };
        let because = network::because(paths).unwrap_or_default();
        finding.explanation.push_str(&format!(" On the way to {}, the network stops it{because}.", candidate.named()));
        let at = finding.evidence.len().min(1);
        finding.evidence.splice(at..at, network::proofs(paths));
        finding.remediation = mending(context, candidate.database, paths);
        return finding.into();
    }
    let is_open = |one: &JudgedDatabase<'_>| one.reach() == Reachability::Reachable && is_serving(one.database);
    if !candidates.is_empty() && candidates.iter().all(is_open) {
        finding.confidence = finding.confidence.min(Confidence::Likely);
        finding.explanation.push_str(MENDED);
    }
    finding.into()
}

fn reached_words(candidates: &[JudgedDatabase<'_>]) -> String {
    let names: Vec<&str> = candidates.iter().map(|one| one.database.id.as_str()).collect();
    format!("every hop between the function and {} lets it through", names.join(", "))
}

/// The network alone: a fault that no line shows.
fn by_network_alone(context: &DiagnosisContext<'_>, verdict: Verdict, candidates: &[JudgedDatabase<'_>]) -> Verdict {
    let Some(first) = candidates.first() else { return verdict };
    let is_unanswered = matches!(verdict, Verdict::Unknown { .. }) && !context.failures.is_empty();
    if is_unanswered && candidates.iter().all(|one| one.reach() == Reachability::Reachable) {
        return Verdict::clear(reached_words(candidates));
    }
    // That a connection stood outweighs what is configured now.
    let stood = login::newest(context).is_some_and(|seen| login::answer(seen.failure) == Answer::Connected)
        || Hang::newest(context).is_some_and(|hang| hang.database_answered());
    let all_blocked = candidates.iter().all(|one| one.reach() == Reachability::Blocked);
    let is_named = first.database.found_by != DatabaseChoice::SameEngine || candidates.len() == 1;
    let is_blocked = first.reach() == Reachability::Blocked;
    let Some(paths) = first.paths.as_ref().filter(|_| is_blocked && !stood && (all_blocked || is_named)) else {
        return verdict;
    };
    let because = network::because(paths).unwrap_or_default();
    let name = context.function_name().unwrap_or("the function");
    let explanation = format!("{name} cannot reach {}{because}.", first.named());
    let evidence: Vec<Proof> = network::proofs(paths).chain(context.failed_attempt_proof()).collect();
    let fix = mending(context, first.database, paths);
    let finding = context.finding(RULE.cause, Confidence::Likely, explanation, evidence, fix);
    let mut weight = network::weight(context, RULE.cause, AT_DATABASE).where_some_pass(paths);
    // That it is this database at all is a guess.
    if first.database.found_by == DatabaseChoice::SameEngine && context.last_success_at.is_some() {
        weight.confidence = Confidence::Possible;
    }
    weight.put_on(finding).into()
}

/// The commands that mend the ways, and a rotation.
fn mending(context: &DiagnosisContext<'_>, database: &TargetDatabase, paths: &NetworkPaths) -> Remediation {
    let mut fix = Remediation::open_ways(context, paths, Towards::Database(database));
    // The rule that was taken away comes back as it was.
    if let Some(words) = restored_rule(context, database) {
        let restored = aws_in(context, &words.iter().map(String::as_str).collect::<Vec<_>>());
        fix.commands.retain(|command| !command.contains(" authorize-security-group-ingress "));
        fix.commands.insert(0, restored);
    }
    fix.rotate(context).link(NETWORK_ACCESS).link(TROUBLESHOOTING)
}

/// The rule of the database's own group that was taken away, where it let in a range.
fn restored_rule(context: &DiagnosisContext<'_>, database: &TargetDatabase) -> Option<Vec<String>> {
    let rule = revoked_rule(context).filter(|rule| database.security_group_ids.contains(&rule.group))?;
    let port = rule.port.filter(|port| database.port.is_some_and(|own| own.to_string() == *port))?;
    let words = ["ec2", "authorize-security-group-ingress", "--group-id", &rule.group, "--protocol", "tcp", "--port", &port];
    let range = rule.range?;
    Some(words.into_iter().chain(["--cidr", range.as_str()]).map(str::to_owned).collect())
}

/// The port that the line names, where the database listens on another.
fn wrong_port<'a>(text: &str, candidates: &[JudgedDatabase<'a>]) -> Option<(u16, &'a TargetDatabase)> {
    let database = candidates.first()?.database;
    let named = database.host.as_deref().is_some_and(|host| text.contains(host));
    let sure = named || database.found_by < DatabaseChoice::Logged;
    let asked = port_in(text).and_then(|port| u16::try_from(port).ok())?;
    (sure && database.port.is_some_and(|port| port != asked)).then_some((asked, database))
}

fn at_wrong_port(context: &DiagnosisContext<'_>, mut finding: Finding, asked: u16, database: &TargetDatabase) -> Finding {
    let port = database.port.unwrap_or_default();
    finding.confidence = Confidence::Confirmed;
    finding.explanation = format!("The function connects to port {asked}, and {} listens on port {port}.", database.id);
    let fact = network::state_proof(format!("{} listens on port {port}", database.id));
    finding.evidence.insert(finding.evidence.len().min(1), fact);
    finding.remediation = Remediation::new(format!("Set \"port\" in the secret's value to {port}, and rotate."))
        .put_value(context)
        .rotate(context)
        .link(TROUBLESHOOTING);
    finding
}

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    let vpc = context.function().and_then(|function| function.vpc.as_ref());
    let is_outside = vpc.is_none() && context.function().is_some();
    let known = network::database(context).filter(|one| one.database.status.is_some());
    let links = |fix: Remediation| fix.rotate_after_others(context).link(NETWORK_ACCESS).link(TROUBLESHOOTING);
    if let Some(reached) = known.as_ref().filter(|one| one.reach() == Reachability::Reachable) {
        let summary = format!(
            "The network lets the function through to {} now. Check that \"host\" and \"port\" in the secret's value are its own, and \
             rotate.",
            reached.database.id
        );
        let is_refused = context.seen(RULE.cause).is_some_and(|seen| !is_silence(&Record::read(&seen.read.event.text).text));
        let fix = Remediation::new(summary);
        return links(if is_refused { fix.put_value(context) } else { fix.rotate(context) });
    }
    let noun = context.behind().noun;
    let summary = if is_outside {
        format!(
            "The function is in no VPC, so it cannot reach a private {noun}: put the function into the {noun}'s VPC. For a public \
             {noun}, check that it runs, and check host and port in the secret."
        )
    } else {
        format!(
            "Check that the {noun} runs and that the secret has its host and port. Then let the function's security group into the \
             {noun}'s, check the routes and network ACLs between their subnets, and rotate."
        )
    };
    let fix = Remediation::new(summary);
    // Without a VPC the function belongs to no group that could be let in: what is left to correct here is the value.
    if is_outside {
        return links(fix.ask_rds_for(context, LISTENING).put_value(context));
    }
    let is_let_in = known.as_ref().and_then(|one| one.paths.as_ref()?.worst()).is_some_and(|path| {
        path.hops.iter().any(|hop| hop.place == HopPlace::Ingress && matches!(hop.standing, HopStanding::Passes(_)))
    });
    match is_let_in {
        true => links(fix.rotate(context)),
        false => links(open_door(fix, context, known.as_ref().map(|one| one.database))),
    }
}

/// The rule that lets the function in: of the database where it is known, else of what the log and the changes tell.
fn open_door(fix: Remediation, context: &DiagnosisContext<'_>, known: Option<&TargetDatabase>) -> Remediation {
    let vpc = context.function().and_then(|function| function.vpc.as_ref());
    let revoked = revoked_rule(context);
    let named = context.seen(RULE.cause).and_then(|seen| port_in(&seen.read.event.text)).map(|port| port.to_string());
    let port = revoked
        .as_ref()
        .and_then(|rule| rule.port.clone())
        .or_else(|| known.and_then(|database| database.port).map(|port| port.to_string()))
        .or(named)
        .unwrap_or_else(|| "DATABASE_PORT".to_owned());
    let group = revoked
        .as_ref()
        .map(|rule| rule.group.as_str())
        .or_else(|| known.and_then(|database| database.security_group_ids.first()).map(String::as_str))
        .unwrap_or("DATABASE_SECURITY_GROUP");
    let mut fix = fix;
    if group == "DATABASE_SECURITY_GROUP" || port == "DATABASE_PORT" {
        // What else could fill these in, nobody knows here.
        if !context.behind().is_database() {
            return fix;
        }
        fix = fix.ask_rds_for(context, LISTENING);
    }
    let mut open = vec!["ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", &port];
    let own = vpc.and_then(|vpc| vpc.security_group_ids.first());
    match (revoked.as_ref().and_then(|rule| rule.range.as_deref()), own) {
        (Some(range), _) => open.extend(["--cidr", range]),
        (None, Some(own)) => open.extend(["--source-group", own]),
        (None, None) => {
            let name = context.function_name().unwrap_or("FUNCTION_NAME");
            let look = ["lambda", "get-function-configuration", "--function-name", name, "--query", "VpcConfig"];
            fix = fix.run(aws_in(context, &look)).needs("lambda:GetFunctionConfiguration");
            open.extend(["--source-group", "FUNCTION_SECURITY_GROUP"]);
        }
    }
    fix.run(aws_in(context, &open)).needs("ec2:AuthorizeSecurityGroupIngress")
}

/// Where the databases listen, and which groups they carry.
const LISTENING: &str =
    "DBInstances[].[DBInstanceIdentifier,Endpoint.Address,Endpoint.Port,VpcSecurityGroups[].VpcSecurityGroupId]";

/// An ingress rule that was taken away.
struct RevokedRule {
    group: String,
    port: Option<String>,
    /// The addresses it let in, where it named addresses.
    range: Option<String>,
}

/// The last ingress rule that was taken away before the failures began, and may have let the function in.
fn revoked_rule(context: &DiagnosisContext<'_>) -> Option<RevokedRule> {
    let suspects = context.suspects(RULE.cause);
    let (change, _) = suspects.iter().rev().find(|(change, _)| change.event == "RevokeSecurityGroupIngress")?;
    let parameters = &change.parameters;
    // CloudTrail writes the rule flat or as a list, by how the call was made.
    let port = find(parameters, "fromPort").and_then(Value::as_u64);
    let range = ["cidrIp", "cidrIpv4"].iter().find_map(|name| find(parameters, name)?.as_str());
    Some(RevokedRule {
        group: parameters.get("groupId")?.as_str()?.to_owned(),
        port: port.map(|port| port.to_string()),
        range: range.map(str::to_owned),
    })
}

/// The first value under `key` at any depth.
fn find<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(fields) => fields.get(key).or_else(|| fields.values().find_map(|field| find(field, key))),
        Value::Array(items) => items.iter().find_map(|item| find(item, key)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::network::testing::{database, world};
    use crate::diagnosis::testing::{
        assert_clear, assert_unknown, change, deny, facts, fail, finding, hang_in, healthy, hours_ago,
    };
    use crate::model::{Concern, Evidence, Network, Observation, RotationStep, StepName};
    use jiff::SignedDuration;
    use serde_json::json;

    const LOGIN: &str = "[ERROR]\t2026-03-10T11:00:00.000Z\tr1\tsetSecret: Unable to log into database with previous, current, \
                         or pending secret of secret arn arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";

    fn login_failed(duration_ms: f64) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[LOGIN]);
        facts(&mut evidence.logs).invocations.last_mut().unwrap().duration_ms = Some(duration_ms);
        evidence
    }

    #[test]
    fn a_login_that_took_longer_than_a_connection_may_is_likely_the_network() {
        let found = finding(RULE.cause, &login_failed(10_300.0));
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.explanation.contains("took 10.3 s"), "{}", found.explanation);
        assert_clear(Cause::DbAuthFailed, &login_failed(10_300.0));
    }

    #[test]
    fn a_login_that_fails_sooner_leaves_it_open() {
        for duration_ms in [120.0, 800.0, 3_500.0] {
            assert_unknown(RULE.cause, &login_failed(duration_ms), "whether the database was reached");
        }
    }

    #[test]
    fn a_driver_that_says_so_with_the_rotation_event_is_confirmed() {
        let mut evidence = healthy();
        let line = "psycopg2.OperationalError: could not translate host name \"db.example.internal\" to address: Unknown host";
        fail(&mut evidence, RotationStep::SetSecret, &[line]);
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Confirmed);
    }

    #[test]
    fn a_timeout_in_set_secret_is_likely_the_database() {
        let mut evidence = healthy();
        hang_in(&mut evidence, RotationStep::SetSecret, &[]);
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Likely);
        facts(&mut evidence.function).timeout_s = Some(3);
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Possible);
    }

    #[test]
    fn the_rule_that_was_revoked_before_the_failure_is_the_one_to_restore() {
        let mut evidence = healthy();
        hang_in(&mut evidence, RotationStep::SetSecret, &[]);
        facts(&mut evidence.function).timeout_s = Some(3);
        facts(&mut evidence.changes).changes.push(crate::model::Change {
            parameters: json!({"groupId": "sg-0db", "ipPermissions": {"items": [{"fromPort": 5432}]}}),
            ..change(hours_ago(1) - SignedDuration::from_mins(5), "RevokeSecurityGroupIngress", Concern::Network)
        });
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert_eq!(
            found.remediation.commands.first().map(String::as_str),
            Some(
                "aws ec2 authorize-security-group-ingress --group-id sg-0db --protocol tcp --port 5432 --source-group \
                 sg-0a1b2c3d --region eu-west-1"
            )
        );
        assert_clear(Cause::LambdaTimeoutTooShort, &evidence);
        let rule = json!({"fromPort": 5432, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/16"}]}});
        facts(&mut evidence.changes).changes[0].parameters = json!({"groupId": "sg-0db", "ipPermissions": {"items": [rule]}});
        let commands = finding(RULE.cause, &evidence).remediation.commands;
        assert!(commands[0].contains("--group-id sg-0db --protocol tcp --port 5432 --cidr 10.0.0.0/16 "), "{commands:?}");
    }

    fn closed() -> Network {
        let mut network = world();
        network.security_groups.found_mut().unwrap()[1].ingress.clear();
        network
    }

    #[test]
    fn a_hang_and_a_group_that_lets_nobody_in_agree_and_the_rule_with_its_real_ids_heals() {
        let mut evidence = healthy();
        evidence.network = closed();
        hang_in(&mut evidence, RotationStep::SetSecret, &[]);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (RULE.cause, Confidence::Confirmed));
        assert!(
            root.explanation.contains("no inbound rule of sg-0db lets TCP port 5432 in from sg-0a1b2c3d"),
            "{}",
            root.explanation
        );
        let first = diagnosis.plan.steps.first().unwrap();
        assert_eq!(
            first.command,
            "aws ec2 authorize-security-group-ingress --group-id sg-0db --protocol tcp --port 5432 --source-group sg-0a1b2c3d \
             --region eu-west-1"
        );
        assert!(first.undo.as_deref().is_some_and(|undo| undo.starts_with("aws ec2 revoke-security-group-ingress")));
        assert_eq!(first.needs, ["ec2:AuthorizeSecurityGroupIngress"]);
        assert_eq!(diagnosis.plan.heals, Some(true), "{:#?}", diagnosis.plan);
    }

    #[test]
    fn a_way_that_stands_clears_what_was_only_inferred_and_weakens_what_a_line_says() {
        let mut evidence = healthy();
        evidence.network = world();
        hang_in(&mut evidence, RotationStep::SetSecret, &[]);
        assert_clear(RULE.cause, &evidence);
        let mut quick = login_failed(120.0);
        quick.network = world();
        assert_clear(RULE.cause, &quick);
        let mut slow = login_failed(10_300.0);
        slow.network = world();
        assert!(finding(RULE.cause, &slow).explanation.ends_with("it may have been fixed since."));
    }

    #[test]
    fn a_port_that_is_not_the_databases_is_the_secrets_fault_and_no_groups() {
        let mut evidence = healthy();
        evidence.network = closed();
        let line = "psycopg2.OperationalError: connection to server at \"orders.abcdefghijkl.eu-west-1.rds.amazonaws.com\" (10.0.2.5), \
                    port 5433 failed: Connection timed out";
        fail(&mut evidence, RotationStep::SetSecret, &[line]);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.explanation, "The function connects to port 5433, and orders listens on port 5432.");
        assert!(found.remediation.commands.iter().any(|command| command.contains("put-secret-value")));
        assert!(!found.remediation.commands.iter().any(|command| command.contains("authorize")));
    }

    #[test]
    fn a_refusal_is_not_laid_on_a_filter() {
        let mut evidence = healthy();
        evidence.network = closed();
        let line = "psycopg2.OperationalError: could not translate host name \"db.example.internal\" to address: Unknown host";
        fail(&mut evidence, RotationStep::SetSecret, &[line]);
        assert!(!finding(RULE.cause, &evidence).explanation.contains("sg-0db"));
    }

    #[test]
    fn of_guessed_databases_the_blocked_one_is_named_as_a_guess_and_a_reached_one_beside_it_blames_nobody_by_itself() {
        let guess = |id: &str, group: &str| TargetDatabase {
            id: id.to_owned(),
            security_group_ids: vec![group.to_owned()],
            found_by: DatabaseChoice::SameEngine,
            ..database()
        };
        let mut evidence = healthy();
        evidence.network = world();
        evidence.network.databases = Observation::Found(vec![guess("a", "sg-0db"), guess("b", "sg-0vpce")]);
        assert_clear(RULE.cause, &evidence);
        hang_in(&mut evidence, RotationStep::SetSecret, &[]);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.explanation.contains("On the way to b, which is a guess"), "{}", found.explanation);
    }

    #[test]
    fn the_only_database_of_the_vpc_is_no_more_than_likely_where_its_name_says_nothing() {
        let only = |id: &str| {
            let mut evidence = healthy();
            evidence.network = closed();
            let guess = TargetDatabase { id: id.to_owned(), found_by: DatabaseChoice::SameEngine, ..database() };
            evidence.network.databases = Observation::Found(vec![guess]);
            hang_in(&mut evidence, RotationStep::SetSecret, &[]);
            finding(RULE.cause, &evidence).confidence
        };
        assert_eq!(only("orders-primary"), Confidence::Confirmed);
        assert_eq!(only("wiki-db"), Confidence::Likely);
        assert_eq!(only("prod-postgres"), Confidence::Likely, "words of every other name tell nothing");
    }

    #[test]
    fn the_fix_has_what_the_evidence_tells_and_asks_for_the_rest_first() {
        let refused = |line: &str, network: Option<Network>| {
            let mut evidence = healthy();
            evidence.network = network.unwrap_or(evidence.network);
            fail(&mut evidence, RotationStep::SetSecret, &[line]);
            finding(RULE.cause, &evidence).remediation.commands
        };
        let line = "psycopg2.OperationalError: connection to server at \"db.example.internal\" (10.0.4.7), port 5433 failed: \
                    Connection timed out";
        let commands = refused(line, None);
        assert!(commands[0].contains("rds describe-db-instances --query"), "{commands:#?}");
        assert!(commands[1].contains("--group-id DATABASE_SECURITY_GROUP --protocol tcp --port 5433 --source-group sg-0a1b2c3d"));
        // The rule is there already, so that it is not asked for again.
        let reached = refused("OperationalError: (2003, \"Can't connect to MySQL server on 'x' (111)\")", Some(world()));
        assert!(!reached.iter().any(|command| command.contains("authorize")), "{reached:#?}");
    }

    #[test]
    fn a_way_that_is_blocked_is_foretold_while_rotation_still_works() {
        let mut evidence = healthy();
        evidence.network = closed();
        let diagnosis = diagnose(&evidence);
        assert!(diagnosis.forecast.blocking().any(|obstacle| obstacle.cause == RULE.cause), "{:#?}", diagnosis.forecast);
        assert_eq!(diagnosis.plan.heals, Some(true), "{:#?}", diagnosis.plan);
        evidence.network = world();
        assert_eq!(diagnose(&evidence).forecast.obstacles, []);
    }

    #[test]
    fn without_the_log_it_cannot_be_told() {
        let mut evidence = login_failed(10_300.0);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(RULE.cause, &evidence, "logs:FilterLogEvents");
        assert_clear(RULE.cause, &healthy());
    }
}
