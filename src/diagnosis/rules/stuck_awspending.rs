//! # AWSPENDING is stuck on a version that never became current
//!
//! A rotation failed halfway and left its label behind. Secrets Manager tries that version again, or refuses a new
//! rotation. The label is what a failure leaves behind, never its reason: it is a finding alone only when no failing
//! invocation is visible.
//!
//! **Shows as** AWSPENDING on a version without AWSCURRENT while no rotation is in progress, and as `A previous rotation
//! isn't complete. That rotation will be reattempted.`
//!
//! **Is not it** when both labels are on one version: that is how Secrets Manager leaves every finished rotation.

use crate::diagnosis::behind::Behind;
use crate::diagnosis::readings::pending;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{
    AttemptOutcome, Cause, Change, Confidence, Finding, Proof, Remediation, SecretFacts, SecretVersion, Severity, StepName,
};
use jiff::SignedDuration;

pub(super) const RULE: Rule = Rule {
    cause: Cause::StuckAwspending,
    stage: Stage::Aftermath,
    rests_on: &[StepName::Secret],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

/// A log group keeps its events for at least one day.
///
/// Source: CloudWatch Logs API reference, `PutRetentionPolicy`.
const SHORTEST_RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// What the explanation ends with where nothing tells the reason; beside a root cause it is not true.
pub(in crate::diagnosis) const REASON_UNKNOWN: &str = " Why it did not finish is not known.";

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(secret) = context.secret() else {
        let missing = context.evidence.secret.observation.missing();
        return missing.map_or_else(|| Verdict::clear("there is no such secret"), Verdict::unknown);
    };
    let Some(pending) = context.stuck_pending_version() else { return Verdict::clear(why_not_stuck(secret)) };
    let ended = context.attempts().rev().find(|attempt| {
        attempt.version_id.as_deref() == Some(pending.id.as_str())
            && matches!(attempt.outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned)
    });
    let refused = context.seen(RULE.cause).map(|seen| seen.proof()).or_else(|| context.reason_saying(RULE.cause));
    let mut evidence = vec![label_proof(pending)];
    evidence.extend(ended.map(|attempt| Proof {
        step: StepName::RotationHistory,
        call: context.history_call().to_owned(),
        at: attempt.at(),
        text: attempt.reason.clone().unwrap_or_else(|| "the rotation of this version failed".to_owned()),
    }));
    let is_refused = refused.is_some();
    evidence.extend(refused);
    let is_told = !context.failures.is_empty() || stands_alone(context);
    let confidence = match (is_told, ended.is_some() || is_refused) {
        (true, true) => Confidence::Confirmed,
        (true, false) => Confidence::Likely,
        // The label is there, and what failed is something else that is not known.
        (false, _) => Confidence::Possible,
    };
    let mut finding = match pending::put_by_hand(context, pending) {
        Some(change) => by_hand(context, evidence, pending, change),
        None => unfinished(context, confidence, evidence, pending, is_told),
    };
    if !stands_alone(context) || is_still_due(context) {
        finding.severity = Severity::Warning;
    }
    finding.into()
}

/// The label that a rotation left on a version; `is_told` where it is known why that did not finish.
fn unfinished(
    context: &DiagnosisContext<'_>,
    confidence: Confidence,
    evidence: Vec<Proof>,
    pending: &SecretVersion,
    is_told: bool,
) -> Finding {
    let unknown = if is_told { "" } else { REASON_UNKNOWN };
    let explanation = match pending::is_of_no_rotation(context, pending) {
        true => format!(
            "Version {} carries AWSPENDING, and no rotation of its time is known: somebody may have put the label there by hand.",
            pending.id
        ),
        false => format!("A rotation that did not finish left AWSPENDING on version {}.{unknown}", pending.id),
    };
    let remediation = Remediation::new(
        "The label moves by itself when a rotation succeeds. If rotation is still refused, remove the label and rotate again.",
    );
    // Its version may hold the only copy of the database's password: it stays until the reason is known.
    let mut remediation = match is_told {
        true => remediation.discard_pending(context).rotate(context),
        false => {
            let Behind { noun, credential } = context.behind();
            Remediation::new(format!(
                "Leave the label in place until it is known why the rotation did not finish: this version may have the only copy of \
                 the {credential} that the {noun} has now."
            ))
        }
    }
    .link(TROUBLESHOOTING);
    if remediation.commands.iter().any(|command| command.contains(" --remove-from-version-id ")) {
        let first = "First try the last command alone: the label moves by itself when a rotation succeeds.";
        remediation.summary = format!("{first} If rotation is still refused, remove the label and rotate again.");
    }
    context.finding(RULE.cause, confidence, explanation, evidence, remediation)
}

