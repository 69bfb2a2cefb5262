//! # The function lacks an environment variable
//!
//! The code reads a variable that the function's configuration does not set, or sets to a value it cannot use: a length
//! that is not a number, an endpoint without https://. Every official template needs SECRETS_MANAGER_ENDPOINT.
//!
//! **Shows as** `KeyError: 'SECRETS_MANAGER_ENDPOINT'`, `Invalid endpoint`, `invalid literal for int()` where the password
//! is generated. Where the code is inspected: a variable that the handler or a step reads, and that the function does not set.
//!
//! **Is not it** any more when the variable is set now.

use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::code;
use crate::diagnosis::remedy::{ROTATION_FUNCTIONS, secrets_manager_endpoint};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Proof, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::CodeMissingEnv,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(seen) = context.seen(RULE.cause) else {
        return code::ahead(context, RULE.cause, || remediation(context)).map_or_else(|| not_said(context, &RULE), Verdict::from);
    };
    let variable = quoted_variable(&seen.read.event.text);
    let is_set =
        context.function().zip(variable).map(|(function, name)| function.environment_names.iter().any(|own| own == name));
    let subject =
        variable.map_or_else(|| "an environment variable".to_owned(), |name| format!("the environment variable {name}"));
    let explanation = match is_set {
        Some(true) => format!("The function stopped{}: {subject} was missing. It is set now.", seen.in_step()),
        _ => format!("The function stopped{}: {subject} is missing from its configuration.", seen.in_step()),
    };
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation(context));
    match (is_set, variable) {
        (Some(true), _) => finding.confidence = finding.confidence.min(Confidence::Likely),
        (Some(false), Some(name)) if seen.is_latest => {
            finding.confidence = Confidence::Confirmed;
            finding.evidence.push(Proof {
                step: StepName::RotationFunction,
                call: "lambda:GetFunctionConfiguration".to_owned(),
                at: None,
                text: format!("the function's environment does not set {name}"),
            });
        }
        _ => {}
    }
    if is_set != Some(true) {
        code::beside(context, &seen, RULE.cause, &mut finding);
    }
    finding.into()
}

/// The name in quotes after `KeyError:`, where it is one of an environment variable.
fn quoted_variable(text: &str) -> Option<&str> {
    let name = text.split_once("KeyError: '")?.1.split('\'').next()?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    is_name.then_some(name)
}

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    Remediation::new(format!(
        "Add the variable to the function's environment and rotate. SECRETS_MANAGER_ENDPOINT is {}. Save the present variables \
         to environment.json first, and add the missing one there.",
        secrets_manager_endpoint(context)
    ))
    .set_environment(context)
    .rotate(context)
    .link(ROTATION_FUNCTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{assert_clear, facts, fail, finding, healthy};
    use crate::model::RotationStep;

    #[test]
    fn the_line_and_the_configuration_agree_or_tell_that_it_is_set_now() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &["[ERROR] KeyError: 'SECRETS_MANAGER_ENDPOINT'"]);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.explanation.contains("It is set now"), "{}", found.explanation);
        facts(&mut evidence.function).environment_names.clear();
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Confirmed);
        assert!(found.remediation.warning.unwrap().contains("replaces all environment variables"));
        assert_clear(RULE.cause, &healthy());
    }
}
