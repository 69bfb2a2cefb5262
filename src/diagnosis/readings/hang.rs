//! Where an invocation hung that ran into its timeout without a word about why.
//!
//! A timeout line alone says nothing. The rotation step, the last lines of the function's own code, its VPC and its
//! timeout together tell which wait it was, or that this cannot be told.

use super::login;
use crate::diagnosis::context::{DiagnosisContext, Failure};
use crate::lambda_log::Record;
use crate::model::spans::MAX_INVOCATION;
use crate::model::{Attempt, Cause, Concern, Confidence, Invocation, InvocationStatus, Proof, RotationStep, StepName, Window};
use jiff::SignedDuration;

/// Timeouts up to this are shorter than the official templates need when one connection attempt fails.
const SHORT_TIMEOUT_S: u32 = 10;

/// A success that took this share of the timeout shows that normal work comes close to it.
const CLOSE_SHARE: f64 = 0.8;

/// Statements about users take milliseconds; one that takes longer than this waits for another session.
const STATEMENT_S: f64 = 3.0;

/// A failing invocation that ran into its timeout and names no error.
pub(in crate::diagnosis) struct Hang<'c, 'a> {
    context: &'c DiagnosisContext<'a>,
    failure: &'c Failure<'a>,
    /// The rotation step it hung in, as far as that can be told.
    pub(in crate::diagnosis) step: Option<RotationStep>,
    progress: HangProgress,
    in_vpc: Option<bool>,
    timeout_s: Option<u32>,
}

/// How far the function's own lines show that it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HangProgress {
    /// A connection to the database stood.
    DatabaseAnswered,
    SecretsManagerAnswered,
    /// It wrote nothing of its own after it found its credentials.
    Silent,
    /// Its lines do not tell, or its log level hides them.
    Untold,
}

impl<'c, 'a> Hang<'c, 'a> {
    /// The newest failing invocation, where it hung.
    pub(in crate::diagnosis) fn newest(context: &'c DiagnosisContext<'a>) -> Option<Hang<'c, 'a>> {
        let failure = context.failures.last().filter(|failure| failure.timed_out() && failure.most_specific_line().is_none())?;
        let function = context.function();
        Some(Hang {
            context,
            failure,
            step: step_of(context, failure),
            progress: progress(context, failure),
            in_vpc: function.map(|function| function.vpc.is_some()),
            timeout_s: function.and_then(|function| function.timeout_s),
        })
    }

    /// How sure it is that the function waited for an AWS endpoint.
    pub(in crate::diagnosis) fn at_endpoint(&self) -> Option<Confidence> {
        if self.something_answered() || self.success_came_close().is_some() {
            return None;
        }
        match (self.step, self.in_vpc) {
            (Some(RotationStep::SetSecret | RotationStep::TestSecret), _) | (_, Some(false)) => None,
            (Some(RotationStep::CreateSecret), Some(true)) if self.progress == HangProgress::Silent || !self.is_short() => {
                Some(Confidence::Likely)
            }
            _ => Some(Confidence::Possible),
        }
    }

    /// How sure it is that the function waited for the database.
    pub(in crate::diagnosis) fn at_database(&self) -> Option<Confidence> {
        if own_lines(self.failure).any(|event| event.text.contains("Successfully established")) {
            return None;
        }
        match self.step {
            _ if self.database_answered() => None,
            Some(RotationStep::SetSecret | RotationStep::TestSecret) => {
                let sure = self.network_changed() || (!self.is_short() && self.success_came_close().is_none());
                Some(if sure { Confidence::Likely } else { Confidence::Possible })
            }
            None => Some(Confidence::Possible),
            Some(_) => None,
        }
    }

