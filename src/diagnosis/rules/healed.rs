//! Failures that Secrets Manager's own retry healed: the same version failed, and then succeeded.

use crate::diagnosis::{Case, Verdict, signatures};
use crate::model::{
    Attempt, AttemptOutcome, Cause, Confidence, InvocationStatus, LogEvent, Proof, Remediation, Severity, StepName, Window,
};
use jiff::SignedDuration;

/// How long a healed failure is worth a remark.
const RECENT: SignedDuration = SignedDuration::from_hours(3 * 24);

/// The time before its failed event in which an attempt's invocations ran.
const ATTEMPT_SPAN: SignedDuration = SignedDuration::from_mins(60);

/// How far clocks of AWS services may disagree about one moment.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(2);

/// A failed attempt, and the later one that made the same version current.
pub(super) struct Healed<'a> {
    pub(super) failed: &'a Attempt,
    pub(super) succeeded: &'a Attempt,
}

/// The newest failure of the last days that healed; `None` while rotation fails.
pub(super) fn newest<'a>(case: &Case<'a>) -> Option<Healed<'a>> {
    if case.failing.is_some() {
        return None;
    }
    let since = Window::ending_at(case.now(), RECENT);
    case.attempts()
        .rev()
        .filter(|attempt| attempt.outcome == AttemptOutcome::Failed && attempt.version_id.is_some())
        .filter(|attempt| attempt.at().is_some_and(|at| since.contains(at)))
        .find_map(|failed| {
            let succeeded = case.attempts().find(|later| {
                later.outcome == AttemptOutcome::Succeeded && later.version_id == failed.version_id && later.at() > failed.at()
            })?;
            Some(Healed { failed, succeeded })
        })
}

/// The remark that the newest failure was of `cause` and healed, where a line of it says so.
pub(super) fn remark(case: &Case<'_>, cause: Cause, explanation: &str) -> Option<Verdict> {
    let healed = newest(case)?;
    let line = healed.line(case, cause)?;
    let proof = Proof {
        step: StepName::FunctionLogs,
        call: "logs:FilterLogEvents".to_owned(),
        at: Some(line.at),
        text: line.text.trim().to_owned(),
    };
    let evidence = std::iter::once(proof).chain(healed.proofs(case)).collect();
    let nothing = Remediation::new("Nothing needs to be done.");
    let mut finding = case.finding(cause, Confidence::Confirmed, explanation, evidence, nothing);
    finding.severity = Severity::Info;
    Some(finding.into())
}

impl<'a> Healed<'a> {
    fn line(&self, case: &Case<'a>, cause: Cause) -> Option<&'a LogEvent> {
        let around = Window::around(self.failed.at()?, ATTEMPT_SPAN, TOLERANCE);
        let logs = case.evidence.logs.found()?;
        logs.invocations
            .iter()
            .rev()
            .filter(|run| matches!(run.status, InvocationStatus::Failed | InvocationStatus::TimedOut))
            .filter(|run| around.contains(run.started_at))
            .filter(|run| run.secret_arn.as_deref().is_none_or(|secret| secret == case.secret_id()))
            .flat_map(|run| &run.lines)
            .find(|event| signatures::classify_event(&event.text).is_some_and(|found| found.cause == cause))
    }

    /// The two events, as proof.
    pub(super) fn proofs(&self, case: &Case<'_>) -> Vec<Proof> {
        let proof = |attempt: &Attempt, said: &str| Proof {
            step: StepName::RotationHistory,
            call: case.history_call().to_owned(),
            at: attempt.at(),
            text: attempt.reason.clone().unwrap_or_else(|| said.to_owned()),
        };
        vec![proof(self.failed, "RotationFailed"), proof(self.succeeded, "RotationSucceeded")]
    }
}
