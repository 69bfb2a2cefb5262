//! What an authentic message says: an alarm, or something that is recorded as ignored, with a reason.

use super::change::Change;
use super::named::Named;
use super::{cloudwatch, eventbridge};
use crate::config::Topic;
use crate::model::{Alarm, AlarmSource, AlarmState};
use crate::redact::SafeText;
use jiff::Timestamp;
use serde_json::Value;

/// The longest text of an alarm that is kept, in characters.
///
/// Source: CloudWatch API reference: a description has at most 1 024 characters, a state's reason 1 023.
const LONGEST_TEXT: usize = 1_024;

/// The longest title, in characters; an alarm's name has at most 255.
const LONGEST_TITLE: usize = 255;

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
    match read {
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
    fn a_long_description_is_cut_after_redaction() {
        let long = format!("{} secret=prod/x", "é".repeat(3_000));
        let Notice::Alarm(alarm) = read_in(&long) else { panic!() };
        assert_eq!(alarm.reason.chars().count(), LONGEST_TEXT);
    }
}
