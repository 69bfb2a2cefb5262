//! What tells what is behind the secret: a database, or something else that takes its value.

use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::behind::{BROKER, Behind, CACHE, DATABASE, DIRECTORY, MAIL, SERVICE};
use crate::diagnosis::signatures::engine_of;
use crate::model::Cause;
use regex::Regex;
use std::sync::LazyLock;

/// Names by which clients, functions and secrets give a message broker away.
static BROKERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names =
        r"(?i)kafka|\brabbit|\bpika\.|\bamqps?\b|activemq|\bmqtt\b|\bbroker\b|ConnectionClosedByBroker|NoBrokersAvailable";
    Regex::new(&format!(r"{names}|\b(?:Cluster|Topic|Group)Authorization(?:Failed|Exception)")).ok()
});

/// What Python's and other mail clients call their refusals.
static MAIL_SERVERS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\bsmtplib\.|\bSMTP\w*(?:Error|Exception|Disconnected|Refused)\b").ok());

impl DiagnosisContext<'_> {
    /// What the failing invocations, or else the names of the function and the secret, tell of; a database where nothing tells
    /// otherwise.
    pub(in crate::diagnosis) fn behind(&self) -> Behind {
        *self.behind.get_or_init(|| told_by(self))
    }
}

fn told_by(context: &DiagnosisContext<'_>) -> Behind {
    let is_broker = |text: &str| BROKERS.as_ref().is_some_and(|brokers| brokers.is_match(text));
    let mut lines = context.failures.iter().rev().filter_map(|failure| failure.most_specific_line());
    let told = lines.find_map(|line| {
        let text = line.event.text.as_str();
        if is_broker(text) {
            return Some(BROKER);
        }
        if MAIL_SERVERS.as_ref().is_some_and(|servers| servers.is_match(text)) {
            return Some(MAIL);
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
            ("smtplib.SMTPAuthenticationError: (535, b'5.7.8 Error: authentication failed')", MAIL),
            ("psycopg2.OperationalError: FATAL:  database \"orders\" does not exist", DATABASE),
            ("[ERROR] Frobnication of the widget came to a bad end", DATABASE),
        ] {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::TestSecret, &[line]);
            assert_eq!(DiagnosisContext::new(&evidence).behind(), expected, "{line}");
        }
        let mut evidence = healthy();
        let function = arn("arn:aws:lambda:eu-west-1:123456789012:function:kafka-users-rotator");
        facts(&mut evidence.rotation_config).function_arn = Some(function);
        evidence.function = record(no_data());
        assert_eq!(DiagnosisContext::new(&evidence).behind(), BROKER);
    }

    #[test]
    fn a_finding_about_a_broker_speaks_of_no_database_and_lists_none() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::TestSecret, &["[ERROR] NoBrokersAvailable: kafka.errors.NoBrokersAvailable"]);
        let found = &diagnose(&evidence).findings[0];
        assert_eq!(
            (found.cause, found.title.as_str()),
            (Cause::DbNetworkUnreachable, "the function cannot reach the broker over the network")
        );
        let told = format!("{} {} {:?}", found.explanation, found.remediation.summary, found.remediation.warning);
        assert!(told.contains("the broker") && !told.contains("the database"), "{told}");
        assert_eq!(found.remediation.commands, [""; 0], "neither RDS is asked nor is a rotation tried for nothing");
        let mut evidence = healthy();
        fail(
            &mut evidence,
            RotationStep::TestSecret,
            &["smtplib.SMTPServerDisconnected: [SSL: WRONG_VERSION_NUMBER] wrong version number"],
        );
        let commands = diagnose(&evidence).findings[0].remediation.commands.join("\n");
        assert!(!commands.contains("aws rds "), "{commands}");
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
