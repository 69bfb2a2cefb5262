//! # AWS reports an incident in this region
//!
//! A service that rotation depends on has an incident, and unrelated secrets fail at the same time.
//!
//! **Shows as** an event of AWS Health for Secrets Manager, Lambda, KMS or RDS in the region that was open when rotation
//! failed, together with several secrets with other functions that fail at the same time. The event alone is not enough. Also
//! as an answer of AWS to the function that names a fault of its own, such as `InternalServiceError`, `InternalFailure` or a
//! status of 500 to 504, in the words of any SDK; and as a RotationFailed event that says `Internal service error`. Those need
//! no event: AWS itself says that it failed.
//!
//! **Is not it** when only this secret fails, and for another reason.

use crate::diagnosis::compare::compare;
use crate::diagnosis::context::LogMatch;
use crate::diagnosis::readings::by_log;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::spans::ATTEMPT_SPAN;
use crate::model::{Cause, Confidence, HealthEvent, MOMENT, Observation, Proof, Remediation, StepName, Window};
use jiff::SignedDuration;
use regex::Regex;
use std::sync::LazyLock;

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
    let said = own_words(context).filter(|_| !context.explained_otherwise(RULE.cause));
    if others.len() < SEVERAL && answered.is_none() && said.is_none() {
        return if history.complete {
            Verdict::clear("too few unrelated secrets fail at the same time")
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
        _ if said.is_some() || answered.is_some() => &[],
        Observation::NotApplicable { because } => return Verdict::unknown(format!("AWS Health: {because}")),
        other => return Verdict::unknown(other.missing().unwrap_or_else(|| "AWS Health".to_owned())),
    };
    // Its words are about one attempt; a fault that invocations meet is about the row.
    let failed = match said.as_ref().and_then(|said| said.at) {
        Some(at) => Window::around(at, ATTEMPT_SPAN, SignedDuration::ZERO),
        None => Window { from: row.first_at, to: row.last_at },
    };
    let concerns = |event: &&HealthEvent| {
        let here = event.region == context.evidence.region || event.region == "global";
        here && event.was_open_in(&failed)
    };
    let incident = events.iter().find(concerns);
    if let Some(said) = said {
        return faulted(context, said, incident);
    }
    if let Some(seen) = answered {
        return answered_with_a_fault(context, &seen, incident);
    }
    let Some(event) = incident else {
        return Verdict::clear("AWS Health has no event for the services that rotation depends on that was open when it failed");
    };
    let failing_too = Proof {
        step: StepName::RotationHistory,
        call: context.history_call().to_owned(),
        at: None,
        text: format!("failing with other functions within 24 h: {}", others.join(", ")),
    };
    let explanation = format!(
        "AWS reports an incident of {} in {}, and {} secrets with other functions fail too.",
        name_of(&event.service),
        event.region,
        others.len()
    );
    let remediation =
        Remediation::new("Wait until AWS closes the event, then rotate. If rotation still fails, open a support case.")
            .rotate(context)
            .link(HEALTH);
    context.finding(RULE.cause, Confidence::Confirmed, explanation, vec![incident_proof(event), failing_too], remediation).into()
}

/// Where AWS says how its services fare.
const HEALTH: &str = "https://health.aws.amazon.com/health/status";

static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"when calling the (?P<boto>\w+) operation|operation error [\w ]+: (?P<go>\w+)|Error executing "(?P<php>\w+)""#)
        .ok()
});

/// The call that AWS did not answer as it should, where the line names it.
fn call(text: &str) -> Option<&str> {
    let found = CALL.as_ref()?.captures(text)?;
    ["boto", "go", "php"].iter().find_map(|name| found.name(name)).map(|call| call.as_str())
}

