//! # The user name differs between the secret's versions
//!
//! `username` was edited between versions. The template refuses to set the password of a user other than the previous one.
//!
//! **Shows as** `Attempting to modify user … other than …`, `does not match username`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::SecretUsernameChanged,
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
            "The function stopped{} because two versions of {} name different users.",
            seen.in_step(),
            context.secret_name()
        );
        let remediation = Remediation::new(
            "Restore \"username\" in the secret, remove AWSPENDING from the version that names the other user, and rotate. To \
             change the user for good, first store the complete value of the new user.",
        )
        .put_value(context)
        .rotate(context)
        .link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}
