//! SNS's envelope, parsed strictly *before* anything is verified.
//!
//! The signed text joins names and values by line feeds and escapes nothing, so the same signed bytes can be cut into
//! fields in more than one way: a message of another topic's owner can be made to say that it is of ours. Exact types
//! for every field, and no line feed in any of them but `Message`, leave one way.
//!
//! Source: SNS Developer Guide, "Parsing Amazon SNS message formats" and "Verifying the signatures".

use crate::model::Arn;
use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// Keys at most; SNS sends about ten.
const MAX_KEYS: usize = 32;

/// How deep values may lie in each other; SNS's message attributes lie three deep.
const DEEPEST: usize = 8;

/// The longest subject, in characters.
///
/// Source: SNS API reference, `Publish`: less than 100; CloudWatch quotes an alarm's name of up to 255 in it.
const MAX_SUBJECT: usize = 512;

/// The longest token of a confirmation, in characters; those seen have 232 or 256.
const MAX_TOKEN: usize = 1_024;

/// The longest address, in characters; those seen have less than 600.
const MAX_URL: usize = 2_048;

/// What SNS sent, in exact types; not yet authentic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SnsEnvelope {
    pub(super) content: EnvelopeContent,
    /// Unique per message; the same for every delivery of it.
    pub(super) message_id: Uuid,
    pub(super) topic: Arn,
    pub(super) message: String,
    pub(super) sent: SentAt,
    pub(super) version: SignatureVersion,
    /// As it was sent; read by the verification.
    pub(super) signature: String,
    /// As it was sent; judged before anything is fetched.
    pub(super) certificate_url: String,
}

/// What kind of message it is, and what only that kind has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EnvelopeContent {
    Notification { subject: Option<String> },
    SubscriptionConfirmation(Confirmation),
    UnsubscribeConfirmation(Confirmation),
}

/// What confirmations carry. The address is signed, but never followed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Confirmation {
    pub(super) token: String,
    subscribe_url: String,
}

/// The token is a capability.
impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confirmation(…)")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureVersion {
    /// SHA-1.
    One,
    /// SHA-256.
    Two,
}

/// When it was sent, and as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SentAt {
    text: String,
    /// [`Timestamp::MAX`] beyond the year 9999.
    pub(super) at: Timestamp,
}

/// Why something is no envelope. No text of the sender is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("it is not one JSON object of texts with different names")]
    Json,
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} does not have its exact form")]
    Form(&'static str),
    #[error("{0} holds a control character")]
    Control(&'static str),
}

impl EnvelopeContent {
    /// What `Type` and the header `x-amz-sns-message-type` say.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            EnvelopeContent::Notification { .. } => "Notification",
            EnvelopeContent::SubscriptionConfirmation(_) => "SubscriptionConfirmation",
            EnvelopeContent::UnsubscribeConfirmation(_) => "UnsubscribeConfirmation",
        }
    }
}

impl SnsEnvelope {
    /// Reads a request's body.
    pub(super) fn parse(body: &[u8]) -> Result<SnsEnvelope, Malformed> {
        // All of it, or the values that are not read would go unchecked.
        let text = std::str::from_utf8(body).ok().filter(|text| is_shallow(text));
        let EnvelopeFields(fields) = text.and_then(|text| serde_json::from_str(text).ok()).ok_or(Malformed::Json)?;
        let mut fields = KnownFields(fields);
        let kind = fields.take("Type")?;
        let message_id = fields.line("MessageId").and_then(|text| uuid(&text))?;
        let topic = fields.line("TopicArn").and_then(|text| Arn::parse(&text).map_err(|_| Malformed::Form("TopicArn")))?;
        let message = fields.take("Message")?;
        let sent = fields.line("Timestamp").and_then(SentAt::parse)?;
        let version = match fields.take("SignatureVersion")?.as_str() {
            "1" => SignatureVersion::One,
            "2" => SignatureVersion::Two,
            _ => return Err(Malformed::Form("SignatureVersion")),
        };
        let signature = fields.take("Signature")?;
        let certificate_url = fields.either("SigningCertURL", "SigningCertUrl")?;
        let content = match kind.as_str() {
            "Notification" => {
                // SNS takes no empty subject, so one that is empty or null was made of none by whoever forwards its messages. The
                // signed text leaves it out, as that of a message without any does.
                let subject = fields.has("Subject").then(|| fields.bounded("Subject", MAX_SUBJECT)).transpose()?;
                EnvelopeContent::Notification { subject: subject.filter(|subject| !subject.is_empty()) }
            }
            "SubscriptionConfirmation" => EnvelopeContent::SubscriptionConfirmation(fields.confirmation()?),
            "UnsubscribeConfirmation" => EnvelopeContent::UnsubscribeConfirmation(fields.confirmation()?),
            _ => return Err(Malformed::Form("Type")),
        };
        Ok(SnsEnvelope { content, message_id, topic, message, sent, version, signature, certificate_url })
    }

