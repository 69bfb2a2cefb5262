//! # Rotation was never turned on
//!
//! The secret has no rotation function, no schedule and no past rotation: it was never meant to rotate, or was forgotten.
//!
//! **Shows as** no rotation field at all in DescribeSecret, and no attempt in the history.
//!
//! **Is not it** when a schedule or a last rotation remains: then rotation was turned off, see `rotation_disabled`.

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
    let remediation = Remediation::new("If the secret is meant to rotate, give it a rotation function and a schedule.")
        .run(list_functions(context))
        .run(aws_in(
            context,
            &[
                "secretsmanager",
                "rotate-secret",
                "--secret-id",
                context.secret_id(),
                "--rotation-lambda-arn",
                "FUNCTION_ARN",
                "--rotation-rules",
                "AutomaticallyAfterDays=30",
            ],
        ))
        .needs("secretsmanager:RotateSecret")
        .needs("lambda:InvokeFunction")
        .warn("The command rotates at once; with --no-rotate-immediately the first rotation waits for its window.")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html");
    context.finding(CAUSE, confidence, "Rotation was never configured for this secret.", evidence, remediation).into()
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
    fn it_is_clear_only_where_the_configuration_was_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationConfig);
        assert_unknown(CAUSE, &evidence, "secretsmanager:DescribeSecret");
    }
}
