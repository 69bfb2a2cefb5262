//! # The database is not available
//!
//! RDS says that the instance, the cluster or the proxy that the secret is for is stopped, full, or in a state in which it takes no
//! connections: nobody can set a password in it.
//!
//! **Shows as** a status such as `stopped`, `storage-full`, `failed`, `incompatible-parameters` or
//! `inaccessible-encryption-credentials`, and in the log as a connection that does not open or is refused in setSecret.
//!
//! **Is not it** when the status is `available`, or one in which a database goes on working, such as `backing-up` or `modifying`.

use super::db_network_unreachable::{AT_DATABASE, DbSign, sign};
use crate::diagnosis::readings::availability::{Availability, availability};
use crate::diagnosis::readings::by_log::not_said;
use crate::diagnosis::readings::login;
use crate::diagnosis::readings::network::{self, Weight, how};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, DatabaseChoice, DatabaseKind, Proof, Remediation, StepName, TargetDatabase};

const CAUSE: Cause = Cause::DbNotAvailable;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::DATABASE_STATE, change_events::DATABASE],
    specificity: Specificity::Defect,
    hidden_by_login: true,
    evaluate,
};

const STATES: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html";

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(candidate) = network::database(context) else { return not_said(context, &RULE) };
    let database = candidate.database;
    let Some(status) = database.status.as_deref() else { return not_said(context, &RULE) };
    match availability(status) {
        Availability::Works => return Verdict::clear(format!("{} is {status}", database.id)),
        Availability::Passing if context.failing.is_none() => {
            return Verdict::clear(format!("{} is {status}, which passes", database.id));
        }
        Availability::Passing | Availability::Down => {}
    }
    let fact = network::state_proof(format!("{} is {status}", database.id));
    let is_guess = database.found_by == DatabaseChoice::SameEngine;
    let explanation =
        format!("The database {}, {}, has the status {status}: it takes no new password.", database.id, how(database.found_by));
    let logged = match sign(context) {
        DbSign::Line(finding, _) | DbSign::Slow(finding) | DbSign::Hang(finding) => Some(finding.evidence),
        DbSign::None(_) => login::newest(context).map(|seen| seen.proofs(context)),
    };
    let Some(logged) = logged else {
        let mut weight = network::weight(context, CAUSE, AT_DATABASE);
        if is_guess && context.last_success_at.is_some() {
            weight.confidence = Confidence::Possible;
        }
        return weight.put_on(finding(context, explanation, vec![fact], database, status)).into();
    };
    let is_sure = !is_guess && availability(status) == Availability::Down;
    let confidence = if is_sure { Confidence::Confirmed } else { Confidence::Likely };
    let evidence: Vec<Proof> = logged.into_iter().take(1).chain([fact]).chain(context.failed_attempt_proof()).collect();
    let weight = Weight { confidence, severity: crate::model::Severity::Critical, note: "" };
    weight.put_on(finding(context, explanation, evidence, database, status)).into()
}

fn finding(
    context: &DiagnosisContext<'_>,
    explanation: String,
    evidence: Vec<Proof>,
    database: &TargetDatabase,
    status: &str,
) -> crate::model::Finding {
    context.finding(CAUSE, Confidence::Likely, explanation, evidence, fix(context, database, status))
}

/// A quarter more, and 10 GiB at least.
///
/// Source: RDS User Guide, "Increasing DB instance storage capacity": by a tenth at least, and never less again.
fn more_than(gib: u32) -> u32 {
    gib.saturating_add((gib / 4).max(10))
}

