//! What is behind the secret: a database, or something else that takes its value.

use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::signatures::engine_of;
use crate::model::Cause;
use regex::Regex;
use std::sync::LazyLock;

/// What takes the secret's value, and what the value is to it, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) struct Behind {
    /// Such as `the broker`.
    pub(in crate::diagnosis) noun: &'static str,
    /// Such as `password`.
    pub(in crate::diagnosis) credential: &'static str,
}

const DATABASE: Behind = Behind { noun: "the database", credential: "password" };
const CACHE: Behind = Behind { noun: "the cache", credential: "password" };
const DIRECTORY: Behind = Behind { noun: "the directory", credential: "password" };
const BROKER: Behind = Behind { noun: "the broker", credential: "password" };
const SERVICE: Behind = Behind { noun: "the service", credential: "credential" };

/// Names by which clients, functions and secrets give a message broker away.
static BROKERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names =
        r"(?i)kafka|\brabbit|\bpika\.|\bamqps?\b|activemq|\bmqtt\b|\bbroker\b|ConnectionClosedByBroker|NoBrokersAvailable";
    Regex::new(&format!(r"{names}|\b(?:Cluster|Topic|Group)Authorization(?:Failed|Exception)")).ok()
});

/// What the failing invocations, or else the names of the function and the secret, tell of; a database where nothing tells otherwise.
pub(in crate::diagnosis) fn behind(context: &DiagnosisContext<'_>) -> Behind {
    let is_broker = |text: &str| BROKERS.as_ref().is_some_and(|brokers| brokers.is_match(text));
    let mut lines = context.failures.iter().rev().filter_map(|failure| failure.most_specific_line());
    let told = lines.find_map(|line| {
        let text = line.event.text.as_str();
        if is_broker(text) {
            return Some(BROKER);
        }
        match engine_of(text).or(line.classification.engine) {
            Some("elasticache") => Some(CACHE),
            Some("active-directory") => Some(DIRECTORY),
            Some(_) => Some(DATABASE),
            None => is_of_a_service(line.classification.cause).then_some(SERVICE),
        }
    });
    told.unwrap_or_else(|| {
        let named = [context.function_name().unwrap_or_default(), context.secret_name()];
        match (named.iter().any(|name| is_broker(name)), named.iter().find_map(|name| engine_of(name))) {
            (true, _) => BROKER,
            (false, Some("elasticache")) => CACHE,
            (false, Some("active-directory")) => DIRECTORY,
            (false, _) => DATABASE,
        }
    })
}

/// True for what only an API answers, where the line gives no engine away.
const fn is_of_a_service(cause: Cause) -> bool {
    matches!(cause, Cause::TargetServiceError | Cause::TargetServiceLimit | Cause::TargetServiceAsyncPropagation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{arn, facts, fail, healthy, no_data, record};
    use crate::model::RotationStep;

    #[test]
    fn the_line_tells_what_is_behind_the_secret_and_else_the_names_do() {
        for (line, expected) in [
            ("[ERROR] HTTPError: 401 Client Error: Unauthorized for url: https://api.example.com/v1/keys", SERVICE),
            (
                "pika.exceptions.ProbableAccessDeniedError: ConnectionClosedByBroker: (530) 'NOT_ALLOWED - vhost orders not found'",
                BROKER,
            ),
            ("psycopg2.OperationalError: FATAL:  database \"orders\" does not exist", DATABASE),
            ("[ERROR] Frobnication of the widget came to a bad end", DATABASE),
        ] {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::TestSecret, &[line]);
            assert_eq!(behind(&DiagnosisContext::new(&evidence)), expected, "{line}");
        }
        let mut evidence = healthy();
        let function = arn("arn:aws:lambda:eu-west-1:123456789012:function:kafka-users-rotator");
        facts(&mut evidence.rotation_config).function_arn = Some(function);
        evidence.function = record(no_data());
        assert_eq!(behind(&DiagnosisContext::new(&evidence)), BROKER);
    }

    #[test]
    fn a_warning_speaks_of_the_broker_and_not_of_a_database() {
        let mut evidence = healthy();
        let line =
            "[ERROR] ClusterAuthorizationFailedError: [Error 31] ClusterAuthorizationFailedError: Request is not authorized";
        fail(&mut evidence, RotationStep::TestSecret, &[line]);
        let diagnosis = diagnose(&evidence);
        let told = format!("{} {:?}", diagnosis.findings[0].explanation, diagnosis.findings[0].remediation.warning);
        assert!(told.contains("the broker may have the pending password") && !told.contains("so the database may"), "{told}");
    }
}
