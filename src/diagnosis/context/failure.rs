//! What a failing invocation says.

use crate::diagnosis::signatures::{self, AccessDenied, Classification, LineSpecificity, Reached};
use crate::lambda_log::{Platform, Record};
use crate::model::{Cause, Invocation, InvocationStatus, LogEvent, RotationStep};

/// A failing invocation and what its lines mean.
pub struct Failure<'a> {
    pub invocation: &'a Invocation,
    /// The rotation step it performed.
    pub step: Option<RotationStep>,
    /// Whether it is known to be about this secret.
    pub attribution: Attribution,
    /// Its classified lines, oldest first; normal lines are left out.
    pub lines: Vec<ClassifiedLine<'a>>,
}

/// A line and what it means.
pub struct ClassifiedLine<'a> {
    pub event: &'a LogEvent,
    pub classification: Classification,
}

/// Whose rotation an invocation performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribution {
    Other,
    Unknown,
    /// It ran when this secret's rotation failed.
    ByTime,
    /// Its lines name this secret, or the version being rotated.
    ByName,
}

impl<'a> Failure<'a> {
    pub(super) fn read(invocation: &'a Invocation, attribution: Attribution) -> Failure<'a> {
        let records = || invocation.lines.iter().map(|event| Record::read(&event.text));
        let start = records().position(|record| record.platform == Some(Platform::Start)).unwrap_or_default();
        let is_failed = |record: Record<'_>| match record.platform {
            Some(Platform::InitReport(report)) => report.status.as_deref() == Some("error"),
            _ => false,
        };
        let init_failed = records().take(start).any(is_failed);
        // Before START extensions speak too; of the function's own code only what keeps it from being loaded.
        let is_own = |place: usize, classification: &Classification| {
            place >= start || init_failed || classification.specificity == LineSpecificity::Code
        };
        let lines: Vec<ClassifiedLine<'a>> = invocation
            .lines
            .iter()
            .enumerate()
            .filter_map(|(place, event)| {
                let mut classification = signatures::classify_event(&event.text).filter(|found| is_own(place, found))?;
                // A pool that is refused here is the function's own, not an application's.
                if classification.cause == Cause::ConsumerStaleCredentials {
                    classification.cause = Cause::DbAuthFailed;
                }
                // An errand that was refused, and logged, did not end the invocation: any other fault tells more.
                if classification.specificity == LineSpecificity::AccessLayer
                    && !ends_invocation(&event.text)
                    && is_errand(&event.text)
                {
                    classification.specificity = LineSpecificity::NamedFault;
                    classification.reached = Reached::Closing;
                }
                Some(ClassifiedLine { event, classification })
            })
            .collect();
        let step = invocation.step.or_else(|| lines.iter().rev().find_map(|read| read.classification.step));
        Failure { invocation, step, attribution, lines }
    }

    /// The line that says most precisely why the invocation failed; `None` when no line says why.
    #[must_use]
    pub fn most_specific_line(&self) -> Option<&ClassifiedLine<'a>> {
        let telling = || self.lines.iter().filter(|read| !read.classification.cause.is_line_label());
        // Of lines that say as much the first one is the origin; later ones repeat it.
        let origin = telling().rev().max_by_key(|read| read.classification.weight())?;
        // What ended the invocation repeats nothing where it says as much of another cause.
        let end = telling().rev().find(|read| ends_invocation(&read.event.text));
        match end {
            Some(end)
                if end.classification.specificity >= LineSpecificity::NamedFault
                    && end.classification.weight() == origin.classification.weight()
                    && end.classification.cause != origin.classification.cause =>
            {
                Some(end)
            }
            _ => Some(origin),
        }
    }

    /// The last line the function's own code wrote, classified or not.
    #[must_use]
    pub fn last_own_line(&self) -> Option<&'a LogEvent> {
        self.invocation.lines.iter().rev().find(|event| {
            let record = Record::read(&event.text);
            record.platform.is_none() && !record.is_foreign
        })
    }

    /// True when the function ran into its timeout.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.invocation.status == InvocationStatus::TimedOut
    }
}

/// Calls beside a rotation: a message, a metric, a trace, a log.
const ERRANDS: [&str; 7] =
    ["sns:publish", "sqs:sendmessage", "events:putevents", "cloudwatch:putmetricdata", "ses:send", "xray:", "logs:"];

/// True where AWS refused a call beside the rotation.
fn is_errand(text: &str) -> bool {
    let Some(denied) = AccessDenied::parse(text) else { return false };
    let action = denied.action.to_ascii_lowercase();
    ERRANDS.iter().any(|errand| action.starts_with(errand))
}

/// True for what a runtime prints of the exception that ended an invocation: Python without a time, Node.js behind words of its
/// own, and both in JSON with the stack. A logger writes the time.
fn ends_invocation(text: &str) -> bool {
    let of_python = text.starts_with("[ERROR] ") && text.contains("Traceback (most recent call last)");
    let of_node = text.contains("\tInvoke Error \t") || text.contains("\tUncaught Exception \t");
    let in_json = text.starts_with('{') && text.contains("\"errorType\"") && text.contains("\"stackTrace\"");
    of_python || of_node || in_json
}
