//! # A module of the function cannot be imported
//!
//! The function stops before its first line: a module is missing from the package, or the package is broken.
//!
//! **Shows as** `Runtime.ImportModuleError`, `Unable to import module`, `Cannot find module`, with an INIT_REPORT of
//! status error. Where the code is looked at: an import that neither the package, nor a layer, nor the runtime has, or a
//! compiled file for another Python or processor.
//!
//! **Is not it** when step lines follow in the same invocation.

use super::code_runtime_upgraded_abi::is_built_wrong;
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::code;
use crate::diagnosis::remedy::{LAMBDA_DEPLOYMENT, TROUBLESHOOTING};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::CodeImportError,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let built_wrong = is_built_wrong(context);
    let names = |cause| cause == RULE.cause || (built_wrong && cause == Cause::CodeRuntimeUpgradedAbi);
    let Some(seen) = context.seen_where(|line| names(line.classification.cause)) else {
        return code::ahead(context, RULE.cause, || remediation(context)).map_or_else(|| not_said(context, &RULE), Verdict::from);
    };
    let explanation =
        "Lambda could not load the function's code, so no step of the rotation ran; the quoted line names the module.";
    let mut finding = said(context, RULE.cause, &seen, explanation.to_owned(), remediation(context));
    code::beside(context, &seen, RULE.cause, &mut finding);
    finding.into()
}

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    Remediation::new(
        "Build the package again, with all its dependencies, for the function's runtime and architecture, deploy it, and rotate.",
    )
    .deploy_code(context)
    .rotate(context)
    .link(LAMBDA_DEPLOYMENT)
    .link(TROUBLESHOOTING)
}
