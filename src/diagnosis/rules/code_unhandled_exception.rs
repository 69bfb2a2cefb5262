//! # The function's own code raises an exception
//!
//! An exception that no other rule knows left the function's code.
//!
//! **Shows as** a stack trace whose last frame is in the function's package (`/var/task`).
//!
//! **Is not it** when an error of AWS or of a driver is nested in it, or another line of the same invocation says more.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::ROTATION_FUNCTIONS;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::CodeUnhandledException,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Surface,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!("The function's code raised an exception that it does not catch{}.", seen.in_step());
        let remediation = Remediation::new(
            "Read the code at the last frame of the stack trace. If it was deployed shortly before the first failure, deploy the \
             previous package; else correct it. Then rotate.",
        )
        .deploy_code(context)
        .rotate(context)
        .link(ROTATION_FUNCTIONS);
        (explanation, remediation)
    })
}