    /// The text that was signed.
    pub(super) fn signed_text(&self) -> String {
        let message_id = self.message_id.to_string();
        let mut pairs = vec![("Message", self.message.as_str()), ("MessageId", &message_id)];
        match &self.content {
            EnvelopeContent::Notification { subject } => {
                pairs.extend(subject.as_deref().map(|subject| ("Subject", subject)));
                pairs.push(("Timestamp", &self.sent.text));
            }
            EnvelopeContent::SubscriptionConfirmation(confirmation) | EnvelopeContent::UnsubscribeConfirmation(confirmation) => {
                pairs.push(("SubscribeURL", &confirmation.subscribe_url));
                pairs.push(("Timestamp", &self.sent.text));
                pairs.push(("Token", &confirmation.token));
            }
        }
        pairs.push(("TopicArn", self.topic.as_str()));
        pairs.push(("Type", self.content.kind()));
        pairs.iter().flat_map(|(name, value)| [name, "\n", value, "\n"]).collect()
    }
}

/// True when no brackets outside texts are nested deeper than [`DEEPEST`].
fn is_shallow(json: &str) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    json.bytes().all(|byte| {
        match byte {
            _ if escaped => escaped = false,
            // Outside of texts it is no JSON, whatever follows.
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth <= DEEPEST
    })
}

/// Only the form in which it is signed: anything else would be another text for the same id.
fn uuid(text: &str) -> Result<Uuid, Malformed> {
    Uuid::try_parse(text).ok().filter(|id| id.to_string() == text).ok_or(Malformed::Form("MessageId"))
}

impl SentAt {
    /// The one form SNS writes: `2026-11-25T10:00:00.000Z`. A year of five digits is of that form too, and in the future.
    fn parse(text: String) -> Result<SentAt, Malformed> {
        let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let at = match shape.as_str() {
            // A leap second would be read as the one before it.
            "0000-00-00T00:00:00.000Z" if text.get(17..19) != Some("60") => text.parse().ok(),
            "00000-00-00T00:00:00.000Z" => Some(Timestamp::MAX),
            _ => None,
        };
        at.map(|at| SentAt { text, at }).ok_or(Malformed::Form("Timestamp"))
    }
}

/// A JSON object's texts by name; a name that occurs twice is an error. `None` is kept for null, which is as good as absent, and
/// for what is not read.
struct EnvelopeFields(BTreeMap<String, Option<String>>);

impl<'de> Deserialize<'de> for EnvelopeFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EnvelopeFields, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = EnvelopeFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EnvelopeFields, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = if KNOWN.contains(&name.as_str()) {
                map.next_value::<Option<String>>()?
            } else {
                map.next_value::<IgnoredAny>()?;
                None
            };
            if fields.len() == MAX_KEYS || fields.insert(name, value).is_some() {
                return Err(A::Error::custom("too many names, or one twice"));
            }
        }
        Ok(EnvelopeFields(fields))
    }
}

/// The names that are read. `UnsubscribeURL` is not: nobody signed it. `SigningCertUrl` is the spelling in which Lambda hands
/// messages on.
///
/// Source: Lambda Developer Guide, "Invoking Lambda functions with Amazon SNS notifications", which shows `"Subject": null` too
/// for a message without one.
const KNOWN: [&str; 12] = [
    "Message",
    "MessageId",
    "Signature",
    "SignatureVersion",
    "SigningCertURL",
    "SigningCertUrl",
    "Subject",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
];

struct KnownFields(BTreeMap<String, Option<String>>);