    /// How sure it is that the function was at work and only lacked time.
    pub(in crate::diagnosis) fn lacked_time(&self) -> Option<Confidence> {
        if self.network_changed() || self.waits_for_a_statement() && self.success_came_close().is_none() {
            return None;
        }
        let past_secrets_manager = self.progress == HangProgress::SecretsManagerAnswered
            || self.step.is_some_and(|step| step > RotationStep::CreateSecret);
        match (self.success_came_close(), self.is_short(), past_secrets_manager) {
            (Some(_), _, _) | (None, true, true) => Some(Confidence::Likely),
            // Outside a VPC nothing stands between the function and Secrets Manager, which createSecret asks and nobody else.
            (None, true, false) if self.in_vpc == Some(false) && self.step == Some(RotationStep::CreateSecret) => {
                Some(Confidence::Likely)
            }
            (None, true, false) if self.in_vpc != Some(true) => Some(Confidence::Possible),
            _ => None,
        }
    }

    /// The longest successful invocation, where it came close to the timeout; in seconds.
    pub(in crate::diagnosis) fn success_came_close(&self) -> Option<f64> {
        let limit = f64::from(self.timeout_s?) * CLOSE_SHARE;
        let logs = self.context.evidence.logs.found()?;
        let longest = logs
            .invocations
            .iter()
            .filter(|invocation| invocation.status == InvocationStatus::Succeeded)
            .filter_map(|invocation| invocation.duration_ms)
            .fold(0.0, f64::max);
        (longest / 1000.0 >= limit).then_some(longest / 1000.0)
    }

    /// True when a connection to the database stood before it hung.
    pub(in crate::diagnosis) fn database_answered(&self) -> bool {
        self.progress == HangProgress::DatabaseAnswered
    }

    /// True when the function was connected and then waited longer than a statement about a user takes.
    fn waits_for_a_statement(&self) -> bool {
        let invocation = self.failure.invocation;
        let took = invocation.duration_ms.map_or(f64::from(self.timeout_s.unwrap_or_default()), |ms| ms / 1_000.0);
        let spoke = own_lines(self.failure).last().map(|event| event.at.duration_since(invocation.started_at).as_secs_f64());
        self.database_answered() && spoke.is_some_and(|spoke| took - spoke >= STATEMENT_S)
    }

    /// The function's timeout in seconds, where it is known.
    pub(in crate::diagnosis) fn timeout_s(&self) -> Option<u32> {
        self.timeout_s
    }

    /// ` in setSecret`, or nothing where the step cannot be told.
    pub(in crate::diagnosis) fn in_step(&self) -> String {
        self.step.map(|step| format!(" in {step}")).unwrap_or_default()
    }

    /// The timeout line, the last line before it, and the rotation event.
    pub(in crate::diagnosis) fn proofs(&self) -> Vec<Proof> {
        let proof = |at, text: &str| Proof {
            step: StepName::FunctionLogs,
            call: "logs:FilterLogEvents".to_owned(),
            at: Some(at),
            text: text.trim().to_owned(),
        };
        let timeout = self.failure.lines.iter().rev().find(|read| read.classification.cause == Cause::TimeoutAmbiguous);
        let timeout = match timeout {
            Some(read) => proof(read.event.at, &read.event.text),
            None => proof(self.failure.invocation.started_at, "the invocation ran into the function's timeout"),
        };
        let last = own_lines(self.failure).last().map(|event| proof(event.at, &format!("last line: {}", event.text.trim())));
        std::iter::once(timeout).chain(last).chain(self.context.failed_attempt_proof()).collect()
    }

    fn something_answered(&self) -> bool {
        matches!(self.progress, HangProgress::DatabaseAnswered | HangProgress::SecretsManagerAnswered)
    }

    fn is_short(&self) -> bool {
        self.timeout_s.is_some_and(|seconds| seconds <= SHORT_TIMEOUT_S)
    }

    /// True when the network between the function and the database changed since the last success, in a way that can keep
    /// them apart; of what may be somebody else's, only right before the failures began.
    fn network_changed(&self) -> bool {
        let context = self.context;
        context.suspects(Cause::DbNetworkUnreachable).iter().any(|(change, _)| {
            let is_network = change.concerns == Concern::Network || change.parameters.get("vpcConfig").is_some();
            is_network && (context.is_own(change) || context.is_close(change))
        })
    }
}

