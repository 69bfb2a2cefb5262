//! What an authentic message says: an alarm, or something that is recorded as ignored, with a reason.

use super::delivered::Delivered;
use super::{check, cloudwatch, eventbridge, security_hub, text};
use crate::model::Alarm;
use crate::redact::SafeText;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The longest text of an alarm that is kept, in characters.
///
/// Source: CloudWatch API reference: a description has at most 1 024 characters, a state's reason 1 023.
const MAX_TEXT: usize = 1_024;

/// The longest title, in characters; an alarm's name has at most 255.
const MAX_TITLE: usize = 255;

/// The longest text by which an alarm is known again, in bytes. An alarm's ARN has less than 400; a text may name many secrets.
const MAX_KEY: usize = 16 << 10;

/// How far ahead of its sending a change may lie: clocks differ a little.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// What became of an authentic message.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// An alarm. Its texts are redacted.
    Alarm(Box<Alarm>),
    Ignored {
        /// Why, in one sentence without the sender's words.
        reason: &'static str,
    },
}

/// Reads a notification's message.
pub(super) fn read(message: &str, delivered: &Delivered<'_>) -> Notice {
    let read = match serde_json::from_str::<Value>(message) {
        Ok(value @ Value::Object(_)) => read_object(&value, delivered),
        // AWS writes one such object for its own tests; anything else that is JSON is somebody's own.
        Ok(Value::Array(_)) => Err("it is JSON, but from neither CloudWatch nor EventBridge"),
        // An input transformer may make a text of all, in quotes.
        Ok(Value::String(inner)) => match serde_json::from_str::<Value>(&inner) {
            Ok(value @ Value::Object(_)) => read_object(&value, delivered),
            _ => text::read(&inner, delivered),
        },
        _ => text::read(message, delivered),
    };
    match read.and_then(|alarm| sound(alarm, delivered.sent_at)) {
        Ok(mut alarm) => {
            alarm.topic = Some(delivered.topic.arn().as_str().to_owned());
            Notice::Alarm(Box::new(sanitize(alarm)))
        }
        Err(reason) => Notice::Ignored { reason },
    }
}

fn read_object(value: &Value, delivered: &Delivered<'_>) -> Result<Alarm, &'static str> {
    let has = |key: &str| value.get(key).is_some();
    if has("detail-type") && has("detail") {
        eventbridge::read(value)
    } else if has("AlarmName") {
        cloudwatch::read(value, delivered.topic)
    } else if has("eventName") && has("eventSource") {
        super::rotation_event::read(value)
    } else if check::is_of_config(value) {
        check::read(value, None)
    } else if security_hub::is_of_security_hub(value) {
        security_hub::read(value, None)
    } else if let Some(notice) = custom(value) {
        text::read(&notice, delivered)
    } else {
        text::read_object(value, delivered).unwrap_or(Err("it is JSON, but from neither CloudWatch nor EventBridge"))
    }
}

/// The words of a custom notification for a chat.
///
/// Source: Amazon Q Developer in chat applications Administrator Guide, "Custom notifications": version, source `custom`, and a
/// content with title and description.
fn custom(value: &Value) -> Option<String> {
    let content = value.get("content").filter(|_| value.get("source").and_then(Value::as_str) == Some("custom"))?;
    let words = ["title", "description"].iter().filter_map(|key| content.get(*key)?.as_str());
    Some(words.collect::<Vec<_>>().join("\n\n"))
}

/// The alarm, where its name can be one, and about what has happened already.
fn sound(mut alarm: Alarm, sent_at: Timestamp) -> Result<Alarm, &'static str> {
    if alarm.key.len() > MAX_KEY {
        return Err("its name or ARN is longer than AWS allows");
    }
    // Not in a name of AWS, and PostgreSQL keeps none.
    if alarm.key.contains('\0') {
        return Err("its name or ARN has a character that AWS does not allow");
    }
    // Every later change would look outdated beside one that lies ahead.
    alarm.state_at = alarm.state_at.min(sent_at.checked_add(AHEAD).unwrap_or(sent_at));
    Ok(alarm)
}

