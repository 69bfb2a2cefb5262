//! # The function's PostgreSQL library is too old for SCRAM authentication
//!
//! The database stores passwords as scram-sha-256, and the function's bundle has a libpq older than version 10. So have
//! functions made before 30 December 2021.
//!
//! **Shows as** `SCRAM authentication requires libpq version 10 or above`.
//!
//! **Is not it** when the function was made from a newer template.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::readings::function_age;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbScramLibpqOld,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION, change_events::DATABASE],
    specificity: Specificity::Defect,
    hidden_by_login: true,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = {
            let age = if function_age::is_older_than(context, function_age::SCRAM) {
                " The function was last changed before 30 December 2021, when the templates began to support it."
            } else {
                ""
            };
            format!("The database asked for SCRAM authentication{}, which the function's library cannot do.{age}", seen.in_step())
        };
        let remediation = Remediation::new(
            "Create the rotation function anew from the current PostgreSQL template. Then bind the secret to it, which also \
             rotates.",
        )
        .bind_new_function(context)
        .link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}
