//! What an "Unable to log into database" line leaves open, narrowed by how long the invocation took.

use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::context::{Failure, LogMatch};
use crate::lambda_log::Record;
use crate::model::Cause;
use regex::Regex;
use std::sync::LazyLock;

/// Above this an attempt to log in got no answer: the official templates give up on a connection after five seconds.
///
/// Source: Secrets Manager User Guide, "Troubleshoot AWS Secrets Manager rotation"; aws-secrets-manager-rotation-lambdas.
const CONNECT_TIMEOUT_MS: f64 = 5_000.0;

/// Below this nothing was waited for. A closed port, a name that does not resolve and a connection that is cut fail as fast as
/// a refused password: it tells no more than that.
const QUICK_MS: f64 = 2_000.0;

/// Whether the database answered a login that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) enum Answer {
    /// It did not: the network.
    None,
    /// A connection stood, so that it did.
    Connected,
    /// Nothing was waited for.
    Quick,
    /// The duration does not tell.
    Unclear,
}

/// True when the failure's decisive line says only that a login failed.
pub(in crate::diagnosis) fn is_ambiguous(failure: &Failure<'_>) -> bool {
    failure.most_specific_line().is_some_and(|read| is_login(read.classification.cause))
}

/// The newest failing invocation that says only that a login failed, as user or as superuser.
pub(in crate::diagnosis) fn newest<'c, 'a>(context: &'c DiagnosisContext<'a>) -> Option<LogMatch<'c, 'a>> {
    context.seen_where(|read| is_login(read.classification.cause))
}

/// Whether the database answered, as far as the invocation's duration tells.
pub(in crate::diagnosis) fn answer(failure: &Failure<'_>) -> Answer {
    if failure.invocation.lines.iter().any(|event| is_connected(&event.text)) {
        return Answer::Connected;
    }
    match failure.invocation.duration_ms {
        Some(ms) if ms > CONNECT_TIMEOUT_MS => Answer::None,
        Some(ms) if ms < QUICK_MS => Answer::Quick,
        _ => Answer::Unclear,
    }
}

/// `4.2 s`, or nothing where the log does not tell.
pub(in crate::diagnosis) fn seconds(failure: &Failure<'_>) -> Option<String> {
    failure.invocation.duration_ms.map(|ms| format!("{:.1} s", ms / 1000.0))
}

fn is_login(cause: Cause) -> bool {
    matches!(cause, Cause::DbLoginAmbiguous | Cause::DbSuperuserLoginAmbiguous)
}

static CONNECTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)success\w* (?:established|connected|logged|signed)|\bconnected to (?:the )?(?:database|db\b|mysql|mariadb|postgres|server|host|instance)|",
        r"\bconnection (?:to \S+ |with \S+ )?(?:is |was )?(?:established|opened|open)\b|\blogged in(?:to)?\b|\blogin (?:ok|succeeded|successful)"
    ))
    .ok()
});

/// True for a line that a function writes once a connection to its database stands: the official templates'
/// `Successfully established … connection`, and the like.
pub(in crate::diagnosis) fn is_connected(text: &str) -> bool {
    let text = Record::read(text).text;
    let lower = text.to_ascii_lowercase();
    let otherwise = ["unable", "fail", "could not", "cannot", "not ", "secretsmanager", "secrets manager", "error"];
    !otherwise.iter().any(|word| lower.contains(word)) && CONNECTED.as_ref().is_some_and(|pattern| pattern.is_match(&text))
}

#[cfg(test)]
mod tests {
    use super::is_connected;

    #[test]
    fn a_connection_is_told_in_many_words_and_never_by_its_failure() {
        for line in [
            "[INFO]\t2026-03-10T11:00:00.000Z\tr1\tSuccessfully established TCP connection as user 'app' with host: 'h'",
            "[INFO] Connected to database orders on db.internal",
            "{\"level\":\"info\",\"msg\":\"connection established\"}",
            "logged in as app",
        ] {
            assert!(is_connected(line), "{line}");
        }
        for line in [
            "Unable to log into database",
            "not logged in",
            "Connection failed",
            "Successfully connected to secretsmanager",
            "connecting to the database",
        ] {
            assert!(!is_connected(line), "{line}");
        }
    }
}
