//! # The KMS key is disabled, pending deletion or gone
//!
//! Without its key neither the secret nor the function's environment can be decrypted.
//!
//! A key without its material (PendingImport), and one whose custom key store is not connected (Unavailable), are as useless.
//!
//! **Shows as** a KeyState other than Enabled; DecryptionFailure, KMSInvalidStateException, KMSDisabledException.
//!
//! **Is not it** when the key is Enabled, or Updating.

use crate::diagnosis::function_state::Complaint;
use crate::diagnosis::key_access;
use crate::diagnosis::remedy::{aws_in, rotate_now};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Concern, Confidence, KeyFacts, Observation, Proof, Remediation, SecretAccess, Severity, StepName};
use jiff::Timestamp;

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
    /// As KMS names it, `gone`, or nothing where it was not seen.
    state: String,
    deletion_at: Option<Timestamp>,
    /// The custom key store it is in.
    store: Option<String>,
}

impl KeyFault {
    fn of(whose: &'static str, id: String, state: &str) -> KeyFault {
        KeyFault { whose, id, state: state.to_owned(), deletion_at: None, store: None }
    }

    /// The state, for people.
    fn stated(&self) -> String {
        match self.deletion_at {
            Some(at) => format!("{}, to be deleted on {}", self.state, at.strftime("%-d %b %Y")),
            None => self.state.clone(),
        }
    }
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
        let named = complaint.evidence.iter().find_map(|proof| key_in(&proof.text)).map(str::to_owned);
        if let Some(id) = named.clone().filter(|id| is_another(context, id)) {
            return former(context, complaint, id);
        }
        let note = if enabled_now { " It is enabled now: it may have been fixed since." } else { "" };
        let explanation = format!("A KMS key that rotation depends on could not be used because of its state.{note}");
        let fault = named.map(|id| KeyFault::of(SECRET, id, ""));
        let mut finding = complaint.finding(context, CAUSE, explanation, fix(context, fault.as_ref()));
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
        Observation::Found(key) if !key.is_usable() => Some(KeyFault {
            deletion_at: key.deletion_at,
            store: key.custom_key_store.clone(),
            ..KeyFault::of(whose, key.arn.to_string(), &key.state)
        }),
        Observation::NoData { .. } => Some(KeyFault::of(whose, named.unwrap_or_else(|| "KEY_ARN".to_owned()), "gone")),
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
    evidence.push(Proof::of(StepName::SecretAccess, "kms:DescribeKey", format!("KeyState of {}: {}", fault.id, fault.stated())));
    evidence.extend(context.failed_attempt_proof().filter(|_| bites));
    let mut explanation = format!("The KMS key of {} is {}.", fault.whose, fault.stated());
    if let Some(change) = context.last_change(Concern::Key, &["DisableKey", "ScheduleKeyDeletion"]) {
        explanation = format!("{} called {}. {explanation}", change.actor, change.event);
        evidence.push(context.change_proof(change));
    }
    if !bites {
        explanation.push_str(match fault.whose == SECRET {
            true => " The next rotation will fail, and so will every read of the secret.",
            // Readers of the secret do not use the function's key.
            false => " The next rotation will fail.",
        });
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
    if let Some(by_person) = fault.and_then(|fault| by_person(context, fault)) {
        return by_person.rotate(context).link(link);
    }
    let mut remediation = Remediation::new("Make the key usable again, and rotate.");
    if matches!(state, "PendingDeletion" | "PendingReplicaDeletion" | "") {
        remediation =
            remediation.run(aws_in(context, &["kms", "cancel-key-deletion", "--key-id", id])).needs("kms:CancelKeyDeletion");
    }
    key_access::enable(remediation, context, id).run(rotate_now(context)).needs("secretsmanager:RotateSecret").link(link)
}

/// What to do about a state that no permission to enable a key changes.
///
/// Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
fn by_person(context: &DiagnosisContext<'_>, fault: &KeyFault) -> Option<Remediation> {
    let id = fault.id.as_str();
    Some(match fault.state.as_str() {
        "PendingImport" => Remediation::new(
            "Import the key's material again (kms import-key-material), and rotate. The command fetches the public key and the \
             token that this needs.",
        )
        .run(aws_in(
            context,
            &[
                "kms",
                "get-parameters-for-import",
                "--key-id",
                id,
                "--wrapping-algorithm",
                "RSAES_OAEP_SHA_256",
                "--wrapping-key-spec",
                "RSA_4096",
            ],
        ))
        .needs("kms:GetParametersForImport")
        .needs("kms:ImportKeyMaterial")
        .warn("Only the same material as before decrypts the present value."),
        "Unavailable" => {
            let of_store: Vec<&str> = fault.store.iter().flat_map(|store| ["--custom-key-store-id", store.as_str()]).collect();
            let words = [&["kms", "describe-custom-key-stores"][..], &of_store[..]].concat();
            Remediation::new(
                "The key's custom key store is not connected: repair what the command shows, connect the store (kms \
                 connect-custom-key-store), and rotate.",
            )
            .run(aws_in(context, &words))
            .needs("kms:DescribeCustomKeyStores")
            .needs("kms:ConnectCustomKeyStore")
        }
        "Creating" => Remediation::new("Wait until KMS has made the key, and rotate.")
            .run(aws_in(context, &["kms", "describe-key", "--key-id", id]))
            .needs("kms:DescribeKey"),
        _ => return None,
    })
}

/// A key that a line names and that neither the secret nor the function has now: a version may still be encrypted with it.
fn former(context: &DiagnosisContext<'_>, complaint: Complaint, id: String) -> Verdict {
    let says = |word: &str| complaint.evidence.iter().any(|proof| proof.text.to_ascii_lowercase().contains(word));
    let state = if says("pending deletion") { "PendingDeletion" } else { "Disabled" };
    let explanation = format!(
        "The key {id} could not be used because of its state. It is the present key of neither the secret nor the function: a \
         version of the secret, or another secret that the function reads, is encrypted with it."
    );
    let fix = fix(context, Some(&KeyFault::of(SECRET, id, state)));
    complaint.finding(context, CAUSE, explanation, fix).into()
}

/// The ARN of a key in a line.
fn key_in(text: &str) -> Option<&str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '(' | ')'))
        .map(|word| word.trim_end_matches(['.', ':']))
        .find(|word| word.starts_with("arn:") && word.contains(":kms:") && word.contains(":key/"))
}

