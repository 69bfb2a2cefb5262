//! The version that a failed rotation left pending, and whether the database was given its password.

pub(in crate::diagnosis) mod password;

use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::context::ROTATION_IN_PROGRESS;
use crate::model::{Attempt, AttemptOutcome, Change, Concern, InvocationStatus, RotationStep, SecretVersion};
use jiff::SignedDuration;
use serde_json::Value;

/// A version that carries AWSPENDING while no rotation works on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) struct Pending<'a> {
    /// Its id.
    pub(in crate::diagnosis) id: &'a str,
    /// setSecret went through for it: the database has its password, and in a rotation of a single user no other.
    pub(in crate::diagnosis) is_set: bool,
    /// Nothing tells whether setSecret went through for it.
    pub(in crate::diagnosis) is_doubtful: bool,
}

/// How far the date of a version may lie from the event of the call that made it.
const ONE_CALL: SignedDuration = SignedDuration::from_mins(1);

/// The call by which somebody put AWSPENDING on the version: no rotation worked on it, so that the database was not given its password.
pub(in crate::diagnosis) fn put_by_hand<'a>(context: &DiagnosisContext<'a>, version: &SecretVersion) -> Option<&'a Change> {
    let is_tried = context.attempts().any(|attempt| attempt.version_id.as_deref() == Some(version.id.as_str()));
    labelled_by(context, version).filter(|_| !is_tried)
}

/// The call of somebody else than the function by which the version got AWSPENDING.
pub(in crate::diagnosis) fn labelled_by<'a>(context: &DiagnosisContext<'a>, version: &SecretVersion) -> Option<&'a Change> {
    // The function's own writes are left out of the changes where it was seen.
    context.function()?;
    let id = version.id.as_str();
    let changes = &context.evidence.changes.found()?.changes;
    changes.iter().rev().filter(|change| change.concerns == Concern::Secret).find(|change| {
        let named = |name: &str| change.parameters.get(name).and_then(Value::as_str);
        match change.event.as_str() {
            "PutSecretValue" => match named("versionId").or_else(|| named("clientRequestToken")) {
                Some(named) => named == id,
                None => {
                    let stages = change.parameters.get("versionStages").and_then(Value::as_array);
                    let is_then = version.created_at.is_some_and(|at| at.duration_since(change.at).abs() <= ONE_CALL);
                    is_then && stages.is_some_and(|stages| stages.iter().any(|stage| stage == "AWSPENDING"))
                }
            },
            "UpdateSecretVersionStage" => named("versionStage") == Some("AWSPENDING") && named("moveToVersionId") == Some(id),
            _ => false,
        }
    })
}

/// True where the whole history of the version's time was seen, and no rotation in it can have made the version.
pub(in crate::diagnosis) fn is_of_no_rotation(context: &DiagnosisContext<'_>, version: &SecretVersion) -> bool {
    let history = &context.evidence.history;
    let (Some(at), Some(window)) = (version.created_at, history.window) else { return false };
    let is_far = |attempt: &Attempt| {
        let (from, to) = (attempt.started_at.or(attempt.ended_at), attempt.at());
        from.is_some_and(|from| from.duration_since(at) > ROTATION_IN_PROGRESS)
            || to.is_some_and(|to| at.duration_since(to) > ROTATION_IN_PROGRESS)
    };
    let is_others = |attempt: &Attempt| attempt.version_id.as_deref().is_some_and(|id| id != version.id) && is_far(attempt);
    history.found().is_some_and(|history| history.complete)
        && window.contains(at)
        && context.failing.is_none()
        && context.attempts().all(is_others)
}

/// The version that a failed rotation left pending.
pub(in crate::diagnosis) fn left_over<'a>(context: &DiagnosisContext<'a>) -> Option<Pending<'a>> {
    let version = context.stuck_pending_version()?;
    let id = version.id.as_str();
    let of_version = |attempt: &&Attempt| attempt.version_id.as_deref() == Some(id);
    let failed = |attempt: &&Attempt| matches!(attempt.outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned);
    let steps: Vec<Option<RotationStep>> =
        context.attempts().filter(of_version).filter(failed).map(|attempt| attempt.step).collect();
    let reached = |step: RotationStep| step > RotationStep::SetSecret;
    let by_history = steps.iter().flatten().any(|step| reached(*step));
    let by_log = context.evidence.logs.found().is_some_and(|logs| {
        logs.invocations.iter().any(|run| {
            run.version.as_deref() == Some(id)
                && run.step.is_some_and(|step| {
                    reached(step) || step == RotationStep::SetSecret && run.status == InvocationStatus::Succeeded
                })
        })
    });
    let by_failure = steps.is_empty() && context.failing_step().is_some_and(reached);
    let is_set = by_history || by_log || by_failure;
    // An attempt is retried from the start, so that the step of the newest failure tells for those before it too.
    let stops_before = |step: &Option<RotationStep>| step.is_some_and(|step| step == RotationStep::CreateSecret);
    let known = if steps.is_empty() {
        context.failing_step().is_some_and(|step| step == RotationStep::CreateSecret)
    } else {
        steps.iter().all(stops_before)
    };
    Some(Pending { id, is_set, is_doubtful: !is_set && !known && put_by_hand(context, version).is_none() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{PENDING, fail, healthy};

    fn left_by(step: RotationStep) -> Option<(String, bool, bool)> {
        let mut evidence = healthy();
        fail(&mut evidence, step, &[]);
        left_over(&DiagnosisContext::new(&evidence)).map(|pending| (pending.id.to_owned(), pending.is_set, pending.is_doubtful))
    }

    #[test]
    fn the_database_has_the_pending_password_once_set_secret_went_through() {
        assert_eq!(left_by(RotationStep::CreateSecret), None, "nothing was stored yet");
        assert_eq!(left_by(RotationStep::SetSecret), Some((PENDING.to_owned(), false, true)));
        assert_eq!(left_by(RotationStep::TestSecret), Some((PENDING.to_owned(), true, false)));
        assert_eq!(left_by(RotationStep::FinishSecret), Some((PENDING.to_owned(), true, false)));
        assert_eq!(left_over(&DiagnosisContext::new(&healthy())), None);
    }
}
