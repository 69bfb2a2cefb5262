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
use jiff::{SignedDuration, Timestamp};

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
        .run(writes_about(context, seen.read.event.at))
        .needs("cloudtrail:LookupEvents")
        .rotate(context)
        .link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}

/// How far from the failure the call lies that took the label: within one rotation.
const AROUND: SignedDuration = SignedDuration::from_mins(15);

/// The command that shows who wrote to the secret about `at`, by whatever call: another value, a label that was moved, a second
/// rotation.
fn writes_about(context: &DiagnosisContext<'_>, at: Timestamp) -> String {
    let from = at.checked_sub(AROUND).unwrap_or(at).to_string();
    let to = at.checked_add(AROUND).unwrap_or(at).to_string();
    // The secret stands in a request by its name or by its ARN, which holds the name; not every event lists it as a resource.
    let query = format!("Events[?contains(CloudTrailEvent, '{}')].[EventTime,EventName,Username]", context.secret_name());
    let words = ["cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=ReadOnly,AttributeValue=false"];
    let span = ["--start-time", &from, "--end-time", &to, "--query", &query, "--output", "table"];
    aws_in(context, &[&words[..], &span[..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{fail, finding, healthy};
    use crate::model::RotationStep;

    #[test]
    fn the_look_for_who_took_the_label_covers_every_write_about_that_time_and_no_other_secret() {
        let mut evidence = healthy();
        let line = "[ERROR] ValueError: Secret version b1 has no stage for rotation of secret prod/orders-db.";
        fail(&mut evidence, RotationStep::SetSecret, &[line]);
        let commands = finding(RULE.cause, &evidence).remediation.commands;
        let look = commands.iter().find(|command| command.contains("lookup-events")).unwrap();
        for words in [
            "AttributeKey=ReadOnly,AttributeValue=false",
            "--start-time 2026-03-10T10:45:02Z --end-time 2026-03-10T11:15:02Z",
            "contains(CloudTrailEvent, ",
            "prod/orders-db",
        ] {
            assert!(look.contains(words), "{words}: {look}");
        }
    }
}
