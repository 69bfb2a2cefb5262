//! Verdicts that rest on a line of the function's log.

use super::login::{self, Answer};
use crate::diagnosis::case::{Failure, Seen};
use crate::diagnosis::{Case, Verdict};
use crate::model::{Cause, Confidence, Finding, Remediation};

/// Causes that an official template reports as "Unable to log into database" and nothing else, because it drops the
/// driver's exception.
const HIDDEN_BY_LOGIN: &[Cause] = &[
    Cause::DbAuthFailed,
    Cause::DbSslMismatch,
    Cause::DbHostnameVerification,
    Cause::DbScramLibpqOld,
    Cause::DbNativeEncryptionUnsupported,
    Cause::DbNameMissing,
];

/// The verdict on a cause that a log line names; `tell` gives the explanation and the remediation.
pub(super) fn by_log(case: &Case<'_>, cause: Cause, tell: impl FnOnce(&Seen<'_, '_>) -> (String, Remediation)) -> Verdict {
    let Some(seen) = case.seen(cause) else { return not_said(case, cause) };
    let (explanation, remediation) = tell(&seen);
    said(case, cause, &seen, explanation, remediation).into()
}

/// The finding that rests on a failing invocation's decisive line.
pub(super) fn said(
    case: &Case<'_>,
    cause: Cause,
    seen: &Seen<'_, '_>,
    mut explanation: String,
    remediation: Remediation,
) -> Finding {
    let mut confidence = seen.confidence(case);
    if seen.count > 1 {
        explanation.push_str(&format!(" {} failing invocations say so.", seen.count));
    }
    if !seen.is_latest {
        confidence = confidence.min(Confidence::Likely);
        explanation.push_str(" The newest failing invocation says something else.");
    }
    case.finding(cause, confidence, explanation, seen.proofs(case), remediation)
}

/// The verdict on a cause that no failing invocation names: clear only when the invocations say something else.
pub(super) fn not_said(case: &Case<'_>, cause: Cause) -> Verdict {
    let readable = case.rotates_by_function() && case.evidence.logs.observation.missing().is_none();
    let Some(newest) = case.failures.last().filter(|_| readable) else {
        let cut_short = readable && case.failing.is_some() && case.evidence.logs.found().is_some_and(|logs| !logs.complete);
        return if cut_short { Verdict::unknown("only a part of the function's log was read") } else { case.not_in_logs() };
    };
    if HIDDEN_BY_LOGIN.contains(&cause) && login_is_open(newest) {
        return Verdict::unknown("what the database answered: the function does not log it");
    }
    match newest.decisive() {
        Some(read) => Verdict::clear(format!("the newest failing invocation says: {}", read.classification.cause.title())),
        None if newest.timed_out() => Verdict::clear("the newest failing invocation ran into its timeout and names no error"),
        None => Verdict::unknown("the newest failing invocation does not say why it failed"),
    }
}

fn login_is_open(failure: &Failure<'_>) -> bool {
    login::is_ambiguous(failure) && login::answer(failure) != Answer::None
}
