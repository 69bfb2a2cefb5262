//! How an investigation ends. Missing evidence never ends in "healthy".

use super::context::DiagnosisContext;
use crate::model::{Cause, Confidence, Finding, Outcome, Severity};

/// The outcome, from the findings in their order: a cause that is no symptom and better founded than an indirect sign is the
/// root cause; without one, the secret is healthy only where everything that could say otherwise was seen.
pub(super) fn decide(context: &DiagnosisContext<'_>, findings: &[Finding]) -> Outcome {
    if context.secret().is_none() && findings.iter().any(|finding| finding.cause == Cause::SecretNotFound) {
        return Outcome::NotFound;
    }
    let root = findings.first().filter(|finding| finding.severity > Severity::Info && finding.inhibited_by.is_none());
    match root {
        Some(finding) if finding.cause == Cause::UnknownFailure || finding.confidence == Confidence::Possible => {
            Outcome::Inconclusive
        }
        // The label is what a failure left behind; where nobody could look for the failure, its cause is not known.
        Some(finding) if finding.cause == Cause::StuckAwspending && is_blind(context) => Outcome::Inconclusive,
        // That the reason was kept nowhere is no reason.
        Some(finding) if finding.cause == Cause::LogsNotKept => Outcome::Inconclusive,
        Some(_) => Outcome::RootCause,
        None if is_healthy(context) => Outcome::Healthy,
        None => Outcome::Inconclusive,
    }
}

/// Neither the function's log nor the rotation's events could be read.
fn is_blind(context: &DiagnosisContext<'_>) -> bool {
    let evidence = context.evidence;
    evidence.logs.observation.missing().is_some() && evidence.history.observation.missing().is_some()
}

/// Rotation is on, its last attempt succeeded, nothing is overdue, and nothing that stayed unseen could say otherwise.
fn is_healthy(context: &DiagnosisContext<'_>) -> bool {
    let (Some(secret), Some(config)) = (context.secret(), context.config()) else { return false };
    let on = config.enabled == Some(true) && secret.deleted_at.is_none();
    if !on || context.is_unwell() {
        return false;
    }
    let history_answered = match &context.evidence.history.observation {
        crate::model::Observation::Found(history) => history.complete,
        other => other.is_answered(),
    };
    history_answered && (context.last_success_at.is_some() || nothing_stands_in_the_way(context))
}

/// Before its first rotation a secret counts as healthy only when everything a rotation needs was looked at.
fn nothing_stands_in_the_way(context: &DiagnosisContext<'_>) -> bool {
    let Some(config) = context.config() else { return false };
    if config.function_arn.is_none() {
        return true;
    }
    let role = context.evidence.role.found().is_some_and(|role| role.simulations.is_answered() || role.policies.is_answered());
    let access = context.evidence.access.found().is_some_and(|access| access.function_policy.is_answered());
    context.function().is_some() && role && access
}
