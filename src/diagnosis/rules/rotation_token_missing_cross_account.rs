//! # The function stored the new version without the rotation token
//!
//! A function that stores the new version with an assumed role, or from another account, must pass on the RotationToken
//! from its event. Without it Secrets Manager does not accept that the version belongs to the rotation.
//!
//! It is no fault of the function where a person or a pipeline stored the pending version: that is told apart by who made the call.
//!
//! **Shows as** `Pending secret version … was not created by Lambda …. Remove the AWSPENDING staging label and restart
//! rotation` as the reason of RotationFailed.

use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::pending;
use crate::diagnosis::remedy::{ROTATION_FUNCTIONS, TROUBLESHOOTING};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events, signatures};
use crate::model::{Cause, Change, Confidence, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::RotationTokenMissingCrossAccount,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let explanation = "Secrets Manager refused the new version because the function stored it without the RotationToken from its \
                       event.";
    let newest = context.failed_attempts().next_back();
    let refused = newest.and_then(|attempt| attempt.reason.as_deref()).and_then(signatures::classify);
    if refused.is_some_and(|found| found.cause == RULE.cause) {
        // The reason is Secrets Manager's own statement about this version: decisive alone.
        let mut evidence: Vec<_> = context.failed_attempt_proof().into_iter().collect();
        if let Some((version, change)) = stored_by_somebody(context) {
            evidence.push(context.change_proof(change));
            let explanation = format!(
                "{} called {}, which left AWSPENDING on version {version}. Secrets Manager refuses it in a rotation, because the \
                 function did not create it.",
                change.actor, change.event
            );
            let remediation = Remediation::new("Remove AWSPENDING from that version, which no rotation can finish, and rotate.")
                .discard_pending(context)
                .rotate(context)
                .link(TROUBLESHOOTING);
            let mut finding = context.finding(RULE.cause, Confidence::Confirmed, explanation, evidence, remediation);
            finding.title = "the pending version was stored by hand and not by the function".to_owned();
            return finding.into();
        }
        return context.finding(RULE.cause, Confidence::Confirmed, explanation, evidence, remediation(context)).into();
    }
    if let Some(seen) = context.seen(RULE.cause) {
        return said(context, RULE.cause, &seen, explanation.to_owned(), remediation(context)).into();
    }
    match (context.evidence.history.observation.missing(), newest) {
        (None, Some(_)) => Verdict::clear("the last attempt failed for another reason"),
        (Some(missing), _) => Verdict::unknown(missing),
        (None, None) => not_said(context, &RULE),
    }
}

/// The pending version, and the call of a person or a pipeline that made it one.
fn stored_by_somebody<'a>(context: &DiagnosisContext<'a>) -> Option<(&'a str, &'a Change)> {
    let version = context.secret()?.pending_version()?;
    Some((version.id.as_str(), pending::labelled_by(context, version)?))
}

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    Remediation::new(
        "Pass event[\"RotationToken\"] to put_secret_value in createSecret, deploy the function, remove AWSPENDING from the \
         refused version, and rotate.",
    )
    .deploy_code(context)
    .discard_pending(context)
    .rotate(context)
    .link(ROTATION_FUNCTIONS)
    .link(TROUBLESHOOTING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Concern, RotationStep, SecretVersion, StepName};

    #[test]
    fn the_reason_of_the_event_decides() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[]);
        assert_clear(RULE.cause, &evidence);
        facts(&mut evidence.history).attempts.last_mut().unwrap().reason = Some(format!(
            "Pending secret version b1b1b1b1-0000-4000-8000-00000000b1b1 for Secret {SECRET} was not created by Lambda {FUNCTION}. \
             Remove the AWSPENDING staging label and restart rotation"
        ));
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Confirmed);
        assert!(finding(RULE.cause, &evidence).remediation.commands.iter().any(|one| one.contains("update-function-code")));
        let mut by_hand = evidence.clone();
        let labels = vec!["AWSPENDING".to_owned()];
        let pending = SecretVersion { id: PENDING.into(), labels, created_at: Some(hours_ago(3)) };
        let versions = &mut facts(&mut by_hand.secret).versions;
        versions.iter_mut().for_each(|version| version.labels.retain(|label| label != "AWSPENDING"));
        versions.push(pending);
        let mut put = change(hours_ago(3), "PutSecretValue", Concern::Secret);
        put.parameters = serde_json::json!({ "clientRequestToken": PENDING, "versionStages": ["AWSPENDING"] });
        facts(&mut by_hand.changes).changes.push(put);
        let found = finding(RULE.cause, &by_hand);
        assert!(found.explanation.starts_with("carol called PutSecretValue"), "{}", found.explanation);
        assert!(!found.remediation.commands.iter().any(|one| one.contains("update-function-code")), "{found:#?}");
        deny(&mut evidence, StepName::RotationHistory);
        assert_unknown(RULE.cause, &evidence, "cloudtrail:LookupEvents");
    }
}
