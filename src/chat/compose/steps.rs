//! The nine steps as lines: waiting, running, ended.

use crate::chat::document::{StepLine, StepState};
use crate::model::StepName;
use crate::redact::SafeText;
use crate::report::{Report, ReportedStep, StepMark, wording};

/// How much of what a running investigation saw is shown in a line; the whole stands in the thread.
const SUMMARY: usize = 160;

/// Nine steps that wait.
#[must_use]
pub fn waiting() -> Vec<StepLine> {
    StepName::ALL.into_iter().map(|step| line(step, StepState::Waiting, SafeText::default())).collect()
}

/// A step that asks AWS.
#[must_use]
pub fn running(step: StepName) -> StepLine {
    line(step, StepState::Running, SafeText::default())
}

/// A step that has ended with the observation `status`, in snake case, and what it saw.
#[must_use]
pub fn ended(step: StepName, status: &str, summary: &str) -> StepLine {
    line(step, state(status), SafeText::redact(summary).single_line().cut(SUMMARY))
}

/// The nine steps of a report.
pub(super) fn of(report: &Report) -> Vec<StepLine> {
    report.steps.iter().map(|step| line(step.name, judged(step), wording::step_summary(step))).collect()
}

fn line(step: StepName, state: StepState, summary: SafeText) -> StepLine {
    StepLine { number: step.number(), name: step.label().into(), state, summary }
}

/// How a step stands before anything is concluded from it.
fn state(status: &str) -> StepState {
    match status {
        "found" => StepState::Done,
        "no_data" => StepState::Nothing,
        "denied" => StepState::Denied,
        "not_applicable" => StepState::Skipped,
        _ => StepState::Broken,
    }
}

/// How a step of a report is shown.
#[must_use]
pub fn judged(step: &ReportedStep) -> StepState {
    match step.mark {
        StepMark::Fine => StepState::Fine,
        StepMark::Trouble => StepState::Trouble,
        StepMark::Nothing => StepState::Nothing,
        StepMark::Unasked => StepState::Skipped,
        StepMark::Unseen if step.denied.is_empty() => StepState::Broken,
        StepMark::Unseen => StepState::Denied,
    }
}
