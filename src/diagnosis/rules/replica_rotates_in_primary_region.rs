//! # This is a replica: it rotates in its primary region
//!
//! A replica does not rotate; new values arrive by replication from the primary secret.
//!
//! **Shows as** `PrimaryRegion` in DescribeSecret that is not the region looked at.
//!
//! A replication with the status Failed is another fault, and is named where it is seen.

use crate::diagnosis::remedy::aws;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Remediation, Replica, SecretFacts, Severity, StepName};

const CAUSE: Cause = Cause::ReplicaRotatesInPrimaryRegion;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_secret() {
        return verdict;
    }
    let Some(secret) = context.secret() else { return Verdict::clear("there is no such secret") };
    let failed: Vec<String> = failed_replications(secret).map(describe).collect();
    let Some(primary) = secret.primary_region.as_deref().filter(|_| secret.is_replica()) else {
        let note = if failed.is_empty() { String::new() } else { format!("; replication fails to {}", failed.join(", ")) };
        return Verdict::clear(format!("this is not a replica{note}"));
    };
    let region = &context.evidence.region;
    let mut explanation = format!("The secret in {region} is a replica; its rotation runs in {primary}.");
    let mut evidence = vec![context.secret_proof(format!("PrimaryRegion {primary}"))];
    let mut remediation = Remediation::new(format!("Diagnose the primary secret in {primary} instead."))
        .run(aws(&["secretsmanager", "describe-secret", "--secret-id", &secret.name, "--region", primary]))
        .needs("secretsmanager:DescribeSecret")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html");
    if !failed.is_empty() {
        explanation.push_str(&format!(" Replication itself fails too: {}.", failed.join(", ")));
        evidence.push(context.secret_proof(format!("ReplicationStatus Failed: {}", failed.join(", "))));
        remediation = remediation
            .run(aws(&[
                "secretsmanager",
                "replicate-secret-to-regions",
                "--secret-id",
                &secret.name,
                "--add-replica-regions",
                &format!("Region={region}"),
                "--force-overwrite-replica-secret",
                "--region",
                primary,
            ]))
            .needs("secretsmanager:ReplicateSecretToRegions")
            .warn(format!("Forcing the replication overwrites a secret of the same name in {region}."));
    }
    let mut finding = context.finding(CAUSE, Confidence::Confirmed, explanation, evidence, remediation);
    // A replica is as it should be, unless nothing reaches it.
    if failed.is_empty() {
        finding.severity = Severity::Warning;
    }
    finding.into()
}

fn failed_replications(secret: &SecretFacts) -> impl Iterator<Item = &Replica> {
    secret.replicas.iter().filter(|replica| replica.status == "Failed")
}

fn describe(replica: &Replica) -> String {
    match &replica.message {
        Some(message) => format!("{} ({message})", replica.region),
        None => replica.region.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::StepName;

    #[test]
    fn a_replica_sends_the_reader_to_its_primary_region() {
        let mut evidence = healthy();
        facts(&mut evidence.secret).primary_region = Some("us-east-1".parse().unwrap());
        let config = facts(&mut evidence.rotation_config);
        config.enabled = None;
        config.function_arn = None;
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
        assert!(root.remediation.commands[0].ends_with("--region us-east-1"), "{:?}", root.remediation.commands);
        assert!(root.remediation.warning.is_none());
    }

    #[test]
    fn a_failed_replication_is_named_beside_it() {
        let mut evidence = healthy();
        let secret = facts(&mut evidence.secret);
        secret.primary_region = Some("us-east-1".parse().unwrap());
        let message = Some("a secret of that name exists".to_owned());
        secret.replicas = vec![Replica { region: "eu-west-1".parse().unwrap(), status: "Failed".to_owned(), message }];
        assert!(finding(CAUSE, &evidence).explanation.contains("a secret of that name exists"));
    }

    #[test]
    fn a_primary_is_not_its_own_replica_and_an_unseen_secret_may_be_one() {
        let mut evidence = healthy();
        facts(&mut evidence.secret).primary_region = Some("eu-west-1".parse().unwrap());
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::Secret);
        assert_unknown(CAUSE, &evidence, "secretsmanager:DescribeSecret");
    }
}
