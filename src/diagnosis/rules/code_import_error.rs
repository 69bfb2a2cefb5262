//! # A module of the function cannot be imported
//!
//! The function stops before its first line: a module is missing from the package, or the package is broken.
//!
//! **Shows as** `Runtime.ImportModuleError`, `Unable to import module`, `Cannot find module`, with an INIT_REPORT of
//! status error. Where the code is inspected: a module that neither the package nor a layer has.
//!
//! **Is not it** when step lines follow in the same invocation.

use super::code_runtime_upgraded_abi::is_built_wrong;
use crate::diagnosis::context::LogMatch;
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::code;
use crate::diagnosis::remedy::{LAMBDA_DEPLOYMENT, TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Change, Concern, Proof, Remediation, StepName};

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
    if let Some(module) = handler_module(context).filter(|module| lacks(&seen.read.event.text, module)) {
        return names_no_module(context, &seen, module);
    }
    let named = names_module(&seen.read.event.text).then_some(seen.read.event);
    let named = named.or_else(|| seen.failure.invocation.lines.iter().find(|event| names_module(&event.text)));
    let which = if named.is_some() { "; the quoted line names the module" } else { "" };
    let explanation = format!("Lambda could not load the function's code, so no step of the rotation ran{which}.");
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation(context));
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
    code::beside(context, &seen, RULE.cause, &mut finding);
    finding.into()
}

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    let fix = match layers_taken(context) {
        Some(layers) => put_back(context, &layers),
        None => Remediation::new(
            "Build the package again, with all its dependencies, for the function's runtime and architecture, deploy it, and rotate.",
        )
        .deploy_code(context),
    };
    fix.rotate(context).link(LAMBDA_DEPLOYMENT).link(TROUBLESHOOTING)
}

/// Stands for the layer that no event names.
const MISSING_LAYER: &str = "MISSING_LAYER_ARN";

/// Gives the function the layers that it had; where no event names them, beside those it has, one that the commands before show.
fn put_back(context: &DiagnosisContext<'_>, known: &[&str]) -> Remediation {
    let name = context.function_name().unwrap_or("FUNCTION_NAME");
    let fix = Remediation::new(
        "The layers of the function were changed before the first failure: put back the layer that has the module, and rotate. Or \
         build the package with all its dependencies, for the function's runtime and architecture, and deploy it.",
    );
    let (fix, layers) = if known.is_empty() {
        let query = "Versions[].[Version,LastModified,Layers[].Arn]";
        let versions = ["lambda", "list-versions-by-function", "--function-name", name, "--query", query];
        let layers = ["lambda", "list-layers", "--query", "Layers[].LatestMatchingVersion.LayerVersionArn"];
        let present = context.function().map(|function| function.layers.as_slice()).unwrap_or_default();
        let fix = fix
            .run(aws_in(context, &versions))
            .run(aws_in(context, &layers))
            .needs("lambda:ListVersionsByFunction")
            .needs("lambda:ListLayers");
        (fix, present.iter().map(String::as_str).chain([MISSING_LAYER]).collect())
    } else {
        (fix, known.to_vec())
    };
    fix.configure_function(context, &[&["--layers"], layers.as_slice()].concat())
        .warn("--layers replaces the whole list: name every layer that the function needs.")
}

/// True for a line that says which module is missing or broken.
fn names_module(text: &str) -> bool {
    ["No module named", "Cannot find module", "Unable to import module", "Cannot find package", "cannot import name"]
        .iter()
        .any(|words| text.contains(words))
}

