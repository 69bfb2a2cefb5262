//! # The host differs between versions or from the superuser's, or accepts no writes
//!
//! The template refuses to set a password on a host other than the one where it was set before: `host` was edited between
//! versions, differs from the superuser's, or points to a reader or a proxy. Or the host itself refuses, because it is
//! read-only.
//!
//! **Shows as** `Attempting to modify user for host … other than …`, `Current database host … is not the same host as`,
//! `read-only transaction` (25006), MySQL's 1290, `READONLY`, `NotWritablePrimary`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbHostMismatchReplica,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::DATABASE, change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "The function stopped{} because the hosts it compared differ: those in the secret's versions, or those in the secret \
             and in its superuser's secret.",
            seen.in_step()
        );
        let remediation = Remediation::new(
            "Store the writer's endpoint under \"host\" in the secret, and in the superuser's secret where there is one. Remove \
             AWSPENDING from the version that holds the other host, and rotate.",
        )
        .put_value(context)
        .rotate(context)
        .link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}
