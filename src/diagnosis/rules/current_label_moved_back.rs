//! # AWSCURRENT was moved back to an older version
//!
//! Rotation works, but somebody has since moved the label AWSCURRENT from the version that the last rotation stored back to an
//! older one. Applications read the older value, and the database or service may accept only the newer one.
//!
//! **Shows as** UpdateSecretVersionStage with AWSCURRENT by somebody else than the rotation, after the last rotation that succeeded;
//! AWSPREVIOUS is on the version of that rotation.
//!
//! **Is not it** when a new value was stored since: then AWSCURRENT is on that one.

use crate::diagnosis::behind::Behind;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Change, Concern, Confidence, Observation, Remediation, Severity, StepName, moment};
use jiff::Timestamp;
use serde_json::Value;

const CAUSE: Cause = Cause::CurrentLabelMovedBack;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Remark,
    rests_on: &[StepName::Secret, StepName::RotationHistory],
    explained_by: &[change_events::LABELS],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_secret() {
        return verdict;
    }
    if let Some(missing) = context.evidence.history.observation.missing() {
        return Verdict::unknown(missing);
    }
    let succeeded = context.evidence.history.found().and_then(|history| history.last_success());
    let rotated = succeeded.and_then(|attempt| Some((attempt.version_id.as_deref()?, attempt.at()?)));
    let Some((rotated, at)) = rotated else {
        return Verdict::clear("no rotation is known that AWSCURRENT could have been taken from");
    };
    let Some(current) = context.secret().and_then(|secret| secret.current_instead_of(rotated)) else {
        return Verdict::clear("the version that the last rotation stored is not the previous one");
    };
    if context.failing.is_some() {
        return Verdict::clear("rotation fails, and what was changed is told with its cause");
    }
    let changes = match &context.evidence.changes.observation {
        Observation::Found(found) => found.changes.as_slice(),
        unanswered => {
            return unanswered.missing().map_or_else(|| Verdict::clear("no change was looked for"), Verdict::unknown);
        }
    };
    match moved_back(changes, at, current) {
        Some(change) => finding(context, change, rotated, current),
        None => Verdict::clear("nobody is known to have moved AWSCURRENT back"),
    }
}

/// The last move of AWSCURRENT onto the version that has it now, where no value was stored since the rotation: that one would be the
/// newer.
fn moved_back<'a>(changes: &'a [Change], rotated_at: Timestamp, current: &str) -> Option<&'a Change> {
    let since = || changes.iter().filter(move |change| change.at > rotated_at && change.concerns == Concern::Secret);
    let named = |change: &Change, parameter: &str| change.parameters.get(parameter).and_then(Value::as_str).map(str::to_owned);
    let is_move = |change: &&Change| {
        change.event == "UpdateSecretVersionStage"
            && named(change, "versionStage").as_deref() == Some("AWSCURRENT")
            && named(change, "moveToVersionId").as_deref() == Some(current)
    };
    let is_write = |change: &Change| matches!(change.event.as_str(), "PutSecretValue" | "UpdateSecret");
    since().rfind(is_move).filter(|_| !since().any(is_write))
}