/// The layers that the function had before a change of its configuration, and none of its code, that came before the failures and
/// named layers; empty where no older event tells of them, `None` where there was no such change.
fn layers_taken<'a>(context: &DiagnosisContext<'a>) -> Option<Vec<&'a str>> {
    let suspects = context.suspects(RULE.cause);
    if suspects.iter().any(|(change, _)| change.event.starts_with("UpdateFunctionCode")) {
        return None;
    }
    let taken = suspects.iter().map(|(change, _)| change).find(|change| names_layers(change))?;
    let changes = &context.evidence.changes.found()?.changes;
    let before =
        changes.iter().rev().find(|change| change.concerns == Concern::Function && change.at < taken.at && names_layers(change));
    let layers = before.and_then(|change| change.parameters.get("layers")?.as_array());
    Some(layers.into_iter().flatten().filter_map(|layer| layer.as_str()).collect())
}

fn names_layers(change: &Change) -> bool {
    change.parameters.get("layers").is_some_and(|layers| !layers.is_null())
}

/// The module that the function's handler names: `rotation` of `rotation.lambda_handler`.
fn handler_module<'a>(context: &DiagnosisContext<'a>) -> Option<&'a str> {
    let handler = context.function()?.handler.as_deref()?;
    handler.rsplit_once('.').map(|(module, _)| module).filter(|module| !module.is_empty())
}

/// True where the line says of this very module that it is not there.
fn lacks(text: &str, module: &str) -> bool {
    let dotted = module.replace('/', ".");
    let text = text.replace('\\', "");
    ["No module named", "Cannot find module"]
        .iter()
        .any(|lead| [module, &dotted].iter().any(|name| text.contains(&format!("{lead} '{name}'"))))
}

/// The package may be whole: what it is called by is wrong.
fn names_no_module(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>, module: &str) -> Verdict {
    let name = context.function_name().unwrap_or("FUNCTION_NAME");
    let look =
        ["lambda", "list-versions-by-function", "--function-name", name, "--query", "Versions[].[Version,LastModified,Handler]"];
    let explanation = format!(
        "Lambda looked for the module {module}, which the function's handler names, and the package holds none of that name: the handler \
         was changed, or the package was built without its entry. No step of the rotation ran."
    );
    let remediation = Remediation::new(
        "See which handler the function had before, in its published versions or in the change of its configuration, and set it again; \
         or deploy a package that holds the module. Then rotate.",
    )
    .run(aws_in(context, &look))
    .needs("lambda:ListVersionsByFunction")
    .configure_function(context, &["--handler", "PREVIOUS_HANDLER"])
    .rotate(context)
    .link(LAMBDA_DEPLOYMENT)
    .link(TROUBLESHOOTING);
    let mut finding = said(context, RULE.cause, seen, explanation, remediation);
    finding.title = "the function's handler names a module that its package does not hold".to_owned();
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{facts, fail, finding, healthy};
    use crate::model::RotationStep;

    #[test]
    fn a_handler_whose_own_module_is_missing_is_not_a_package_to_build_again() {
        let said = |handler: &str, line: &str| {
            let mut evidence = healthy();
            facts(&mut evidence.function).handler = Some(handler.to_owned());
            fail(&mut evidence, RotationStep::CreateSecret, &[line]);
            finding(RULE.cause, &evidence)
        };
        for (handler, line) in [
            (
                "rotation.lambda_handler",
                "[ERROR] Runtime.ImportModuleError: Unable to import module 'rotation': No module named 'rotation'",
            ),
            (
                "src/rotate.handler",
                "{\"errorType\":\"Runtime.ImportModuleError\",\"errorMessage\":\"Error: Cannot find module 'src/rotate'\"}",
            ),
        ] {
            let found = said(handler, line);
            assert!(found.title.contains("handler names a module"), "{line}: {}", found.title);
            assert!(found.remediation.commands.iter().any(|command| command.contains("list-versions-by-function")), "{line}");
            assert!(!found.remediation.commands.iter().any(|command| command.contains("update-function-code")), "{line}");
        }
        let missing = "[ERROR] Runtime.ImportModuleError: Unable to import module 'rotation': No module named 'requests'";
        assert!(!said("rotation.lambda_handler", missing).title.contains("handler names"));
    }
}
