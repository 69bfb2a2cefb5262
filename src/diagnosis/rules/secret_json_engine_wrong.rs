//! # The secret's engine is not the one the function handles
//!
//! `engine` is missing from the secret's JSON, or names another database than the one the template is made for.
//!
//! **Shows as** `Database engine must be set to '…' in order to use this rotation lambda`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::SECRET_STRUCTURE;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::SecretJsonEngineWrong,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation =
            format!("{} names another engine than its rotation function is made for{}.", context.secret_name(), seen.in_step());
        let remediation = Remediation::new(
            "Set \"engine\" in the secret to the engine the line names. If the database is of another kind, bind the secret to the \
             function for that kind instead.",
        )
        .put_value(context)
        .rotate(context)
        .link(SECRET_STRUCTURE);
        (explanation, remediation)
    })
}
