//! # The failure healed by itself
//!
//! An attempt failed; Secrets Manager tried the same version again and succeeded.
//!
//! **Shows as** RotationFailed and then RotationSucceeded for one version within the last three days.
//!
//! **Is not it** when no success followed.

use crate::diagnosis::readings::healed;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Remediation, Severity, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::EventualConsistencyTransient,
    stage: Stage::Remark,
    rests_on: &[StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if context.failing.is_some() {
        return Verdict::clear("no success followed the failure");
    }
    let Some(healed) = healed::newest(context) else {
        return match context.evidence.history.observation.missing() {
            Some(missing) => Verdict::unknown(missing),
            None => Verdict::clear("no attempt of the last three days failed and then succeeded"),
        };
    };
    let step = healed.failed.step.map(|step| format!(" in {step}")).unwrap_or_default();
    let why = healed.reason(context).map(|(_, cause)| format!(" ({})", cause.title())).unwrap_or_default();
    let explanation = format!("An attempt failed{step}{why}, and Secrets Manager's retry of the same version succeeded.");
    let remediation = Remediation::new("Nothing needs to be done.");
    let mut finding = context.finding(RULE.cause, Confidence::Confirmed, explanation, healed.proofs(context), remediation);
    finding.severity = Severity::Info;
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{
        PENDING, assert_clear, assert_unknown, attempt, deny, facts, fail, finding, healthy, hours_ago,
    };
    use crate::model::{Attempt, AttemptOutcome, Evidence, Outcome, RotationStep, StepName};
    use jiff::SignedDuration;

    fn heal(lines: &[&str]) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::TestSecret, lines);
        let healed_at = hours_ago(1) + SignedDuration::from_mins(5);
        facts(&mut evidence.history)
            .attempts
            .push(Attempt { version_id: Some(PENDING.into()), ..attempt(healed_at, AttemptOutcome::Succeeded) });
        facts(&mut evidence.rotation_config).last_rotated_at = Some(healed_at);
        let versions = &mut facts(&mut evidence.secret).versions;
        versions.retain(|version| version.id == PENDING);
        versions.iter_mut().for_each(|version| version.labels.push("AWSCURRENT".into()));
        evidence
    }

    #[test]
    fn a_failure_whose_retry_succeeded_is_a_remark_on_a_healthy_secret() {
        let evidence = heal(&[]);
        let found = finding(RULE.cause, &evidence);
        assert_eq!((found.severity, found.confidence), (Severity::Info, Confidence::Confirmed));
        assert_eq!(diagnose(&evidence).outcome, Outcome::Healthy);
    }

    #[test]
    fn the_line_of_the_healed_failure_is_told() {
        let slow = "[ERROR] ValueError: arn: user app associated with secret x did not reached the active status.";
        let found = finding(Cause::TargetServiceAsyncPropagation, &heal(&[slow]));
        assert_eq!(found.severity, Severity::Info);
        let throttled = "botocore.exceptions.ClientError: An error occurred (ThrottlingException) when calling the \
                         DescribeSecret operation: Rate exceeded";
        let evidence = heal(&[throttled]);
        assert!(finding(RULE.cause, &evidence).explanation.contains(Cause::AwsApiThrottled.title()));
        assert_clear(Cause::AwsApiThrottled, &evidence);
    }

    #[test]
    fn it_is_clear_while_rotation_fails_and_where_nothing_failed() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        assert_clear(RULE.cause, &evidence);
        assert_clear(RULE.cause, &healthy());
    }

    #[test]
    fn without_the_history_it_cannot_be_told() {
        let mut evidence = healthy();
        deny(&mut evidence, StepName::RotationHistory);
        assert_unknown(RULE.cause, &evidence, "cloudtrail:LookupEvents");
    }
}
