//! Mutations of a valid message are taken only where they mean the same.

use crate::sns_signer::notification;
use crate::world::{SENT, World, post};
use axum::http::StatusCode;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rotation_diag::alarm::Notice;
use serde_json::{Value, json};
use std::cell::Cell;

/// What is done to the bytes of a message.
#[derive(Debug, Clone)]
enum Mutation {
    Replace(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Double(usize, usize),
    Swap(usize, usize),
    Cut(usize),
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let at = |index: &usize| index % length.max(1);
        match self {
            _ if bytes.is_empty() => {}
            Mutation::Replace(index, byte) => bytes[at(index)] = *byte,
            Mutation::Insert(index, byte) => bytes.insert(at(index), *byte),
            Mutation::Remove(index) => drop(bytes.remove(at(index))),
            Mutation::Double(from, count) => {
                let from = at(from);
                let part = bytes[from..(from + count % 40).min(length)].to_vec();
                bytes.splice(from..from, part);
            }
            Mutation::Swap(one, other) => bytes.swap(at(one), at(other)),
            Mutation::Cut(index) => bytes.truncate(at(index)),
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = || any::<usize>();
    // Half of the bytes are those that JSON gives a meaning.
    let byte = || prop_oneof![any::<u8>(), prop::sample::select(b"\"\\{}[]:,\n nulltrue0".to_vec())];
    prop_oneof![
        (index(), byte()).prop_map(|(index, byte)| Mutation::Replace(index, byte)),
        (index(), byte()).prop_map(|(index, byte)| Mutation::Insert(index, byte)),
        index().prop_map(Mutation::Remove),
        (index(), index()).prop_map(|(from, count)| Mutation::Double(from, count)),
        (index(), index()).prop_map(|(one, other)| Mutation::Swap(one, other)),
        index().prop_map(Mutation::Cut),
    ]
}

#[test]
fn a_mutated_message_is_taken_only_where_every_signed_field_is_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let original = notification(SENT, "x");
    let body = original.to_string().into_bytes();
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    let config = Config { cases: 10_000, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&prop::collection::vec(mutation(), 1..4), |mutations| {
        let mut bytes = body.clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        match runtime.block_on(post(&world.router, bytes.clone(), &[])) {
            StatusCode::OK => {
                taken.set(taken.get() + 1);
                let read: Value = serde_json::from_slice(&bytes).unwrap();
                for field in ["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion"] {
                    prop_assert_eq!(&read[field], &original[field]);
                }
            }
            status => {
                refused.set(refused.get() + 1);
                prop_assert!(status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE, "{}", status);
            }
        }
        Ok(())
    });
    checked.unwrap();
    assert!(refused.get() > 5_000 && taken.get() > 10, "{refused:?} refused, {taken:?} taken");
    assert!(world.kept.notices().len() <= 1);
}

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";

/// One of each kind of message that is no alarm of CloudWatch.
fn kinds() -> Vec<String> {
    let check = json!({"awsAccountId": "123456789012", "awsRegion": "eu-west-1", "messageType": "ComplianceChangeNotification",
        "configRuleName": "secretsmanager-rotation-enabled-check", "resourceType": "AWS::SecretsManager::Secret", "resourceId": SECRET,
        "newEvaluationResult": {"complianceType": "NON_COMPLIANT", "resultRecordedTime": "2026-11-25T09:59:00.000Z"}});
    let asff = json!({"SchemaVersion": "2018-10-08", "AwsAccountId": "123456789012", "Region": "eu-west-1", "RecordState": "ACTIVE",
        "GeneratorId": "security-control/SecretsManager.1", "UpdatedAt": "2026-11-25T09:59:00.000Z", "Workflow": {"Status": "NEW"},
        "Compliance": {"Status": "FAILED"}, "Resources": [{"Type": "AwsSecretsManagerSecret", "Id": SECRET}]});
    let ocsf = json!({"class_uid": 2003, "status_id": 1, "cloud": {"account": {"uid": "123456789012"}, "region": "eu-west-1"},
        "compliance": {"control": "SecretsManager.2", "status": "Fail", "status_id": 3}, "time": 1_795_687_140_000_i64,
        "finding_info": {"title": "Secrets should rotate"}, "resources": [{"type": "AWS::SecretsManager::Secret", "uid": SECRET}]});
    let event = |source: &str, kind: &str, detail: &Value| {
        json!({"source": source, "detail-type": kind, "account": "123456789012", "region": "eu-west-1", "time": "2026-11-25T09:59:30Z",
               "resources": [], "detail": detail})
        .to_string()
    };
    vec![
        check.to_string(),
        event("aws.config", "Config Rules Compliance Change", &check),
        event("aws.securityhub", "Security Hub Findings - Imported", &json!({"findings": [asff]})),
        event("aws.securityhub", "Findings Imported V2", &json!({"findings": [ocsf]})),
        json!({"secret": SECRET, "detail": {"secretId": "prod/users-db"}, "event": "RotationFailed"}).to_string(),
        json!({"source": "custom", "content": {"title": "Rotation failed", "description": SECRET}}).to_string(),
        format!("The rotation of {SECRET} has failed.\nsecret=prod/orders-db"),
        format!(
            "StackId='arn:aws:cloudformation:eu-west-1:123456789012:stack/s/1'\nLogicalResourceId='S'\nPhysicalResourceId='{SECRET}'\n"
        ),
    ]
}

/// Whoever may publish to a topic decides what a message says; whatever that is, it is kept as an alarm that can be, or ignored.
#[test]
fn whatever_an_authentic_message_says_it_is_kept_as_a_sound_alarm_or_ignored() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let (kinds, alarms, ignored) = (kinds(), Cell::new(0), Cell::new(0));
    let config = Config { cases: 1_500, failure_persistence: None, ..Config::default() };
    let messages = (prop::sample::select(kinds), prop::collection::vec(mutation(), 0..3));
    let checked = TestRunner::new(config).run(&messages, |(kind, mutations)| {
        let mut bytes = kind.into_bytes();
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        let message = String::from_utf8_lossy(&bytes).into_owned();
        let status = runtime.block_on(world.send(&notification(SENT, &message)));
        prop_assert_eq!(status, StatusCode::OK, "{}", message);
        match world.kept.take().as_slice() {
            [Notice::Ignored { reason }] => {
                ignored.set(ignored.get() + 1);
                prop_assert!(!reason.is_empty());
            }
            [Notice::Alarm(alarm)] => {
                alarms.set(alarms.get() + 1);
                prop_assert!(
                    alarm.account_id.len() == 12 && alarm.account_id.bytes().all(|byte| byte.is_ascii_digit()),
                    "{}",
                    message
                );
                prop_assert!(!alarm.region.is_empty() && alarm.region.len() <= 32, "{}", message);
                prop_assert!(!alarm.secrets.is_empty() && alarm.secrets.len() <= 50, "{}", message);
                prop_assert!(alarm.title.chars().count() <= 255 && alarm.reason.chars().count() <= 1_024, "{}", message);
                prop_assert!(alarm.state_at <= "2026-11-25T10:05:00Z".parse().unwrap(), "{}", message);
            }
            other => prop_assert!(false, "{other:?}"),
        }
        Ok(())
    });
    checked.unwrap();
    assert!(alarms.get() > 300 && ignored.get() > 300, "{alarms:?} alarms, {ignored:?} ignored");
}