/// AWS itself says to the function that it failed.
fn answered_with_a_fault(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>, incident: Option<&HealthEvent>) -> Verdict {
    let asked = call(&seen.read.event.text).map_or_else(|| "the function".to_owned(), |call| format!("the function's {call}"));
    let meanwhile = incident
        .map(|event| {
            let reports = if event.ended_at.is_some() { "then had" } else { "reports" };
            format!(" AWS {reports} an incident of {} in {}.", name_of(&event.service), event.region)
        })
        .unwrap_or_default();
    let explanation = format!(
        "AWS answered {asked}{} with an internal error: the fault is AWS's own, not the function's, its role's or the \
         database's.{meanwhile}",
        seen.in_step()
    );
    let mut finding = by_log::said(context, RULE.cause, seen, explanation, after_the_fault(context, incident));
    finding.evidence.extend(incident.map(incident_proof));
    if !is_open(incident) {
        finding.title = "AWS answered the function with an internal error".to_owned();
    }
    finding.into()
}

/// True where AWS reports the incident still.
fn is_open(incident: Option<&HealthEvent>) -> bool {
    incident.is_some_and(|event| event.ended_at.is_none())
}

/// What is left to do once AWS itself has failed.
fn after_the_fault(context: &DiagnosisContext<'_>, incident: Option<&HealthEvent>) -> Remediation {
    let remediation = match incident {
        Some(HealthEvent { ended_at: Some(_), .. }) => Remediation::new("AWS has closed the incident: rotate again."),
        Some(_) => Remediation::new("Wait until AWS closes the incident, then rotate."),
        None => Remediation::new(
            "Rotate again: such an error usually passes. If it comes again, open a support case with the request id that the function \
             logged.",
        ),
    };
    remediation.rotate(context).link(HEALTH)
}

/// Words in which Secrets Manager tells, in place of the usual sentence about a function, of a fault of its own.
const OWN_FAULT: [&str; 7] = [
    "internal service error",
    "internalserviceerror",
    "internal server error",
    "internal error",
    "internal failure",
    "error occurred on the server side",
    "service unavailable",
];

/// The newest failed attempt, where its own words say that Secrets Manager failed.
fn own_words(context: &DiagnosisContext<'_>) -> Option<Proof> {
    let reason = context.failed_attempts().next_back()?.reason.as_deref()?.to_ascii_lowercase();
    let is_functions = reason.contains("executing lambda");
    let says_so = OWN_FAULT.iter().any(|words| reason.contains(words));
    context.failed_attempt_proof().filter(|_| says_so && !is_functions)
}

/// Secrets Manager itself says that it failed; an incident that was open then agrees.
fn faulted(context: &DiagnosisContext<'_>, said: Proof, incident: Option<&HealthEvent>) -> Verdict {
    let (explanation, confidence) = match incident {
        Some(event) => (
            format!("Secrets Manager itself failed, during an incident of {} in {}.", name_of(&event.service), event.region),
            Confidence::Confirmed,
        ),
        None => (
            "Secrets Manager says that rotation failed because of an internal error on its \
                  side."
                .to_owned(),
            Confidence::Likely,
        ),
    };
    let evidence = std::iter::once(said).chain(incident.map(incident_proof)).collect();
    let mut finding = context.finding(RULE.cause, confidence, explanation, evidence, after_the_fault(context, incident));
    if !is_open(incident) {
        finding.title = "Secrets Manager failed with an internal error of its own".to_owned();
    }
    finding.into()
}

/// A service as AWS writes it, which AWS Health names by an id.
fn name_of(service: &str) -> &str {
    match service {
        "SECRETSMANAGER" => "Secrets Manager",
        "LAMBDA" => "Lambda",
        other => other,
    }
}

