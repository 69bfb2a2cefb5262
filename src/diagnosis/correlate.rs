//! Configuration changes, placed in time before the failures.

use super::context::DiagnosisContext;
use super::rule::Stage;
use super::suspects::{ChangeEffect, distance};
use crate::model::{Cause, Change, Confidence, CorrelatedChange, Finding, Proof, StepName};

/// Places the changes before the failures; of those since the last success that can have produced a finding's cause, the one
/// that did just that, or else the nearest, becomes part of the finding.
pub(super) fn place(context: &DiagnosisContext<'_>, findings: &mut [(Stage, Finding)]) -> Vec<CorrelatedChange> {
    let Some(found) = context.evidence.changes.found() else { return Vec::new() };
    let minutes = |change: &Change| {
        let first_at = context.failing.as_ref()?.first_at;
        Some(first_at.duration_since(change.at).as_mins()).filter(|minutes| *minutes >= 0)
    };
    let explained = |change: &Change| {
        let by = findings.iter().map(|(_, finding)| finding.cause);
        by.filter(|cause| is_early(context, change) && context.effect(change, *cause).is_some()).collect()
    };
    let placed = found.changes.iter().map(|change| CorrelatedChange {
        at: change.at,
        actor: change.actor.clone(),
        tool: change.tool.as_ref().map(ToString::to_string),
        event: change.event.clone(),
        resource: change.resource.clone(),
        minutes_before_failure: minutes(change),
        explains: explained(change),
    });
    let placed = placed.collect();
    // What a failure leaves behind has the failure's reason, and is told with it.
    for (_, finding) in findings.iter_mut().filter(|(stage, _)| *stage != Stage::Aftermath) {
        adopt(context, finding);
    }
    placed
}

/// What came after the last failure explains none.
fn is_early(context: &DiagnosisContext<'_>, change: &Change) -> bool {
    context.failing.as_ref().is_none_or(|row| change.at <= row.last_at)
}

fn adopt(context: &DiagnosisContext<'_>, finding: &mut Finding) {
    let suspects = context.suspects(finding.cause);
    let is_cause = |effect: &ChangeEffect| matches!(effect, ChangeEffect::Caused { .. });
    let cause = suspects.iter().rev().find(|(_, effect)| is_cause(effect));
    let Some((change, effect)) = cause.or_else(|| suspects.last()) else { return };
    let is_only = suspects.len() == 1;
    let whole = is_whole(context, finding.cause);
    let sure = is_cause(effect) || context.is_close(change) || (is_only && whole && context.is_own(change));
    if sure {
        finding.confidence = match finding.confidence {
            Confidence::Possible => Confidence::Likely,
            Confidence::Likely | Confidence::Confirmed => Confidence::Confirmed,
        };
    }
    let is_told = |proof: &Proof| proof.step == StepName::ConfigChanges && proof.at == Some(change.at);
    if finding.evidence.iter().any(is_told) {
        return;
    }
    let when = match (&context.failing, context.suspicion()) {
        (Some(row), _) => format!("{} before the first failure", distance(row.first_at.duration_since(change.at))),
        (None, Some(span)) => format!("{} before the missed rotation window", distance(span.to.duration_since(change.at))),
        (None, None) => return,
    };
    let did = effect.did(&finding.explanation);
    let others = match suspects.len() {
        // What is proven, or came right before, speaks for itself.
        _ if is_cause(effect) => "",
        1 if context.is_close(change) => "",
        1 if whole && context.last_success_at.is_some() => ": the only change since the last success that can explain it",
        1 => "",
        2 => "; another change that could explain it lies between it and the last success",
        _ => "; other changes that could explain it lie between it and the last success",
    };
    finding.explanation =
        format!("{} called {} on {} {when}{did}{others}. {}", who(change), change.event, change.resource, finding.explanation);
    finding.evidence.push(context.change_proof(change));
}

