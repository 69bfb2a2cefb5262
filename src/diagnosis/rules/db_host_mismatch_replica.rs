//! # The host differs between versions or from the superuser's, or accepts no writes
//!
//! The template refuses to set a password on a host other than the one where it was set before: `host` was edited between
//! versions, differs from the superuser's, or points to a reader or a proxy. Or the host itself refuses, because it is
//! read-only.
//!
//! **Shows as** `Attempting to modify user for host … other than …`, `Current database host … is not the same host as`,
//! `read-only transaction` (25006), MySQL's 1290, `READONLY`, `NotWritablePrimary`.

use crate::diagnosis::database::superuser_secret_word;
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
        .put_value(context);
        // Of the secret and its superuser's, either may hold the wrong host.
        let remediation = match names_superuser(&seen.read.event.text) {
            true => remediation.put_superuser_value(context, &superuser_secret_word(context, "")),
            false => remediation,
        };
        let remediation = remediation.rotate(context).link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}

/// True where the templates compare the host of the secret with that of its superuser's.
fn names_superuser(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("not the same host as") || text.contains("replica of master") || text.contains("of admin")
}