/// The label that `change` put on a version, and no rotation.
///
/// Source: Secrets Manager User Guide, "Rotation by Lambda function": createSecret keeps a pending version that has a value.
fn by_hand(context: &DiagnosisContext<'_>, mut evidence: Vec<Proof>, pending: &SecretVersion, change: &Change) -> Finding {
    let credential = context.behind().credential;
    let explanation = format!(
        "{} called {}, which left AWSPENDING on version {}. No rotation put it there, and the next one takes that version's value for \
         the new {credential}.",
        change.actor, change.event, pending.id
    );
    let remediation = Remediation::new(format!(
        "If the value of that version is meant to be the next {credential}, rotate alone: the label moves by itself. Otherwise first \
         remove the label."
    ))
    .discard_pending(context)
    .rotate(context)
    .link(TROUBLESHOOTING);
    evidence.insert(1, context.change_proof(change));
    let mut finding = context.finding(RULE.cause, Confidence::Confirmed, explanation, evidence, remediation);
    finding.title = "AWSPENDING was put on a version by hand".to_owned();
    finding
}

/// True where rotation worked, nothing failed since, and the next one is still to come: then the label has stopped nothing yet.
fn is_still_due(context: &DiagnosisContext<'_>) -> bool {
    let is_known = context.evidence.history.observation.missing().is_none();
    is_known && context.last_success_at.is_some() && context.failing.is_none() && !context.is_overdue()
}

/// True when the label is all that is left of a failure, so that it is what stands in the way now.
///
/// A failure of the last day is told by the function's log, or did not reach the function; either way the label is not why,
/// unless Secrets Manager itself says so.
pub(super) fn stands_alone(context: &DiagnosisContext<'_>) -> bool {
    let was_read = context.evidence.logs.observation.missing().is_none();
    // Where nothing was seen of the failure, nothing is known of what the label is left of.
    let Some(row) = &context.failing else { return was_read || context.evidence.history.observation.missing().is_none() };
    let is_old = context.now().duration_since(row.last_at) > SHORTEST_RETENTION;
    context.failures.is_empty() && was_read && (is_old || context.reason_saying(RULE.cause).is_some())
}

fn why_not_stuck(secret: &SecretFacts) -> &'static str {
    match secret.version_with("AWSPENDING") {
        Some(version) if version.has("AWSCURRENT") => "AWSPENDING is on the current version, as it should be",
        Some(_) => "a rotation is in progress",
        None => "no version carries AWSPENDING",
    }
}

