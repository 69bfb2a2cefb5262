//! # The service behind the secret answered with an error
//!
//! What lies behind the secret is no database but an API. It refused the call, failed, changed, or could not be reached
//! from setSecret or testSecret.
//!
//! **Shows as** HTTP 4xx or 5xx answers, or connection errors, of a host that is not AWS's.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::ROTATION_FUNCTIONS;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::TargetServiceError,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[
        change_events::SECURITY_GROUPS,
        change_events::NAT_GATEWAYS,
        change_events::ROUTES,
        change_events::SECRET_VALUE,
    ],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation =
            format!("The service behind {} did not do what the function asked{}.", context.secret_name(), seen.in_step());
        let remediation = Remediation::new(
            "Call the service by hand with the AWSCURRENT credentials. 401 or 403: they no longer hold, or lack a right. \
             404 or 400: its API changed, and the function with it must. 429 or 5xx: it is busy or down; rotate later.",
        )
        .rotate(context)
        .link(ROTATION_FUNCTIONS);
        (explanation, remediation)
    })
}