/// Its lines, then the rotation event at its time, then its place after the invocation before it.
fn step_of(context: &DiagnosisContext<'_>, failure: &Failure<'_>) -> Option<RotationStep> {
    let event = || {
        let around = Window::around(failure.invocation.started_at, SignedDuration::ZERO, MAX_INVOCATION);
        let ended_then = |attempt: &&Attempt| attempt.at().is_some_and(|at| around.contains(at));
        context.failed_attempts().find(ended_then).and_then(|attempt| attempt.step)
    };
    failure.step.or_else(event).or_else(|| step_after_the_previous(context, failure.invocation))
}

/// Steps follow each other within minutes; a rotation begins with createSecret, and so does the try after a failure.
fn step_after_the_previous(context: &DiagnosisContext<'_>, invocation: &Invocation) -> Option<RotationStep> {
    let logs = context.evidence.logs.found()?;
    let before = Window::ending_at(invocation.started_at, MAX_INVOCATION);
    let is_another = |other: &Invocation| other.secret_arn.is_some() && other.secret_arn.as_deref() != Some(context.secret_id());
    let previous = logs
        .invocations
        .iter()
        .rev()
        .filter(|other| other.started_at < invocation.started_at && before.contains(other.started_at))
        .find(|other| !is_another(other));
    match previous {
        Some(previous) if previous.status == InvocationStatus::Succeeded => match previous.step? {
            RotationStep::CreateSecret => Some(RotationStep::SetSecret),
            RotationStep::SetSecret => Some(RotationStep::TestSecret),
            RotationStep::TestSecret => Some(RotationStep::FinishSecret),
            RotationStep::FinishSecret => Some(RotationStep::CreateSecret),
        },
        Some(previous) => (previous.status != InvocationStatus::Unknown).then_some(RotationStep::CreateSecret),
        None => {
            let seen = logs.windows.iter().any(|window| window.contains(before.from));
            (logs.complete && seen).then_some(RotationStep::CreateSecret)
        }
    }
}

fn progress(context: &DiagnosisContext<'_>, failure: &Failure<'_>) -> HangProgress {
    if own_lines(failure).any(|event| login::is_connected(&event.text)) {
        return HangProgress::DatabaseAnswered;
    }
    if own_lines(failure).any(|event| shows_an_answer(&event.text)) {
        return HangProgress::SecretsManagerAnswered;
    }
    let hidden = context.function().and_then(|function| function.application_log_level.as_deref());
    let hidden = hidden.is_some_and(|level| !matches!(level.to_ascii_uppercase().as_str(), "TRACE" | "DEBUG" | "INFO"));
    match own_lines(failure).last() {
        _ if hidden => HangProgress::Untold,
        None => HangProgress::Silent,
        Some(event) if event.text.contains("Found credentials in environment variables") => HangProgress::Silent,
        Some(_) => HangProgress::Untold,
    }
}

fn own_lines<'f, 'a>(failure: &'f Failure<'a>) -> impl Iterator<Item = &'a crate::model::LogEvent> + 'f {
    let is_timeout = |text: &str| {
        let mut lines = failure.lines.iter().filter(|read| read.classification.cause == Cause::TimeoutAmbiguous);
        lines.any(|read| read.event.text == text)
    };
    let lines: &'a [crate::model::LogEvent] = &failure.invocation.lines;
    lines.iter().filter(move |event| Record::read(&event.text).platform.is_none() && !is_timeout(&event.text))
}

/// The official templates write these lines only once Secrets Manager answered.
fn shows_an_answer(text: &str) -> bool {
    ["Successfully put secret", "Successfully retrieved secret", "AWSPENDING secret is already set"]
        .iter()
        .any(|line| text.contains(line))
}
