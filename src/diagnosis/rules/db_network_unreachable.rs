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

use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::hang::Hang;
use crate::diagnosis::readings::login::{self, Answer};
use crate::diagnosis::remedy::{NETWORK_ACCESS, TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, StepName};
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

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(seen) = context.seen(RULE.cause) {
        let explanation = format!("The function could not open a connection to the database{}.", seen.in_step());
        return said(context, RULE.cause, &seen, explanation, remediation(context)).into();
    }
    if let Some(seen) = login::newest(context) {
        return match (login::answer(seen.failure), login::seconds(seen.failure)) {
            (Answer::None, Some(took)) => {
                let explanation = format!(
                    "The function could not log in to the database{}, and the attempt took {took}. A refusal by the database \
                     comes sooner; a connection that does not open is given up after 5 s.",
                    seen.in_step()
                );
                let mut finding = said(context, RULE.cause, &seen, explanation, remediation(context));
                finding.confidence = finding.confidence.min(Confidence::Likely);
                finding.into()
            }
            (Answer::Connected, _) => Verdict::clear("a connection to the database had been established before the login failed"),
            _ => Verdict::unknown("whether the database was reached: the function does not log the answer to its login"),
        };
    }
    let Some(hang) = Hang::newest(context) else { return not_said(context, &RULE) };
    let Some(confidence) = hang.at_database() else {
        return Verdict::clear(if hang.database_answered() {
            "a connection to the database had been established before the function hung".to_owned()
        } else {
            format!("the function hung{}, which does not use the database", hang.in_step())
        });
    };
    let explanation = match confidence {
        Confidence::Possible => format!(
            "The function hung{} until its timeout. It may have been waiting for the database; its log lines do not say.",
            hang.in_step()
        ),
        _ => format!(
            "Secrets Manager answered, and then the function hung{} until its timeout, in the step where it talks to the \
             database.",
            hang.in_step()
        ),
    };
    context.finding(RULE.cause, confidence, explanation, hang.proofs(), remediation(context)).into()
}

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    let vpc = context.function().and_then(|function| function.vpc.as_ref());
    let from = vpc.and_then(|vpc| vpc.security_group_ids.first()).map_or("FUNCTION_SECURITY_GROUP", String::as_str);
    let revoked = revoked_rule(context);
    let (group, port) = match &revoked {
        Some(rule) => (rule.group.as_str(), rule.port.as_deref().unwrap_or("DATABASE_PORT")),
        None => ("DATABASE_SECURITY_GROUP", "DATABASE_PORT"),
    };
    let mut open = vec!["ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", port];
    match revoked.as_ref().and_then(|rule| rule.range.as_deref()) {
        Some(range) => open.extend(["--cidr", range]),
        None => open.extend(["--source-group", from]),
    }
    let summary = if vpc.is_none() && context.function().is_some() {
        "The function is in no VPC, so it cannot reach a private database: put the function into the database's VPC. For a \
         public database, check that it runs, and check host and port in the secret."
    } else {
        "Check that the database runs and that the secret has its host and port. Then let the function's security group into the \
         database's, check the routes and network ACLs between their subnets, and rotate."
    };
    let look = "DBInstances[].[DBInstanceIdentifier,Endpoint.Address,Endpoint.Port,VpcSecurityGroups[].VpcSecurityGroupId]";
    let mut fix = Remediation::new(summary);
    if open.contains(&"DATABASE_SECURITY_GROUP") || open.contains(&"DATABASE_PORT") {
        fix = fix.run(aws_in(context, &["rds", "describe-db-instances", "--query", look])).needs("rds:DescribeDBInstances");
    }
    // Without a VPC the function belongs to no group that could be let in: what is left to correct here is the value.
    fix = match vpc.is_none() && context.function().is_some() {
        true => fix.put_value(context),
        false => fix.run(aws_in(context, &open)).needs("ec2:AuthorizeSecurityGroupIngress"),
    };
    fix.rotate(context).link(NETWORK_ACCESS).link(TROUBLESHOOTING)
}

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
    use crate::diagnosis::testing::{
        assert_clear, assert_unknown, change, deny, facts, fail, finding, hang_in, healthy, hours_ago,
    };
    use crate::model::{Concern, Evidence, RotationStep, StepName};
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

    #[test]
    fn without_the_log_it_cannot_be_told() {
        let mut evidence = login_failed(10_300.0);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(RULE.cause, &evidence, "logs:FilterLogEvents");
        assert_clear(RULE.cause, &healthy());
    }
}
