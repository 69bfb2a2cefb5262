//! # Rotation works; an application still uses the old value
//!
//! An application keeps the password that it read when it started, or holds it in a cache that outlives the rotation.
//! Rotation itself is healthy. The applications' own logs would show it, but they are not read: only a line in the
//! function's log can point to it. Without such a line nothing is known about the applications; it is never a verdict about
//! rotation.
//!
//! **Shows as** logins that fail after RotationSucceeded, in an application's log.
//!
//! **Is not it** while rotation fails.

use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, signatures};
use crate::model::{Cause, Confidence, Invocation, LogEvent, Proof, Remediation, Severity, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::ConsumerStaleCredentials,
    stage: Stage::Remark,
    rests_on: &[StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if context.is_unwell() {
        return Verdict::clear("rotation itself does not work");
    }
    if let Some(missing) = context.history_gap().or_else(|| context.evidence.logs.observation.missing()) {
        return Verdict::unknown(missing);
    }
    let Some(success) = context.last_success_at else { return Verdict::clear("no rotation has succeeded yet") };
    let Some(line) = line_after(context, success) else {
        return Verdict::clear("rotation works, and no line in its function's log mentions an application's login");
    };
    let proof = Proof {
        step: StepName::FunctionLogs,
        call: "logs:FilterLogEvents".to_owned(),
        at: Some(line.at),
        text: line.text.trim().to_owned(),
    };
    let remediation = Remediation::new(
        "Let the application read the secret again when a login fails, or restart it. A caching client with a short lifetime, or \
         rotation with alternating users, prevents this.",
    )
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets.html");
    let explanation = "After rotation had succeeded, a login with the previous value failed.";
    let mut finding = context.finding(RULE.cause, Confidence::Possible, explanation, vec![proof], remediation);
    finding.severity = Severity::Info;
    finding.into()
}

fn line_after<'a>(context: &DiagnosisContext<'a>, success: jiff::Timestamp) -> Option<&'a LogEvent> {
    let logs = context.evidence.logs.found()?;
    let later = logs.invocations.iter().filter(|invocation| invocation.started_at > success);
    // What is refused beside a rotation, in an invocation of its own, is the application's that logs into the same group.
    let is_applications = |cause: Cause, invocation: &Invocation| {
        cause == RULE.cause || (cause == Cause::DbAuthFailed && invocation.step.is_none())
    };
    later.flat_map(|invocation| invocation.lines.iter().map(move |event| (invocation, event))).find_map(|(invocation, event)| {
        let found = signatures::classify_event(&event.text)?;
        is_applications(found.cause, invocation).then_some(event)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{assert_clear, fail, healthy};
    use crate::model::RotationStep;

    #[test]
    fn it_is_no_finding_about_a_rotation_that_works_or_fails() {
        assert_clear(RULE.cause, &healthy());
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        assert_clear(RULE.cause, &evidence);
    }
}
