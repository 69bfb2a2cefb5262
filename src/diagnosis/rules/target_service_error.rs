//! # The service behind the secret answered with an error
//!
//! The API or database behind the secret was reached but did not do what was asked: it refused the call, failed, changed,
//! or kept the statement waiting for a lock. The error is the target's, not a fault in the function's code.
//!
//! **Shows as** HTTP 4xx or 5xx answers, or connection errors, from a host that is not AWS's; lock timeouts, cancelled
//! statements, a full disk, and other errors of a database; a timeout after a connection was established.

use crate::diagnosis::advice::LOCKED;
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::hang::Hang;
use crate::diagnosis::readings::strategy;
use crate::diagnosis::remedy::{ROTATION_FUNCTIONS, TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, RotationStep, StepName};
use regex::Regex;
use std::sync::LazyLock;

pub(super) const RULE: Rule = Rule {
    cause: Cause::TargetServiceError,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[
        change_events::SECURITY_GROUPS,
        change_events::NAT_GATEWAYS,
        change_events::ROUTES,
        change_events::SECRET_VALUE,
    ],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(seen) = context.seen(RULE.cause) else { return waiting(context) };
    let step = seen.in_step();
    let text = &seen.read.event.text;
    let (what, title, remediation) = match status(text) {
        told if matches!(told, Some(401 | 403)) || told.is_none() && says(text, &REFUSED) => (
            format!("{}{step}: it no longer accepts the credentials, or they lack a right", answered(told, "refused the call")),
            Some("the service behind the secret refuses the credentials"),
            Remediation::new(
                "Call the service by hand with the AWSCURRENT credentials. If they are no longer valid, create new ones there, store \
                 them in the secret, and rotate. If they lack a right, grant it in the service, leave the value as it is, and rotate.",
            )
            .put_value(context),
        ),
        told if told == Some(429) || told.is_none() && says(text, &LIMITED) => (
            format!("{}{step}: too many requests had come", answered(told, "refused the call")),
            Some("the service behind the secret refuses further requests"),
            Remediation::new(
                "Wait, and rotate. If it happens again, find what else calls the service with this account, or rotate at a quieter \
                 hour.",
            ),
        ),
        Some(status @ 500..) => (
            format!("answered {status}{step}: it is busy or down"),
            Some("the service behind the secret is not available"),
            Remediation::new("Look at the service's own status page, wait until it works again, and rotate."),
        ),
        Some(status) => (
            format!("answered {status}{step}: it did not accept the function's request as it was"),
            None,
            Remediation::new(
                "Compare the request that the function makes with the service's documentation: its address, its API, or the user or \
                 key it is about may have changed. Adapt the function or the secret, and rotate.",
            ),
        ),
        None => (
            format!("did not do what the function asked{step}"),
            None,
            Remediation::new(
                "Call the service by hand with the AWSCURRENT credentials. 401 or 403: they are no longer valid, or lack a right. 404 \
                 or 400: its API changed, so adapt the function. 429 or 5xx: it is busy or down. Rotate when that is over.",
            ),
        ),
    };
    let explanation = format!("The service behind {} {what}.", context.secret_name());
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation.rotate(context).link(ROTATION_FUNCTIONS));
    if let Some(title) = title.filter(|_| seen.read.classification.fault.is_none()) {
        finding.title = title.to_owned();
    }
    finding.into()
}

/// What services say of credentials without a status.
const REFUSED: [&str; 9] = [
    "invalid api key",
    "expired api key",
    "revoked api key",
    "invalid token",
    "bad credentials",
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "insufficient_scope",
];

/// What services say of too many requests without a status.
const LIMITED: [&str; 3] = ["rate limit exceeded", "rate_limit", "too many requests"];

fn says(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// `answered 401`, or the words for an answer that names no status.
fn answered(status: Option<u16>, otherwise: &str) -> String {
    status.map_or_else(|| otherwise.to_owned(), |status| format!("answered {status}"))
}

static STATUS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let before = r"(?:status(?: ?code)?\W{0,4}(?:of |is |was )?|HTTP(?:/[\d.]+)?\W{0,2}(?:(?:error|status|response|code)\W{0,2})*|returned (?:(?:status|HTTP|code|a) )*|Error code: )";
    let after = r"\W{1,2}(?:Client Error|Server Error|Unauthorized|Forbidden|Not Found|Bad Request|Too Many|Internal Server|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway)";
    Regex::new(&format!(r"(?i){before}(?P<first>[45]\d\d)\b|\b(?P<second>[45]\d\d){after}")).ok()
});

