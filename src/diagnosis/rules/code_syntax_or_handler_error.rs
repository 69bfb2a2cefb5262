//! # The function has a syntax error or no such handler
//!
//! The package does not parse in the function's runtime, or does not hold the entry point the configuration names.
//!
//! **Shows as** `Runtime.UserCodeSyntaxError`, `Runtime.HandlerNotFound`, `Runtime.InvalidEntrypoint`. Where the code is looked
//! at: the handler's file or function is not in the package, or a file does not parse.

use crate::diagnosis::readings::code::by_log_or_code;
use crate::diagnosis::remedy::LAMBDA_DEPLOYMENT;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::CodeSyntaxOrHandlerError,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let tell = || {
        let explanation = match context.function().and_then(|function| function.handler.as_deref()) {
            Some(entry) => format!("Lambda could not start the function's code at {entry}, so no step of the rotation ran."),
            None => "Lambda could not start the function's code, so no step of the rotation ran.".to_owned(),
        };
        (explanation, remediation(context))
    };
    by_log_or_code(context, &RULE, |_| tell(), || remediation(context))
}

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    Remediation::new(
        "Correct the file that is named and deploy it. Where the entry point is wrong, set it: the official templates use \
         lambda_function.lambda_handler.",
    )
    .deploy_code(context)
    .configure_function(context, &["--handler", "lambda_function.lambda_handler"])
    .rotate(context)
    .link(LAMBDA_DEPLOYMENT)
}
