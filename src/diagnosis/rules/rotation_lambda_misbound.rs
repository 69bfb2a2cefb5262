//! # The rotation function belongs to another secret or user
//!
//! The ElastiCache template serves one secret and one user, both named in its environment, and refuses all others.
//!
//! **Shows as** `is not allowed to use this Lambda function for rotation`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TEMPLATES;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::RotationLambdaMisbound,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |_| {
        let explanation =
            format!("The rotation function is set up for a secret other than {}, and refuses this one.", context.secret_name());
        let remediation = Remediation::new(
            "Deploy a separate function for this secret and bind the secret to it, which also rotates. Or, if this function is \
             meant to serve this secret, correct SECRET_ARN and USER_NAME in its environment.",
        )
        .bind_new_function(context)
        .link(TEMPLATES);
        (explanation, remediation)
    })
}
