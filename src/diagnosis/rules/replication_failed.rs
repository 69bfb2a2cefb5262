//! # A replica does not get the new value
//!
//! The secret rotates, but its replication to another region fails: applications there go on with the previous value.
//!
//! **Shows as** `ReplicationStatus` Failed for a region, with a message: the key there cannot be used, or a secret of that
//! name exists there already.
//!
//! **Is not it** when every replica is InSync.

use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Proof, Remediation, Replica, Severity, StepName};

const CAUSE: Cause = Cause::ReplicationFailed;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Remark,
    rests_on: &[StepName::Secret],
    explained_by: &[change_events::REPLICATION, change_events::KEY_STATE, change_events::KEY_POLICY],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_secret() {
        return verdict;
    }
    let Some(secret) = context.secret() else { return Verdict::clear("there is no such secret") };
    if secret.is_replica() {
        return Verdict::clear("this is itself a replica: its primary secret replicates");
    }
    let failed: Vec<&Replica> = secret.replicas.iter().filter(|replica| replica.status == "Failed").collect();
    if failed.is_empty() {
        return Verdict::clear("no replication failed");
    }
    let described = |replica: &&Replica| match &replica.message {
        Some(message) => format!("{}: {message}", replica.region),
        None => replica.region.to_string(),
    };
    let evidence: Vec<Proof> = failed
        .iter()
        .map(|replica| context.secret_proof(format!("ReplicationStatus Failed in {}", described(replica))))
        .collect();
    let regions: Vec<&str> = failed.iter().map(|replica| replica.region.as_str()).collect();
    let explanation =
        format!("New values of the secret do not arrive in {}: applications there go on with an old value.", regions.join(", "));
    let mut finding = context.finding(CAUSE, Confidence::Confirmed, explanation, evidence, fix(context, &failed));
    // The secret itself rotates.
    finding.severity = Severity::Info;
    finding.into()
}

fn fix(context: &DiagnosisContext<'_>, failed: &[&Replica]) -> Remediation {
    let says = |words: &[&str]| {
        failed.iter().filter_map(|replica| replica.message.as_deref()).any(|message| {
            let message = message.to_ascii_lowercase();
            words.iter().any(|word| message.contains(word))
        })
    };
    let id = context.secret_id();
    let of_key = says(&["kms", "key"]);
    let taken = says(&["already exists", "same name", "simple secret"]);
    let summary = match (of_key, taken) {
        (true, _) => "Make the key usable in the replica's region, or choose another key there. Then replicate again.",
        (_, true) => {
            "A secret of the same name exists in the replica's region: store it under another name, or overwrite it by \
                      replicating again."
        }
        _ => "Correct what the message names in the replica's region. Then replicate again.",
    };
    let mut remediation = Remediation::new(summary);
    for replica in failed {
        let region = format!("Region={}", replica.region);
        let away =
            ["secretsmanager", "remove-regions-from-replication", "--secret-id", id, "--remove-replica-regions", &replica.region];
        let again = ["secretsmanager", "replicate-secret-to-regions", "--secret-id", id, "--add-replica-regions", &region];
        remediation = remediation.run(aws_in(context, &away));
        remediation = match taken {
            true => remediation.run(aws_in(context, &[&again[..], &["--force-overwrite-replica-secret"]].concat())),
            false => remediation.run(aws_in(context, &again)),
        };
    }
    if !taken {
        remediation = remediation.warn(
            "Removing a region deletes the replica there: until it is replicated again, applications in that region cannot read the \
             secret.",
        );
    }
    if taken {
        remediation = remediation.warn("Forcing the replication overwrites the secret of the same name in that region.");
    }
    remediation
        .needs("secretsmanager:RemoveRegionsFromReplication")
        .needs("secretsmanager:ReplicateSecretToRegions")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Outcome, RotationStep};

    fn failed(message: &str) -> crate::model::Evidence {
        let mut evidence = healthy();
        facts(&mut evidence.secret).replicas = vec![
            Replica { region: "us-east-1".parse().unwrap(), status: "Failed".into(), message: Some(message.into()) },
            Replica { region: "eu-central-1".parse().unwrap(), status: "InSync".into(), message: None },
        ];
        evidence
    }

    #[test]
    fn a_failed_replication_is_a_remark_about_a_secret_that_rotates() {
        let diagnosis = diagnose(&failed("Access to KMS is not allowed"));
        let root = &diagnosis.findings[0];
        assert_eq!((root.cause, root.severity, diagnosis.outcome), (CAUSE, Severity::Info, Outcome::Healthy));
        assert!(root.explanation.contains("us-east-1") && !root.explanation.contains("eu-central-1"));
        assert!(!root.remediation.commands.iter().any(|command| command.contains("force")));
        let taken = finding(CAUSE, &failed("Replication failed: A secret with the same name already exists in this region."));
        assert!(
            taken.remediation.commands[1].contains("--force-overwrite-replica-secret") && taken.remediation.warning.is_some()
        );
    }

    #[test]
    fn it_is_no_reason_why_rotation_fails_and_clear_where_all_are_in_sync() {
        assert_clear(CAUSE, &healthy());
        let mut evidence = failed("x");
        fail(&mut evidence, RotationStep::SetSecret, &["psycopg2.OperationalError: FATAL:  database \"orders\" does not exist"]);
        assert_eq!(diagnose(&evidence).root_cause().map(|root| root.cause), Some(Cause::DbNameMissing));
    }
}
