//! # The target rejects the generated password
//!
//! The password Secrets Manager generated breaks a rule of the database, or has characters that it does not take.
//!
//! **Shows as** `is not a valid password. Only printable ASCII characters besides`, ORA-28003, ORA-28221, messages of a
//! password validation plug-in.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TEMPLATES;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbPasswordPolicyOrChars,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION, change_events::DATABASE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!("The target rejected the password that was generated for it{}.", seen.in_step());
        let remediation = Remediation::new(
            "Exclude the characters the target refuses, or ask for a longer password: the official templates read \
             EXCLUDE_CHARACTERS, PASSWORD_LENGTH and REQUIRE_EACH_INCLUDED_TYPE from the function's environment. Save the \
             present variables first, add to them in environment.json, apply, and rotate.",
        )
        .set_environment(context)
        .discard_pending(context)
        .rotate(context)
        .link(TEMPLATES);
        (explanation, remediation)
    })
}