fn label_proof(pending: &SecretVersion) -> Proof {
    Proof {
        step: StepName::Secret,
        call: "secretsmanager:DescribeSecret".to_owned(),
        at: pending.created_at,
        text: format!("version {} carries {} and not AWSCURRENT", pending.id, pending.labels.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{
        PENDING, assert_clear, assert_unknown, change, deny, facts, fail, fail_unseen, finding, healthy, hours_ago, now,
    };
    use crate::model::{Concern, Lookback, Outcome, RotationStep};

    #[test]
    fn a_label_left_by_a_failed_rotation_is_a_symptom_with_a_warning_about_the_password() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &["FATAL:  password authentication failed for user \"app\""]);
        let found = finding(RULE.cause, &evidence);
        assert_eq!((found.confidence, found.severity), (Confidence::Confirmed, Severity::Warning));
        assert!(found.remediation.warning.unwrap().contains("only copy"));
        assert_eq!(
            found.remediation.commands.first().map(String::as_str),
            Some(
                "aws secretsmanager update-secret-version-stage --secret-id \
                 arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf --version-stage AWSPENDING \
                 --remove-from-version-id b1b1b1b1-0000-4000-8000-00000000b1b1 --region eu-west-1"
            )
        );
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.root_cause().map(|root| root.cause), Some(Cause::DbAuthFailed));
        let symptom = diagnosis.findings.iter().find(|finding| finding.cause == RULE.cause).unwrap();
        assert_eq!(symptom.inhibited_by, Some(Cause::DbAuthFailed));
    }

    #[test]
    fn it_stands_alone_where_the_failing_invocation_is_too_old_to_be_in_the_log() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        facts(&mut evidence.logs).invocations.clear();
        let failed = facts(&mut evidence.history).attempts.last_mut().unwrap();
        (failed.started_at, failed.ended_at) = (Some(hours_ago(100)), Some(hours_ago(100)));
        assert_eq!(diagnose(&evidence).root_cause().map(|root| root.cause), Some(RULE.cause));
    }

    #[test]
    fn it_is_no_verdict_about_a_fresh_failure_that_left_no_invocation() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        facts(&mut evidence.logs).invocations.clear();
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.outcome, Outcome::Inconclusive);
        let found: Vec<Cause> = diagnosis.findings.iter().map(|finding| finding.cause).collect();
        assert_eq!(found, [Cause::UnknownFailure, RULE.cause]);
    }

    #[test]
    fn it_is_no_verdict_where_the_log_could_not_be_read() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        deny(&mut evidence, StepName::FunctionLogs);
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.outcome, Outcome::Inconclusive);
        assert!(diagnosis.not_checked.iter().any(|open| open.missing.contains("logs:FilterLogEvents")));
    }

    #[test]
    fn a_finished_rotation_and_one_in_progress_are_clear() {
        assert_clear(RULE.cause, &healthy());
        let mut evidence = healthy();
        // A staging label is on one version at a time.
        facts(&mut evidence.secret).versions.iter_mut().for_each(|version| version.labels.retain(|label| label != "AWSPENDING"));
        facts(&mut evidence.secret).versions.push(SecretVersion {
            id: PENDING.into(),
            labels: vec!["AWSPENDING".into()],
            created_at: Some(now() - SignedDuration::from_mins(3)),
        });
        assert_clear(RULE.cause, &evidence);
        facts(&mut evidence.secret).versions.last_mut().unwrap().created_at = Some(hours_ago(3));
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Likely);
    }

    #[test]
    fn a_pending_version_that_is_no_newer_than_the_current_one_is_not_in_the_making() {
        let mut evidence = healthy();
        let young = Some(now() - SignedDuration::from_mins(3));
        let versions = &mut facts(&mut evidence.secret).versions;
        versions.iter_mut().for_each(|version| {
            version.labels.retain(|label| label != "AWSPENDING");
            version.created_at = young;
        });
        versions.push(SecretVersion { id: PENDING.into(), labels: vec!["AWSPENDING".into()], created_at: young });
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Likely);
    }

    #[test]
    fn without_the_secret_it_cannot_be_told() {
        let mut evidence = healthy();
        deny(&mut evidence, StepName::Secret);
        assert_unknown(RULE.cause, &evidence, "secretsmanager:DescribeSecret");
    }

    #[test]
    fn a_label_that_a_person_put_on_a_version_is_no_unfinished_rotation() {
        let mut evidence = healthy();
        let label = SecretVersion { id: PENDING.into(), labels: vec!["AWSPENDING".into()], created_at: Some(hours_ago(3)) };
        let versions = &mut facts(&mut evidence.secret).versions;
        versions.iter_mut().for_each(|version| version.labels.retain(|label| label != "AWSPENDING"));
        versions.push(label);
        evidence.history.window = Some(Lookback::Month.window(now()));
        let alone = finding(RULE.cause, &evidence);
        assert!(alone.explanation.contains("somebody may have put the label there by hand"), "{}", alone.explanation);
        let mut put = change(hours_ago(3), "PutSecretValue", Concern::Secret);
        put.parameters = serde_json::json!({ "versionId": PENDING, "versionStages": ["AWSPENDING"] });
        facts(&mut evidence.changes).changes.push(put);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Confirmed);
        assert!(found.explanation.starts_with("carol called PutSecretValue, which left AWSPENDING"), "{}", found.explanation);
        assert_eq!(found.remediation.warning, None, "the database has not been given that password");
        assert_eq!(found.severity, Severity::Warning, "it has stopped no rotation yet");
        assert_eq!(diagnose(&evidence).plan.doubts, ["whether it goes through without the label"]);
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        let rotated = finding(RULE.cause, &evidence);
        assert!(rotated.explanation.starts_with("A rotation that did not finish"), "{}", rotated.explanation);
    }

    #[test]
    fn a_fresh_refusal_for_a_rotation_that_is_not_complete_names_the_label_as_what_stands_in_the_way() {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        let reason = "A previous rotation isn't complete. That rotation will be reattempted.";
        facts(&mut evidence.history).attempts.last_mut().unwrap().reason = Some(reason.to_owned());
        let label = SecretVersion { id: PENDING.into(), labels: vec!["AWSPENDING".into()], created_at: Some(hours_ago(3)) };
        let versions = &mut facts(&mut evidence.secret).versions;
        versions.iter_mut().for_each(|version| version.labels.retain(|label| label != "AWSPENDING"));
        versions.push(label);
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.outcome, Outcome::RootCause);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (RULE.cause, Confidence::Confirmed));
        assert!(root.evidence.iter().any(|proof| proof.text == reason));
    }
}
