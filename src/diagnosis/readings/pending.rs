//! The version that a failed rotation left pending, and whether the database was given its password.

pub(in crate::diagnosis) mod password;

use crate::diagnosis::DiagnosisContext;
use crate::model::{Attempt, AttemptOutcome, InvocationStatus, RotationStep};

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

/// The version that a failed rotation left pending.
pub(in crate::diagnosis) fn left_over<'a>(context: &DiagnosisContext<'a>) -> Option<Pending<'a>> {
    let id = context.stuck_pending_version()?.id.as_str();
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
    Some(Pending { id, is_set, is_doubtful: !is_set && !known })
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
