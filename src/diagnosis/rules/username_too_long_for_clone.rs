//! # The user name is too long for _clone to be appended
//!
//! The alternating-users strategy appends `_clone` to the user name, and the result is longer than the database allows.
//!
//! **Shows as** `Unable to clone user, username length with _clone appended would exceed … characters`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::UsernameTooLongForClone,
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
            "The user name in {} is too long: with _clone appended it exceeds the database's limit, so the second user cannot be \
             created{}.",
            context.secret_name(),
            seen.in_step()
        );
        let remediation = Remediation::new(
            "Create a user with a shorter name in the database, at least six characters below the engine's limit, store it in \
             the secret, and rotate. Or rotate with the single-user strategy.",
        )
        .put_value(context)
        .rotate(context)
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html");
        (explanation, remediation)
    })
}
