//! Root causes first, symptoms beneath them.

use super::case::Case;
use super::rule::Stage;
use crate::model::{Cause, Finding, Severity, StepName};
use std::cmp::Reverse;

/// Causes that say less than any more specific one of the same stage or an earlier one.
const VAGUE: &[Cause] = &[
    Cause::UnknownFailure,
    Cause::CodeUnhandledException,
    Cause::DbLoginAmbiguous,
    Cause::DbSuperuserLoginAmbiguous,
    Cause::VersionNotStagedRace,
    Cause::AwsApiThrottled,
    Cause::ScheduleWrongOrOverdue,
];

/// Orders the findings, the most likely root cause first, and marks those that are only its symptoms.
pub(super) fn rank(case: &Case<'_>, mut findings: Vec<(Stage, Finding)>) -> Vec<Finding> {
    findings.sort_by_key(|(stage, finding)| {
        let subject = *stage == Stage::Subject && finding.severity > Severity::Info;
        let aftermath = *stage >= Stage::Aftermath;
        Reverse((
            subject,
            finding.severity,
            !aftermath,
            finding.confidence,
            !VAGUE.contains(&finding.cause),
            last_seen(finding),
            Reverse(*stage),
        ))
    });
    let mut ranked: Vec<Finding> = Vec::with_capacity(findings.len());
    let root = findings.first().filter(|(_, finding)| finding.severity > Severity::Info).map(|(stage, f)| (*stage, f.cause));
    for (stage, mut finding) in findings {
        if let Some((root_stage, root_cause)) = root
            && finding.cause != root_cause
            && finding.severity > Severity::Info
            && is_symptom(case, root_stage, stage, finding.cause)
        {
            finding.inhibited_by = Some(root_cause);
        }
        ranked.push(finding);
    }
    ranked.sort_by_key(|finding| (finding.severity == Severity::Info, finding.inhibited_by.is_some()));
    ranked
}

fn is_symptom(case: &Case<'_>, root: Stage, other: Stage, cause: Cause) -> bool {
    match (root, other) {
        (Stage::Subject, _) | (_, Stage::Aftermath) => true,
        // Nothing inside the function can fail by itself while no invocation reaches it.
        (Stage::Start, Stage::Step | Stage::Inferred) => case.failures.is_empty(),
        _ => VAGUE.contains(&cause),
    }
}

fn last_seen(finding: &Finding) -> Option<jiff::Timestamp> {
    finding.evidence.iter().filter(|proof| proof.step == StepName::FunctionLogs).filter_map(|proof| proof.at).max()
}