/// The actor, and the tool that was used.
pub(super) fn who(change: &Change) -> String {
    match &change.tool {
        // A service that acts for itself names the tool already.
        Some(tool) if !change.actor.ends_with(".amazonaws.com") => format!("{} (with {tool})", change.actor),
        _ => change.actor.clone(),
    }
}

/// True where every change that could explain the cause would have been seen.
fn is_whole(context: &DiagnosisContext<'_>, cause: Cause) -> bool {
    let (Some(found), Some(suspicion)) = (context.evidence.changes.found(), context.suspicion()) else { return false };
    let covers = context.evidence.changes.window.is_some_and(|window| window.from <= suspicion.from && window.to >= suspicion.to);
    let is_searched = |name: &str| found.searched.is_empty() || found.searched.iter().any(|known| known == name);
    let mut names = super::rules::rule_of(cause).into_iter().flat_map(|rule| rule.explaining_events());
    found.complete && covers && names.all(is_searched)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Concern, Diagnosis, Evidence, Lookback, RotationStep, Tool};

    const NO_ROUTE: &str = "pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'db' (timed out)\")";

    fn with(changes: Vec<Change>) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[NO_ROUTE]);
        facts(&mut evidence.changes).changes = changes;
        evidence.changes.window = Some(Lookback::Month.window(now()));
        evidence
    }

    fn revoked(hours: i64) -> Change {
        let parameters = serde_json::json!({ "groupId": "sg-0a1b2c3d" });
        Change { parameters, ..change(hours_ago(hours), "RevokeSecurityGroupEgress", Concern::Network) }
    }

    fn diagnosed(evidence: &Evidence) -> (Diagnosis, String) {
        let diagnosis = diagnose(evidence);
        let explanation = diagnosis.findings[0].explanation.clone();
        (diagnosis, explanation)
    }

    #[test]
    fn a_change_days_before_the_first_failure_is_named_with_its_maker_and_as_the_only_one() {
        let change = Change { actor: "ci-terraform/run-77".to_owned(), tool: Some(Tool::Terraform), ..revoked(100) };
        let (diagnosis, told) = diagnosed(&with(vec![change]));
        assert!(
            told.starts_with(
                "ci-terraform/run-77 (with Terraform) called RevokeSecurityGroupEgress on the resource 4 days before the \
                 first failure: the only change since the last success that can explain it. "
            ),
            "{told}"
        );
        assert_eq!(diagnosis.changes[0].explains, [Cause::DbNetworkUnreachable]);
        assert_eq!(diagnosis.changes[0].tool.as_deref(), Some("Terraform"));
    }

    #[test]
    fn of_several_the_nearest_is_named_and_the_others_are_not_hidden() {
        let (_, told) = diagnosed(&with(vec![revoked(100), revoked(50)]));
        assert!(told.contains("2 days before the first failure; another change that could explain it lies between"), "{told}");
    }

    #[test]
    fn what_came_before_the_last_success_or_after_the_failures_explains_nothing() {
        for hours in [250, 0] {
            let (diagnosis, told) = diagnosed(&with(vec![revoked(hours)]));
            assert!(!told.contains("carol"), "{told}");
            assert_eq!(diagnosis.changes.len(), 1);
        }
    }

    #[test]
    fn the_only_change_is_called_so_only_where_every_such_change_would_have_been_seen() {
        let mut evidence = with(vec![revoked(100)]);
        evidence.changes.window = Some(Lookback::Day.window(now()));
        assert!(!diagnosed(&evidence).1.contains("the only change"));
        let mut some = with(vec![revoked(100)]);
        facts(&mut some.changes).searched = vec!["RevokeSecurityGroupEgress".to_owned()];
        assert!(!diagnosed(&some).1.contains("the only change"));
    }

    #[test]
    fn the_labels_of_lines_are_explained_by_nothing() {
        let evidence = with(vec![revoked(100)]);
        let context = DiagnosisContext::new(&evidence);
        for label in Cause::ALL.iter().filter(|cause| cause.is_line_label()) {
            assert_eq!(context.effect(&revoked(100), *label), None, "{label}");
        }
    }
}
