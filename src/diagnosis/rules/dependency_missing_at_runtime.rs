//! # A package the driver needs is missing from the function
//!
//! The function starts, and a driver asks for a further package in the middle of a step.
//!
//! **Shows as** `'cryptography' package is required`, `No module named …` with a stack trace inside a step.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::LAMBDA_DEPLOYMENT;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DependencyMissingAtRuntime,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "The function stopped{}: its database driver needs a package that is not in the bundle. The quoted line names it.",
            seen.in_step()
        );
        let remediation = Remediation::new(
            "Add the package to the bundle, built for the function's runtime and architecture, deploy it, and rotate.",
        )
        .deploy_code(context)
        .rotate(context)
        .link(LAMBDA_DEPLOYMENT);
        (explanation, remediation)
    })
}
