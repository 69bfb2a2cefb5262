//! # A dependency of the function changed its interface
//!
//! A new major version of a driver or SDK came in, and the function's code calls it the old way.
//!
//! **Shows as** `'Collection' object is not callable`, `You must provide a ClientRequestToken value`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::LAMBDA_DEPLOYMENT;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DependencyApiChanged,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation =
            format!("The function stopped{}: a library that it uses no longer behaves as its code expects.", seen.in_step());
        let remediation = Remediation::new(
            "Pin the dependency to the version the code was written for, or adapt the code, deploy it, and rotate.",
        )
        .deploy_code(context)
        .rotate(context)
        .link(LAMBDA_DEPLOYMENT);
        (explanation, remediation)
    })
}
