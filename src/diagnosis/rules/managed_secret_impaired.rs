//! # The secret that a service manages is impaired
//!
//! RDS calls its master user's secret *impaired* when it can be read but no longer rotated: RDS can no longer use the
//! secret or its key.
//!
//! **Shows as** RotationFailed events of a secret with `OwningService`, and a key that is not enabled or is gone, or a reason
//! that says `impaired`; in RDS as `MasterUserSecret.SecretStatus`.
//!
//! **Is not it** when the key is usable: then the owner's resource is what to look at.

use crate::diagnosis::key_access;
use crate::diagnosis::managed::{asked_for, managed_anew, name_of, owned_database, owner, rotated_by_owner, without_database};
use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Concern, Confidence, KeyFacts, Observation, Proof, Remediation, StepName, TargetDatabase};

const CAUSE: Cause = Cause::ManagedSecretImpaired;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret, StepName::RotationConfig],
    explained_by: &[change_events::KEY_STATE, change_events::KEY_POLICY, change_events::SECRET_POLICY],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_secret().or_else(|| context.without_config()) {
        return verdict;
    }
    let Some(owner) = owner(context) else { return Verdict::clear("no AWS service owns and rotates it") };
    let says_so = context.failed_attempts().next_back().and_then(|attempt| attempt.reason.as_deref());
    let says_so = says_so.is_some_and(|reason| reason.to_ascii_lowercase().contains("impaired"));
    let key = match &context.evidence.access.observation {
        Observation::Found(access) => &access.secret_key,
        other => {
            return match other.missing().filter(|_| context.is_unwell()) {
                Some(missing) => Verdict::unknown(missing),
                None => Verdict::clear("its rotation does not fail"),
            };
        }
    };
    let fault = match key {
        Observation::Found(key) if !key.is_usable() => Some(format!("its key is {}", key.state)),
        Observation::NoData { .. } => Some("its key is gone".to_owned()),
        _ => None,
    };
    let rds = impaired_at_rds(context);
    if fault.is_none() && !says_so && rds.is_none() {
        return match key.missing().filter(|_| context.is_unwell()) {
            Some(missing) => Verdict::unknown(missing),
            None => Verdict::clear("its key is usable, and no event calls it impaired"),
        };
    }
    let mut evidence = Vec::new();
    evidence.extend(context.failed_attempt_proof());
    if let Some(fault) = &fault {
        evidence.push(Proof::of(StepName::SecretAccess, "kms:DescribeKey", format!("{fault}: {}", id_of(context, key))));
    }
    let changed = context.last_change(Concern::Key, &["DisableKey", "ScheduleKeyDeletion"]);
    evidence.extend(changed.map(|change| context.change_proof(change)));
    evidence.push(context.secret_proof(format!("OwningService {owner}, RotationLambdaARN absent")));
    if let Some(database) = rds {
        let text = format!("MasterUserSecret.SecretStatus of {} is impaired", database.id);
        evidence.insert(0, Proof::of(StepName::SecretAccess, "rds:DescribeDBInstances", text));
    }
    let because = match (&fault, rds) {
        (Some(fault), _) => fault.clone(),
        (None, Some(database)) => format!("RDS reports that the secret of {} is impaired", database.id),
        (None, None) => "the failed rotation says that it is impaired".to_owned(),
    };
    let name = name_of(owner);
    let still = if fault.is_some() { "" } else { ", although it may still be read" };
    let explanation = format!("{name} can no longer rotate the secret it manages{still}: {because}.");
    let confidence = match (&fault, context.failing.is_some()) {
        // The owner's own word is decisive alone.
        _ if rds.is_some() => Confidence::Confirmed,
        (Some(_), true) => Confidence::Confirmed,
        _ => Confidence::Likely,
    };
    context.finding(CAUSE, confidence, explanation, evidence, fix(context, owner, key)).into()
}

/// The database whose master secret this is, where RDS calls it impaired.
fn impaired_at_rds<'a>(context: &DiagnosisContext<'a>) -> Option<&'a TargetDatabase> {
    let arn = context.secret()?.arn.arn().as_str();
    let is_impaired = |one: &&TargetDatabase| {
        one.master_secret.as_ref().is_some_and(|secret| secret.arn == arn && secret.status.eq_ignore_ascii_case("impaired"))
    };
    context.evidence.network.databases.found()?.iter().find(is_impaired)
}

fn id_of(context: &DiagnosisContext<'_>, key: &Observation<KeyFacts>) -> String {
    let named = || context.secret().and_then(|secret| secret.kms_key_id.clone());
    key.found().map(|key| key.arn.to_string()).or_else(named).unwrap_or_else(|| "KEY_ARN".to_owned())
}

