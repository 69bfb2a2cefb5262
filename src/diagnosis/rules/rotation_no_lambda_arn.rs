//! # Rotation has no function
//!
//! Rotation is on, but the secret names no rotation function and no service rotates it.
//!
//! **Shows as** `RotationEnabled` without `RotationLambdaARN`; `No Lambda rotation function ARN is associated with this
//! secret` in an error.
//!
//! **Is not it** when a service owns the secret or a partner rotates it: those have no function by design.

use crate::diagnosis::remedy::{aws_in, known_function, list_functions};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, StepName};

const CAUSE: Cause = Cause::RotationNoLambdaArn;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret, StepName::RotationConfig],
    explained_by: &[change_events::ROTATION_CANCELLED, change_events::ROTATION_CONFIGURED],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_secret().or_else(|| context.without_config()) {
        return verdict;
    }
    let (Some(secret), Some(config)) = (context.secret(), context.config()) else {
        return Verdict::clear("there is no rotation configuration");
    };
    if config.enabled != Some(true) {
        return Verdict::clear("rotation is not turned on");
    }
    if let Some(arn) = &config.function_arn {
        return Verdict::clear(format!("rotation names {arn}"));
    }
    if secret.is_replica() {
        return Verdict::clear("a replica rotates in its primary region");
    }
    if let Some(owner) = &secret.owning_service {
        return Verdict::clear(format!("{owner} rotates it without a function"));
    }
    if secret.secret_type.is_some() || config.external_role_arn.is_some() {
        return Verdict::clear("a partner rotates it without a function");
    }
    let known = known_function(context);
    let mut remediation = Remediation::new("Bind the secret to its rotation function, which also rotates.");
    if known.is_none() {
        remediation = remediation.run(list_functions(context));
    }
    let function = known.as_deref().unwrap_or("FUNCTION_ARN");
    let remediation = remediation
        .run(aws_in(
            context,
            &["secretsmanager", "rotate-secret", "--secret-id", context.secret_id(), "--rotation-lambda-arn", function],
        ))
        .needs("secretsmanager:RotateSecret")
        .needs("lambda:InvokeFunction")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_turn-on-cli.html");
    let proof = context.config_proof("RotationEnabled is true, RotationLambdaARN, OwningService and Type are absent");
    let explanation = "Rotation is on, but the secret names no function that would perform it.";
    context.finding(CAUSE, Confidence::Confirmed, explanation, vec![proof], remediation).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::StepName;

    #[test]
    fn rotation_without_a_function_an_owner_or_a_partner_cannot_run() {
        let mut evidence = healthy();
        facts(&mut evidence.rotation_config).function_arn = None;
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Confirmed);
        facts(&mut evidence.secret).owning_service = Some("rds".to_owned());
        assert_clear(CAUSE, &evidence);
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
