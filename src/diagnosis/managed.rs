//! Secrets that another AWS service owns and rotates.

use super::context::DiagnosisContext;
use super::remedy::aws_in;
use crate::model::{DatabaseKind, Observation, Remediation, TargetDatabase};

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

/// What is said where RDS was asked, and knows no database whose master user's secret this is; `None` elsewhere.
pub(super) fn without_database(context: &DiagnosisContext<'_>, owner: &str) -> Option<&'static str> {
    let is_orphan = owner == "rds" && matches!(context.evidence.network.databases, Observation::NoData { .. });
    is_orphan.then_some(
        "RDS names no database of this account and region whose secret this is, so no command here can start a rotation. Find out \
         whether the database was deleted: RDS rotates the secret only as long as the database exists.",
    )
}

/// What the command line calls a kind of database of RDS.
struct RdsNames {
    describe: &'static str,
    /// The list in what it describes, and the member that identifies one.
    list: &'static str,
    id: &'static str,
    modify: &'static str,
    option: &'static str,
    available: &'static str,
}

const INSTANCE: RdsNames = RdsNames {
    describe: "describe-db-instances",
    list: "DBInstances",
    id: "DBInstanceIdentifier",
    modify: "modify-db-instance",
    option: "--db-instance-identifier",
    available: "db-instance-available",
};

const CLUSTER: RdsNames = RdsNames {
    describe: "describe-db-clusters",
    list: "DBClusters",
    id: "DBClusterIdentifier",
    modify: "modify-db-cluster",
    option: "--db-cluster-identifier",
    available: "db-cluster-available",
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

    /// The command that asks which database owns the secret, in the place of its name.
    fn asked(&self, context: &DiagnosisContext<'_>) -> String {
        let query = format!("{} | [0]", self.query(context));
        format!("\"$({})\"", aws_in(context, &["rds", self.describe, "--query", &query, "--output", "text"]))
    }
}

/// Adds the owner's own way to start a rotation, and before it the command that tells which database it is.
pub(super) fn rotated_by_owner(fix: Remediation, context: &DiagnosisContext<'_>, owner: &str) -> Remediation {
    let fix = if owner == "rds" && owned_database(context).is_none() { asked_for(fix, context) } else { fix };
    if without_database(context, owner).is_some() {
        return fix;
    }
    let fix = fix.run(command_of(context, owner));
    if owner == "rds" { fix.warn(AT_ONCE) } else { fix }
}

/// Adds the command that tells which database of RDS owns the secret.
pub(super) fn asked_for(fix: Remediation, context: &DiagnosisContext<'_>) -> Remediation {
    let names = RdsNames::of(context, None);
    let look = aws_in(context, &["rds", names.describe, "--query", &names.query(context)]);
    fix.run(look).needs(format!("rds:Describe{}", names.list))
}

/// What RDS does beside what it is asked for.
const AT_ONCE: &str = "RDS takes the option only with --apply-immediately, which also makes the changes that wait for the maintenance \
                       window; some of them restart the database.";

/// Takes the password's management from RDS and gives it back, after which RDS has another secret with a key that it can use.
///
/// Source: Amazon RDS User Guide, "Password management with Amazon RDS and AWS Secrets Manager": the key of a managed secret cannot
/// be changed, and a secret that is impaired is mended by turning the management off and on.
pub(super) fn managed_anew(fix: Remediation, context: &DiagnosisContext<'_>, database: &TargetDatabase) -> Remediation {
    let names = RdsNames::of(context, Some(database));
    let modify = |words: &[&str]| aws_in(context, &[&["rds", names.modify, names.option, &database.id], words].concat());
    // Oracle takes no more than 30 characters.
    let drawn = ["--exclude-punctuation", "--password-length", "28", "--query", "RandomPassword", "--output", "text"];
    let random = aws_in(context, &[&["secretsmanager", "get-random-password"], &drawn[..]].concat());
    let random = format!("\"$({random})\"");
    let off = ["--no-manage-master-user-password", "--master-user-password", PASSWORD, "--apply-immediately"];
    fix.run(modify(&off).replacen(PASSWORD, &random, 1))
        .run(aws_in(context, &["rds", "wait", names.available, names.option, &database.id]))
        .run(modify(&["--manage-master-user-password", "--apply-immediately"]))
        .needs(if database.kind == DatabaseKind::Cluster { "rds:ModifyDBCluster" } else { "rds:ModifyDBInstance" })
        .warn(
            "RDS deletes this secret and creates another one with another ARN and password: applications fail to log in until they read \
             that one.",
        )
        .warn(AT_ONCE)
}

/// Stands for the database until the command that asks for it takes its place.
const DATABASE: &str = "DATABASE";
/// Stands for a password that nobody sees, until the command that draws one takes its place.
const PASSWORD: &str = "PASSWORD";

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
    rotate.replacen(DATABASE, &names.asked(context), 1)
}
