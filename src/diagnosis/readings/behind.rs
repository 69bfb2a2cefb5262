//! What is behind the secret: a database, or something else that takes its value.

use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::signatures::engine_of;
use crate::model::{Cause, Finding};
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
const MAIL: Behind = Behind { noun: "the mail server", credential: "password" };
const SERVICE: Behind = Behind { noun: "the service", credential: "credential" };

/// Names by which clients, functions and secrets give a message broker away.
static BROKERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names =
        r"(?i)kafka|\brabbit|\bpika\.|\bamqps?\b|activemq|\bmqtt\b|\bbroker\b|ConnectionClosedByBroker|NoBrokersAvailable";
    Regex::new(&format!(r"{names}|\b(?:Cluster|Topic|Group)Authorization(?:Failed|Exception)")).ok()
});

/// What Python's and other mail clients call their refusals.
static MAIL_SERVERS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\bsmtplib\.|\bSMTP\w*(?:Error|Exception|Disconnected|Refused)\b").ok());

/// What the failing invocations, or else the names of the function and the secret, tell of; a database where nothing tells otherwise.
pub(in crate::diagnosis) fn behind(context: &DiagnosisContext<'_>) -> Behind {
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

/// The causes whose texts speak of a database, as it is one nearly always.
const OF_DATABASES: &[Cause] = &[
    Cause::DbAuthFailed,
    Cause::DbHostnameVerification,
    Cause::DbLoginAmbiguous,
    Cause::DbNetworkUnreachable,
    Cause::DbPasswordPolicyOrChars,
    Cause::DbPermissionInsufficient,
    Cause::DbSslMismatch,
];

/// Lets a finding about a database speak of what is behind the secret, and leaves out commands that only databases of RDS take.
pub(in crate::diagnosis) fn call_by_its_kind(context: &DiagnosisContext<'_>, finding: &mut Finding) {
    let Behind { noun, .. } = behind(context);
    if noun == DATABASE.noun || !OF_DATABASES.contains(&finding.cause) {
        return;
    }
    let bare = noun.trim_start_matches("the ");
    let words = [
        ("the database's own client", "its own client".to_owned()),
        ("the database user", format!("{noun}'s user")),
        ("the database", noun.to_owned()),
        ("The database", format!("The {bare}")),
        ("private database", format!("private {bare}")),
        ("public database", format!("public {bare}")),
    ];
    let said = |text: &str| words.iter().fold(text.to_owned(), |text, (word, by)| text.replace(word, by));
    finding.title = said(&finding.title);
    finding.explanation = said(&finding.explanation);
    let remediation = &mut finding.remediation;
    remediation.summary = said(&remediation.summary);
    remediation.warning = remediation.warning.as_deref().map(said);
    // What only RDS tells about a database is not asked for, and what would be filled in with it is not printed.
    let is_of_rds = |command: &String| command.starts_with("aws rds describe-db-") || command.contains("DATABASE_");
    if remediation.commands.iter().any(is_of_rds) {
        remediation.commands.clear();
        remediation.needs.clear();
    }
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
            assert_eq!(behind(&DiagnosisContext::new(&evidence)), expected, "{line}");
        }
        let mut evidence = healthy();
        let function = arn("arn:aws:lambda:eu-west-1:123456789012:function:kafka-users-rotator");
        facts(&mut evidence.rotation_config).function_arn = Some(function);
        evidence.function = record(no_data());
        assert_eq!(behind(&DiagnosisContext::new(&evidence)), BROKER);
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
        assert!(!found.remediation.commands.iter().any(|command| command.contains(" rds ")), "{:?}", found.remediation.commands);
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
