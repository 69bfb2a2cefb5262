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

/// What the command line calls a kind of database of RDS.
struct RdsNames {
    describe: &'static str,
    /// The list in what it describes, and the member that identifies one.
    list: &'static str,
    id: &'static str,
    modify: &'static str,
    option: &'static str,
}

const INSTANCE: RdsNames = RdsNames {
    describe: "describe-db-instances",
    list: "DBInstances",
    id: "DBInstanceIdentifier",
    modify: "modify-db-instance",
    option: "--db-instance-identifier",
};

const CLUSTER: RdsNames = RdsNames {
    describe: "describe-db-clusters",
    list: "DBClusters",
    id: "DBClusterIdentifier",
    modify: "modify-db-cluster",
    option: "--db-cluster-identifier",
};

impl RdsNames {
    /// Of the database that owns the secret. RDS names its secrets `rds!db-…` and `rds!cluster-…`.
    fn of(context: &DiagnosisContext<'_>, known: Option<&TargetDatabase>) -> RdsNames {
        let is_cluster = known
            .map_or_else(|| context.secret_name().starts_with("rds!cluster"), |database| database.kind == DatabaseKind::Cluster);
        if is_cluster { CLUSTER } else { INSTANCE }
    }

    /// Which database owns the secret, as a query on what is described.
    fn query(&self, context: &DiagnosisContext<'_>) -> String {
        format!("{}[?MasterUserSecret.SecretArn=='{}'].{}", self.list, context.secret_id(), self.id)
    }
}

/// Adds the owner's own way to start a rotation, and before it the command that tells which database it is.
pub(super) fn rotated_by_owner(fix: Remediation, context: &DiagnosisContext<'_>, owner: &str) -> Remediation {
    let fix = match owner {
        "rds" if owned_database(context).is_none() => {
            let names = RdsNames::of(context, None);
            let look = aws_in(context, &["rds", names.describe, "--query", &names.query(context)]);
            fix.run(look).needs(format!("rds:Describe{}", names.list))
        }
        _ => fix,
    };
    start_rotation(fix, context, owner)
}

/// Adds the owner's own way to start a rotation, and what RDS does with it beside that.
pub(super) fn start_rotation(fix: Remediation, context: &DiagnosisContext<'_>, owner: &str) -> Remediation {
    let fix = fix.run(command_of(context, owner));
    if owner != "rds" {
        return fix;
    }
    fix.warn(
        "RDS takes the option only with --apply-immediately, which also makes the changes that wait for the maintenance window; some of \
         them restart the database.",
    )
}

/// Stands for the database until the command that asks for it takes its place.
const DATABASE: &str = "DATABASE";

/// The owner's own way to start a rotation; where it has none, the command that shows what the owner left in the secret.
///
/// RotateSecret refuses a secret that a service manages.
/// Source: Amazon RDS User Guide, "Password management with Amazon RDS and AWS Secrets Manager".
fn command_of(context: &DiagnosisContext<'_>, owner: &str) -> String {
    if owner != "rds" {
        return aws_in(context, &["secretsmanager", "describe-secret", "--secret-id", context.secret_id()]);
    }
    let known = owned_database(context);
    let names = RdsNames::of(context, known);
    let id = known.map_or(DATABASE, |database| database.id.as_str());
    let rotate =
        aws_in(context, &["rds", names.modify, names.option, id, "--rotate-master-user-password", "--apply-immediately"]);
    if known.is_some() {
        return rotate;
    }
    // Which database it is, only RDS knows: the command asks for it.
    let query = format!("{} | [0]", names.query(context));
    let ask = aws_in(context, &["rds", names.describe, "--query", &query, "--output", "text"]);
    rotate.replacen(DATABASE, &format!("\"$({ask})\""), 1)
}
