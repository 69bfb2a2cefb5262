//! One event of CloudTrail, as event history and a trail's log group tell it.
//!
//! Sources: CloudTrail User Guide, "CloudTrail record contents"; Secrets Manager User Guide, "Log with AWS CloudTrail".

use super::trail_actor;
use crate::model::{FunctionArn, RotationStep, Tool, excerpt, without_version};
use aws_sdk_cloudtrail::types::Event;
use jiff::Timestamp;
use serde_json::Value;

/// The longest error message kept, in characters.
const MAX_MESSAGE_CHARS: usize = 2_000;

/// An event, reduced to what steps 6 and 9 ask of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrailEvent {
    pub(super) id: Option<String>,
    pub(super) at: Timestamp,
    /// The name without Lambda's version suffix.
    pub(super) name: String,
    /// Such as `secretsmanager.amazonaws.com`.
    pub(super) source: String,
    pub(super) region: String,
    pub(super) account_id: Option<String>,
    pub(super) error_code: Option<String>,
    pub(super) error_message: Option<String>,
    /// The user, role and session, or the service that acted.
    pub(super) actor: String,
    /// The session's name of who assumed a role.
    pub(super) session: Option<String>,
    pub(super) tool: Option<Tool>,
    /// The service on whose behalf it was done.
    pub(super) invoked_by: Option<String>,
    /// The role behind an assumed-role session.
    pub(super) issuer_arn: Option<String>,
    pub(super) request: Value,
    pub(super) response: Value,
    pub(super) request_id: Option<String>,
    /// The resources' ARNs, where the service lists them.
    pub(super) resources: Vec<String>,
    /// The secret a rotation event is about.
    pub(super) rotated_secret: Option<String>,
}

impl TrailEvent {
    /// Reads an entry of the event history: its JSON, and what only the entry beside it tells.
    pub(super) fn of_history(entry: &Event) -> Option<TrailEvent> {
        let mut event: Value = serde_json::from_str(entry.cloud_trail_event().unwrap_or("{}")).ok()?;
        let fields = event.as_object_mut()?;
        let mut fill = |name: &str, value: Option<String>| {
            if let (Some(value), false) = (value, fields.contains_key(name)) {
                fields.insert(name.to_owned(), value.into());
            }
        };
        fill("eventName", entry.event_name().map(str::to_owned));
        fill("eventTime", entry.event_time().and_then(super::text::timestamp).map(|at| at.to_string()));
        fill("eventSource", entry.event_source().map(str::to_owned));
        fill("eventID", entry.event_id().map(str::to_owned));
        if let (Some(user), false) = (entry.username(), fields.contains_key("userIdentity")) {
            fields.insert("userIdentity".to_owned(), serde_json::json!({ "userName": user }));
        }
        TrailEvent::of(&event)
    }

    /// Reads the JSON of one event; EventBridge's envelope around it is taken off. `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<TrailEvent> {
        let mut event: Value = serde_json::from_str(text).ok()?;
        if event.get("eventName").is_none() {
            event = event.get_mut("detail")?.take();
        }
        TrailEvent::of(&event)
    }

    fn of(event: &Value) -> Option<TrailEvent> {
        let field = |name: &str| string(event.get(name));
        let name = without_version(&field("eventName")?).to_owned();
        let identity = event.get("userIdentity");
        let source = field("eventSource").unwrap_or_default();
        let invoked_by = identity.and_then(|identity| string(identity.get("invokedBy")));
        let rotated_secret = [
            event.pointer("/additionalEventData/SecretId"),
            event.pointer("/additionalEventData/secretId"),
            event.pointer("/serviceEventDetails/secretId"),
            event.pointer("/serviceEventDetails/SecretId"),
            event.pointer("/requestParameters/secretId"),
        ]
        .into_iter()
        .find_map(string);
        let actor = identity.and_then(trail_actor::actor).or_else(|| invoked_by.clone()).unwrap_or_else(|| source.clone());
        Some(TrailEvent {
            id: field("eventID"),
            at: field("eventTime")?.parse().ok()?,
            name,
            region: field("awsRegion").unwrap_or_default(),
            account_id: field("recipientAccountId"),
            error_code: field("errorCode"),
            error_message: field("errorMessage").map(|text| excerpt(&text, MAX_MESSAGE_CHARS).to_owned()),
            session: identity.and_then(trail_actor::session).map(str::to_owned),
            tool: trail_actor::tool(event, &actor),
            actor,
            issuer_arn: event
                .pointer("/userIdentity/sessionContext/sessionIssuer/arn")
                .and_then(Value::as_str)
                .map(str::to_owned),
            invoked_by,
            request: event.get("requestParameters").cloned().unwrap_or_default(),
            response: event.get("responseElements").cloned().unwrap_or_default(),
            request_id: field("requestID"),
            resources: event
                .get("resources")
                .and_then(Value::as_array)
                .map(|list| list.iter().filter_map(|item| string(item.get("ARN").or_else(|| item.get("arn")))).collect())
                .unwrap_or_default(),
            rotated_secret,
            source,
        })
    }

    /// The secret and the version of a rotation event. Without other fields, `Rotation-<arn>-<version id>` tells both.
    pub(super) fn rotation(&self) -> Option<(String, Option<String>)> {
        let joined = self.request_id.as_deref().and_then(|id| id.strip_prefix("Rotation-"));
        // A version id that Secrets Manager makes is a UUID: five groups.
        let split = joined.and_then(|text| {
            let at = text.match_indices('-').rev().nth(4).map(|(at, _)| at)?;
            Some((text.get(..at)?, text.get(at + 1..)?)).filter(|(arn, _)| arn.starts_with("arn:"))
        });
        let secret = self.rotated_secret.clone().or_else(|| split.map(|(arn, _)| arn.to_owned()))?;
        let version = joined
            .and_then(|text| text.strip_prefix(secret.as_str()))
            .and_then(|rest| rest.strip_prefix('-'))
            .or_else(|| split.map(|(_, version)| version));
        Some((secret, version.map(str::to_owned)))
    }

    /// The rotation step and the function that `errorMessage` names.
    ///
    /// Its usual form is `Error when executing lambda <arn> during <step> step`.
    pub(super) fn failed_step(&self) -> (Option<RotationStep>, Option<FunctionArn>) {
        let words = || self.error_message.as_deref().unwrap_or_default().split_whitespace();
        let function = words().find_map(|word| super::text::function_arn(word.trim_end_matches(['.', ','])));
        let step = words().find_map(|word| RotationStep::from_name(word.trim_matches(['.', ',', '\''])));
        (step, function)
    }

    /// A parameter of the request, in whichever case the service writes it.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.request.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_str())
    }
}

