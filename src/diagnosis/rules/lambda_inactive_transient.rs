//! # The rotation function was inactive
//!
//! Lambda makes a function inactive when it was idle for weeks. The first invocation wakes it and may be refused; Secrets
//! Manager's next try succeeds.
//!
//! **Shows as** `ResourceNotReadyException` in an attempt's reason; `State` Inactive beside a failed attempt that left neither
//! a log nor an invocation in the metrics.
//!
//! **Is not it** while rotation works: an inactive function is normal between rotations. Nor is it when the failure
//! repeats.

use crate::diagnosis::remedy::rotate_now;
use crate::diagnosis::runs::{Ran, ran};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Proof, Remediation, Severity, StepName};

const CAUSE: Cause = Cause::LambdaInactiveTransient;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig, StepName::RotationFunction],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let fine = context.function_is_fine();
    let Verdict::Clear { .. } = &fine else { return fine };
    let Some(function) = context.function() else { return fine };
    if let Some(outside) = context.without_function() {
        return outside;
    }
    let idle = function.state.as_deref() == Some("Inactive")
        && function.state_reason_code.as_deref().is_none_or(|code| code == "Idle" || code == "Restoring");
    let said = context.complaint(CAUSE);
    if said.is_none() && !idle {
        return fine;
    }
    if context.failing.is_none() {
        return match context.history_gap() {
            Some(missing) => Verdict::unknown(missing),
            None => Verdict::clear("rotation is not failing; the next invocation wakes an inactive function"),
        };
    }
    if said.is_none() && function.last_update_status.as_deref() == Some("Failed") {
        return Verdict::clear("the function's last update failed, which keeps it from waking");
    }
    if said.is_none() && !context.failures.is_empty() {
        return Verdict::clear("the function ran in the failing rotation");
    }
    let (confidence, mut evidence) = match said {
        Some(said) => (said.confidence, said.evidence),
        None => match ran(context) {
            Ran::Yes => return Verdict::clear("the function ran when rotation was attempted"),
            // Waking takes one refused invocation; whoever is refused again was refused by something else.
            Ran::No(proofs) if context.failing.as_ref().is_some_and(|row| row.count == 1) => (Confidence::Likely, proofs),
            Ran::No(proofs) => (Confidence::Possible, proofs),
            Ran::Unseen(_) => (Confidence::Possible, Vec::new()),
        },
    };
    let state = format!("State {}", function.state.as_deref().unwrap_or("not stated"));
    evidence.push(Proof::of(StepName::RotationFunction, "lambda:GetFunctionConfiguration", state));
    evidence.extend(context.failed_attempt_proof());
    let remediation = Remediation::new("Rotate again: the refused invocation has already woken the function.")
        .run(rotate_now(context))
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html");
    let explanation = "Lambda had made the idle function inactive, and rotation was attempted before it was ready again.";
    let mut finding = context.finding(CAUSE, confidence, explanation, evidence, remediation);
    finding.severity = Severity::Warning;
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{AttemptOutcome, Evidence, RotationStep};

    fn inactive() -> Evidence {
        let mut evidence = healthy();
        let function = facts(&mut evidence.function);
        function.state = Some("Inactive".to_owned());
        function.state_reason_code = Some("Idle".to_owned());
        evidence
    }

    #[test]
    fn an_inactive_function_between_rotations_is_normal() {
        assert_clear(CAUSE, &inactive());
    }

    #[test]
    fn an_attempt_that_left_no_log_may_have_met_the_function_at_rest() {
        let mut evidence = inactive();
        fail_unseen(&mut evidence, None);
        let once = finding(CAUSE, &evidence);
        assert_eq!((once.confidence, once.severity), (Confidence::Likely, Severity::Warning));
        facts(&mut evidence.history).attempts.push(attempt(hours_ago(0), AttemptOutcome::Failed));
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Possible);
    }

    #[test]
    fn a_function_that_ran_was_not_at_rest_and_an_unseen_one_may_have_been() {
        let mut evidence = inactive();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationFunction);
        assert_unknown(CAUSE, &evidence, "lambda:GetFunctionConfiguration");
    }
}
