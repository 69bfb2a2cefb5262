//! # Another AWS service rotates this secret
//!
//! RDS, Aurora, Redshift and others rotate the secrets they own. There is no Lambda function, by design.
//!
//! **Shows as** `OwningService` with rotation on and no `RotationLambdaARN`.

use crate::diagnosis::managed::{name_of, owner, rotated_by_owner};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Remediation, Severity, StepName};

const CAUSE: Cause = Cause::ManagedRotation;

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
    let Some(owner) = owner(context) else { return Verdict::clear("no AWS service owns and rotates it") };
    let name = name_of(owner);
    let proof = context.secret_proof(format!("OwningService {owner}, RotationLambdaARN absent"));
    let remediation = rotated_by_owner(
        Remediation::new(format!(
            "There is nothing to repair: {name} rotates the secret. To rotate it now, use the API of {name}."
        )),
        context,
        owner,
    )
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_managed.html");
    let explanation = format!("{name} owns this secret and rotates it without a Lambda function.");
    let mut finding = context.finding(CAUSE, Confidence::Confirmed, explanation, vec![proof], remediation);
    finding.severity = Severity::Info;
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Outcome, StepName};

    #[test]
    fn a_managed_rotation_that_works_is_a_remark_about_a_healthy_secret() {
        let mut evidence = healthy();
        facts(&mut evidence.secret).owning_service = Some("rds".to_owned());
        facts(&mut evidence.rotation_config).function_arn = None;
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.outcome, Outcome::Healthy);
        let remarks: Vec<_> = diagnosis.findings.iter().map(|finding| (finding.cause, finding.severity)).collect();
        assert_eq!(remarks, [(CAUSE, Severity::Info)]);
    }

    #[test]
    fn it_is_clear_only_where_secret_and_configuration_were_seen() {
        for step in [StepName::Secret, StepName::RotationConfig] {
            let mut evidence = healthy();
            assert_clear(CAUSE, &evidence);
            deny(&mut evidence, step);
            assert_unknown(CAUSE, &evidence, "secretsmanager:DescribeSecret");
        }
    }
}
