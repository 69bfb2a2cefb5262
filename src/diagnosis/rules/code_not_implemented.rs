//! # A rotation step of the function is not implemented
//!
//! The function was made from the generic template, and a step still raises `NotImplementedError`.
//!
//! **Shows as** `NotImplementedError`, in setSecret or testSecret.

use super::by_log::by_log;
use crate::diagnosis::remedy::ROTATION_FUNCTIONS;
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Remediation};

pub(super) const RULE: Rule = Rule { cause: Cause::CodeNotImplemented, stage: Stage::Step, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    by_log(case, RULE.cause, |seen| {
        let explanation = format!("The function's code for this step is still the template's placeholder{}.", seen.in_step());
        let remediation = Remediation::new(
            "Implement the step: setSecret sets the AWSPENDING value in the service, testSecret logs in with it. Deploy, and rotate.",
        )
        .deploy_code(case)
        .rotate(case)
        .link(ROTATION_FUNCTIONS);
        (explanation, remediation)
    })
}
