//! Policies of the account that were detached from the role: given back only where they were read and give what is missing.

use super::{identity, robbed, without_action};
use crate::diagnosis::diagnose;
use crate::diagnosis::testing::*;
use crate::model::{Cause, Concern, DetachedPolicy, Diagnosis, Evidence, FollowUp, Observation};
use serde_json::{Value, json};

const WRITE: &str = "arn:aws:iam::123456789012:policy/rotation-write";
const STAGE: &str = "arn:aws:iam::123456789012:policy/rotation-stage";
const OTHER: &str = "arn:aws:iam::123456789012:policy/reports";
const PUT: &str = "secretsmanager:PutSecretValue";
const MOVE: &str = "secretsmanager:UpdateSecretVersionStage";

fn allow(actions: &[&str]) -> Observation<Value> {
    Observation::Found(
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": SECRET }] }),
    )
}

/// The failing world whose role lacks a permission and lost these policies, with what was read of them.
fn lost(policies: &[(&str, Option<Observation<Value>>)]) -> Evidence {
    let detachments: Vec<(&str, Concern, Value)> = policies
        .iter()
        .map(|(arn, _)| ("DetachRolePolicy", Concern::Role, json!({ "roleName": "orders-rotator-role", "policyArn": arn })))
        .collect();
    let mut evidence = robbed(&detachments);
    let read = policies
        .iter()
        .filter_map(|(arn, document)| document.clone().map(|document| DetachedPolicy { arn: (*arn).to_owned(), document }));
    facts(&mut evidence.role).detached = read.collect();
    evidence
}

fn commands(diagnosis: &Diagnosis) -> Vec<&str> {
    diagnosis.plan.steps.iter().map(|step| step.command.as_str()).collect()
}

fn attach(arn: &str) -> String {
    format!("aws iam attach-role-policy --role-name orders-rotator-role --policy-arn {arn}")
}

#[test]
fn a_policy_that_was_read_and_gives_what_is_missing_is_attached_again_whatever_else_happened() {
    let mut evidence = lost(&[(WRITE, Some(allow(&[PUT])))]);
    facts(&mut evidence.changes).changes.push(change(hours_ago(2), "PutRolePolicy", Concern::Role));
    let diagnosis = diagnose(&evidence);
    assert_eq!(commands(&diagnosis)[0], attach(WRITE));
    assert_eq!(diagnosis.plan.heals, Some(true), "{:#?}", diagnosis.plan);
    let told = &diagnosis.findings[0].explanation;
    assert!(told.contains("DetachRolePolicy on the resource 15 minutes before the first failure, and so caused it. "), "{told}");
}

#[test]
fn a_policy_that_does_not_give_what_is_missing_is_innocent_and_stays_detached() {
    let diagnosis = diagnose(&lost(&[(WRITE, Some(allow(&["secretsmanager:GetSecretValue"])))]));
    assert!(commands(&diagnosis)[0].contains(" put-role-policy "), "{:#?}", diagnosis.plan);
    assert!(!commands(&diagnosis).contains(&attach(WRITE).as_str()));
    assert_eq!(diagnosis.plan.heals, Some(true), "{:#?}", diagnosis.plan);
    assert!(!diagnosis.findings[0].explanation.contains("DetachRolePolicy"), "{}", diagnosis.findings[0].explanation);
    let blamed = |change: &crate::model::CorrelatedChange| change.explains.contains(&Cause::IamIdentityPolicyMissing);
    assert!(!diagnosis.changes.iter().any(blamed), "{:?}", diagnosis.changes);
}

#[test]
fn a_policy_that_no_longer_exists_is_not_attached_and_one_that_may_not_be_read_rests_on_being_the_only_loss() {
    let gone = diagnose(&lost(&[(WRITE, Some(no_data()))]));
    assert!(commands(&gone)[0].contains(" put-role-policy "), "{:#?}", gone.plan);
    let unread = diagnose(&lost(&[(WRITE, Some(denied("iam:GetPolicy")))]));
    assert_eq!(commands(&unread)[0], attach(WRITE));
    let one_of_two = diagnose(&lost(&[(WRITE, Some(denied("iam:GetPolicy"))), (STAGE, Some(denied("iam:GetPolicy")))]));
    assert!(commands(&one_of_two)[0].contains(" put-role-policy "), "{:#?}", one_of_two.plan);
}

