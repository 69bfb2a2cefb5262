//! Every subset of refused steps, over a healthy world and over broken ones: missing evidence is never good news.

use super::rules::RULES;
use super::testing::*;
use super::{DiagnosisContext, Verdict, judge};
use crate::model::{Arn, Cause, Evidence, Lookback, NOT_ASKED_FOR, Observation, Outcome, RotationStep, Severity, StepName};
use std::collections::BTreeMap;

/// The subsets of the nine steps.
pub(super) fn subsets() -> impl Iterator<Item = Vec<StepName>> {
    (0_u32..1 << StepName::ALL.len())
        .map(|bits| StepName::ALL.into_iter().filter(|step| bits & (1 << (step.number() - 1)) != 0).collect())
}

pub(super) fn without(evidence: &Evidence, denied: &[StepName]) -> Evidence {
    let mut evidence = evidence.clone();
    denied.iter().for_each(|step| deny(&mut evidence, *step));
    evidence
}

fn refused(action: &str, resource: &str, reason: &str) -> String {
    format!(
        "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the operation: User: \
         arn:aws:sts::{ACCOUNT}:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: {action} on \
         resource: {resource} {reason}"
    )
}

/// Worlds with one fault each, and the cause it must be called by.
pub(super) fn broken_worlds() -> Vec<(Cause, Evidence)> {
    let world = |change: fn(&mut Evidence)| {
        let mut evidence = healthy();
        change(&mut evidence);
        evidence
    };
    vec![
        (Cause::SecretMarkedForDeletion, world(|e| facts(&mut e.secret).deleted_at = Some(hours_ago(5)))),
        (Cause::SecretNoCurrentValue, world(|e| facts(&mut e.secret).versions.clear())),
        (Cause::RotationDisabled, world(|e| facts(&mut e.rotation_config).enabled = Some(false))),
        (Cause::RotationNoLambdaArn, world(|e| facts(&mut e.rotation_config).function_arn = None)),
        (
            Cause::ReplicaRotatesInPrimaryRegion,
            world(|e| facts(&mut e.secret).primary_region = Some("us-east-1".parse().unwrap())),
        ),
        (
            Cause::ScheduleWrongOrOverdue,
            world(|e| {
                let due = &mut facts(&mut e.rotation_config).due;
                (due.previous, due.overdue_since) = (Some(hours_ago(48)), Some(hours_ago(24)));
            }),
        ),
        (
            Cause::LambdaFunctionMissing,
            world(|e| {
                fail_unseen(e, None);
                e.function = record(no_data());
            }),
        ),
        (
            Cause::LambdaVpcConfigInvalid,
            world(|e| {
                fail_unseen(e, None);
                let function = facts(&mut e.function);
                (function.state, function.state_reason_code) = (Some("Failed".into()), Some("InvalidSubnet".into()));
            }),
        ),
        (
            Cause::LambdaThrottledConcurrency,
            world(|e| {
                fail_unseen(e, None);
                facts(&mut e.function).reserved_concurrency = Observation::Found(Some(0));
            }),
        ),
        (
            Cause::LambdaInvokePermissionMissing,
            world(|e| {
                fail_unseen(e, None);
                facts(&mut e.access).function_policy = no_data();
            }),
        ),
        (
            Cause::KmsKeyDisabledOrPendingDeletion,
            world(|e| {
                fail(e, RotationStep::CreateSecret, &[]);
                let mut disabled = key();
                disabled.state = "Disabled".into();
                facts(&mut e.access).secret_key = Observation::Found(disabled);
            }),
        ),
        (
            Cause::LambdaEnvKmsDenied,
            world(|e| {
                fail_unseen(e, None);
                let function = facts(&mut e.function);
                function.kms_key_arn = Some(Arn::parse(KEY).unwrap());
                (function.state, function.state_reason_code) = (Some("Failed".into()), Some("KMSKeyAccessDenied".into()));
                facts(&mut e.access).environment_key = Observation::Found(key());
            }),
        ),
        (
            Cause::IamIdentityPolicyMissing,
            world(|e| {
                let line = refused("secretsmanager:PutSecretValue", SECRET, "because no identity-based policy allows it");
                fail(e, RotationStep::CreateSecret, &[&line]);
            }),
        ),
        (
            Cause::SecretResourcePolicyDeny,
            world(|e| {
                let line = refused("secretsmanager:GetSecretValue", SECRET, "with an explicit deny in a resource-based policy");
                fail(e, RotationStep::CreateSecret, &[&line]);
            }),
        ),
        (
            Cause::KmsAccessDenied,
            world(|e| {
                let line = "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the GetSecretValue \
                            operation: Access to KMS is not allowed";
                fail(e, RotationStep::CreateSecret, &[line]);
            }),
        ),
    ]
}

#[test]
fn a_broken_world_is_called_by_its_fault() {
    for (cause, evidence) in broken_worlds() {
        let diagnosis = judge(&evidence);
        let root = diagnosis.root_cause().map(|finding| finding.cause);
        assert_eq!(root, Some(cause), "{:?}", diagnosis.findings.iter().map(|f| (f.cause, f.confidence)).collect::<Vec<_>>());
    }
}

