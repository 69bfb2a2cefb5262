//! # The secret does not name its superuser secret
//!
//! The function rotates alternating users, for which it needs a superuser, and the secret's JSON has no `masterarn`.
//!
//! **Shows as** `KeyError: 'masterarn'`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::SECRET_STRUCTURE;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::SecretMasterarnMissing,
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
            "The function alternates between two users, for which it needs a superuser; {} has no \"masterarn\" that \
                     names the superuser's secret. It stopped{}.",
            context.secret_name(),
            seen.in_step()
        );
        let remediation = Remediation::new(
            "Add \"masterarn\", the full ARN of the superuser's secret, to the secret's JSON, let the function's role read that \
             secret, and rotate. Or bind the secret to a single-user function.",
        )
        .put_value(context)
        .rotate(context)
        .link(SECRET_STRUCTURE);
        (explanation, remediation)
    })
}