/// The HTTP status that a line of a failed call names.
fn status(text: &str) -> Option<u16> {
    let found = STATUS.as_ref()?.captures(text)?;
    found.name("first").or_else(|| found.name("second"))?.as_str().parse().ok()
}

/// What becomes of a statement whose client is gone. The server notices that only once the statement has ended.
const MAY_STILL_GO_THROUGH: &str = "The statement may still go through once the lock ends: the database then takes the pending password only, and AWSCURRENT may be \
     refused until the rotation, which takes the pending version up again, has finished it.";

/// A function that was connected and then hung waits for the database's answer, as to a statement that needs a lock.
fn waiting(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(hang) = Hang::newest(context).filter(|hang| hang.database_answered()) else { return not_said(context, &RULE) };
    let confidence = if hang.lacked_time().is_some() { Confidence::Possible } else { Confidence::Likely };
    let explanation = format!(
        "The function was connected to the database and then waited{} until its timeout: the network is open, but a statement \
         got no answer. Another session may hold a lock on the user.",
        hang.in_step()
    );
    let explanation = match hang.step == Some(RotationStep::SetSecret) && !strategy::alternates(context) {
        true => format!("{explanation} {MAY_STILL_GO_THROUGH}"),
        false => explanation,
    };
    let query = "DBInstances[].{instance:DBInstanceIdentifier,status:DBInstanceStatus,host:Endpoint.Address}";
    let remediation = Remediation::new(
        "See which sessions of the database wait for a lock and which session holds it (PostgreSQL: pg_stat_activity and \
         pg_blocking_pids; MySQL: performance_schema.data_lock_waits). Wait until that session ends, or end it. Then rotate.",
    )
    .run(aws_in(context, &["rds", "describe-db-instances", "--query", query]))
    .needs("rds:DescribeDBInstances")
    .rotate(context)
    .link(TROUBLESHOOTING);
    let mut finding = context.finding(RULE.cause, confidence, explanation, hang.proofs(), remediation);
    finding.title = LOCKED.to_owned();
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{assert_clear, facts, fail, finding, hang_in, healthy};

    #[test]
    fn what_the_service_answered_decides_what_is_to_be_done() {
        for (line, expected) in [
            ("requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://api.example.com/v1/keys", Some(401)),
            ("urllib.error.HTTPError: HTTP Error 503: Service Unavailable", Some(503)),
            ("AxiosError: Request failed with status code 403", Some(403)),
            ("[ERROR] vendor API returned 500 for POST /keys", Some(500)),
            ("HttpRequestException: Response status code does not indicate success: 429 (Too Many Requests).", Some(429)),
            ("reqwest::Error { kind: Status(502), url: \"https://api.example.com/keys\" }", Some(502)),
            ("stripe.error.AuthenticationError: Invalid API Key provided: ****1234", None),
        ] {
            assert_eq!(status(line), expected, "{line}");
        }
    }

    #[test]
    fn an_answer_that_names_no_status_is_read_by_its_words() {
        for (line, title) in [
            ("[ERROR] RateLimitError: Request rate limit exceeded.", "refuses further requests"),
            ("[ERROR] AuthenticationError: Expired API Key provided: rk_live_****1234", "refuses the credentials"),
        ] {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::SetSecret, &[line]);
            let found = finding(RULE.cause, &evidence);
            assert!(found.title.contains(title), "{line}: {}", found.title);
            assert!(found.explanation.contains("refused the call in setSecret"), "{}", found.explanation);
        }
    }

    #[test]
    fn a_connection_that_stood_and_then_hung_is_a_wait_for_the_database_and_not_the_network() {
        let mut evidence = healthy();
        facts(&mut evidence.function).timeout_s = Some(30);
        let connected =
            "[INFO]\t2026-03-10T11:00:00.000Z\tr1\tSuccessfully established TCP connection as user 'app' with host: 'h'";
        hang_in(&mut evidence, RotationStep::SetSecret, &[connected]);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.title.contains("waiting"), "{}", found.title);
        assert_clear(Cause::DbNetworkUnreachable, &evidence);
        facts(&mut evidence.logs).invocations.last_mut().unwrap().lines.remove(0);
        assert_clear(RULE.cause, &evidence);
    }
}
