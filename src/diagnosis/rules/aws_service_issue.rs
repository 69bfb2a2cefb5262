//! # AWS reports an incident in this region
//!
//! A service that rotation rests on is disturbed, and unrelated secrets fail with this one.
//!
//! **Shows as** an open event of AWS Health for Secrets Manager, Lambda, KMS or RDS in the region, and several secrets with
//! other functions that fail at the same time, or a fault that AWS itself answers with in the function's log, such as
//! `InternalServiceError`. The event alone is not enough.
//!
//! **Is not it** when only this secret fails, of something else.

use crate::diagnosis::compare::compare;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, HealthEvent, Observation, Proof, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::AwsServiceIssue,
    stage: Stage::Start,
    rests_on: &[StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

/// So many unrelated secrets that fail together have no reason of their own in common.
const SEVERAL: usize = 2;

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(row) = &context.failing else {
        return match context.history_gap() {
            Some(missing) => Verdict::unknown(missing),
            None => Verdict::clear("rotation is not failing"),
        };
    };
    let Some(history) = context.evidence.history.found() else {
        let missing = context.evidence.history.observation.missing();
        return Verdict::unknown(missing.unwrap_or_else(|| "the attempts of other secrets".to_owned()));
    };
    let others = compare(context).map(|comparison| comparison.others_failing).unwrap_or_default();
    let answered = context.seen(RULE.cause).filter(|seen| seen.is_latest);
    if others.len() < SEVERAL && answered.is_none() {
        return if history.complete {
            Verdict::clear("no several unrelated secrets fail at the same time")
        } else {
            Verdict::unknown("a complete history of the other secrets")
        };
    }
    let Some(secret) = context.secret() else {
        return Verdict::unknown("AWS Health, which was not asked");
    };
    let events = match &secret.service_health {
        Observation::Found(events) => events.as_slice(),
        Observation::NoData { .. } => &[],
        Observation::NotApplicable { because } => return Verdict::unknown(format!("AWS Health: {because}")),
        other => return Verdict::unknown(other.missing().unwrap_or_else(|| "AWS Health".to_owned())),
    };
    let concerns = |event: &&HealthEvent| {
        let here = event.region == context.evidence.region || event.region == "global";
        here && event.started_at.is_none_or(|began| began <= row.last_at)
    };
    let Some(event) = events.iter().find(concerns) else {
        return Verdict::clear("AWS Health has no open event for the services rotation rests on");
    };
    let incident = Proof {
        step: StepName::Secret,
        call: "health:DescribeEvents".to_owned(),
        at: event.started_at,
        text: format!("{} open in {}", event.code, event.region),
    };
    let mut evidence = vec![incident];
    evidence.extend(answered.map(|seen| seen.proof()));
    let also = if others.len() < SEVERAL {
        "a service answered the function with a fault of its own".to_owned()
    } else {
        evidence.push(Proof {
            step: StepName::RotationHistory,
            call: context.history_call().to_owned(),
            at: None,
            text: format!("failing with other functions within 24 h: {}", others.join(", ")),
        });
        format!("{} secrets with other functions fail too", others.len())
    };
    let explanation = format!("AWS reports an incident of {} in {}, and {also}.", event.service, event.region);
    // A fault of AWS that one function meets may have passed by itself.
    let confidence = if others.len() < SEVERAL { Confidence::Likely } else { Confidence::Confirmed };
    let remediation =
        Remediation::new("Wait until AWS closes the event, then rotate. If rotation still fails, open a support case.")
            .rotate(context)
            .link("https://health.aws.amazon.com/health/status");
    context.finding(RULE.cause, confidence, explanation, evidence, remediation).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{
        FUNCTION, arn, assert_clear, assert_unknown, attempt, denied, facts, fail, finding, healthy, hours_ago,
    };
    use crate::model::{Attempt, AttemptOutcome, Evidence, RotationStep};

    fn failing_with(others: usize) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[]);
        for other in 0..others {
            facts(&mut evidence.history).other_attempts.push(Attempt {
                secret_arn: format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:other{other}-AbCdEf"),
                function_arn: Some(arn(&format!("{FUNCTION}-{other}"))),
                ..attempt(hours_ago(1), AttemptOutcome::Failed)
            });
        }
        evidence
    }

    fn open_event(evidence: &mut Evidence) {
        facts(&mut evidence.secret).service_health = Observation::Found(vec![HealthEvent {
            service: "LAMBDA".into(),
            code: "AWS_LAMBDA_OPERATIONAL_ISSUE".into(),
            region: "eu-west-1".into(),
            started_at: Some(hours_ago(2)),
        }]);
    }

    #[test]
    fn an_open_event_and_several_failing_secrets_are_needed() {
        let mut evidence = failing_with(3);
        assert_clear(RULE.cause, &evidence);
        open_event(&mut evidence);
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Confirmed);
        assert_eq!(diagnose(&evidence).root_cause().map(|root| root.cause), Some(RULE.cause));
        let mut alone = failing_with(0);
        open_event(&mut alone);
        assert_clear(RULE.cause, &alone);
    }

    #[test]
    fn a_fault_of_aws_in_the_log_makes_an_open_event_likely_and_is_unknown_without_one() {
        let mut evidence = healthy();
        let line = "[ERROR] ClientError: An error occurred (InternalServiceError) when calling the PutSecretValue operation \
                    (reached max retries: 4): An error occurred on the server side.";
        fail(&mut evidence, RotationStep::CreateSecret, &[line]);
        let quoted = diagnose(&evidence);
        assert_eq!(quoted.findings.first().map(|finding| finding.cause), Some(Cause::UnknownFailure));
        assert!(quoted.findings[0].evidence.iter().any(|proof| proof.text == line));
        open_event(&mut evidence);
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Likely);
        assert_eq!(diagnose(&evidence).root_cause().map(|root| root.cause), Some(RULE.cause));
    }

    #[test]
    fn without_aws_health_it_cannot_be_told() {
        let mut evidence = failing_with(2);
        facts(&mut evidence.secret).service_health = denied("health:DescribeEvents");
        assert_unknown(RULE.cause, &evidence, "health:DescribeEvents");
        let because = "it needs a support plan".to_owned();
        facts(&mut evidence.secret).service_health = Observation::NotApplicable { because };
        assert_unknown(RULE.cause, &evidence, "support plan");
    }
}
