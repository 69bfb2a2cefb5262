//! # Rotation was never turned on
//!
//! The secret has no rotation function, no schedule and no past rotation: it was never meant to rotate, or was forgotten.
//!
//! **Shows as** no rotation field at all in DescribeSecret, and no attempt in the history.
//!
//! **Is not it** when a schedule or a last rotation remains: then rotation was turned off, see `rotation_disabled`.

use crate::diagnosis::managed::name_of;
use crate::diagnosis::remedy::{aws_in, list_functions};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Concern, Confidence, Remediation, StepName};

const CAUSE: Cause = Cause::RotationNeverEnabled;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::RotationConfig],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_config() {
        return verdict;
    }
    let Some(config) = context.config() else { return Verdict::clear("there is no rotation configuration") };
    if config.enabled == Some(true) {
        return Verdict::clear("rotation is turned on");
    }
    if context.secret().is_some_and(|secret| secret.is_replica()) {
        return Verdict::clear("a replica rotates in its primary region");
    }
    if config.was_set_up() {
        return Verdict::clear("rotation was set up once");
    }
    if context.attempts().next().is_some() || context.last_change(Concern::Secret, &["CancelRotateSecret"]).is_some() {
        return Verdict::clear("the history shows that rotation was set up once");
    }
    let gap = context.history_gap();
    let mut evidence =
        vec![context.config_proof("RotationEnabled, RotationLambdaARN, RotationRules and LastRotatedDate are all absent")];
    if gap.is_none() {
        evidence.push(crate::model::Proof::of(
            crate::model::StepName::RotationHistory,
            context.history_call(),
            "no rotation attempt in the history",
        ));
    }
    // The absent fields alone mean it, by the API reference; the history is the second fact.
    let confidence = if gap.is_none() { Confidence::Confirmed } else { Confidence::Likely };
    context.finding(CAUSE, confidence, "Rotation was never configured for this secret.", evidence, turn_on(context)).into()
}

/// What a service owns it rotates itself: RotateSecret with a schedule, and without a function, turns that on.
///
/// Source: AWS Secrets Manager User Guide, "Managed rotation for AWS Secrets Manager secrets".
fn turn_on(context: &DiagnosisContext<'_>) -> Remediation {
    let mut words = vec!["secretsmanager", "rotate-secret", "--secret-id", context.secret_id()];
    let fix = match context.secret().and_then(|secret| secret.owning_service.as_deref()) {
        Some(owner) => Remediation::new(format!(
            "If the secret is meant to rotate, give it a schedule: {} rotates it itself, without a function.",
            name_of(owner)
        )),
        None => {
            words.extend(["--rotation-lambda-arn", "FUNCTION_ARN"]);
            Remediation::new("If the secret is meant to rotate, give it a rotation function and a schedule.")
                .run(list_functions(context))
                .needs("lambda:InvokeFunction")
        }
    };
    words.extend(["--rotation-rules", "AutomaticallyAfterDays=30"]);
    fix.run(aws_in(context, &words))
        .needs("secretsmanager:RotateSecret")
        .warn("The command rotates at once; with --no-rotate-immediately the first rotation waits for its window.")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{DueDates, Evidence, StepName};

    fn never_set_up() -> Evidence {
        let mut evidence = healthy();
        let config = facts(&mut evidence.rotation_config);
        config.enabled = None;
        config.function_arn = None;
        config.rules = None;
        config.last_rotated_at = None;
        config.next_rotation_at = None;
        config.due = DueDates::default();
        facts(&mut evidence.history).attempts.clear();
        evidence
    }

    #[test]
    fn a_secret_without_any_rotation_field_and_history_was_never_set_up() {
        let mut evidence = never_set_up();
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Confirmed);
        assert_clear(Cause::RotationDisabled, &evidence);
        deny(&mut evidence, StepName::RotationHistory);
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Likely);
        assert_unknown(Cause::RotationDisabled, &evidence, "cloudtrail:LookupEvents");
    }

    #[test]
    fn what_a_service_owns_is_turned_on_without_a_function() {
        let mut evidence = never_set_up();
        facts(&mut evidence.secret).owning_service = Some("rds".to_owned());
        let fix = finding(CAUSE, &evidence).remediation;
        assert_eq!(
            fix.commands,
            [format!(
                "aws secretsmanager rotate-secret --secret-id {SECRET} --rotation-rules 'AutomaticallyAfterDays=30' --region eu-west-1"
            )]
        );
        assert_eq!(fix.needs, ["secretsmanager:RotateSecret"]);
        assert!(fix.summary.contains("RDS rotates it itself, without a function"), "{}", fix.summary);
    }

    #[test]
    fn it_is_clear_only_where_the_configuration_was_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationConfig);
        assert_unknown(CAUSE, &evidence, "secretsmanager:DescribeSecret");
    }
}
