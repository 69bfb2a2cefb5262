//! # The KMS key is disabled, pending deletion or gone
//!
//! Without its key neither the secret nor the function's environment can be decrypted.
//!
//! **Shows as** a KeyState other than Enabled; DecryptionFailure, KMSInvalidStateException, KMSDisabledException.
//!
//! **Is not it** when the key is Enabled.

use crate::diagnosis::remedy::{aws_in, rotate_now};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Concern, Confidence, KeyFacts, Observation, Proof, Remediation, SecretAccess, Severity, StepName};

const CAUSE: Cause = Cause::KmsKeyDisabledOrPendingDeletion;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig, StepName::SecretAccess],
    explained_by: &[change_events::KEY_STATE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

/// Whose key it is that the role uses for the value.
const SECRET: &str = "the secret";

/// What is wrong with a key.
struct KeyFault {
    /// Which key, for people.
    whose: &'static str,
    /// Its ARN or id, where known.
    id: String,
    state: String,
}

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_function() {
        return verdict;
    }
    let complaint = context.complaint(CAUSE);
    let faults = context.evidence.access.found().map(|access| faults(context, access)).unwrap_or_default();
    if let Some(fault) = faults.into_iter().next() {
        return broken(context, fault, complaint.map(|complaint| complaint.evidence).unwrap_or_default());
    }
    let unseen = unseen(context);
    if let Some(complaint) = complaint {
        let enabled_now = unseen.is_none();
        if enabled_now && context.explained_otherwise(CAUSE) {
            return Verdict::clear("the key is enabled, and the newest failing invocation says something else");
        }
        let note = if enabled_now { " It is enabled now: it may have been fixed since." } else { "" };
        let explanation = format!("A KMS key that rotation depends on could not be used because of its state.{note}");
        let mut finding = complaint.finding(context, CAUSE, explanation, fix(context, None));
        if enabled_now {
            finding.confidence = finding.confidence.min(Confidence::Likely);
        }
        return finding.into();
    }
    unseen.map_or_else(|| Verdict::clear("the keys of the secret and the function are usable"), Verdict::unknown)
}

fn faults(context: &DiagnosisContext<'_>, access: &SecretAccess) -> Vec<KeyFault> {
    let named = context.secret().and_then(|secret| secret.kms_key_id.clone());
    let environment = context.function().and_then(|function| function.kms_key_arn.as_ref()).map(ToString::to_string);
    let fault = |whose, key: &Observation<KeyFacts>, named: Option<String>| match key {
        Observation::Found(key) if key.state != "Enabled" => {
            let state = match key.deletion_at {
                Some(at) => format!("{}, to be deleted on {}", key.state, at.strftime("%-d %b %Y")),
                None => key.state.clone(),
            };
            Some(KeyFault { whose, id: key.arn.to_string(), state })
        }
        Observation::NoData { .. } => {
            Some(KeyFault { whose, id: named.unwrap_or_else(|| "KEY_ARN".to_owned()), state: "gone".to_owned() })
        }
        _ => None,
    };
    [fault(SECRET, &access.secret_key, named), fault("the function's environment", &access.environment_key, environment)]
        .into_iter()
        .flatten()
        .collect()
}

fn unseen(context: &DiagnosisContext<'_>) -> Option<String> {
    match context.evidence.access.found() {
        Some(access) => access.secret_key.missing().or_else(|| access.environment_key.missing()),
        None => context.evidence.access.observation.missing(),
    }
}

