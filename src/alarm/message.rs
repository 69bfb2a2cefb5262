//! What an authentic message says: an alarm, or something that is recorded as ignored, with a reason.

use super::change::Change;
use super::named::Named;
use super::{cloudwatch, eventbridge};
use crate::config::Topic;
use crate::model::{Alarm, AlarmSource, AlarmState};
use crate::redact::SafeText;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The longest text of an alarm that is kept, in characters.
///
/// Source: CloudWatch API reference: a description has at most 1 024 characters, a state's reason 1 023.
const LONGEST_TEXT: usize = 1_024;

/// The longest title, in characters; an alarm's name has at most 255.
const LONGEST_TITLE: usize = 255;

/// The longest region, in bytes; the longest there is has 14.
const LONGEST_REGION: usize = 32;

/// The longest text by which an alarm is known again, in bytes. An alarm's ARN has less than 400; a text may name many secrets.
const LONGEST_KEY: usize = 16 << 10;

/// How far ahead of its sending a change may lie: clocks differ a little.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// What became of an authentic message.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// An alarm. Its texts are redacted.
    Alarm(Box<Alarm>),
    /// Nothing to investigate.
    Ignored {
        /// Why, in one sentence without the sender's words.
        reason: &'static str,
    },
}

/// What the envelope tells about the message in it.
pub(super) struct Delivered<'a> {
    pub(super) topic: &'a Topic,
    pub(super) sent_at: Timestamp,
    pub(super) subject: Option<&'a str>,
}

/// Reads a notification's message.
pub(super) fn read(message: &str, delivered: &Delivered<'_>) -> Notice {
    let read = match serde_json::from_str::<Value>(message) {
        Ok(value @ Value::Object(_)) => read_object(&value, delivered),
        // AWS writes one such object for its own tests; anything else that is JSON is somebody's own.
        Ok(Value::Array(_)) => Err("it is JSON, but neither of CloudWatch nor of EventBridge"),
        _ => read_text(message, delivered),
    };
    match read.and_then(|alarm| sound(alarm, delivered.sent_at)) {
        Ok(mut alarm) => {
            alarm.topic = Some(delivered.topic.arn().as_str().to_owned());
            Notice::Alarm(Box::new(inert(alarm)))
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
    } else {
        Err("it is JSON, but neither of CloudWatch nor of EventBridge")
    }
}

/// Text counts where it names a secret or a function; everything else is a greeting or a test.
fn read_text(message: &str, delivered: &Delivered<'_>) -> Result<Alarm, &'static str> {
    let mut named = Named::default();
    delivered.subject.into_iter().chain([message]).for_each(|text| named.read_text(text));
    if named.is_empty() {
        return Err("it is text that names no secret: write its ARN, or secret=NAME");
    }
    let title = delivered.subject.unwrap_or_else(|| message.lines().next().unwrap_or_default());
    let arn = delivered.topic.arn();
    let about: Vec<&str> = named.secrets.iter().map(|secret| secret.as_str()).collect();
    let key = format!("text:{}:{}", about.join(","), named.functions.join(","));
    let change = Change { state: AlarmState::Alarm, at: delivered.sent_at, reason: message };
    Ok(named.of(change.by(AlarmSource::Text, &key, title, (arn.account_id(), arn.region()))))
}

/// The alarm, where it is of a place that can be, and about what has happened already.
fn sound(mut alarm: Alarm, sent_at: Timestamp) -> Result<Alarm, &'static str> {
    let is_account = alarm.account_id.len() == 12 && alarm.account_id.bytes().all(|byte| byte.is_ascii_digit());
    // A region becomes a part of the host that is asked.
    let region_signs = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !is_account || !(1..=LONGEST_REGION).contains(&alarm.region.len()) || !alarm.region.bytes().all(region_signs) {
        return Err("its account or region is none of AWS");
    }
    if alarm.key.len() > LONGEST_KEY {
        return Err("what identifies it is longer than AWS allows");
    }
    // Every later change would look outdated beside one that lies ahead.
    alarm.state_at = alarm.state_at.min(sent_at.checked_add(AHEAD).unwrap_or(sent_at));
    Ok(alarm)
}

/// The alarm with its free texts redacted, whole, and then cut.
fn inert(mut alarm: Alarm) -> Alarm {
    for (text, longest) in
        [(&mut alarm.title, LONGEST_TITLE), (&mut alarm.reason, LONGEST_TEXT), (&mut alarm.description, LONGEST_TEXT)]
    {
        *text = SafeText::redact(text).cut(longest).to_string();
    }
    alarm
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(reason, "it is JSON, but neither of CloudWatch nor of EventBridge");
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
            assert_eq!(reason, "its account or region is none of AWS");
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
        assert_eq!(alarm.reason.chars().count(), LONGEST_TEXT);
    }
}
