//! What a report says of the next rotation and of the fix.

use super::sanitize::{cut, single_line};
use super::{Report, ReportedObstacle, ReportedPlanStep, safe};
use crate::model::{Confidence, Forecast, Outcome, PlanStep};
use crate::redact::SafeText;
use jiff::Timestamp;
use serde::Serialize;

/// How long a sentence may get before it is cut.
const SENTENCE: usize = 600;

/// The next rotation, foretold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedForecast {
    /// When its window opens; `None` where no date is known or none will come.
    pub next_rotation: Option<Timestamp>,
    /// What will stop it, in the order in which a rotation meets it.
    pub obstacles: Vec<ReportedObstacle>,
    /// What cannot be foretold.
    pub unknown: Vec<SafeText>,
}

impl From<&Forecast> for ReportedForecast {
    fn from(forecast: &Forecast) -> ReportedForecast {
        ReportedForecast {
            next_rotation: forecast.next_rotation,
            obstacles: forecast.obstacles.iter().map(ReportedObstacle::from).collect(),
            unknown: forecast.unknown.iter().map(|unknown| safe(unknown)).collect(),
        }
    }
}

impl From<&PlanStep> for ReportedPlanStep {
    fn from(step: &PlanStep) -> ReportedPlanStep {
        ReportedPlanStep {
            command: safe(&step.command),
            cause: step.cause,
            effect: safe(&step.effect),
            is_read_only: step.is_read_only,
            undo: step.undo.as_deref().map(safe),
            needs: step.needs.iter().map(|action| safe(action)).collect(),
        }
    }
}

/// What stands in the way of the next rotation, in one line; nothing where no rotation is foretold.
#[must_use]
pub fn next_rotation(report: &Report) -> Option<String> {
    let forecast = &report.forecast;
    let when = match forecast.next_rotation {
        Some(at) => format!("Next rotation {}", at.strftime("%-d %b %H:%M UTC")),
        None if forecast.obstacles.is_empty() => return None,
        None => "Next rotation".to_owned(),
    };
    let [first, rest @ ..] = forecast.obstacles.as_slice() else {
        return Some(format!("{when}: nothing known stands in its way"));
    };
    let verb = if first.confidence > Confidence::Possible { "will fail" } else { "may fail" };
    let more = match rest.len() {
        0 => String::new(),
        more => {
            format!(" And {more} more: {}.", rest.iter().map(|obstacle| obstacle.cause.title()).collect::<Vec<_>>().join("; "))
        }
    };
    Some(cut(format!("{when}: ⚠ {verb}: {}{more}", single_line(&first.text)), SENTENCE))
}

/// What the forecast of a secret that rotates leaves open; nothing where rotation does not work, which says enough.
#[must_use]
pub fn unforeseen(report: &Report) -> Option<String> {
    let unknown: Vec<String> = report.forecast.unknown.iter().map(single_line).collect();
    (report.outcome == Outcome::Healthy && !unknown.is_empty())
        .then(|| cut(format!("Not foretold: {}.", unknown.join("; ")), SENTENCE))
}

/// What a report ends its verdict with: the next rotation of a secret that rotates, or what stands in its way beside a fix.
#[must_use]
pub fn ending(report: &Report) -> Vec<String> {
    // Where rotation fails, the fix says what is worth knowing of the next one; where nobody knows whether it does, that
    // nothing was found in its way would be taken for good news.
    let is_said = report.leading().is_some() || report.outcome == Outcome::NotFound;
    let is_known = report.outcome == Outcome::Healthy || !report.forecast.obstacles.is_empty();
    next_rotation(report).filter(|_| !is_said && is_known).into_iter().chain(unforeseen(report)).collect()
}

/// What the plan is worth; nothing where there is none.
#[must_use]
pub fn worth(report: &Report) -> Option<String> {
    let doubts: Vec<String> = report.doubts.iter().map(single_line).collect();
    let text = match report.heals {
        Some(true) => "After this, nothing known stands in the way of the next rotation.".to_owned(),
        Some(false) => {
            let remaining: Vec<String> = report.remaining.iter().map(|obstacle| single_line(&obstacle.text)).collect();
            format!("No command here removes this obstacle: {}", remaining.join(" "))
        }
        None if report.plan.iter().all(|step| step.is_read_only) => return None,
        None if doubts.is_empty() => "Only the next rotation shows whether this is enough.".to_owned(),
        None => format!("Only the next rotation shows {}.", doubts.join(", and ")),
    };
    Some(cut(text, SENTENCE))
}

/// The commands that take the plan back, the last step first.
#[must_use]
pub fn undo(report: &Report) -> Vec<&SafeText> {
    report.plan.iter().rev().filter_map(|step| step.undo.as_ref()).collect()
}

/// The IAM actions a person needs for the plan, each once.
#[must_use]
pub fn needs(report: &Report) -> Vec<String> {
    let mut needs: Vec<String> = Vec::new();
    let own = report.leading().filter(|_| report.plan.is_empty()).map(|finding| finding.remediation.needs.as_slice());
    let of_plan = report.plan.iter().flat_map(|step| &step.needs);
    for action in of_plan.chain(own.unwrap_or_default()).map(single_line) {
        if !needs.contains(&action) {
            needs.push(action);
        }
    }
    needs
}
