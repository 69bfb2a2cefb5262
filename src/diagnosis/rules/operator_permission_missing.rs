//! # The person or pipeline that starts rotation lacks a permission
//!
//! Rotation itself is not at fault: whoever called RotateSecret may not do so.
//!
//! **Shows as** an access-denied message for secretsmanager:RotateSecret or lambda:InvokeFunction whose principal is not the
//! function's role.
//!
//! **Is not it** when the principal is the function's role.

use crate::diagnosis::refusal::{Weighed, logged, weigh};
use crate::diagnosis::remedy::rotate_now;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Proof, Refusal, Remediation, Severity, StepName};

const CAUSE: Cause = Cause::OperatorPermissionMissing;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let remediation = Remediation::new(
        "Give the caller secretsmanager:RotateSecret on this secret and lambda:InvokeFunction on its function, then start the \
         rotation again.",
    )
    .run(rotate_now(context))
    .needs("secretsmanager:RotateSecret")
    .needs("lambda:InvokeFunction")
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html");
    if logged(context, CAUSE).is_some() {
        let mut opinion = match weigh(context, CAUSE, "no failing invocation reports it") {
            Weighed::Against(verdict) => return verdict,
            Weighed::For(opinion) => opinion,
        };
        // Here a principal other than the function's role is what is expected.
        opinion.confidence = Confidence::Likely;
        let who = opinion.stranger.clone().unwrap_or_else(|| "Whoever started the rotation".to_owned());
        let explanation = format!("{who} may not call {}; the rotation itself is not at fault.", opinion.actions());
        return opinion.finding(context, CAUSE, explanation, remediation).into();
    }
    if let Some(refusal) = refused_since_success(context) {
        let explanation = format!(
            "{} tried to start a rotation but may not call {}; the rotation itself is not at fault.",
            refusal.actor, refusal.action
        );
        let proof = Proof::of(StepName::ConfigChanges, context.changes_call(), refusal.message.clone()).at(Some(refusal.at));
        let mut finding = context.finding(CAUSE, Confidence::Confirmed, explanation, vec![proof], remediation);
        // A schedule that works does not need the one who was refused.
        finding.severity = if context.is_unwell() || context.never_rotated() { Severity::Critical } else { Severity::Warning };
        return finding.into();
    }
    let Some(reason) = context.reason_saying(CAUSE) else { return context.not_in_logs() };
    let explanation = "Whoever started the rotation was refused; the rotation itself is not at fault.";
    let mut finding = context.finding(CAUSE, Confidence::Likely, explanation, vec![reason], remediation);
    finding.severity = Severity::Critical;
    finding.into()
}

/// The newest refused attempt to start a rotation, where none has succeeded since.
fn refused_since_success<'a>(context: &DiagnosisContext<'a>) -> Option<&'a Refusal> {
    let refusal = context.evidence.changes.found()?.refusals.last()?;
    context.last_success_at.is_none_or(|success| refusal.at > success).then_some(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{RotationStep, StepName};

    fn line(principal: &str) -> String {
        format!(
            "[ERROR] Failed to rotate: User: {principal} is not authorized to perform: secretsmanager:RotateSecret on resource: \
             {SECRET} because no identity-based policy allows the secretsmanager:RotateSecret action"
        )
    }

    #[test]
    fn a_person_who_may_not_rotate_is_named() {
        let mut evidence = healthy();
        let person = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_developer_1d9b/dave";
        fail(&mut evidence, RotationStep::CreateSecret, &[&line(person)]);
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Likely);
        assert!(finding.explanation.starts_with(person), "{}", finding.explanation);
    }

    #[test]
    fn the_functions_own_role_is_no_operator_and_unread_logs_tell_nothing() {
        let mut evidence = healthy();
        let own = "arn:aws:sts::123456789012:assumed-role/orders-rotator-role/orders-rotator";
        fail(&mut evidence, RotationStep::CreateSecret, &[&line(own)]);
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(CAUSE, &evidence, "logs:FilterLogEvents");
    }
}