#[test]
fn both_of_two_lost_policies_are_attached_where_both_are_needed_and_no_third_one() {
    let mut evidence =
        lost(&[(OTHER, Some(allow(&["s3:GetObject"]))), (WRITE, Some(allow(&[PUT]))), (STAGE, Some(allow(&[MOVE])))]);
    without_action(&mut evidence, MOVE);
    let diagnosis = diagnose(&evidence);
    let given: Vec<&str> = commands(&diagnosis).into_iter().filter(|command| command.starts_with("aws iam ")).collect();
    assert_eq!(given, [attach(STAGE), attach(WRITE)]);
    assert_eq!(diagnosis.plan.heals, Some(true), "{:#?}", diagnosis.plan);
    let summary = &diagnosis.findings[0].remediation.summary;
    assert_eq!(
        *summary,
        format!(
            "Attach {STAGE} and {WRITE} to the role again, from which they were detached since the last success, and rotate."
        )
    );
    let whole = lost(&[(WRITE, Some(allow(&[PUT, MOVE]))), (STAGE, Some(allow(&[MOVE])))]);
    let one = diagnose(&whole);
    assert!(!commands(&one).contains(&attach(STAGE).as_str()), "{:#?}", one.plan);
}

#[test]
fn a_condition_of_the_policy_is_judged_by_what_is_known_of_the_rotation() {
    let of = |function: &str| {
        let document = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": [PUT], "Resource": "*",
            "Condition": { "StringEquals": { "secretsmanager:resource/AllowRotationLambdaArn": function } }
        }] });
        commands(&diagnose(&lost(&[(WRITE, Some(Observation::Found(document)))])))[0].to_owned()
    };
    assert_eq!(of(FUNCTION), attach(WRITE));
    assert!(of("arn:aws:lambda:eu-west-1:123456789012:function:other").contains(" put-role-policy "));
}

#[test]
fn at_most_two_lost_policies_are_read_and_only_where_the_role_lacks_something() {
    let asked = |evidence: &Evidence| match diagnose(&seen_all(evidence)).follow_up {
        Some(FollowUp::ReadDetached { policies }) => policies,
        _ => Vec::new(),
    };
    let three = lost(&[(OTHER, None), (WRITE, None), (STAGE, None)]);
    assert_eq!(asked(&three), [STAGE, WRITE]);
    assert_eq!(asked(&lost(&[(OTHER, None), (WRITE, Some(no_data())), (STAGE, None)])), [STAGE]);
    assert!(asked(&lost(&[(WRITE, Some(denied("iam:GetPolicy")))])).is_empty(), "it is asked once");
    assert!(asked(&lost(&[("arn:aws:iam::aws:policy/SecretsManagerReadWrite", None)])).is_empty(), "it is known");
    let mut whole = lost(&[(WRITE, None)]);
    let document = allow(&[PUT]).found().cloned().unwrap();
    identity(&mut whole).push(crate::model::PolicyDocument { name: "own".to_owned(), document });
    assert!(asked(&whole).is_empty(), "the role lacks nothing");
    let mut anothers = lost(&[(WRITE, None)]);
    facts(&mut anothers.changes).changes[0].parameters = json!({ "roleName": "reports-role", "policyArn": WRITE });
    assert!(asked(&anothers).is_empty(), "another role lost it");
}

/// The same evidence, after the network was looked at and the logs as far back as they go.
fn seen_all(evidence: &Evidence) -> Evidence {
    let mut evidence = evidence.clone();
    evidence.network = crate::model::Network::unseen(&no_data());
    evidence.lookback = crate::model::Lookback::Quarter;
    let changes = facts(&mut evidence.changes);
    changes.source = crate::model::EventSource::TrailLogGroup("cloudtrail".to_owned());
    evidence
}