fn finding(context: &DiagnosisContext<'_>, change: &Change, rotated: &str, current: &str) -> Verdict {
    let Behind { noun, credential, .. } = context.behind();
    let explanation = format!(
        "{} moved AWSCURRENT on {} from the version that the last rotation stored back to an older one. The {noun} may accept only \
         the newer {credential}: check which of the two logs in. If only the newer one does, move the label back or rotate.",
        change.actor,
        moment(change.at, context.now()),
    );
    let remediation = Remediation::new(format!(
        "Log in with the {credential} of AWSCURRENT and with that of AWSPREVIOUS. If only AWSPREVIOUS is accepted, let that version be \
         AWSCURRENT again."
    ))
    .make_current(context, rotated, current)
    .warn("Every application that reads the secret gets the other value at once.")
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html");
    let evidence = vec![
        context.change_proof(change),
        context.secret_proof(format!(
            "AWSCURRENT is on version {current}, AWSPREVIOUS on {rotated}, which the last rotation stored"
        )),
    ];
    let mut finding = context.finding(CAUSE, Confidence::Confirmed, explanation, evidence, remediation);
    // The secret itself rotates.
    finding.severity = Severity::Info;
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, MOMENT, Outcome, RotationStep, SecretVersion};
    use serde_json::json;

    const OLD: &str = "a0a0a0a0-0000-4000-8000-00000000a0a0";

    /// The last rotation stored `CURRENT`; carol has moved AWSCURRENT to the version before it.
    fn moved() -> Evidence {
        let mut evidence = healthy();
        let version =
            |id: &str, label: &str| SecretVersion { id: id.to_owned(), labels: vec![label.to_owned()], created_at: None };
        facts(&mut evidence.secret).versions = vec![version(OLD, "AWSCURRENT"), version(CURRENT, "AWSPREVIOUS")];
        let mut by_carol = change(hours_ago(72), "UpdateSecretVersionStage", Concern::Secret);
        by_carol.parameters = json!({ "versionStage": "AWSCURRENT", "moveToVersionId": OLD, "removeFromVersionId": CURRENT });
        facts(&mut evidence.changes).changes.push(by_carol);
        evidence
    }

    #[test]
    fn a_label_that_somebody_moved_back_is_a_remark_with_its_author_about_a_secret_that_rotates() {
        let diagnosis = diagnose(&moved());
        let found = &diagnosis.findings[0];
        assert_eq!((found.cause, found.severity, diagnosis.outcome), (CAUSE, Severity::Info, Outcome::Healthy));
        let expected = format!(
            "carol moved AWSCURRENT on {} from the version that the last rotation stored back to an older one. The database may accept \
             only the newer password",
            hours_ago(72).strftime(MOMENT)
        );
        assert!(found.explanation.starts_with(&expected), "{}", found.explanation);
        let back = format!("--version-stage AWSCURRENT --move-to-version-id {CURRENT} --remove-from-version-id {OLD} ");
        assert!(found.remediation.commands[0].contains(&back), "{:?}", found.remediation.commands);
    }

    #[test]
    fn a_move_elsewhere_before_the_rotation_or_after_a_stored_value_is_none() {
        let mut elsewhere = moved();
        facts(&mut elsewhere.changes).changes[0].parameters = json!({ "versionStage": "AWSCURRENT", "moveToVersionId": CURRENT });
        assert_clear(CAUSE, &elsewhere);
        let mut pending = moved();
        facts(&mut pending.changes).changes[0].parameters = json!({ "versionStage": "AWSPENDING", "moveToVersionId": OLD });
        assert_clear(CAUSE, &pending);
        let mut before = moved();
        facts(&mut before.changes).changes[0].at = hours_ago(250);
        assert_clear(CAUSE, &before);
        let mut stored = moved();
        facts(&mut stored.changes).changes.insert(0, change(hours_ago(80), "PutSecretValue", Concern::Secret));
        assert_clear(CAUSE, &stored);
        let mut kept = moved();
        facts(&mut kept.secret).versions = healthy().secret.found().unwrap().versions.clone();
        assert_clear(CAUSE, &kept);
    }

    #[test]
    fn it_is_no_reason_why_rotation_fails_and_unknown_where_the_changes_may_not_be_read() {
        assert_clear(CAUSE, &healthy());
        let mut failing = moved();
        fail(&mut failing, RotationStep::SetSecret, &["psycopg2.OperationalError: FATAL:  database \"orders\" does not exist"]);
        assert_eq!(diagnose(&failing).root_cause().map(|root| root.cause), Some(Cause::DbNameMissing));
        let mut blind = moved();
        deny(&mut blind, StepName::ConfigChanges);
        assert_unknown(CAUSE, &blind, "cloudtrail:LookupEvents");
    }
}