#[test]
fn no_world_is_called_healthy_while_what_decides_it_was_refused() {
    let most_specific_line = [StepName::Secret, StepName::RotationConfig, StepName::RotationHistory];
    for denied in subsets() {
        let outcome = judge(&without(&healthy(), &denied)).outcome;
        if denied.iter().any(|step| most_specific_line.contains(step)) {
            assert_eq!(outcome, Outcome::Inconclusive, "{denied:?}");
        } else {
            assert_eq!(outcome, Outcome::Healthy, "{denied:?}");
        }
    }
}

#[test]
fn a_broken_world_is_never_called_healthy_whatever_was_refused() {
    for (cause, evidence) in broken_worlds() {
        for denied in subsets() {
            let outcome = judge(&without(&evidence, &denied)).outcome;
            assert_ne!(outcome, Outcome::Healthy, "{cause} without {denied:?}");
        }
    }
}

#[test]
fn no_rule_turns_clear_because_what_it_fired_on_was_refused() {
    let mut faults = BTreeMap::new();
    for (world, evidence) in broken_worlds() {
        let context = DiagnosisContext::new(&evidence);
        let fires = |context: &DiagnosisContext<'_>, rule: &super::Rule| match (rule.evaluate)(context) {
            Verdict::Fires(finding) => finding.severity > Severity::Info,
            _ => false,
        };
        let firing: Vec<_> = RULES.iter().filter(|rule| fires(&context, rule)).collect();
        assert!(firing.iter().any(|rule| rule.cause == world), "{world}");
        for denied in subsets() {
            let blinded = without(&evidence, &denied);
            let context = DiagnosisContext::new(&blinded);
            for rule in &firing {
                if let Verdict::Clear { because } = (rule.evaluate)(&context) {
                    faults.entry(format!("{world}: {} is clear: {because}", rule.cause)).or_insert(denied.clone());
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn where_everything_was_refused_every_rule_says_so() {
    let blind = without(&healthy(), &StepName::ALL);
    let context = DiagnosisContext::new(&blind);
    let verdicts = RULES.iter().map(|rule| (rule.cause, (rule.evaluate)(&context)));
    let wrong: Vec<_> = verdicts
        .filter(|(_, verdict)| !matches!(verdict, Verdict::Unknown { missing } if missing.contains("permission ")))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_cause_has_one_rule_and_the_table_is_in_the_order_of_the_catalogue() {
    let decided: Vec<Cause> = RULES.iter().map(|rule| rule.cause).collect();
    let catalogue: Vec<Cause> = Cause::ALL.iter().copied().filter(|cause| !cause.is_line_label()).collect();
    assert_eq!(decided, catalogue);
}

fn blank(because: &str) -> Evidence {
    let reason = Observation::NotApplicable { because: because.to_owned() };
    Evidence::unseen(healthy().asked, "eu-west-1".parse().unwrap(), now(), Lookback::Day, &reason)
}

#[test]
fn of_a_secret_that_is_not_there_nothing_is_ruled_out() {
    let evidence = Evidence { secret: record(no_data()), ..blank("there is no such secret") };
    let diagnosis = judge(&evidence);
    assert_eq!((diagnosis.outcome, diagnosis.ruled_out.as_slice()), (Outcome::NotFound, [].as_slice()));
}

#[test]
fn of_a_secret_that_is_being_deleted_or_a_replica_the_function_is_not_ruled_out() {
    let deleted: fn(&mut Evidence) = |e| facts(&mut e.secret).deleted_at = Some(hours_ago(5));
    let replica: fn(&mut Evidence) = |e| facts(&mut e.secret).primary_region = Some("us-east-1".parse().unwrap());
    for change in [deleted, replica] {
        let mut evidence =
            Evidence { secret: healthy().secret, rotation_config: healthy().rotation_config, ..blank("elsewhere") };
        change(&mut evidence);
        let ruled_out = judge(&evidence).ruled_out;
        assert!(!ruled_out.iter().any(|one| one.because.contains("no rotation function")), "{ruled_out:#?}");
    }
}

#[test]
fn what_was_not_asked_for_is_not_ruled_out() {
    let none = judge(&blank(NOT_ASKED_FOR));
    assert_eq!(none.ruled_out, [], "nothing was looked at");
    assert!(none.not_checked.iter().any(|open| open.missing.contains("was not asked for")), "{:#?}", none.not_checked);
    let one = judge(&Evidence { secret: healthy().secret, ..blank(NOT_ASKED_FOR) });
    let ruled_out: Vec<Cause> = one.ruled_out.iter().map(|one| one.cause).collect();
    assert!(ruled_out.contains(&Cause::SecretMarkedForDeletion), "{ruled_out:?}");
    assert!(!ruled_out.contains(&Cause::LambdaTimeoutTooShort) && !ruled_out.contains(&Cause::RotationDisabled), "{ruled_out:?}");
}
