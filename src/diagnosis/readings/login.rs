//! What an "Unable to log into database" line leaves open, narrowed by how long the invocation took.

use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::context::{Failure, LogMatch};
use crate::model::Cause;

/// Above this an attempt to log in got no answer: the official templates give up on a connection after five seconds.
///
/// Source: Secrets Manager User Guide, "Troubleshoot AWS Secrets Manager rotation"; aws-secrets-manager-rotation-lambdas.
const CONNECT_TIMEOUT_MS: f64 = 5_000.0;

/// Below this every attempt to log in was answered.
const ANSWERED_MS: f64 = 2_000.0;

/// Whether the database answered a login that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) enum Answer {
    /// It did not: the network.
    None,
    /// It did, with a refusal: credentials, TLS, or the database's name.
    Refusal,
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
        return Answer::Refusal;
    }
    match failure.invocation.duration_ms {
        Some(ms) if ms > CONNECT_TIMEOUT_MS => Answer::None,
        Some(ms) if ms < ANSWERED_MS => Answer::Refusal,
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

/// The official templates write this line once a connection stands.
pub(in crate::diagnosis) fn is_connected(text: &str) -> bool {
    text.contains("Successfully established") && text.contains("connection")
}
