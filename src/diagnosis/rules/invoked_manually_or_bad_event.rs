//! # The function was invoked by something other than rotation
//!
//! The event names a step that is none of the four: the function was invoked by hand, with a test event, or by another
//! trigger.
//!
//! **Shows as** `Invalid step parameter`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::{ROTATION_FUNCTIONS, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Remediation, Severity, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::InvokedManuallyOrBadEvent,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    // What somebody calls by hand is no rotation: where the history shows none that failed, none has to be made up for.
    let none_failed = context.evidence.history.found().is_some() && context.failed_attempts().next().is_none();
    let verdict = by_log(context, &RULE, |_| {
        let explanation =
            "The function was invoked with an event that Secrets Manager never sends; the quoted line names its step.".to_owned();
        let remediation = Remediation::new(
            "Remove the function's other triggers, and start rotations through Secrets Manager \
                                            only.",
        )
        .run(aws_in(context, &["lambda", "get-policy", "--function-name", context.function_name().unwrap_or("FUNCTION_NAME")]))
        .needs("lambda:GetPolicy");
        let remediation = if none_failed { remediation } else { remediation.rotate(context) };
        (explanation, remediation.link(ROTATION_FUNCTIONS))
    });
    match verdict {
        Verdict::Fires(mut finding) if none_failed => {
            finding.severity = finding.severity.min(Severity::Warning);
            Verdict::Fires(finding)
        }
        other => other,
    }
}
