//! # The secret's value is not valid JSON
//!
//! The value cannot be parsed (a plain string, single quotes, or quotes that a shell removed), holds binary data in place of a
//! string, or a field of it cannot be used, such as a port `5432/tcp`.
//!
//! **Shows as** `JSONDecodeError`, `Invalid secret value json`, `Failed to parse secret string`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::SECRET_STRUCTURE;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

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
        let remediation = Remediation::new("Store the value again, as JSON with double quotes, from a file, and rotate.")
            .put_value(context)
            .forget_unreadable(context)
            .rotate(context)
            .link(SECRET_STRUCTURE);
        (explanation, remediation)
    })
}