/// The alarm with its free texts redacted, whole, and then cut; without NULs, which PostgreSQL keeps in no text.
fn sanitize(mut alarm: Alarm) -> Alarm {
    for (text, longest) in [(&mut alarm.title, MAX_TITLE), (&mut alarm.reason, MAX_TEXT), (&mut alarm.description, MAX_TEXT)] {
        *text = SafeText::redact(text).cut(longest).to_string().replace('\0', "\u{fffd}");
    }
    alarm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Topic;
    use crate::model::{AlarmSource, AlarmState};
    use serde_json::json;

    fn read_in(message: &str) -> Notice {
        let topic = Topic::parse("arn:aws:sns:eu-west-1:123456789012:alarms").unwrap();
        read(message, &Delivered { topic: &topic, sent_at: "2026-11-25T10:00:00Z".parse().unwrap(), subject: Some("note") })
    }

    #[test]
    fn text_that_names_a_secret_is_an_alarm_and_other_text_is_not() {
        let Notice::Alarm(alarm) = read_in("look at secret=prod/orders-db please, password=tiger") else { panic!() };
        assert_eq!(alarm.secrets, ["prod/orders-db".parse().unwrap()]);
        assert_eq!((alarm.source, alarm.title.as_str()), (AlarmSource::Text, "note"));
        assert_eq!((alarm.account_id.as_str(), alarm.region.as_str()), ("123456789012", "eu-west-1"));
        assert!(!alarm.reason.contains("tiger"), "{}", alarm.reason);
        for message in ["TEST", "", "Successfully validated SNS topic for Amazon SES event publishing.", "12", "null", "\"x\""] {
            let Notice::Ignored { reason } = read_in(message) else { panic!("{message}") };
            assert!(reason.contains("names no secret"), "{reason}");
        }
    }

    #[test]
    fn json_of_somebody_else_is_ignored_with_a_reason() {
        for message in ["{}", "[]", "{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\"}", "[{\"AlarmName\":\"x\"}]"] {
            let Notice::Ignored { reason } = read_in(message) else { panic!("{message}") };
            assert_eq!(reason, "it is JSON, but from neither CloudWatch nor EventBridge");
        }
    }

    #[test]
    fn every_shape_a_topic_carries_is_read_by_its_own_reader() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";
        let check = |compliance: &str| {
            json!({"awsAccountId": "123456789012", "awsRegion": "eu-west-1", "configRuleName": "secretsmanager-rotation-enabled-check",
                   "resourceType": "AWS::SecretsManager::Secret", "resourceId": arn, "messageType": "ComplianceChangeNotification",
                   "newEvaluationResult": {"complianceType": compliance, "resultRecordedTime": "2026-11-25T09:59:00.000Z"}})
        };
        let finding = json!({"SchemaVersion": "2018-10-08", "AwsAccountId": "123456789012", "Region": "eu-west-1",
            "GeneratorId": "security-control/SecretsManager.1", "UpdatedAt": "2026-11-25T09:59:00.000Z", "RecordState": "ACTIVE",
            "Compliance": {"Status": "FAILED"}, "Resources": [{"Type": "AwsSecretsManagerSecret", "Id": arn}]});
        let event = |source: &str, kind: &str, detail: &Value| {
            json!({"version": "0", "source": source, "detail-type": kind, "account": "123456789012", "region": "eu-west-1",
                   "time": "2026-11-25T09:59:30Z", "resources": [], "detail": detail})
        };
        let findings = json!({"findings": [finding]});
        let said = |words: &str| json!({"version": "1.0", "source": "custom", "content": {"title": words, "description": arn}});
        for (message, expected) in [
            (check("NON_COMPLIANT").to_string(), AlarmSource::Check),
            (event("aws.config", "Config Rules Compliance Change", &check("NON_COMPLIANT")).to_string(), AlarmSource::Check),
            (event("aws.securityhub", "Security Hub Findings - Imported", &findings).to_string(), AlarmSource::Check),
            (event("aws.securityhub", "Security Hub Findings - Custom Action", &findings).to_string(), AlarmSource::Check),
            (findings.to_string(), AlarmSource::Check),
            (finding.to_string(), AlarmSource::Check),
            (json!({"secret": arn}).to_string(), AlarmSource::Text),
            (json!(json!({"secret": arn}).to_string()).to_string(), AlarmSource::Text),
            (json!(format!("rotation of {arn} failed")).to_string(), AlarmSource::Text),
            (said("Rotation failed").to_string(), AlarmSource::Text),
        ] {
            let Notice::Alarm(alarm) = read_in(&message) else { panic!("{message}") };
            assert_eq!((alarm.source, alarm.secrets[0].as_str()), (expected, arn), "{message}");
            assert_eq!((alarm.state, alarm.account_id.as_str()), (AlarmState::Alarm, "123456789012"), "{message}");
        }
        // What AWS's services tell of a secret that is no failure of its rotation.
        for message in [
            event("aws.config", "Config Configuration Item Change", &json!({"configurationItem": {"ARN": arn}})).to_string(),
            event("aws.cloudformation", "CloudFormation Resource Status Change", &json!({"physical-resource-id": arn})).to_string(),
            event("aws.secretsmanager", "AWS API Call via CloudTrail", &json!({"requestParameters": {"secretId": arn}})).to_string(),
            event("aws.guardduty", "GuardDuty Finding", &json!({"secret": arn})).to_string(),
            event("aws.backup", "Backup Job State Change", &json!({"resourceArn": arn, "state": "FAILED"})).to_string(),
            json!({"detailType": "CodePipeline Pipeline Execution State Change", "source": "aws.codepipeline", "account": "123456789012",
                   "detail": {"pipeline": "rotation", "state": "FAILED", "secret": arn}}).to_string(),
            said("A new version was deployed").to_string(),
            "View the Timeline for this Resource in the Console:\nhttps://console.aws.amazon.com/config/home\n\nNew State Record:\n\
             {\"configurationItemStatus\": \"OK\", \"ARN\": \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf\"}"
                .to_owned(),
        ] {
            let Notice::Ignored { reason } = read_in(&message) else { panic!("{message}") };
            assert!(!reason.is_empty() && !reason.contains("orders"), "{reason}");
        }
    }

    #[test]
    fn a_place_that_cannot_be_is_never_asked_and_a_change_that_lies_ahead_hides_no_later_one() {
        let of = |arn: &str, account: &str, at: &str| {
            let alarm = serde_json::json!({"AlarmName": "a", "AlarmArn": arn, "AWSAccountId": account, "NewStateValue": "ALARM",
                "StateChangeTime": at});
            read_in(&alarm.to_string())
        };
        let arn = |region: &str| format!("arn:aws:cloudwatch:{region}:123456789012:alarm:a");
        let time = "2026-11-25T09:59:00.000+0000";
        for (arn, account) in [
            (arn("eu-west-1.evil.example/"), "123456789012"),
            (arn("evil.example#"), "123456789012"),
            (arn(""), "123456789012"),
            (arn("eu-west-1"), "1234"),
            (arn(&"a".repeat(33)), "123456789012"),
        ] {
            let Notice::Ignored { reason } = of(&arn, account, time) else { panic!("{arn} {account}") };
            assert_eq!(reason, "its account or region is not one of AWS");
        }
        let long = format!("{}{}", arn("eu-west-1"), "x".repeat(20_000));
        assert!(matches!(of(&long, "123456789012", time), Notice::Ignored { .. }));
        for (at, expected) in [(time, "2026-11-25T09:59:00Z"), ("9999-01-01T00:00:00.000+0000", "2026-11-25T10:05:00Z")] {
            let Notice::Alarm(alarm) = of(&arn("eu-west-1"), "123456789012", at) else { panic!("{at}") };
            assert_eq!(alarm.state_at, expected.parse().unwrap());
        }
    }

    #[test]
    fn a_long_description_is_cut_after_redaction() {
        let long = format!("{} secret=prod/x", "é".repeat(3_000));
        let Notice::Alarm(alarm) = read_in(&long) else { panic!() };
        assert_eq!(alarm.reason.chars().count(), MAX_TEXT);
    }
}
