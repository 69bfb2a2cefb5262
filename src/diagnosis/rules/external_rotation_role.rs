//! # The role of the partner-managed rotation does not work
//!
//! A managed external secret is rotated by Secrets Manager itself in the partner's system, with a role and metadata given
//! when rotation was set up. Where the role may not be assumed, may not write the secret, or the metadata is wrong, it fails.
//!
//! **Shows as** `Type` and `ExternalSecretRotationRoleArn` in DescribeSecret, and RotationFailed events.

use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Remediation, StepName};

const CAUSE: Cause = Cause::ExternalRotationRole;

/// Words of a failure's reason that speak of a role or its rights.
const SPEAKS_OF_ROLE: &[&str] = &["role", "assume", "not authorized", "accessdenied", "access denied"];

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret, StepName::RotationConfig],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_secret().or_else(|| context.without_config()) {
        return verdict;
    }
    let (Some(secret), Some(config)) = (context.secret(), context.config()) else {
        return Verdict::clear("there is no rotation to look at");
    };
    let external = secret.secret_type.is_some() || config.external_role_arn.is_some();
    if !external || config.function_arn.is_some() {
        return Verdict::clear("no partner rotates it");
    }
    if config.enabled != Some(true) {
        return Verdict::clear("rotation is not turned on");
    }
    let Some(failed) = context.failed_attempt_proof() else {
        return match context.history_gap() {
            Some(missing) => Verdict::unknown(missing),
            None => Verdict::clear("the history shows no failed rotation since the last success"),
        };
    };
    let reason = failed.text.to_ascii_lowercase();
    let says_so = SPEAKS_OF_ROLE.iter().any(|word| reason.contains(word));
    let role = config.external_role_arn.as_ref().map(|role| role.arn().as_str());
    let partner = secret.secret_type.as_deref().unwrap_or("a partner");
    let described = format!("Type {partner}, ExternalSecretRotationRoleArn {}", role.unwrap_or("absent"));
    let explanation = format!(
        "The rotation managed for {partner} fails{}.",
        if says_so { ", and the reason speaks of its role" } else { "; its role and metadata are what it depends on here" }
    );
    let remediation = Remediation::new(
        "Let secretsmanager.amazonaws.com assume the role, let the role read and write this secret, check the rotation \
         metadata against the partner's, and rotate again.",
    )
    .run(aws_in(
        context,
        &[
            "secretsmanager",
            "rotate-secret",
            "--secret-id",
            context.secret_id(),
            "--external-secret-rotation-role-arn",
            role.unwrap_or("ROLE_ARN"),
        ],
    ))
    .needs("secretsmanager:RotateSecret")
    .needs("iam:PassRole")
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/managed-external-secrets.html");
    let confidence = if says_so { Confidence::Confirmed } else { Confidence::Likely };
    let evidence = vec![failed, context.secret_proof(described)];
    context.finding(CAUSE, confidence, explanation, evidence, remediation).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, StepName};

    fn external() -> Evidence {
        let mut evidence = healthy();
        facts(&mut evidence.secret).secret_type = Some("SalesforceClientSecret".to_owned());
        let config = facts(&mut evidence.rotation_config);
        config.function_arn = None;
        config.external_role_arn = Some(arn(ROLE));
        evidence
    }

    #[test]
    fn a_failing_partner_rotation_points_at_its_role_and_surely_when_the_reason_does() {
        let mut evidence = external();
        fail_unseen(&mut evidence, None);
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Likely);
        facts(&mut evidence.history).attempts[1].reason = Some("Secrets Manager cannot assume the role".to_owned());
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.remediation.commands[0].contains(ROLE));
    }

    #[test]
    fn without_a_history_it_cannot_be_told() {
        let mut evidence = external();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationHistory);
        assert_unknown(CAUSE, &evidence, "cloudtrail:LookupEvents");
    }
}
