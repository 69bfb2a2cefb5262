//! # A Lambda extension or layer crashes the function
//!
//! An extension, often a monitoring agent in a layer, exits and takes the execution environment with it.
//!
//! **Shows as** `Extension.Crash`, `Extension.InitError`, `EXTENSION … State: InitError`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::LambdaExtensionCrash,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = {
            let layers = context.function().map(|function| function.layers.as_slice()).unwrap_or_default();
            let layers = if layers.is_empty() {
                String::new()
            } else {
                format!(
                    " The function's layers: \
                                                                                {}.",
                    layers.join(", ")
                )
            };
            format!("An extension crashed{}, and the function with it.{layers}", seen.in_step())
        };
        let remediation = keep_layers(
            context,
            Remediation::new(
                "Update the extension's layer to a version made for the function's runtime, or remove it, and rotate.",
            ),
        )
        .rotate(context)
        .warn("--layers replaces the whole list: name every layer that is to stay.")
        .link("https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html");
        (explanation, remediation)
    })
}

/// The only layer is the one that crashed; of several, the person says which shall stay.
fn keep_layers(context: &DiagnosisContext<'_>, fix: Remediation) -> Remediation {
    let layers = context.function().map(|function| function.layers.as_slice());
    if layers.is_some_and(|layers| layers.len() == 1) {
        return fix.configure_function(context, &["--layers", "[]"]);
    }
    let name = context.function_name().unwrap_or("FUNCTION_NAME");
    let look = ["lambda", "get-function-configuration", "--function-name", name, "--query", "Layers[].Arn"];
    fix.run(crate::diagnosis::remedy::aws_in(context, &look))
        .needs("lambda:GetFunctionConfiguration")
        .configure_function(context, &["--layers", "LAYER_ARN_TO_KEEP"])
}
