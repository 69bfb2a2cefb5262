//! # The function has a syntax error or no such handler
//!
//! The package does not parse in the function's runtime, or does not hold the entry point the configuration names.
//!
//! **Shows as** `Runtime.UserCodeSyntaxError`, `Runtime.HandlerNotFound`, `Runtime.InvalidEntrypoint`. Where the code is looked
//! at: the handler's file or function is not in the package, or a file does not parse.

use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::code;
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

/// Words of Python's and Node's refusals to read a file.
const SYNTAX: [&str; 7] = [
    "SyntaxError",
    "Syntax error",
    "IndentationError",
    "TabError",
    "import statement outside",
    "Unexpected token",
    "unexpected token",
];

/// The entry point of the official templates.
const TEMPLATES_HANDLER: &str = "lambda_function.lambda_handler";

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(seen) = context.seen(RULE.cause) else {
        return code::ahead(context, RULE.cause, || missing_handler(context))
            .map_or_else(|| not_said(context, &RULE), Verdict::from);
    };
    let function = context.function();
    let entry = function.and_then(|function| function.handler.as_deref());
    let at = entry.map(|entry| format!(" at {entry}")).unwrap_or_default();
    let explanation = format!("Lambda could not start the function's code{at}, so no step of the rotation ran.");
    let is_syntax = SYNTAX.iter().any(|word| seen.read.event.text.contains(word));
    let (title, remediation) = match is_syntax {
        // Another entry point would not make the file readable, and a right one would be lost.
        true => (
            "the function's code has a syntax error",
            Remediation::new("Correct the file that the quoted line names, deploy it, and rotate.").deploy_code(context),
        ),
        false => ("the function's code does not have the configured handler", missing_handler(context)),
    };
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation.rotate(context).link(LAMBDA_DEPLOYMENT));
    finding.title = title.to_owned();
    code::beside(context, &seen, RULE.cause, &mut finding);
    finding.into()
}

/// Where the package lacks what the configuration names.
fn missing_handler(context: &DiagnosisContext<'_>) -> Remediation {
    set_handler(
        context,
        Remediation::new(
            "Deploy code that has the configured handler, or set the handler to the one that the code has: the official templates \
             use lambda_function.lambda_handler. Then rotate.",
        )
        .deploy_code(context),
    )
}

/// Sets the templates' entry point, where the function is written in their language and names another one.
fn set_handler(context: &DiagnosisContext<'_>, fix: Remediation) -> Remediation {
    let Some(function) = context.function() else { return fix };
    let is_python = function.runtime.as_deref().is_some_and(|runtime| runtime.starts_with("python"));
    let is_other = function.handler.as_deref().is_some_and(|handler| handler != TEMPLATES_HANDLER);
    if is_python && is_other { fix.configure_function(context, &["--handler", TEMPLATES_HANDLER]) } else { fix }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{facts, fail, finding, healthy};
    use crate::model::{Finding, RotationStep};

    fn found(line: &str, handler: &str) -> Finding {
        let mut evidence = healthy();
        facts(&mut evidence.function).handler = Some(handler.to_owned());
        fail(&mut evidence, RotationStep::CreateSecret, &[line]);
        finding(RULE.cause, &evidence)
    }

    fn sets_handler(found: &Finding) -> bool {
        found.remediation.commands.iter().any(|command| command.contains("--handler"))
    }

    #[test]
    fn a_syntax_error_leaves_the_handler_alone() {
        let line = "[ERROR] Runtime.UserCodeSyntaxError: Syntax error in module 'rotate': invalid syntax (rotate.py, line 88)";
        let found = found(line, "rotate.handler");
        assert_eq!(found.title, "the function's code has a syntax error");
        assert!(!sets_handler(&found), "{:?}", found.remediation.commands);
    }

    #[test]
    fn a_missing_handler_is_set_only_where_it_is_another_than_the_templates() {
        let line = "[ERROR] Runtime.HandlerNotFound: Handler 'rotate' missing on module 'lambda_function'";
        assert!(sets_handler(&found(line, "lambda_function.rotate")));
        assert!(!sets_handler(&found(line, TEMPLATES_HANDLER)));
    }
}
