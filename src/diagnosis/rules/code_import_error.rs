//! # A module of the function cannot be imported
//!
//! The function stops before its first line: a module is missing from the package, or the package is broken.
//!
//! **Shows as** `Runtime.ImportModuleError`, `Unable to import module`, `Cannot find module`, with an INIT_REPORT of
//! status error.
//!
//! **Is not it** when step lines follow in the same invocation.

use super::code_runtime_upgraded_abi::is_built_wrong;
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::remedy::{LAMBDA_DEPLOYMENT, TROUBLESHOOTING};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Proof, Remediation, StepName};

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
    let Some(seen) = context.seen_where(|line| names(line.classification.cause)) else { return not_said(context, &RULE) };
    let named = names_module(&seen.read.event.text).then_some(seen.read.event);
    let named = named.or_else(|| seen.failure.invocation.lines.iter().find(|event| names_module(&event.text)));
    let which = if named.is_some() { "; the quoted line names the module" } else { "" };
    let explanation = format!("Lambda could not load the function's code, so no step of the rotation ran{which}.");
    let layers = layers_changed(context);
    let fix = Remediation::new(match layers {
        true => {
            "The layers of the function were changed before the first failure: put back the layer that has the module. Or build the \
             package with all its dependencies, for the function's runtime and architecture, and deploy it. Then rotate."
        }
        false => {
            "Build the package again, with all its dependencies, for the function's runtime and architecture, deploy it, and rotate."
        }
    });
    let remediation = fix.deploy_code(context).rotate(context).link(LAMBDA_DEPLOYMENT).link(TROUBLESHOOTING);
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation);
    if let Some(event) = named.filter(|event| event.text != seen.read.event.text) {
        // Lambda reports the class of the error in one record, and the module in another.
        let proof = Proof {
            step: StepName::FunctionLogs,
            call: "logs:FilterLogEvents".to_owned(),
            at: Some(event.at),
            text: event.text.trim().to_owned(),
        };
        finding.evidence.insert(0, proof);
    }
    finding.into()
}

/// True for a line that says which module is missing or broken.
fn names_module(text: &str) -> bool {
    ["No module named", "Cannot find module", "Unable to import module", "Cannot find package", "cannot import name"]
        .iter()
        .any(|words| text.contains(words))
}

/// True where a change of the function's configuration, and none of its code, came before the failures and named layers.
fn layers_changed(context: &DiagnosisContext<'_>) -> bool {
    let suspects = context.suspects(RULE.cause);
    let is_code = |name: &str| name.starts_with("UpdateFunctionCode");
    !suspects.iter().any(|(change, _)| is_code(&change.event))
        && suspects.iter().any(|(change, _)| change.parameters.get("layers").is_some_and(|layers| !layers.is_null()))
}
