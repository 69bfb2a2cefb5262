//! # The database named in the secret does not exist
//!
//! The server has no database with the name under `dbname`. The official templates swallow this error; functions that log
//! the driver's message show it.
//!
//! **Shows as** `database "x" does not exist`, MySQL's 1049 `Unknown database`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::SECRET_STRUCTURE;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbNameMissing,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: true,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "The server accepted the connection{}, but it has no database with the name given under \"dbname\" in {}.",
            seen.in_step(),
            context.secret_name()
        );
        let remediation =
            Remediation::new("Correct \"dbname\" in the secret's JSON, or remove it to use the server's default, and rotate.")
                .put_value(context)
                .rotate(context)
                .link(SECRET_STRUCTURE);
        (explanation, remediation)
    })
}