fn incident_proof(event: &HealthEvent) -> Proof {
    let state = match event.ended_at {
        Some(at) => format!("in {}, closed {}", event.region, at.strftime(MOMENT)),
        None => format!("open in {}", event.region),
    };
    Proof {
        step: StepName::Secret,
        call: "health:DescribeEvents".to_owned(),
        at: event.started_at,
        text: format!("{} {state}", event.code),
    }
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
            region: "eu-west-1".parse().unwrap(),
            started_at: Some(hours_ago(2)),
            ended_at: None,
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
    fn a_fault_that_aws_names_as_its_own_is_its_own_with_and_without_an_incident() {
        let mut evidence = healthy();
        facts(&mut evidence.secret).service_health = denied("health:DescribeEvents");
        let line = "[ERROR] ClientError: An error occurred (InternalServiceError) when calling the PutSecretValue operation \
                    (reached max retries: 4): An error occurred on the server side.";
        fail(&mut evidence, RotationStep::CreateSecret, &[line]);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (RULE.cause, Confidence::Confirmed));
        assert_eq!(root.evidence[0].text, line);
        assert_eq!(root.title, "AWS answered the function with an internal error");
        assert!(
            root.explanation.starts_with("AWS answered the function's PutSecretValue in createSecret"),
            "{}",
            root.explanation
        );
        assert!(root.remediation.summary.starts_with("Rotate again"), "{}", root.remediation.summary);
        open_event(&mut evidence);
        let incident = finding(RULE.cause, &evidence);
        assert_eq!(incident.title, RULE.cause.title());
        assert!(incident.explanation.contains("AWS reports an incident of Lambda"), "{}", incident.explanation);
        assert!(incident.evidence.iter().any(|proof| proof.call == "health:DescribeEvents"));
        assert!(incident.remediation.summary.starts_with("Wait until"), "{}", incident.remediation.summary);
    }

    #[test]
    fn the_words_of_every_sdk_lead_to_aws_whatever_operation_failed() {
        for (line, call) in [
            (
                "[ERROR] ClientError: An error occurred (InternalFailure) when calling the DescribeDBInstances operation: x",
                Some("DescribeDBInstances"),
            ),
            (
                "operation error KMS: Decrypt, exceeded maximum number of attempts, 3, https response error StatusCode: 500, \
                 RequestID: 3f1c2d4e, KMSInternalException: ",
                Some("Decrypt"),
            ),
            (
                "com.amazonaws.services.securitytoken.model.AWSSecurityTokenServiceException: null (Service: \
                 AWSSecurityTokenService; Status Code: 503; Error Code: ServiceUnavailable; Request ID: 3f1c2d4e; Proxy: null)",
                None,
            ),
            (
                "{\"errorType\":\"InternalServiceError\",\"errorMessage\":\"An error occurred on the server side.\",\"$fault\":\"server\",\
                 \"$metadata\":{\"httpStatusCode\":500},\"stack\":[\"InternalServiceError: An error occurred on the server side.\"]}",
                None,
            ),
        ] {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::CreateSecret, &[line]);
            assert_eq!(diagnose(&evidence).root_cause().map(|root| root.cause), Some(RULE.cause), "{line}");
            assert_eq!(super::call(line), call, "{line}");
        }
    }

    fn said(reason: &str) -> Evidence {
        let mut evidence = healthy();
        crate::diagnosis::testing::fail_unseen(&mut evidence, None);
        facts(&mut evidence.history).attempts.last_mut().unwrap().reason = Some(reason.to_owned());
        evidence
    }

    #[test]
    fn the_rotation_events_own_words_are_awss_own_fault_and_an_incident_that_was_open_then_confirms_it() {
        for reason in [
            "Internal service error",
            "InternalServiceError: An error occurred on the server side.",
            "An internal service error occurred. Try again later.",
            "Internal failure",
            "Service unavailable",
        ] {
            let mut evidence = said(reason);
            facts(&mut evidence.secret).service_health = denied("health:DescribeEvents");
            let found = finding(RULE.cause, &evidence);
            assert_eq!(found.confidence, Confidence::Likely, "{reason}");
            assert_eq!(found.evidence[0].text, reason);
            assert_eq!(diagnose(&evidence).root_cause().map(|root| root.cause), Some(RULE.cause), "{reason}");
        }
        let mut evidence = said("Internal service error");
        open_event(&mut evidence);
        let Observation::Found(events) = &mut facts(&mut evidence.secret).service_health else { panic!() };
        events[0].ended_at = Some(hours_ago(0));
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Confirmed);
        assert!(found.remediation.summary.contains("has closed"), "{}", found.remediation.summary);
        let Observation::Found(events) = &mut facts(&mut evidence.secret).service_health else { panic!() };
        events[0].ended_at = Some(hours_ago(2));
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Likely, "it was closed before");
    }

    #[test]
    fn a_lambdas_failure_in_the_usual_words_is_nobodys_but_its_own() {
        let evidence =
            said("Error when executing lambda arn:aws:lambda:eu-west-1:123456789012:function:f during createSecret step");
        assert_clear(RULE.cause, &evidence);
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
