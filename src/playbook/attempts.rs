//! From rotation events to rotation attempts.

use super::trail_event::TrailEvent;
use crate::model::{Attempt, AttemptOutcome, SecretRef};

/// This secret's attempts and those of others, each oldest first.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Attempts {
    pub(super) own: Vec<Attempt>,
    pub(super) others: Vec<Attempt>,
}

/// Joins starts and ends. Retries of one rotation share its version, so an end closes the last start still open.
pub(super) fn attempts<'a>(events: impl IntoIterator<Item = &'a TrailEvent>, subject: &SecretRef) -> Attempts {
    let mut rotations: Vec<_> =
        events.into_iter().filter_map(|event| Some((event, outcome(&event.name)?, event.rotation()?))).collect();
    rotations.sort_by_key(|(event, (outcome, _), _)| (event.at, *outcome != AttemptOutcome::Started));
    let mut all: Vec<Attempt> = Vec::new();
    for (event, (outcome, is_test), (secret, version)) in rotations {
        if outcome == AttemptOutcome::Started {
            all.push(Attempt { started_at: Some(event.at), ..blank(secret, version, outcome, is_test) });
            continue;
        }
        let open = all.iter().rposition(|attempt| {
            attempt.outcome == AttemptOutcome::Started
                && attempt.secret_arn == secret
                && attempt.version_id == version
                && attempt.is_test == is_test
        });
        let started_at = open.map(|at| all.remove(at)).and_then(|attempt| attempt.started_at);
        let (step, function_arn) = event.failed_step();
        all.push(Attempt {
            started_at,
            ended_at: Some(event.at),
            step,
            function_arn,
            reason: event.error_message.clone(),
            ..blank(secret, version, outcome, is_test)
        });
    }
    all.sort_by_key(Attempt::at);
    let (own, others) = all.into_iter().partition(|attempt| is_of(&attempt.secret_arn, subject));
    Attempts { own, others }
}

fn blank(secret_arn: String, version_id: Option<String>, outcome: AttemptOutcome, is_test: bool) -> Attempt {
    Attempt {
        secret_arn,
        version_id,
        started_at: None,
        ended_at: None,
        outcome,
        step: None,
        function_arn: None,
        reason: None,
        is_test,
    }
}

/// How an attempt stands by the event's name, and whether it is only a test.
fn outcome(name: &str) -> Option<(AttemptOutcome, bool)> {
    let (is_test, rest) = match name.strip_prefix("TestRotation") {
        Some(rest) => (true, rest),
        None => (false, name.strip_prefix("Rotation")?),
    };
    let outcome = match rest {
        "Started" => AttemptOutcome::Started,
        "Succeeded" => AttemptOutcome::Succeeded,
        "Failed" => AttemptOutcome::Failed,
        "Abandoned" => AttemptOutcome::Abandoned,
        _ => return None,
    };
    Some((outcome, is_test))
}

/// True when `secret` (a name, or an ARN with or without the random suffix) is the subject.
pub(super) fn is_of(secret: &str, subject: &SecretRef) -> bool {
    match subject {
        SecretRef::Arn(arn) => {
            let full = arn.arn().as_str();
            let without_suffix = full.rsplit_once('-').map_or(full, |(head, _)| head);
            secret == full || (secret.starts_with("arn:") && secret == without_suffix) || secret == arn.name()
        }
        SecretRef::Name(name) => {
            let resource = secret.rsplit(':').next().unwrap_or(secret);
            resource == name
                || (secret.starts_with("arn:")
                    && resource.rsplit_once('-').is_some_and(|(head, suffix)| head == name && suffix.len() == 6))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf";

    fn event(name: &str, at: &str, secret: &str, message: Option<&str>) -> TrailEvent {
        let text = serde_json::json!({
            "eventName": name, "eventTime": at, "eventSource": "secretsmanager.amazonaws.com",
            "errorMessage": message, "additionalEventData": {"SecretId": secret},
            "requestID": format!("Rotation-{secret}-eeb681b1-a07d-4aeb-9b61-1ee6590ec295"),
        });
        TrailEvent::parse(&text.to_string()).unwrap()
    }

    #[test]
    fn starts_and_ends_are_joined_and_other_secrets_kept_apart() {
        let other = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/other-GhIjKl";
        let events = [
            event(
                "RotationFailed",
                "2026-01-01T00:00:09Z",
                SECRET,
                Some("Error when executing lambda x during createSecret step"),
            ),
            event("RotationStarted", "2026-01-01T00:00:00Z", SECRET, None),
            event(
                "RotationFailed",
                "2026-01-01T01:00:00Z",
                SECRET,
                Some("Pending secret version V for Secret S was not created by Lambda L."),
            ),
            event("RotationSucceeded", "2026-01-01T02:00:00Z", other, None),
            event("RotateSecret", "2026-01-01T03:00:00Z", SECRET, None),
        ];
        let subject = SECRET.parse().unwrap();
        let seen = attempts(&events, &subject);
        assert_eq!(seen.own.len(), 2);
        assert_eq!(seen.own[0].started_at, Some("2026-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(seen.own[0].step, crate::model::RotationStep::from_name("createSecret"));
        assert_eq!((seen.own[1].step, seen.own[1].started_at), (None, None));
        assert!(seen.own[1].reason.as_deref().unwrap().contains("was not created by Lambda"));
        assert_eq!(seen.others.len(), 1);
    }

    #[test]
    fn a_secret_is_recognised_by_name_and_by_full_and_partial_arn() {
        let by_arn: SecretRef = SECRET.parse().unwrap();
        let by_name = SecretRef::Name("prod/db".to_owned());
        for text in [SECRET, SECRET.trim_end_matches("-AbCdEf"), "prod/db"] {
            assert!(is_of(text, &by_arn), "{text}");
            assert!(is_of(text, &by_name), "{text}");
        }
        for text in ["prod/db2", "prod", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-other-GhIjKl"] {
            assert!(!is_of(text, &by_arn), "{text}");
            assert!(!is_of(text, &by_name), "{text}");
        }
    }
}
