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

/// The owner's own way to start a rotation; where it has none, the command that shows what the owner left in the secret.
///
/// RotateSecret refuses a secret that a service manages. RDS names its secrets `rds!db-…` and `rds!cluster-…`.
/// Source: Amazon RDS User Guide, "Password management with Amazon RDS and AWS Secrets Manager".
pub(super) fn command_of(context: &DiagnosisContext<'_>, owner: &str) -> String {
    let known = owned_database(context);
    let is_cluster =
        known.map_or_else(|| context.secret_name().starts_with("rds!cluster"), |database| database.kind == DatabaseKind::Cluster);
    let name = known.map(|database| database.id.as_str());
    let (command, identifier, placeholder) = if is_cluster {
        ("modify-db-cluster", "--db-cluster-identifier", "DB_CLUSTER")
    } else {
        ("modify-db-instance", "--db-instance-identifier", "DB_INSTANCE")
    };
    match owner {
        "rds" => aws_in(
            context,
            &["rds", command, identifier, name.unwrap_or(placeholder), "--rotate-master-user-password", "--apply-immediately"],
        ),
        _ => aws_in(context, &["secretsmanager", "describe-secret", "--secret-id", context.secret_id()]),
    }
}
