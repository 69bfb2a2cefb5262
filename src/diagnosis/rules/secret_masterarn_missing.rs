//! # The secret does not name its superuser secret
//!
//! The function rotates alternating users with the help of a superuser, and the secret's JSON has no `masterarn`.
//!
//! **Shows as** `KeyError: 'masterarn'`.

use super::by_log::by_log;
use crate::diagnosis::remedy::SECRET_STRUCTURE;
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Remediation};

pub(super) const RULE: Rule = Rule { cause: Cause::SecretMasterarnMissing, stage: Stage::Step, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    by_log(case, RULE.cause, |seen| {
        let explanation =
            format!("The function alternates users and {} has no \"masterarn\"{}.", case.secret_name(), seen.in_step());
        let remediation = Remediation::new(
            "Add \"masterarn\", the full ARN of the superuser's secret, to the secret's JSON, and let the function's role read that \
             secret. Or bind the secret to a single-user function.",
        )
        .put_value(case)
        .rotate(case)
        .link(SECRET_STRUCTURE);
        (explanation, remediation)
    })
}
