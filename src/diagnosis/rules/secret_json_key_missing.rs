//! # The secret's JSON lacks a required key
//!
//! The function needs a key, such as `host`, `username` or `password`, that the secret's JSON does not hold.
//!
//! **Shows as** `key is missing from secret JSON`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::SECRET_STRUCTURE;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::SecretJsonKeyMissing,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "The value of {} lacks a key the function needs{}; the quoted line names it.",
            context.secret_name(),
            seen.in_step()
        );
        let remediation =
            Remediation::new("Add the key to the secret's JSON, in the structure the template documents, and rotate.")
                .put_value(context)
                .rotate(context)
                .link(SECRET_STRUCTURE);
        (explanation, remediation)
    })
}
