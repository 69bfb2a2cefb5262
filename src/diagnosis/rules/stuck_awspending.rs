//! # AWSPENDING is stuck on a version that never became current
//!
//! A rotation failed half-way and left its label behind. Secrets Manager tries that version again, or refuses a new
//! rotation. It is what a failure leaves, never its reason: it stands alone only when no failing invocation is visible.
//!
//! **Shows as** AWSPENDING on a version without AWSCURRENT while no rotation is in progress.
//!
//! **Is not it** when both labels are on one version: that is how Secrets Manager leaves every finished rotation.

use crate::diagnosis::remedy::{aws_in, rotate_now};
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{AttemptOutcome, Cause, Confidence, Proof, Remediation, RotationStep, Severity, StepName};

const CAUSE: Cause = Cause::StuckAwspending;

pub(super) const RULE: Rule = Rule { cause: CAUSE, stage: Stage::Aftermath, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    let Some(secret) = case.secret() else {
        let missing = case.evidence.secret.observation.missing();
        return missing.map_or_else(|| Verdict::clear("there is no such secret"), Verdict::unknown);
    };
    let Some(stuck) = case.stuck_version() else {
        return match secret.version_with("AWSPENDING") {
            Some(version) if version.has("AWSCURRENT") => Verdict::clear("AWSPENDING is on the current version, as it should be"),
            Some(_) => Verdict::clear("a rotation is in progress"),
            None => Verdict::clear("no version carries AWSPENDING"),
        };
    };
    let ended = case.attempts().rev().find(|attempt| {
        attempt.version_id.as_deref() == Some(stuck.id.as_str())
            && matches!(attempt.outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned)
    });
    let mut evidence = vec![Proof {
        step: StepName::Secret,
        call: "secretsmanager:DescribeSecret".to_owned(),
        at: stuck.created_at,
        text: format!("version {} carries {} and not AWSCURRENT", stuck.id, stuck.labels.join(", ")),
    }];
    evidence.extend(ended.map(|attempt| Proof {
        step: StepName::RotationHistory,
        call: case.history_call().to_owned(),
        at: attempt.at(),
        text: attempt.reason.clone().unwrap_or_else(|| "the rotation of this version failed".to_owned()),
    }));
    let confidence = if ended.is_some() { Confidence::Confirmed } else { Confidence::Likely };
    let mut remediation = Remediation::new(
        "It clears by itself when a rotation succeeds. If rotation stays refused, take the label away and rotate again.",
    )
    .run(aws_in(
        case,
        &[
            "secretsmanager",
            "update-secret-version-stage",
            "--secret-id",
            case.secret_id(),
            "--version-stage",
            "AWSPENDING",
            "--remove-from-version-id",
            &stuck.id,
        ],
    ))
    .run(rotate_now(case))
    .needs("secretsmanager:UpdateSecretVersionStage")
    .needs("secretsmanager:RotateSecret")
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html");
    if case.failing_step().is_none_or(|step| step > RotationStep::CreateSecret) {
        remediation = remediation.warn(
            "setSecret may already have set the pending password in the database: then this version holds its only copy. \
             Read it before the label is removed.",
        );
    }
    let explanation = format!("A rotation that did not finish left AWSPENDING on version {}.", stuck.id);
    let mut finding = case.finding(CAUSE, confidence, explanation, evidence, remediation);
    finding.severity = Severity::Warning;
    finding.into()
}
