//! # The secret's value is not valid JSON
//!
//! The value cannot be parsed (a plain string, single quotes, or quotes that a shell removed), holds binary data instead of
//! a string, or has a field that cannot be used, such as the port `5432/tcp`.
//!
//! **Shows as** `JSONDecodeError`, `Invalid secret value json`, `Failed to parse secret string`.

use crate::diagnosis::database::superuser_secret_word;
use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::readings::strategy;
use crate::diagnosis::remedy::SECRET_STRUCTURE;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, RotationStep, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::SecretJsonInvalid,
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
            format!("The function could not parse the value of {} as JSON{}.", context.secret_name(), seen.in_step());
        // createSecret reads the current value: what setSecret cannot parse is the previous one, or the superuser's.
        let is_previous = seen.failure.step.is_some_and(|step| step > RotationStep::CreateSecret);
        if is_previous && strategy::alternates(context) {
            let explanation = format!(
                "createSecret had read {} and found no fault; what the function could not parse as JSON{} is the superuser's secret, \
                 which \"masterarn\" names.",
                context.secret_name(),
                seen.in_step()
            );
            let fix = Remediation::new("Store the superuser's value again, as JSON with double quotes, from a file, and rotate.")
                .put_superuser_value(context, &superuser_secret_word(context, ""))
                .rotate(context)
                .link(SECRET_STRUCTURE);
            return (explanation, fix);
        }
        if is_previous && context.secret().is_some_and(|secret| secret.version_with("AWSPREVIOUS").is_some()) {
            let fix = Remediation::new("Remove AWSPREVIOUS from the value that is not JSON, and rotate.")
                .forget_previous(context)
                .discard_pending(context)
                .rotate(context)
                .link(SECRET_STRUCTURE);
            return (explanation, fix);
        }
        let remediation = Remediation::new("Store the value again from a file, as JSON with double quotes, and rotate.")
            .put_value(context)
            .forget_unreadable(context)
            .rotate(context)
            .link(SECRET_STRUCTURE);
        (explanation, remediation)
    })
}
