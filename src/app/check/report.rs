//! What `check` found, for programs: one JSON object, whose fields are a contract.

use crate::chat::{CheckResult, Checked};
use crate::redact::SafeText;
use serde::Serialize;

/// Grows when a field changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

/// Everything that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    pub schema_version: u32,
    /// The version of the program.
    pub version: &'static str,
    /// Whether nothing is missing.
    pub passed: bool,
    pub summary: CheckSummary,
    pub checks: Vec<CheckLine>,
}

/// How many of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CheckSummary {
    pub fine: usize,
    pub open: usize,
    pub missing: usize,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct CheckLine {
    pub what: SafeText,
    pub status: &'static str,
    /// How it stands, and where something is missing what to do.
    pub detail: SafeText,
}

impl CheckReport {
    /// What was found, as a report.
    #[must_use]
    pub fn of(checked: &[Checked]) -> CheckReport {
        let mut summary = CheckSummary::default();
        let checks = checked.iter().map(|Checked { what, found }| {
            let (status, count, detail) = match found {
                CheckResult::Fine(how) => ("fine", &mut summary.fine, how),
                CheckResult::Open(why) => ("open", &mut summary.open, why),
                CheckResult::Missing(why) => ("missing", &mut summary.missing, why),
            };
            *count += 1;
            CheckLine { what: what.clone(), status, detail: detail.clone() }
        });
        let checks = checks.collect();
        let passed = summary.missing == 0;
        CheckReport { schema_version: SCHEMA_VERSION, version: env!("CARGO_PKG_VERSION"), passed, summary, checks }
    }
}
