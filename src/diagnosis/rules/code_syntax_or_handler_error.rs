//! # The function has a syntax error or no such handler
//!
//! The package does not parse in the function's runtime, or does not hold the entry point the configuration names.
//!
//! **Shows as** `Runtime.UserCodeSyntaxError`, `Runtime.HandlerNotFound`, `Runtime.InvalidEntrypoint`.

use crate::diagnosis::readings::by_log::by_log;
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
    by_log(context, &RULE, |_| {
        let explanation = match context.function().and_then(|function| function.handler.as_deref()) {
            Some(entry) => format!("Lambda could not start the function's code at {entry}, so no step of the rotation ran."),
            None => "Lambda could not start the function's code, so no step of the rotation ran.".to_owned(),
        };
        let remediation = Remediation::new(
            "Correct the file that the line names and deploy it. Where the handler's name is wrong, set it: the official \
             templates use lambda_function.lambda_handler. Then rotate.",
        )
        .deploy_code(context)
        .configure_function(context, &["--handler", "lambda_function.lambda_handler"])
        .rotate(context)
        .link(LAMBDA_DEPLOYMENT);
        (explanation, remediation)
    })
}