fn fix(context: &DiagnosisContext<'_>, database: &TargetDatabase, status: &str) -> Remediation {
    let (noun, option) = match database.kind {
        DatabaseKind::Cluster => ("cluster", "--db-cluster-identifier"),
        DatabaseKind::Instance | DatabaseKind::Proxy | DatabaseKind::Host => ("instance", "--db-instance-identifier"),
    };
    let id = database.id.as_str();
    let available = format!("db-{noun}-available");
    let wait = ["rds", "wait", &available, option, id];
    let asks = if noun == "cluster" { "rds:DescribeDBClusters" } else { "rds:DescribeDBInstances" };
    let fix = match status {
        "stopped" | "stopping" => Remediation::new("Start the database, wait until it is available, and rotate.")
            .call(context, &["rds", &format!("start-db-{noun}"), option, id])
            .needs(if noun == "cluster" { "rds:StartDBCluster" } else { "rds:StartDBInstance" })
            .call(context, &wait)
            .needs(asks),
        "storage-full" => {
            let fix = Remediation::new("Give the database more storage, wait until it is available, and rotate.");
            let (fix, storage) = match database.storage_gib {
                Some(gib) => (fix, more_than(gib).to_string()),
                None => {
                    let (ask, query) = (format!("describe-db-{noun}s"), "DBInstances[].[AllocatedStorage,MaxAllocatedStorage]");
                    let fix = fix.call(context, &["rds", &ask, option, id, "--query", query]).needs("rds:DescribeDBInstances");
                    (fix, "MORE_GIB".to_owned())
                }
            };
            fix.call(
                context,
                &["rds", &format!("modify-db-{noun}"), option, id, "--allocated-storage", &storage, "--apply-immediately"],
            )
            .needs("rds:ModifyDBInstance")
            .call(context, &wait)
            .needs(asks)
            .warn(
                "RDS never takes storage back, and changes it again only after six hours. --apply-immediately also makes the changes that \
                 wait for the maintenance window, some of which restart the database.",
            )
        }
        _ => {
            let kind = format!("db-{noun}");
            Remediation::new("See what RDS says about the status, fix what it names, and rotate once the database is available.")
                .call(
                    context,
                    &["rds", "describe-events", "--source-type", &kind, "--source-identifier", id, "--duration", "20160"],
                )
                .needs("rds:DescribeEvents")
        }
    };
    fix.rotate(context).link(STATES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::network::testing::{database, world};
    use crate::diagnosis::testing::{assert_clear, fail, finding, healthy};
    use crate::model::{Evidence, Observation, RotationStep, Severity};

    const LOGIN: &str = "[ERROR]\t2026-03-10T11:00:00.000Z\tr1\tsetSecret: Unable to log into database with previous, current, \
                         or pending secret of secret arn arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";

    fn in_state(status: &str) -> Evidence {
        let mut evidence = healthy();
        evidence.network = world();
        let state = TargetDatabase { status: Some(status.to_owned()), ..database() };
        evidence.network.databases = Observation::Found(vec![state]);
        evidence
    }

    #[test]
    fn a_stopped_database_and_a_login_that_fails_are_confirmed_and_starting_it_heals() {
        let mut evidence = in_state("stopped");
        fail(&mut evidence, RotationStep::SetSecret, &[LOGIN]);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed), "{root:#?}");
        let commands: Vec<&str> = diagnosis.plan.steps.iter().map(|step| step.command.as_str()).collect();
        assert_eq!(commands.first(), Some(&"aws rds start-db-instance --db-instance-identifier orders --region eu-west-1"));
        assert_eq!(diagnosis.plan.heals, Some(true), "{:#?}", diagnosis.plan);
    }

    #[test]
    fn every_state_that_takes_no_connection_is_told_before_the_next_rotation_and_none_that_does() {
        for status in ["stopped", "storage-full", "incompatible-network", "inaccessible-encryption-credentials", "failed"] {
            let evidence = in_state(status);
            assert_eq!(finding(CAUSE, &evidence).severity, Severity::Info, "{status}");
            assert!(diagnose(&evidence).forecast.blocking().any(|obstacle| obstacle.cause == CAUSE), "{status}");
        }
        for status in ["available", "backing-up", "modifying", "storage-optimization", "maintenance", "rebooting"] {
            assert_clear(CAUSE, &in_state(status));
        }
    }

    #[test]
    fn a_full_database_is_given_a_quarter_more_and_its_storage_is_asked_for_where_it_is_not_known() {
        let full = |gib: Option<u32>| {
            let mut evidence = in_state("storage-full");
            evidence.network.databases.found_mut().unwrap()[0].storage_gib = gib;
            fail(&mut evidence, RotationStep::SetSecret, &[LOGIN]);
            evidence
        };
        let known = diagnose(&full(Some(100))).plan;
        assert!(known.steps[0].command.contains("--allocated-storage 125 --apply-immediately"), "{known:#?}");
        assert_eq!(known.heals, Some(true), "{known:#?}");
        let unknown = finding(CAUSE, &full(None)).remediation.commands;
        assert!(unknown[0].contains("describe-db-instances") && unknown[0].contains("AllocatedStorage"), "{unknown:#?}");
        assert!(unknown[1].contains("MORE_GIB"), "{unknown:#?}");
        assert_eq!((more_than(8), more_than(u32::MAX)), (18, u32::MAX));
    }

    #[test]
    fn of_a_database_that_is_only_guessed_nobody_says_that_it_will_stop_rotation() {
        let mut evidence = in_state("stopped");
        evidence.network.databases.found_mut().unwrap()[0].found_by = DatabaseChoice::SameEngine;
        let found = finding(CAUSE, &evidence);
        assert_eq!(found.confidence, Confidence::Possible);
        assert!(found.explanation.ends_with("it may stop the next one."), "{}", found.explanation);
        let forecast = diagnose(&evidence).forecast;
        assert_eq!(forecast.blocking().count(), 0, "{forecast:?}");
        assert!(forecast.unknown.iter().all(|one| !one.contains("it may stop")), "{forecast:?}");
    }

    #[test]
    fn of_several_that_are_only_guessed_none_is_blamed() {
        let mut evidence = in_state("stopped");
        let guess = |id: &str, status: &str| TargetDatabase {
            id: id.to_owned(),
            status: Some(status.to_owned()),
            found_by: DatabaseChoice::SameEngine,
            ..database()
        };
        evidence.network.databases = Observation::Found(vec![guess("a", "available"), guess("b", "stopped")]);
        assert_clear(CAUSE, &evidence);
    }
}