fn string(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form Secrets Manager documents.
    const FAILED: &str = r#"{"eventVersion":"1.08","userIdentity":{"accountId":"123456789012","invokedBy":"secretsmanager.amazonaws.com"},
        "eventTime":"2022-09-13T02:17:48Z","eventSource":"secretsmanager.amazonaws.com","eventName":"RotationFailed",
        "awsRegion":"us-east-2","errorMessage":"Error when executing lambda arn:aws:lambda:us-east-2:123456789012:function:rotation2 during setSecret step",
        "requestParameters":null,"additionalEventData":{"SecretId":"arn:aws:secretsmanager:us-east-2:123456789012:secret:MyDatabaseSecret-a1b2c3"},
        "requestID":"Rotation-arn:aws:secretsmanager:us-east-2:123456789012:secret:MyDatabaseSecret-a1b2c3-eeb681b1-a07d-4aeb-9b61-1ee6590ec295",
        "eventID":"1","readOnly":false,"eventType":"AwsServiceEvent","recipientAccountId":"123456789012"}"#;

    const SECRET: &str = "arn:aws:secretsmanager:us-east-2:123456789012:secret:MyDatabaseSecret-a1b2c3";
    const VERSION: &str = "eeb681b1-a07d-4aeb-9b61-1ee6590ec295";

    #[test]
    fn a_failed_rotation_names_secret_version_step_and_function() {
        let event = TrailEvent::parse(FAILED).unwrap();
        assert_eq!(event.rotation(), Some((SECRET.to_owned(), Some(VERSION.to_owned()))));
        let (step, function) = event.failed_step();
        assert_eq!(step, Some(RotationStep::SetSecret));
        assert_eq!(function.unwrap().name(), "rotation2");
        assert_eq!(event.actor, "secretsmanager.amazonaws.com");
    }

    #[test]
    fn the_newer_form_the_bare_request_id_and_eventbridge_say_the_same() {
        let newer = FAILED.replace("additionalEventData", "serviceEventDetails").replace("SecretId", "secretId");
        let bare = FAILED.replace("additionalEventData", "somethingElse");
        let wrapped = format!(r#"{{"source":"aws.secretsmanager","resources":[],"detail":{FAILED}}}"#);
        for text in [newer, bare, wrapped] {
            let rotation = TrailEvent::parse(&text).unwrap().rotation();
            assert_eq!(rotation, Some((SECRET.to_owned(), Some(VERSION.to_owned()))), "{text}");
        }
    }

    #[test]
    fn what_the_record_leaves_out_is_taken_from_the_entry_around_it() {
        let entry = Event::builder()
            .event_id("1")
            .event_name("UpdateFunctionCode20150331v2")
            .event_source("lambda.amazonaws.com")
            .event_time(aws_smithy_types::DateTime::from_secs(1_767_225_600))
            .username("carol");
        let bare = entry.clone().cloud_trail_event(r#"{"requestParameters":{"functionName":"rotator"}}"#).build();
        let event = TrailEvent::of_history(&bare).unwrap();
        assert_eq!((event.name.as_str(), event.actor.as_str()), ("UpdateFunctionCode", "carol"));
        assert_eq!(event.parameter("functionName"), Some("rotator"));
        assert_eq!(event.at, "2026-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(TrailEvent::of_history(&entry.build()).map(|event| event.source), Some("lambda.amazonaws.com".to_owned()));
        let whole = Event::builder().username("x").cloud_trail_event(FAILED).build();
        assert_eq!(TrailEvent::of_history(&whole), TrailEvent::parse(FAILED));
    }

    #[test]
    fn what_is_no_event_is_ignored() {
        for text in ["", "{", "null", "[]", r#"{"eventName":"X"}"#, r#"{"eventName":"X","eventTime":"yesterday"}"#, "plain text"]
        {
            assert_eq!(TrailEvent::parse(text), None, "{text}");
        }
    }
}
