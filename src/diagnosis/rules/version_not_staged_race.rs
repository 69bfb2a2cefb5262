//! # The version being rotated lost its staging label
//!
//! The version the function was invoked for carries no staging label, or lost AWSPENDING: something else stored a value or
//! started a rotation at the same time, or the function was invoked by hand with a made-up token. After an earlier failure
//! it is only a consequence.
//!
//! **Shows as** `has no stage for rotation of secret`, `not set as AWSPENDING`, AWSPENDING not found in setSecret or
//! testSecret.
//!
//! **Is not it** when AWSPENDING is not found in createSecret: every healthy rotation begins like this.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::{TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::VersionNotStagedRace,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Surface,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "The version to which {} was being rotated had lost its staging \
                     label{}.",
            context.secret_name(),
            seen.in_step()
        );
        let remediation = Remediation::new(
            "Find out what else writes to the secret (a pipeline, an infrastructure stack, a second rotation) and keep it from \
             writing during rotations. Then rotate.",
        )
        .run(aws_in(
            context,
            &[
                "cloudtrail",
                "lookup-events",
                "--lookup-attributes",
                "AttributeKey=EventName,AttributeValue=PutSecretValue",
                "--max-results",
                "50",
            ],
        ))
        .needs("cloudtrail:LookupEvents")
        .rotate(context)
        .link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}
