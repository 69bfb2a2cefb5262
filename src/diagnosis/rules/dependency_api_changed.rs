//! # A dependency of the function changed its interface
//!
//! A new major version of a driver or SDK came in, and the function's code calls it the old way.
//!
//! **Shows as** `'Collection' object is not callable`, `You must provide a ClientRequestToken value`.

use super::by_log::by_log;
use crate::diagnosis::remedy::LAMBDA_DEPLOYMENT;
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Remediation};

pub(super) const RULE: Rule = Rule { cause: Cause::DependencyApiChanged, stage: Stage::Step, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    by_log(case, RULE.cause, |seen| {
        let explanation = format!("A library the function uses no longer behaves as its code expects{}.", seen.in_step());
        let remediation = Remediation::new(
            "Pin the dependency to the version the code was written for, or adapt the code, deploy it, and rotate.",
        )
        .deploy_code(case)
        .rotate(case)
        .link(LAMBDA_DEPLOYMENT);
        (explanation, remediation)
    })
}
