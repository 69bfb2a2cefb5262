//! # The function has no concurrency left to run rotation
//!
//! Reserved concurrency of 0 stops every invocation; with 1, overlapping rotations refuse each other; and other functions
//! can use up the account's limit.
//!
//! **Shows as** `ReservedConcurrentExecutions` of 0 or 1, Throttles at the time of the failures, `Rate Exceeded` or
//! TooManyRequestsException in an attempt's reason.
//!
//! **Is not it** when Throttles is 0 while rotation fails.

use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::runs::{measured, throttles_proof};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Concern, Confidence, FunctionFacts, Proof, Remediation, Severity, StepName};

const CAUSE: Cause = Cause::LambdaThrottledConcurrency;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig, StepName::RotationFunction, StepName::FunctionMetrics],
    explained_by: &[change_events::FUNCTION_CONCURRENCY],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let fine = context.function_is_fine();
    let Verdict::Clear { .. } = &fine else { return fine };
    let Some(function) = context.function() else { return fine };
    if let Some(outside) = context.without_function() {
        return outside;
    }
    let reserved = function.reserved_concurrency.found().copied().flatten();
    let needed = context.is_unwell() || context.never_rotated();
    if reserved == Some(0) {
        let severity = if needed { Severity::Critical } else { Severity::Info };
        let explanation = format!(
            "The reserved concurrency of {} is 0, so Lambda refuses every \
                                   invocation.",
            function.arn.name()
        );
        return found(context, function, (Confidence::Confirmed, severity), explanation, Vec::new());
    }
    let said = context.complaint(CAUSE);
    let throttles = measured(context, |point| point.throttles);
    let throttled = throttles.as_ref().is_ok_and(|throttles| *throttles > 0.0);
    let mut evidence = said.as_ref().map(|said| said.evidence.clone()).unwrap_or_default();
    if let Ok(throttles) = throttles
        && throttled
    {
        evidence.push(throttles_proof(throttles));
    }
    let limit = match reserved {
        Some(reserved) => format!("its reserved concurrency of {reserved}"),
        None => "the account's concurrency".to_owned(),
    };
    let few = reserved.is_some_and(|reserved| reserved <= 1);
    if context.failing.is_some() || context.is_overdue() {
        let confidence = match (throttled, said.is_some(), few) {
            (true, true, _) | (true, _, true) => Some(Confidence::Confirmed),
            (true, false, false) | (false, true, _) => Some(Confidence::Likely),
            (false, false, true) if throttles.is_err() && !context.explained_otherwise(CAUSE) => Some(Confidence::Possible),
            (false, false, _) => None,
        };
        // Throttles of the function at that hour need not be this secret's while its own invocations say why they failed.
        let confidence = confidence.map(|confidence| match said.is_none() && context.explained_otherwise(CAUSE) {
            true => Confidence::Possible,
            false => confidence,
        });
        if let Some(confidence) = confidence {
            let explanation = format!("Lambda throttled {}: {limit} was used up.", function.arn.name());
            return found(context, function, (confidence, Severity::Critical), explanation, evidence);
        }
    }
    if let Some(missing) = function.reserved_concurrency.missing() {
        return Verdict::unknown(missing);
    }
    match throttles {
        Err(missing) => Verdict::unknown(missing),
        Ok(_) if context.failing.is_some() => Verdict::clear("Throttles is 0 around the failures"),
        Ok(_) => Verdict::clear("the reserved concurrency is not 0, and no throttled attempt is known"),
    }
}

fn found(
    context: &DiagnosisContext<'_>,
    function: &FunctionFacts,
    (confidence, severity): (Confidence, Severity),
    mut explanation: String,
    mut evidence: Vec<Proof>,
) -> Verdict {
    let name = function.arn.name();
    let mut remediation = Remediation::default();
    if let Some(reserved) = function.reserved_concurrency.found().copied().flatten() {
        remediation.summary =
            "Remove the function's reserved concurrency, so that it runs within the account's limit, and rotate. AWS \
                               recommends room for at least 10 concurrent executions."
                .to_owned();
        if reserved == 0 {
            remediation =
                remediation.warn("A reserved concurrency of 0 is also an emergency stop: first ask who set it, and why.");
        }
        evidence.push(Proof::of(
            StepName::RotationFunction,
            "lambda:GetFunctionConcurrency",
            format!("ReservedConcurrentExecutions {reserved}"),
        ));
        remediation = remediation
            .run(aws_in(context, &["lambda", "delete-function-concurrency", "--function-name", name]))
            .needs("lambda:DeleteFunctionConcurrency");
    } else {
        remediation.summary =
            "Reserve 10 concurrent executions for the function, as AWS recommends, so that other functions cannot take \
                               them, and rotate."
                .to_owned();
        remediation = remediation
            .run(aws_in(
                context,
                &["lambda", "put-function-concurrency", "--function-name", name, "--reserved-concurrent-executions", "10"],
            ))
            .needs("lambda:PutFunctionConcurrency");
    }
    if let Some(change) = context.last_change(Concern::Function, &["PutFunctionConcurrency"]) {
        explanation = format!("{} called {}. {explanation}", change.actor, change.event);
        evidence.push(context.change_proof(change));
    }
    let remediation = remediation.link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html");
    let mut finding = context.finding(CAUSE, confidence, explanation, evidence, remediation);
    finding.severity = severity;
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{MetricPoint, Observation, RotationStep};

    #[test]
    fn a_reserve_of_zero_is_decisive_when_rotation_fails_and_a_risk_before() {
        let mut evidence = healthy();
        facts(&mut evidence.function).reserved_concurrency = Observation::Found(Some(0));
        assert_eq!(finding(CAUSE, &evidence).severity, Severity::Info);
        fail_unseen(&mut evidence, None);
        let finding = finding(CAUSE, &evidence);
        assert_eq!((finding.confidence, finding.severity), (Confidence::Confirmed, Severity::Critical));
        assert_eq!(
            finding.remediation.commands,
            ["aws lambda delete-function-concurrency --function-name orders-rotator --region eu-west-1"]
        );
    }

    #[test]
    fn throttles_during_the_attempt_are_one_fact_and_a_small_reserve_the_second() {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        facts(&mut evidence.metrics).points.push(MetricPoint {
            at: hours_ago(1),
            invocations: 0.0,
            errors: 0.0,
            throttles: 3.0,
            duration_max_ms: None,
        });
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Likely);
        facts(&mut evidence.function).reserved_concurrency = Observation::Found(Some(1));
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Confirmed);
    }

    #[test]
    fn no_throttles_around_the_failures_speak_against_it_even_with_a_small_reserve() {
        let mut evidence = healthy();
        facts(&mut evidence.function).reserved_concurrency = Observation::Found(Some(1));
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::FunctionMetrics);
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Possible);
    }

    #[test]
    fn it_is_clear_only_where_reserve_and_metrics_were_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        facts(&mut evidence.function).reserved_concurrency = denied("lambda:GetFunctionConcurrency");
        assert_unknown(CAUSE, &evidence, "lambda:GetFunctionConcurrency");
        facts(&mut evidence.function).reserved_concurrency = Observation::Found(None);
        deny(&mut evidence, StepName::FunctionMetrics);
        assert_unknown(CAUSE, &evidence, "cloudwatch:GetMetricData");
    }
}
