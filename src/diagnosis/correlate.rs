//! Configuration changes, placed in time before the failures.

use super::context::DiagnosisContext;
use super::rule::Stage;
use super::rules::rule_of;
use crate::model::{Cause, Change, Confidence, CorrelatedChange, Finding, Proof, StepName, without_version};

/// How long before the first failure a change must have happened to count as its likely origin, in minutes.
pub(super) const CLOSE_MINUTES: i64 = 30;

pub(super) fn can_explain(event: &str, cause: Cause) -> bool {
    rule_of(cause).is_some_and(|rule| rule.explaining_events().any(|name| without_version(name) == without_version(event)))
}

/// Places the changes before the failures; one shortly before the first failure, of a kind that can produce a
/// finding's cause, becomes part of that finding and makes it surer.
pub(super) fn place(context: &DiagnosisContext<'_>, findings: &mut [(Stage, Finding)]) -> Vec<CorrelatedChange> {
    let Some(found) = context.evidence.changes.found() else { return Vec::new() };
    let call = found.source.call();
    let mut placed = Vec::with_capacity(found.changes.len());
    for change in &found.changes {
        let minutes = context.failing.as_ref().map(|row| row.first_at.duration_since(change.at).as_mins()).filter(|m| *m >= 0);
        let close = minutes.is_some_and(|minutes| minutes <= CLOSE_MINUTES);
        let mut explains = Vec::new();
        for (_, finding) in findings.iter_mut().filter(|(_, finding)| can_explain(&change.event, finding.cause)) {
            explains.push(finding.cause);
            if close {
                adopt(finding, change, minutes.unwrap_or_default(), call);
            }
        }
        placed.push(CorrelatedChange {
            at: change.at,
            actor: change.actor.clone(),
            event: change.event.clone(),
            resource: change.resource.clone(),
            minutes_before_failure: minutes,
            explains,
        });
    }
    placed
}

fn adopt(finding: &mut Finding, change: &Change, minutes: i64, call: &str) {
    finding.confidence = match finding.confidence {
        Confidence::Possible => Confidence::Likely,
        Confidence::Likely | Confidence::Confirmed => Confidence::Confirmed,
    };
    let is_told = |proof: &Proof| proof.step == StepName::ConfigChanges && proof.at == Some(change.at);
    if finding.evidence.iter().any(is_told) {
        return;
    }
    finding.explanation = format!(
        "{} called {} on {} {} before the first failure. {}",
        change.actor,
        change.event,
        change.resource,
        if minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") },
        finding.explanation
    );
    finding.evidence.push(Proof {
        step: StepName::ConfigChanges,
        call: call.to_owned(),
        at: Some(change.at),
        text: format!("{} by {} on {}", change.event, change.actor, change.resource),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambda_event_names_count_in_every_api_version() {
        assert!(can_explain("UpdateFunctionCode", Cause::CodeImportError));
        assert!(can_explain("UpdateFunctionCode20150331v2", Cause::CodeImportError));
        assert!(can_explain("RemovePermission20150331", Cause::LambdaInvokePermissionMissing));
        assert!(!can_explain("UpdateFunctionCode", Cause::RotationDisabled));
    }

    #[test]
    fn the_labels_of_lines_are_explained_by_nothing() {
        for label in Cause::ALL.iter().filter(|cause| cause.is_line_label()) {
            assert!(!can_explain("DeleteFunction20150331", *label), "{label}");
        }
    }
}
