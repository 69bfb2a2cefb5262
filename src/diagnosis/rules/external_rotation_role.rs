//! # The rotation managed for a partner fails
//!
//! A managed external secret is rotated by Secrets Manager itself in the partner's system, with a role and metadata given
//! when rotation was set up. There is no function, and so no log to read.
//!
//! **Shows as** `Type` and `ExternalSecretRotationRoleArn` in DescribeSecret, and RotationFailed events.
//!
//! **Is not it** where the role's trust, its permissions, the metadata, the token or the partner's system explains the
//! failure.

use crate::diagnosis::readings::partner;
use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Observation, Remediation, StepName};

const CAUSE: Cause = Cause::ExternalRotationRole;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret, StepName::RotationConfig],
    explained_by: &[],
    specificity: Specificity::Effect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let partner = match partner::of(context) {
        Ok(partner) => partner,
        Err(verdict) => return verdict,
    };
    let Some(failed) = context.failed_attempt_proof() else {
        return match context.history_gap() {
            Some(missing) => Verdict::unknown(missing),
            None => Verdict::clear("the history shows no failed rotation since the last success"),
        };
    };
    let name = partner.name();
    let looked = matches!(context.evidence.role.observation, Observation::Found(_));
    let rest = match (partner::said(context), looked) {
        (Some(_), _) => "",
        (None, true) => " The event does not say why.",
        (None, false) => " The event does not say why, and the role could not be looked at.",
    };
    let count = context.failing.as_ref().map_or(1, |row| row.count);
    let attempts = if count == 1 { "One rotation".to_owned() } else { format!("{count} rotations") };
    let explanation = format!("{attempts} by Secrets Manager in the system of {name} failed since the last success.{rest}");
    let mut words = vec!["secretsmanager", "rotate-secret", "--secret-id", context.secret_id()];
    if let Some(role) = partner.role() {
        words.extend(["--external-secret-rotation-role-arn", role.arn().as_str()]);
    }
    let remediation = Remediation::new(
        "Check that the partner's system accepts the value in the secret, and that the rotation metadata is what the partner \
         asks for. Then rotate again.",
    )
    .run(aws_in(context, &["secretsmanager", "describe-secret", "--secret-id", context.secret_id()]))
    .run(aws_in(context, &words))
    .needs("secretsmanager:DescribeSecret")
    .needs("secretsmanager:RotateSecret")
    .needs("iam:PassRole")
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/managed-external-secrets.html");
    context.finding(CAUSE, Confidence::Likely, explanation, vec![failed, partner.proof(context)], remediation).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::StepName;

    #[test]
    fn a_failing_partner_rotation_is_named_and_is_a_symptom_of_what_explains_it() {
        let mut evidence = external();
        fail_unseen(&mut evidence, None);
        let found = finding(CAUSE, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.remediation.commands[1].contains(ROLE));
        assert_eq!(diagnose(&evidence).root_cause().map(|root| root.cause), Some(CAUSE));
        facts(&mut evidence.history).attempts[1].reason = Some("The token has expired.".to_owned());
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.root_cause().map(|root| root.cause), Some(Cause::ExternalTokenExpired));
        let own = diagnosis.findings.iter().find(|finding| finding.cause == CAUSE).unwrap();
        assert_eq!(own.inhibited_by, Some(Cause::ExternalTokenExpired));
    }

    #[test]
    fn without_a_history_it_cannot_be_told() {
        let mut evidence = external();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationHistory);
        assert_unknown(CAUSE, &evidence, "cloudtrail:LookupEvents");
    }
}