fn broken(context: &DiagnosisContext<'_>, fault: KeyFault, said: Vec<Proof>) -> Verdict {
    // Of a key in a wrong state, too, AWS may say no more than that access to KMS is not allowed.
    let refused = context.seen(Cause::KmsAccessDenied).filter(|seen| seen.is_latest && fault.whose == SECRET);
    let is_said = !said.is_empty() || refused.is_some();
    let bites = (context.is_unwell() || context.never_rotated()) && (is_said || !context.explained_otherwise(CAUSE));
    let mut evidence = said;
    evidence.extend(refused.map(|seen| seen.proof()));
    evidence.push(Proof::of(StepName::SecretAccess, "kms:DescribeKey", format!("KeyState of {}: {}", fault.id, fault.state)));
    evidence.extend(context.failed_attempt_proof().filter(|_| bites));
    let mut explanation = format!("The KMS key of {} is {}.", fault.whose, fault.state);
    if let Some(change) = context.last_change(Concern::Key, &["DisableKey", "ScheduleKeyDeletion"]) {
        explanation = format!("{} called {}. {explanation}", change.actor, change.event);
        evidence.push(context.change_proof(change));
    }
    if !bites {
        explanation.push_str(" The next rotation will fail, and so will every read of the secret.");
    }
    let mut finding = context.finding(CAUSE, Confidence::Confirmed, explanation, evidence, fix(context, Some(&fault)));
    // Not a guess about the future: without its key nothing can read the secret even now.
    finding.severity = if bites { Severity::Critical } else { Severity::Warning };
    finding.into()
}

fn fix(context: &DiagnosisContext<'_>, fault: Option<&KeyFault>) -> Remediation {
    let id = fault.map_or("KEY_ARN", |fault| fault.id.as_str());
    let state = fault.map_or("", |fault| fault.state.as_str());
    let link = "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html";
    if state == "gone" {
        return Remediation::new(
            "Neither a deleted key nor what it encrypted can be restored. Give the secret another key and a new value.",
        )
        .run(aws_in(
            context,
            &["secretsmanager", "update-secret", "--secret-id", context.secret_id(), "--kms-key-id", "alias/aws/secretsmanager"],
        ))
        .needs("secretsmanager:UpdateSecret")
        .warn("The present value is lost unless it is known elsewhere.")
        .link(link);
    }
    let mut remediation = Remediation::new("Make the key usable again, and rotate.")
        .warn("A key is seldom disabled by accident: first ask who did it, and why.");
    if state.starts_with("PendingDeletion") || state.is_empty() {
        remediation =
            remediation.run(aws_in(context, &["kms", "cancel-key-deletion", "--key-id", id])).needs("kms:CancelKeyDeletion");
    }
    remediation
        .run(aws_in(context, &["kms", "enable-key", "--key-id", id]))
        .run(rotate_now(context))
        .needs("kms:EnableKey")
        .needs("secretsmanager:RotateSecret")
        .link(link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::RotationStep;

    #[test]
    fn a_disabled_key_is_decisive_when_rotation_fails_and_a_warning_before() {
        let mut evidence = healthy();
        let mut disabled = key();
        disabled.state = "Disabled".to_owned();
        facts(&mut evidence.access).secret_key = Observation::Found(disabled);
        assert_eq!(finding(CAUSE, &evidence).severity, Severity::Warning);
        fail(&mut evidence, RotationStep::CreateSecret, &[]);
        let finding = finding(CAUSE, &evidence);
        assert_eq!((finding.confidence, finding.severity), (Confidence::Confirmed, Severity::Critical));
        assert_eq!(finding.remediation.commands[0], format!("aws kms enable-key --key-id {KEY} --region eu-west-1"));
    }

    #[test]
    fn a_key_that_is_gone_cannot_be_enabled() {
        let mut evidence = healthy();
        facts(&mut evidence.access).secret_key = no_data();
        let finding = finding(CAUSE, &evidence);
        assert!(finding.remediation.warning.is_some());
        assert!(finding.remediation.commands[0].contains("update-secret"));
    }

    #[test]
    fn it_is_clear_only_where_the_keys_were_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        facts(&mut evidence.access).environment_key = denied("kms:DescribeKey");
        assert_unknown(CAUSE, &evidence, "kms:DescribeKey");
        deny(&mut evidence, StepName::SecretAccess);
        assert_unknown(CAUSE, &evidence, "lambda:GetPolicy");
    }
}
