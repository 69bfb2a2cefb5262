//! # The function runs out of memory
//!
//! Lambda ends a function that uses more memory than it was given.
//!
//! **Shows as** `Runtime.OutOfMemory`, `signal: killed`, or a REPORT of a failed invocation whose `Max Memory Used` equals its
//! `Memory Size`.

use crate::diagnosis::context::Failure;
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Proof, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::LambdaOom,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(seen) = context.seen(RULE.cause) {
        let explanation = format!("Lambda ended the function{} because it ran out of memory.", seen.in_step());
        return said(context, RULE.cause, &seen, explanation, remediation(context, seen.failure)).into();
    }
    let newest = context.failures.last().filter(|failure| failure.most_specific_line().is_none());
    let Some((failure, size)) = newest.and_then(|failure| Some((failure, full_memory_mb(failure)?))) else {
        return not_said(context, &RULE);
    };
    // A function may fill its memory and still hang for another reason.
    let confidence = if failure.timed_out() { Confidence::Possible } else { Confidence::Likely };
    let report = Proof {
        step: StepName::FunctionLogs,
        call: "logs:FilterLogEvents".to_owned(),
        at: failure.invocation.ended_at.or(Some(failure.invocation.started_at)),
        text: format!("REPORT: Memory Size {size} MB, Max Memory Used {size} MB"),
    };
    let step = failure.step.map(|step| format!(" in {step}")).unwrap_or_default();
    let explanation = format!("The failing invocation{step} used all of its {size} MB of memory.");
    let evidence = std::iter::once(report).chain(context.failed_attempt_proof()).collect();
    context.finding(RULE.cause, confidence, explanation, evidence, remediation(context, failure)).into()
}

/// The memory the invocation had, where it used all of it.
fn full_memory_mb(failure: &Failure<'_>) -> Option<u32> {
    let size = failure.invocation.memory_size_mb?;
    (failure.invocation.max_memory_used_mb? >= size).then_some(size)
}

fn remediation(context: &DiagnosisContext<'_>, failure: &Failure<'_>) -> Remediation {
    let memory = failure.invocation.memory_size_mb.or_else(|| context.function().and_then(|function| function.memory_mb));
    let double = memory.map_or(256, |megabytes| megabytes.saturating_mul(2).clamp(256, 10_240)).to_string();
    Remediation::new("Give the function more memory, and rotate.")
        .configure_function(context, &["--memory-size", &double])
        .rotate(context)
        .link("https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{assert_clear, assert_unknown, deny, facts, fail, finding, hang_in, healthy};
    use crate::model::{Evidence, RotationStep};

    fn fill_memory(evidence: &mut Evidence) {
        facts(&mut evidence.logs).invocations.last_mut().unwrap().max_memory_used_mb = Some(128);
    }

    #[test]
    fn a_failed_invocation_that_used_all_its_memory_is_likely_out_of_it() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        fill_memory(&mut evidence);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.remediation.commands.iter().any(|command| command.contains("--memory-size 256")));
    }

    #[test]
    fn a_hanging_one_is_only_possibly_so() {
        let mut evidence = healthy();
        hang_in(&mut evidence, RotationStep::SetSecret, &[]);
        fill_memory(&mut evidence);
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Possible);
    }

    #[test]
    fn lambdas_own_line_with_the_rotation_event_is_confirmed() {
        let mut evidence = healthy();
        let line = "RequestId: r1 Error: Runtime exited with error: signal: killed\nRuntime.ExitError";
        fail(&mut evidence, RotationStep::SetSecret, &[line]);
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Confirmed);
    }

    #[test]
    fn a_healthy_rotation_is_clear_and_a_denied_log_is_not() {
        assert_clear(RULE.cause, &healthy());
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(RULE.cause, &evidence, "logs:FilterLogEvents");
    }
}
