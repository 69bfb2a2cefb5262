//! # A rotation step of the function is not implemented
//!
//! The function was made from the generic template, and a step still raises `NotImplementedError`.
//!
//! **Shows as** `NotImplementedError` in setSecret or testSecret. Where the code is inspected: a step that only raises, or one
//! that should create or finish the new version and does nothing.

use crate::diagnosis::context::LogMatch;
use crate::diagnosis::readings::code::by_log_or_code;
use crate::diagnosis::remedy::ROTATION_FUNCTIONS;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::CodeNotImplemented,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let tell = |seen: &LogMatch<'_, '_>| {
        let explanation =
            format!("The function's code still has the template's placeholder{}, which only raises an error.", seen.in_step());
        (explanation, remediation(context))
    };
    by_log_or_code(context, &RULE, tell, || remediation(context))
}

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    Remediation::new(
        "Implement the step: setSecret sets the AWSPENDING value in the service, testSecret logs in with it. Deploy, and rotate.",
    )
    .deploy_code(context)
    .rotate(context)
    .link(ROTATION_FUNCTIONS)
}