/// True where the keys of the secret and of the function were seen, and this is none of them.
fn is_another(context: &DiagnosisContext<'_>, key: &str) -> bool {
    let Some(access) = context.evidence.access.found().filter(|_| unseen(context).is_none()) else { return false };
    [&access.secret_key, &access.environment_key].into_iter().filter_map(Observation::found).all(|own| own.arn.as_str() != key)
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
    fn a_state_that_enabling_does_not_end_is_left_to_a_person_and_an_updating_key_works() {
        let mut evidence = healthy();
        let mut in_state = |state: &str| {
            let mut key = key();
            (key.state, key.custom_key_store) = (state.to_owned(), Some("cks-0a1b2c3d".to_owned()));
            facts(&mut evidence.access).secret_key = Observation::Found(key);
            evidence.clone()
        };
        for (state, command) in [
            ("PendingImport", "aws kms get-parameters-for-import "),
            ("Unavailable", "aws kms describe-custom-key-stores --custom-key-store-id cks-0a1b2c3d "),
            ("Creating", "aws kms describe-key "),
            ("PendingReplicaDeletion", "aws kms cancel-key-deletion "),
        ] {
            let found = finding(CAUSE, &in_state(state));
            assert!(found.remediation.commands[0].starts_with(command), "{state}: {:?}", found.remediation.commands);
        }
        let plan = crate::diagnosis::diagnose(&in_state("PendingImport")).plan;
        assert!(!plan.steps.iter().any(|step| step.command.contains("enable-key")), "{plan:?}");
        assert_clear(CAUSE, &in_state("Updating"));
    }

    #[test]
    fn a_line_about_a_key_that_the_secret_no_longer_names_is_about_that_key() {
        let mut evidence = healthy();
        let former = "arn:aws:kms:eu-west-1:123456789012:key/9999aaaa-22bb-33cc-44dd-555566667777";
        let line = format!(
            "[ERROR] ClientError: An error occurred (KMSInvalidStateException) when calling the GetSecretValue operation: {former} \
             is disabled."
        );
        fail(&mut evidence, RotationStep::CreateSecret, &[&line]);
        let found = finding(CAUSE, &evidence);
        assert!(found.explanation.contains(former) && !found.explanation.contains("fixed since"), "{}", found.explanation);
        assert_eq!(found.remediation.commands[0], format!("aws kms enable-key --key-id {former} --region eu-west-1"));
        let own = line.replace(former, KEY);
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[&own]);
        assert!(finding(CAUSE, &evidence).explanation.contains("fixed since"));
        facts(&mut evidence.access).secret_key = denied("kms:DescribeKey");
        let commands = finding(CAUSE, &evidence).remediation.commands;
        assert!(commands[0].contains(KEY) && commands[0].contains("cancel-key-deletion"), "{commands:?}");
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
    fn the_key_of_the_functions_environment_keeps_nobody_from_reading_the_secret() {
        let mut evidence = healthy();
        facts(&mut evidence.access).environment_key = no_data();
        let explanation = finding(CAUSE, &evidence).explanation;
        assert!(explanation.ends_with("is gone. The next rotation will fail."), "{explanation}");
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
