//! # The function has a syntax error or no such handler
//!
//! The package does not parse in the function's runtime, or does not hold the entry point the configuration names.
//!
//! **Shows as** `Runtime.UserCodeSyntaxError`, `Runtime.HandlerNotFound`, `Runtime.InvalidEntrypoint`. Where the code is looked
//! at: the handler's file or function is not in the package, or a file does not parse.

<<<<<<< HEAD
use crate::diagnosis::readings::by_log::{not_said, said};
=======
use crate::diagnosis::readings::code::by_log_or_code;
>>>>>>> p-code
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
<<<<<<< HEAD
    let Some(seen) = context.seen(RULE.cause) else { return not_said(context, &RULE) };
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
        false => (
            "the function's code does not have the configured handler",
            set_handler(
                context,
                Remediation::new(
                    "Deploy code that has the configured handler, or set the handler to the one that the code has: the official \
                     templates use lambda_function.lambda_handler. Then rotate.",
                )
                .deploy_code(context),
            ),
        ),
    };
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation.rotate(context).link(LAMBDA_DEPLOYMENT));
    finding.title = title.to_owned();
    finding.into()
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
=======
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
>>>>>>> p-code
}
