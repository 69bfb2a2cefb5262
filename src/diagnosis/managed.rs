//! Secrets that another AWS service owns and rotates.

use super::context::DiagnosisContext;
use super::remedy::aws_in;
use crate::model::{DatabaseKind, Remediation, TargetDatabase};

/// The service that owns the secret and rotates it without a function, such as `rds`.
pub(super) fn owner<'a>(context: &DiagnosisContext<'a>) -> Option<&'a str> {
    let config = context.config()?;
    let managed = config.enabled == Some(true) && config.function_arn.is_none();
    context.secret()?.owning_service.as_deref().filter(|_| managed)
}

/// The owning service as AWS writes it, for people.
pub(super) fn name_of(owner: &str) -> &str {
    match owner {
        "rds" => "RDS",
        "redshift" => "Redshift",
        "docdb" => "DocumentDB",
        other => other,
    }
}

/// The database whose master user's secret this is, where RDS was asked.
pub(super) fn owned_database<'a>(context: &DiagnosisContext<'a>) -> Option<&'a TargetDatabase> {
    let arn = context.secret()?.arn.arn().as_str();
    let is_its = |one: &&TargetDatabase| one.master_secret.as_ref().is_some_and(|secret| secret.arn == arn);
    context.evidence.network.databases.found()?.iter().find(is_its)
}

/// Adds the owner's own way to start a rotation, and before it the command that tells which database it is.
pub(super) fn rotated_by_owner(fix: Remediation, context: &DiagnosisContext<'_>, owner: &str) -> Remediation {
    let is_cluster = context.secret_name().starts_with("rds!cluster");
    let (look, list, id) = match is_cluster {
        true => ("describe-db-clusters", "DBClusters", "DBClusterIdentifier"),
        false => ("describe-db-instances", "DBInstances", "DBInstanceIdentifier"),
    };
    let query = format!("{list}[?MasterUserSecret.SecretArn=='{}'].{id}", context.secret_id());
    let fix = match owner {
        "rds" if owned_database(context).is_none() => {
            fix.run(aws_in(context, &["rds", look, "--query", &query])).needs(format!("rds:Describe{list}"))
        }
        _ => fix,
    };
    fix.run(command_of(context, owner))
}

/// Stands for the database until the command that asks for it takes its place.
const DATABASE: &str = "DATABASE";

/// The owner's own way to start a rotation; where it has none, the command that shows what the owner left in the secret.
///
/// RotateSecret refuses a secret that a service manages. RDS names its secrets `rds!db-…` and `rds!cluster-…`.
/// Source: Amazon RDS User Guide, "Password management with Amazon RDS and AWS Secrets Manager".
pub(super) fn command_of(context: &DiagnosisContext<'_>, owner: &str) -> String {
    let known = owned_database(context);
    let is_cluster =
        known.map_or_else(|| context.secret_name().starts_with("rds!cluster"), |database| database.kind == DatabaseKind::Cluster);
    let (command, identifier, look, list) = if is_cluster {
        ("modify-db-cluster", "--db-cluster-identifier", "describe-db-clusters", "DBClusters")
    } else {
        ("modify-db-instance", "--db-instance-identifier", "describe-db-instances", "DBInstances")
    };
    // Which database it is, only RDS knows: the command asks for it.
    let id = if list == "DBClusters" { "DBClusterIdentifier" } else { "DBInstanceIdentifier" };
    let query = format!("{list}[?MasterUserSecret.SecretArn=='{}'].{id} | [0]", context.secret_id());
    let ask = format!("\"$({})\"", aws_in(context, &["rds", look, "--query", &query, "--output", "text"]));
    match owner {
        "rds" => {
            let id = known.map_or(DATABASE, |database| database.id.as_str());
            let words = ["rds", command, identifier, id, "--rotate-master-user-password", "--apply-immediately"];
            aws_in(context, &words).replacen(DATABASE, &ask, usize::from(known.is_none()))
        }
        _ => aws_in(context, &["secretsmanager", "describe-secret", "--secret-id", context.secret_id()]),
    }
}
