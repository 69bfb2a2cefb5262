//! Failures that Secrets Manager's own retry healed: the same version failed, and then succeeded.

use crate::diagnosis::{DiagnosisContext, signatures};
use crate::model::spans::{ATTEMPT_SPAN, CLOCK_TOLERANCE};
use crate::model::{Attempt, AttemptOutcome, Cause, InvocationStatus, LogEvent, Proof, StepName, Window};
use jiff::SignedDuration;

/// How long a healed failure is worth a remark.
const RECENT: SignedDuration = SignedDuration::from_hours(3 * 24);

/// A failed attempt, and the later one that made the same version current.
pub(in crate::diagnosis) struct Healed<'a> {
    pub(in crate::diagnosis) failed: &'a Attempt,
    pub(in crate::diagnosis) succeeded: &'a Attempt,
}

/// The newest failure of the last days that healed; `None` while rotation fails.
pub(in crate::diagnosis) fn newest<'a>(context: &DiagnosisContext<'a>) -> Option<Healed<'a>> {
    if context.failing.is_some() {
        return None;
    }
    let since = Window::ending_at(context.now(), RECENT);
    context
        .attempts()
        .rev()
        .filter(|attempt| attempt.outcome == AttemptOutcome::Failed && attempt.version_id.is_some())
        .filter(|attempt| attempt.at().is_some_and(|at| since.contains(at)))
        .find_map(|failed| {
            let succeeded = context.attempts().find(|later| {
                later.outcome == AttemptOutcome::Succeeded && later.version_id == failed.version_id && later.at() > failed.at()
            })?;
            Some(Healed { failed, succeeded })
        })
}

impl<'a> Healed<'a> {
    /// The line that says why the failed attempt failed, and what it means.
    pub(in crate::diagnosis) fn reason(&self, context: &DiagnosisContext<'a>) -> Option<(&'a LogEvent, Cause)> {
        let around = Window::around(self.failed.at()?, ATTEMPT_SPAN, CLOCK_TOLERANCE);
        let logs = context.evidence.logs.found()?;
        logs.invocations
            .iter()
            .rev()
            .filter(|run| matches!(run.status, InvocationStatus::Failed | InvocationStatus::TimedOut))
            .filter(|run| around.contains(run.started_at))
            .filter(|run| run.secret_arn.as_deref().is_none_or(|named| named == context.secret_id()))
            .flat_map(|run| &run.lines)
            .filter_map(|event| Some((event, signatures::classify_event(&event.text)?.cause)))
            .find(|(_, cause)| !cause.is_line_label())
    }

    /// The line and the two events, as proof.
    pub(in crate::diagnosis) fn proofs(&self, context: &DiagnosisContext<'a>) -> Vec<Proof> {
        let proof = |attempt: &Attempt, said: &str| Proof {
            step: StepName::RotationHistory,
            call: context.history_call().to_owned(),
            at: attempt.at(),
            text: attempt.reason.clone().unwrap_or_else(|| said.to_owned()),
        };
        let line = self.reason(context).map(|(event, _)| Proof {
            step: StepName::FunctionLogs,
            call: "logs:FilterLogEvents".to_owned(),
            at: Some(event.at),
            text: event.text.trim().to_owned(),
        });
        let events = [proof(self.failed, "RotationFailed"), proof(self.succeeded, "RotationSucceeded")];
        line.into_iter().chain(events).collect()
    }
}
