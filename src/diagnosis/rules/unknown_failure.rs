//! # Rotation fails and nothing found here explains it
//!
//! Attempts fail, and no rule recognises the reason. The raw error is quoted, and the report says where to look next: the
//! function's code, how the secret is used, its timeout, its schedule.
//!
//! **Is not it** when a failing invocation says why it failed, or when the function's log could not be read: then the
//! reason was not looked for.

use super::{logs_not_kept, stuck_awspending};
use crate::diagnosis::context::Failure;
use crate::diagnosis::readings::by_log::is_judged_by_state;
use crate::diagnosis::remedy::{TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Proof, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::UnknownFailure,
    stage: Stage::Inferred,
    rests_on: &[StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Nothing,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(row) = &context.failing else {
        return match context.history_gap() {
            Some(missing) => Verdict::unknown(missing),
            None => Verdict::clear("rotation is not failing"),
        };
    };
    let says_why =
        |failure: &Failure<'_>| failure.most_specific_line().is_some_and(|read| !is_judged_by_state(read.classification.cause));
    if context.failures.iter().any(says_why) {
        return Verdict::clear("a failing invocation says why it failed");
    }
    if let Some(missing) = context.evidence.logs.observation.missing() {
        return Verdict::unknown(missing);
    }
    if logs_not_kept::hides_the_reason(context) {
        return Verdict::clear("no log that can be searched has the reason");
    }
    if context.stuck_pending_version().is_some() && stuck_awspending::stands_alone(context) {
        return Verdict::clear("the AWSPENDING label is all that is visible of the failure");
    }
    let evidence: Vec<Proof> =
        context.failures.iter().rev().find_map(raw_error).into_iter().chain(context.failed_attempt_proof()).collect();
    let attempts = if row.count == 1 { "One attempt".to_owned() } else { format!("{} attempts", row.count) };
    let step = context.failing_step().map(|step| format!(" in {step}")).unwrap_or_default();
    let seen = if context.failures.is_empty() {
        "no failing invocation was found in the windows that were read"
    } else {
        "no known cause fits what was found"
    };
    let explanation = format!("{attempts} failed{step}, and {seen}.");
    let mut remediation = Remediation::new(
        "Read the function's log and its code around the failing step. Then check who else uses the secret, the function's \
         timeout, and the rotation schedule.",
    );
    if let Some(function) = context.function() {
        let follow = ["logs", "tail", function.log_group.as_str(), "--since", "1d"];
        remediation = remediation.run(aws_in(context, &follow)).needs("logs:FilterLogEvents");
    }
    let remediation = remediation.rotate(context).link(TROUBLESHOOTING);
    context.finding(RULE.cause, Confidence::Possible, explanation, evidence, remediation).into()
}

/// The line of a failure that comes closest to its error.
fn raw_error(failure: &Failure<'_>) -> Option<Proof> {
    let line = failure.lines.last().map(|read| read.event).or_else(|| failure.last_own_line())?;
    Some(Proof {
        step: StepName::FunctionLogs,
        call: "logs:FilterLogEvents".to_owned(),
        at: Some(line.at),
        text: line.text.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{assert_clear, assert_unknown, deny, fail, fail_unseen, finding, hang_in, healthy};
    use crate::model::{Outcome, RotationStep};

    #[test]
    fn a_failure_without_a_known_reason_is_quoted_and_ends_inconclusive() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &["[ERROR] Frobnication of the widget came to a bad end"]);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(
            found.evidence.first().map(|proof| proof.text.as_str()),
            Some("[ERROR] Frobnication of the widget came to a bad end")
        );
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.outcome, Outcome::Inconclusive);
        assert_eq!(diagnosis.findings.first().map(|first| first.cause), Some(RULE.cause));
    }

    #[test]
    fn it_is_not_told_beside_an_explanation() {
        let mut evidence = healthy();
        hang_in(&mut evidence, RotationStep::SetSecret, &[]);
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.root_cause().map(|root| root.cause), Some(Cause::DbNetworkUnreachable));
        assert!(diagnosis.findings.iter().all(|finding| finding.cause != RULE.cause));
    }

    #[test]
    fn it_is_clear_when_rotation_works_and_open_when_the_log_was_refused() {
        assert_clear(RULE.cause, &healthy());
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        assert!(finding(RULE.cause, &evidence).explanation.contains("no failing invocation was found"));
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(RULE.cause, &evidence, "logs:FilterLogEvents");
    }
}
