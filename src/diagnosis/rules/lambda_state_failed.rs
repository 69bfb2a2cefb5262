//! # The rotation function is in a failed state
//!
//! Lambda could not prepare the function, or its last update failed, for a reason that no other rule names.
//!
//! **Shows as** `State` Failed (or Deactivated, Deleting, ActiveNonInvocable) or `LastUpdateStatus` Failed in
//! GetFunctionConfiguration.
//!
//! **Is not it** when the state is Inactive: the next invocation wakes the function. A failed update alone leaves the
//! former configuration in use, so it is only a risk until rotation fails.

use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, Severity, StepName};

const CAUSE: Cause = Cause::LambdaStateFailed;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig, StepName::RotationFunction],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let verdict = context.function_is_fine();
    let (Verdict::Clear { .. }, Some(name)) = (&verdict, context.function_name()) else { return verdict };
    if let Some(outside) = context.without_function() {
        return outside;
    }
    let Some(complaint) = context.complaint(CAUSE) else { return verdict };
    let said = complaint.evidence.last().map(|proof| proof.text.trim_end_matches('.')).unwrap_or_default();
    // A failed update leaves the former configuration at work.
    let is_risk = complaint.severity == Severity::Info;
    let explanation = if is_risk {
        format!("The last update of {name} failed, and Lambda goes on running what was there before: {said}.")
    } else {
        format!("Lambda reports that {name} cannot be used: {said}.")
    };
    let remediation =
        Remediation::new("Repair what the reason names, then update the function so that Lambda prepares it again.")
            .run(aws_in(context, &["lambda", "get-function-configuration", "--function-name", name]))
            .run(aws_in(
                context,
                &["lambda", "update-function-configuration", "--function-name", name, "--description", "prepare again"],
            ))
            .needs("lambda:GetFunctionConfiguration")
            .needs("lambda:UpdateFunctionConfiguration")
            .link("https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html");
    let mut finding = complaint.finding(context, CAUSE, explanation, remediation);
    if is_risk {
        finding.title = "the last update of the rotation function failed".to_owned();
    }
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::Confidence;

    #[test]
    fn a_failed_state_is_decisive_and_quotes_its_reason() {
        let mut evidence = healthy();
        let function = facts(&mut evidence.function);
        function.state = Some("Failed".to_owned());
        function.state_reason_code = Some("ImageDeleted".to_owned());
        let finding = finding(CAUSE, &evidence);
        assert_eq!((finding.confidence, finding.severity), (Confidence::Confirmed, Severity::Critical));
        assert!(finding.explanation.contains("ImageDeleted"));
    }

    #[test]
    fn a_failed_update_is_a_risk_until_rotation_fails() {
        let mut evidence = healthy();
        facts(&mut evidence.function).last_update_status = Some("Failed".to_owned());
        let risk = finding(CAUSE, &evidence);
        assert_eq!(risk.severity, Severity::Info);
        assert!(risk.explanation.contains("goes on running") && !risk.explanation.contains("cannot be used"), "{risk:?}");
        fail_unseen(&mut evidence, None);
        let finding = finding(CAUSE, &evidence);
        assert_eq!((finding.confidence, finding.severity), (Confidence::Confirmed, Severity::Critical), "nothing ran either");
    }

    #[test]
    fn an_inactive_function_has_not_failed_and_an_unseen_one_may_have() {
        let mut evidence = healthy();
        facts(&mut evidence.function).state = Some("Inactive".to_owned());
        facts(&mut evidence.function).state_reason_code = Some("Idle".to_owned());
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationFunction);
        assert_unknown(CAUSE, &evidence, "lambda:GetFunctionConfiguration");
    }
}
