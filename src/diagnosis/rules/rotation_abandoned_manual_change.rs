//! # The secret was changed while it was rotating
//!
//! A person or a pipeline stored a new version while a rotation was under way, and Secrets Manager abandoned the rotation.
//!
//! **Shows as** the event RotationAbandoned; PutSecretValue or UpdateSecret by somebody else between the attempt's start and
//! its end.

use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::spans::ATTEMPT_SPAN;
use crate::model::{Attempt, AttemptOutcome, Cause, Change, Concern, Confidence, Proof, Remediation, StepName, Window};

pub(super) const RULE: Rule = Rule {
    cause: Cause::RotationAbandonedManualChange,
    stage: Stage::Step,
    rests_on: &[StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(missing) = context.evidence.history.observation.missing() {
        return Verdict::unknown(missing);
    }
    let newest = context.failed_attempts().next_back();
    let Some(attempt) = newest.filter(|attempt| attempt.outcome == AttemptOutcome::Abandoned) else {
        return Verdict::clear("the last attempt was not abandoned");
    };
    let change = change_during(context, attempt);
    let mut evidence = vec![Proof {
        step: StepName::RotationHistory,
        call: context.history_call().to_owned(),
        at: attempt.at(),
        text: attempt.reason.clone().unwrap_or_else(|| "RotationAbandoned".to_owned()),
    }];
    evidence.extend(change.map(|change| Proof {
        step: StepName::ConfigChanges,
        call: "cloudtrail:LookupEvents".to_owned(),
        at: Some(change.at),
        text: format!("{} by {} on {}", change.event, change.actor, change.resource),
    }));
    let (confidence, explanation) = match change {
        Some(change) => (
            Confidence::Confirmed,
            format!(
                "{} called {} while the secret was rotating, and Secrets Manager abandoned that rotation.",
                change.actor, change.event
            ),
        ),
        None => (
            Confidence::Likely,
            "Secrets Manager abandoned the rotation, as it does when somebody stores a new version while it runs.".to_owned(),
        ),
    };
    let remediation = Remediation::new(format!(
        "The value stored by hand is AWSCURRENT: first check that the {} accepts it. Then rotate again, and stop whatever writes to the \
         secret from doing so during its rotation window.",
        context.behind().noun
    ))
    .discard_pending(context)
    .rotate(context)
    .link(TROUBLESHOOTING);
    context.finding(RULE.cause, confidence, explanation, evidence, remediation).into()
}

/// Somebody's write to the secret between the attempt's start and its end.
fn change_during<'a>(context: &DiagnosisContext<'a>, attempt: &Attempt) -> Option<&'a Change> {
    let to = attempt.at()?;
    let from = attempt.started_at.or_else(|| to.checked_sub(ATTEMPT_SPAN).ok())?;
    let during = Window { from, to };
    context.evidence.changes.found()?.changes.iter().rev().find(|change| {
        change.concerns == Concern::Secret
            && matches!(change.event.as_str(), "PutSecretValue" | "UpdateSecret" | "UpdateSecretVersionStage")
            && during.contains(change.at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{
        PENDING, assert_clear, assert_unknown, attempt, change, deny, facts, finding, healthy, hours_ago,
    };
    use crate::model::Evidence;
    use jiff::SignedDuration;

    fn abandoned() -> Evidence {
        let mut evidence = healthy();
        let started_at = Some(hours_ago(1) - SignedDuration::from_mins(4));
        let given_up = attempt(hours_ago(1), AttemptOutcome::Abandoned);
        let given_up = Attempt { version_id: Some(PENDING.into()), started_at, ..given_up };
        facts(&mut evidence.history).attempts.push(given_up);
        evidence
    }

    #[test]
    fn an_abandoned_rotation_alone_is_likely_and_with_the_write_confirmed() {
        let mut evidence = abandoned();
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Likely);
        let write = change(hours_ago(1) - SignedDuration::from_mins(2), "PutSecretValue", Concern::Secret);
        facts(&mut evidence.changes).changes.push(write);
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Confirmed);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!(root.cause, RULE.cause);
        let writes = root.evidence.iter().filter(|proof| proof.step == StepName::ConfigChanges).count();
        assert_eq!(writes, 1, "the write is told once");
    }

    #[test]
    fn other_ends_are_clear_and_a_denied_history_is_not() {
        assert_clear(RULE.cause, &healthy());
        let mut evidence = abandoned();
        deny(&mut evidence, StepName::RotationHistory);
        assert_unknown(RULE.cause, &evidence, "cloudtrail:LookupEvents");
    }
}
