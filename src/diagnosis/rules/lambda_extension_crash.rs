//! # A Lambda extension or layer crashes the function
//!
//! An extension, often a monitoring agent in a layer, exits and takes the execution environment with it.
//!
//! **Shows as** `Extension.Crash`, `Extension.InitError`, `EXTENSION … State: InitError`.

use crate::diagnosis::context::LogMatch;
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

/// Where a layer's name stands in its ARN.
const LAYER_NAME: usize = 6;

/// Shorter words are in too many names to tell layers apart.
const LAYER_WORD: usize = 4;

/// Words of many layers' names.
const COMMON_WORDS: &[&str] =
    &["extension", "extensions", "lambda", "layer", "python", "nodejs", "node", "java", "arm64", "amd64"];

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = {
            let layers = context.function().map(|function| function.layers.as_slice()).unwrap_or_default();
            let layers = match layers {
                [] => String::new(),
                [one] => format!("; the function's layer is {one}"),
                several => format!("; the function's layers are {}", several.join(", ")),
            };
            format!("An extension crashed{}, and the function with it{layers}.", seen.in_step())
        };
        let remediation = keep_layers(
            context,
            seen,
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

/// The only layer is the one that crashed; of several, it is the one whose name the invocation's lines hold. Where that does not
/// tell, the person says which shall stay.
fn keep_layers(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>, fix: Remediation) -> Remediation {
    let layers = context.function().map(|function| function.layers.as_slice()).unwrap_or_default();
    let lines = &seen.failure.invocation.lines;
    let is_named = |layer: &str| {
        let name = layer.split(':').nth(LAYER_NAME).unwrap_or_default().to_ascii_lowercase();
        let words = name.split(['-', '_']).filter(|word| word.len() >= LAYER_WORD && !COMMON_WORDS.contains(word));
        words.into_iter().any(|word| lines.iter().any(|line| line.text.to_ascii_lowercase().contains(word)))
    };
    let (named, others): (Vec<&str>, Vec<&str>) = layers.iter().map(String::as_str).partition(|layer| is_named(layer));
    match (layers.len(), named.len(), others.is_empty()) {
        (1, ..) | (_, 1, true) => return fix.configure_function(context, &["--layers", "[]"]),
        (_, 1, false) => return fix.configure_function(context, &[&["--layers"], others.as_slice()].concat()),
        _ => {}
    }
    let name = context.function_name().unwrap_or("FUNCTION_NAME");
    let look = ["lambda", "get-function-configuration", "--function-name", name, "--query", "Layers[].Arn"];
    fix.run(crate::diagnosis::remedy::aws_in(context, &look))
        .needs("lambda:GetFunctionConfiguration")
        .configure_function(context, &["--layers", "LAYER_ARN_TO_KEEP"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{facts, fail, finding, healthy};
    use crate::model::RotationStep;

    #[test]
    fn of_several_layers_the_one_that_the_lines_name_goes_and_the_others_stay() {
        let layer = |name: &str| format!("arn:aws:lambda:eu-west-1:123456789012:layer:{name}");
        let (agent, driver) = (layer("Acmewatch-Extension-ARM:45"), layer("psycopg-python:3"));
        let crash = |named: &str| {
            let mut evidence = healthy();
            facts(&mut evidence.function).layers = vec![agent.clone(), driver.clone()];
            let line = format!("EXTENSION\tName: {named}\tState: InitError\tEvents: []\tError Type: Extension.InitError");
            fail(&mut evidence, RotationStep::CreateSecret, &[&line]);
            finding(RULE.cause, &evidence).remediation.commands.join("\n")
        };
        let commands = crash("acmewatch-agent");
        assert!(commands.contains(&format!("--layers {driver}")) && !commands.contains("LAYER_ARN_TO_KEEP"), "{commands}");
        assert!(crash("unheard-of").contains("LAYER_ARN_TO_KEEP"), "which it was, nothing tells");
    }
}