fn fix(context: &DiagnosisContext<'_>, owner: &str, key: &Observation<KeyFacts>) -> Remediation {
    let id = id_of(context, key);
    let name = name_of(owner);
    let is_gone = owner == "rds" && matches!(key, Observation::NoData { .. });
    let orphan = without_database(context, owner);
    let summary = match orphan {
        Some(orphan) => orphan.to_owned(),
        None if is_gone => {
            "The key is gone for good. Take the management of the password from RDS, wait until the database is available, and give it \
             back: RDS then creates another secret."
                .to_owned()
        }
        None => format!(
            "Let {name} use the secret's key again, then start a rotation through {name}, after which the status becomes active."
        ),
    };
    let mut remediation = Remediation::new(summary);
    if key.found().is_some_and(|key| key.state == "PendingDeletion") {
        remediation =
            remediation.run(aws_in(context, &["kms", "cancel-key-deletion", "--key-id", &id])).needs("kms:CancelKeyDeletion");
    }
    if key.found().is_some_and(|key| !key.is_usable()) {
        remediation = key_access::enable(remediation, context, &id);
    }
    let remediation = match (owned_database(context), is_gone) {
        (Some(database), true) => managed_anew(remediation, context, database),
        (None, true) => asked_for(remediation, context),
        (_, false) => rotated_by_owner(remediation, context, owner),
    };
    remediation.link("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::network::testing::database;
    use crate::diagnosis::testing::*;
    use crate::model::{DatabaseChoice, Evidence, MasterSecret};

    fn managed() -> Evidence {
        let mut evidence = healthy();
        facts(&mut evidence.secret).owning_service = Some("rds".to_owned());
        facts(&mut evidence.rotation_config).function_arn = None;
        fail_unseen(&mut evidence, None);
        evidence
    }

    #[test]
    fn a_key_that_is_not_enabled_impairs_the_secret_and_is_enabled_first() {
        let mut evidence = managed();
        let mut disabled = key();
        disabled.state = "PendingDeletion".to_owned();
        facts(&mut evidence.access).secret_key = Observation::Found(disabled);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
        assert!(root.remediation.commands[0].contains("cancel-key-deletion"), "{:?}", root.remediation.commands);
        let failing = diagnosis.findings.iter().find(|finding| finding.cause == Cause::ManagedRotationFailing).unwrap();
        assert_eq!(failing.inhibited_by, Some(CAUSE));
    }

    #[test]
    fn the_word_of_rds_is_decisive_and_its_database_is_named_in_the_fix() {
        let mut evidence = managed();
        let secret = |status: &str| MasterSecret { arn: SECRET.to_owned(), status: status.to_owned(), kms_key_id: None };
        let owner =
            |status| TargetDatabase { master_secret: Some(secret(status)), found_by: DatabaseChoice::Owner, ..database() };
        evidence.network.databases = Observation::Found(vec![owner("active")]);
        assert_clear(CAUSE, &evidence);
        evidence.network.databases = Observation::Found(vec![owner("impaired")]);
        let found = finding(CAUSE, &evidence);
        assert_eq!(found.confidence, Confidence::Confirmed);
        assert!(found.evidence[0].text.contains("orders is impaired"), "{:?}", found.evidence);
        let rotates = "aws rds modify-db-instance --db-instance-identifier orders --rotate-master-user-password";
        assert!(found.remediation.commands.iter().any(|command| command.starts_with(rotates)), "{:?}", found.remediation);
    }

    #[test]
    fn no_rotation_is_printed_for_a_database_that_rds_does_not_know_and_one_that_it_knows_is_asked_for() {
        let mut evidence = managed();
        let mut disabled = key();
        disabled.state = "Disabled".to_owned();
        facts(&mut evidence.access).secret_key = Observation::Found(disabled);
        let rotates = |evidence: &Evidence| {
            let fix = finding(CAUSE, evidence).remediation;
            (fix.commands.iter().any(|command| command.contains("--rotate-master-user-password")), fix.summary)
        };
        assert!(rotates(&evidence).0, "which database it is, the command asks");
        evidence.network.databases = no_data();
        let (is_rotated, summary) = rotates(&evidence);
        assert!(!is_rotated && summary.contains("RDS names no database"), "{summary}");
    }

    #[test]
    fn a_key_that_is_gone_is_no_longer_waited_for_and_rds_makes_another_secret() {
        let mut evidence = managed();
        facts(&mut evidence.access).secret_key = no_data();
        assert_eq!(finding(CAUSE, &evidence).remediation.commands.len(), 1, "which database it is, is asked first");
        let secret = MasterSecret { arn: SECRET.to_owned(), status: "impaired".to_owned(), kms_key_id: None };
        let owner = TargetDatabase { master_secret: Some(secret), found_by: DatabaseChoice::Owner, ..database() };
        evidence.network.databases = Observation::Found(vec![owner]);
        let commands = finding(CAUSE, &evidence).remediation.commands;
        let order = ["--no-manage-master-user-password", "rds wait db-instance-available", " --manage-master-user-password"];
        let at = order.map(|words| commands.iter().position(|command| command.contains(words)));
        assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{commands:#?}");
        assert!(!commands.iter().any(|command| command.contains("--rotate-master-user-password")), "{commands:#?}");
        assert!(!commands.iter().any(|command| command.contains("PASSWORD")), "{commands:#?}");
    }

    #[test]
    fn the_events_word_is_enough_and_a_usable_key_speaks_against_it() {
        let mut evidence = managed();
        assert_clear(CAUSE, &evidence);
        facts(&mut evidence.history).attempts[1].reason = Some("The secret is in the impaired state.".to_owned());
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Likely);
        let mut unseen = managed();
        facts(&mut unseen.access).secret_key = denied("kms:DescribeKey");
        assert_unknown(CAUSE, &unseen, "kms:DescribeKey");
    }
}