impl KnownFields {
    fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Option::is_some)
    }

    /// One value under one of two names.
    fn either(&mut self, name: &'static str, other: &'static str) -> Result<String, Malformed> {
        match (self.has(name), self.has(other)) {
            (true, true) => Err(Malformed::Json),
            (false, true) => self.take(other),
            _ => self.take(name),
        }
    }

    fn take(&mut self, name: &'static str) -> Result<String, Malformed> {
        self.0.remove(name).flatten().ok_or(Malformed::Missing(name))
    }

    fn line(&mut self, name: &'static str) -> Result<String, Malformed> {
        let text = self.take(name)?;
        // Also the separators some readers take for line ends.
        let is_plain = !text.chars().any(|c| c.is_control() || c == '\u{2028}' || c == '\u{2029}');
        if is_plain { Ok(text) } else { Err(Malformed::Control(name)) }
    }

    fn bounded(&mut self, name: &'static str, longest: usize) -> Result<String, Malformed> {
        let text = self.line(name)?;
        if text.chars().nth(longest).is_none() { Ok(text) } else { Err(Malformed::Form(name)) }
    }

    fn confirmation(&mut self) -> Result<Confirmation, Malformed> {
        let token = self.bounded("Token", MAX_TOKEN)?;
        if token.is_empty() || !token.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(Malformed::Form("Token"));
        }
        Ok(Confirmation { token, subscribe_url: self.bounded("SubscribeURL", MAX_URL)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn notification() -> Value {
        json!({
            "Type": "Notification",
            "MessageId": "11405cc3-9ac7-56d5-b45d-079e8f7a8edf",
            "TopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
            "Subject": "a subject",
            "Message": "two\nlines",
            "Timestamp": "2026-11-25T10:00:00.123Z",
            "SignatureVersion": "2",
            "Signature": "AAAA",
            "SigningCertURL": "https://x",
            "UnsubscribeURL": "http://169.254.169.254/",
        })
    }

    fn with(name: &str, value: Value) -> Result<SnsEnvelope, Malformed> {
        let mut fields = notification();
        fields[name] = value;
        SnsEnvelope::parse(fields.to_string().as_bytes())
    }

    #[test]
    fn the_signed_text_is_as_documented() {
        let envelope = SnsEnvelope::parse(notification().to_string().as_bytes()).unwrap();
        let lines = [
            "Message\ntwo\nlines\nMessageId\n11405cc3-9ac7-56d5-b45d-079e8f7a8edf\nSubject\na subject\n",
            "Timestamp\n2026-11-25T10:00:00.123Z\nTopicArn\narn:aws:sns:eu-west-1:123456789012:alarms\nType\nNotification\n",
        ];
        assert_eq!(envelope.signed_text(), lines.concat());

        let mut fields = notification();
        fields["Type"] = json!("SubscriptionConfirmation");
        fields["Token"] = json!("abc");
        fields["SubscribeURL"] = json!("https://s");
        let envelope = SnsEnvelope::parse(fields.to_string().as_bytes()).unwrap();
        let lines = [
            "Message\ntwo\nlines\nMessageId\n11405cc3-9ac7-56d5-b45d-079e8f7a8edf\nSubscribeURL\nhttps://s\n",
            "Timestamp\n2026-11-25T10:00:00.123Z\nToken\nabc\nTopicArn\narn:aws:sns:eu-west-1:123456789012:alarms\n",
            "Type\nSubscriptionConfirmation\n",
        ];
        assert_eq!(envelope.signed_text(), lines.concat());
        assert!(!format!("{envelope:?}").contains("abc"), "a token is shown");
    }

    #[test]
    fn only_exact_forms_are_read() {
        for (name, value, expected) in [
            ("Type", json!("notification"), Malformed::Form("Type")),
            ("Type", json!("Notification "), Malformed::Form("Type")),
            ("Type", json!("Notification\nx"), Malformed::Form("Type")),
            ("MessageId", json!("11405CC3-9ac7-56d5-b45d-079e8f7a8edf"), Malformed::Form("MessageId")),
            ("MessageId", json!("11405cc39ac756d5b45d079e8f7a8edf"), Malformed::Form("MessageId")),
            ("MessageId", json!("{11405cc3-9ac7-56d5-b45d-079e8f7a8edf}"), Malformed::Form("MessageId")),
            ("MessageId", json!("11405cc3-9ac7-56d5-b45d-079e8f7a8edf\nSubject\ns"), Malformed::Control("MessageId")),
            ("TopicArn", json!("arn:aws:sns:eu-west-1:123456789012:alarms\nType\nx"), Malformed::Control("TopicArn")),
            ("TopicArn", json!("alarms"), Malformed::Form("TopicArn")),
            ("Subject", json!("a\u{2028}b"), Malformed::Control("Subject")),
            ("Subject", json!("a\u{85}b"), Malformed::Control("Subject")),
            ("Subject", json!("x".repeat(513)), Malformed::Form("Subject")),
            ("Timestamp", json!("2026-11-25T10:00:60.000Z"), Malformed::Form("Timestamp")),
            ("Timestamp", json!("2026-11-25T10:00:00.000"), Malformed::Form("Timestamp")),
            ("Timestamp", json!("2026-11-25T10:00:00Z"), Malformed::Form("Timestamp")),
            ("Timestamp", json!("2026-11-25T10:00:00.000+00:00"), Malformed::Form("Timestamp")),
            ("Timestamp", json!("2026-02-30T10:00:00.000Z"), Malformed::Form("Timestamp")),
            ("Timestamp", json!("２026-11-25T10:00:00.000Z"), Malformed::Form("Timestamp")),
            ("SignatureVersion", json!("3"), Malformed::Form("SignatureVersion")),
            ("SignatureVersion", json!(2), Malformed::Json),
            ("Subject", json!(1), Malformed::Json),
            ("Message", Value::Null, Malformed::Missing("Message")),
            ("SigningCertURL", Value::Null, Malformed::Missing("SigningCertURL")),
            ("SigningCertUrl", json!("https://x"), Malformed::Json),
            ("Message", json!(["x"]), Malformed::Json),
        ] {
            assert_eq!(with(name, value.clone()), Err(expected), "{name} {value}");
        }
        assert_eq!(with("Timestamp", json!("10000-01-01T00:00:00.000Z")).unwrap().sent.at, Timestamp::MAX);
        assert!(with("MessageAttributes", json!({"a": {"Type": "String", "Value": "b"}})).is_ok());
        // As many as SNS allows side by side: what is closed again is not deep.
        let attributes = (0..10).map(|at| (at.to_string(), json!({"Type": "String", "Value": "}"}))).collect();
        assert!(with("MessageAttributes", Value::Object(attributes)).is_ok());
        assert!(with("Message", json!("\\\"[[[[[[[[[[[[{{{{{{{{{{{")).is_ok());
    }

    #[test]
    fn what_is_optional_may_come_as_null_and_counts_as_absent() {
        let mut bare = notification();
        bare.as_object_mut().unwrap().remove("Subject");
        let bare = SnsEnvelope::parse(bare.to_string().as_bytes()).unwrap();
        assert!(!bare.signed_text().contains("Subject"));
        for subject in [Value::Null, json!("")] {
            assert_eq!(with("Subject", subject), Ok(bare.clone()));
        }
        let whole = SnsEnvelope::parse(notification().to_string().as_bytes()).unwrap();
        for optional in ["Token", "SubscribeURL", "UnsubscribeURL", "SigningCertUrl", "MessageAttributes", "SequenceNumber"] {
            assert_eq!(with(optional, Value::Null), Ok(whole.clone()), "{optional}");
        }
        let respelled = notification().to_string().replace("SigningCertURL", "SigningCertUrl");
        assert_eq!(SnsEnvelope::parse(respelled.as_bytes()), Ok(whole));
        for twice in ["\"Subject\":null,", "\"Token\":null,\"Token\":null,"] {
            let body = notification().to_string().replacen('{', &format!("{{{twice}"), 1);
            assert_eq!(SnsEnvelope::parse(body.as_bytes()), Err(Malformed::Json), "{twice}");
        }
    }

    #[test]
    fn what_is_no_single_object_is_refused_without_overflow() {
        let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let inside = notification().to_string().replace("\"a subject\"", &nested);
        let unknown = notification().to_string().replacen('{', &format!("{{\"Other\":{nested},"), 1);
        let twice = notification().to_string().replacen('{', "{\"TopicArn\":\"x\",", 1);
        let unknown_twice = notification().to_string().replacen('{', "{\"a\":1,\"a\":2,", 1);
        let many: String = (0..100).map(|n| format!("\"k{n}\":1,")).collect();
        let many = notification().to_string().replacen('{', &format!("{{{many}"), 1);
        let behind = format!("{}x", notification());
        let (opened, closed) = ("[".repeat(8), "]".repeat(8));
        let closed_in_a_text =
            notification().to_string().replacen('{', &format!("{{\"Other\":[\"{closed}\",{opened}{closed}],"), 1);
        for body in [
            "",
            "{",
            "[]",
            "\"x\"",
            "null",
            &nested,
            &inside,
            &unknown,
            &closed_in_a_text,
            &twice,
            &unknown_twice,
            &many,
            &behind,
        ] {
            assert_eq!(
                SnsEnvelope::parse(body.as_bytes()),
                Err(Malformed::Json),
                "{}",
                body.chars().take(60).collect::<String>()
            );
        }
    }
}
