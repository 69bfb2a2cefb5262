//! What will stop the next rotation.

use crate::model::Outcome;
use crate::redact::SafeText;
use crate::report::{Report, ReportedForecast, ReportedPlanStep, SCHEMA_VERSION, Subject, Untrusted};
use jiff::Timestamp;
use serde::Serialize;

/// The fields of a [`ForecastAnswer`] that may quote what others wrote.
const UNTRUSTED: Untrusted = &[
    "secret.name",
    "secret.arn",
    "secret.near_names",
    "headline",
    "forecast.obstacles[].text",
    "forecast.obstacles[].proof.text",
    "forecast.obstacles[].author",
    "forecast.unknown",
    "plan[].command",
    "plan[].effect",
    "plan[].undo",
];

/// The next rotation of a secret, foretold: the part of a report that looks ahead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForecastAnswer {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    pub investigation_id: SafeText,
    /// The moment all ages are counted from.
    pub now: Timestamp,
    pub secret: Subject,
    /// How rotation stands today.
    pub outcome: Outcome,
    /// The same in one line.
    pub headline: SafeText,
    pub forecast: ReportedForecast,
    /// What clears the way, as ordered commands.
    pub plan: Vec<ReportedPlanStep>,
    /// Whether nothing known stands in the way after the plan.
    pub heals: Option<bool>,
    /// The fields above that may quote what others wrote.
    pub untrusted: Untrusted,
}

impl From<Report> for ForecastAnswer {
    fn from(report: Report) -> ForecastAnswer {
        ForecastAnswer {
            schema_version: SCHEMA_VERSION,
            investigation_id: report.investigation_id,
            now: report.now,
            secret: report.secret,
            outcome: report.outcome,
            headline: report.headline,
            forecast: report.forecast,
            plan: report.plan,
            heals: report.heals,
            untrusted: UNTRUSTED,
        }
    }
}
