//! Authentic messages: what they are kept as.

use crate::sns_signer::notification;
use crate::world::{SENT, World};
use axum::http::StatusCode;
use rotation_diag::alarm::Notice;
use rotation_diag::model::AlarmState;
use serde_json::{Value, json};

fn alarm() -> Value {
    json!({
        "AlarmName": "orders", "AWSAccountId": "123456789012", "NewStateValue": "ALARM", "OldStateValue": "OK",
        "NewStateReason": "password=tiger", "StateChangeTime": "2026-11-25T09:59:00.000+0000",
        "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders",
        "Trigger": {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": []}
    })
}

async fn notice(message: &str) -> Notice {
    let world = World::new().await;
    assert_eq!(world.send(&notification(SENT, message)).await, StatusCode::OK, "{message}");
    let mut notices = world.kept.notices();
    assert_eq!(notices.len(), 1);
    notices.remove(0)
}

#[tokio::test]
async fn a_message_that_is_no_alarm_is_kept_as_ignored_with_a_reason() {
    let mut unknown_state = alarm();
    unknown_state["NewStateValue"] = json!("MAYBE");
    let mut no_time = alarm();
    no_time.as_object_mut().unwrap().remove("StateChangeTime");
    for (message, expected) in [
        ("{".to_owned(), "it is text that names no secret"),
        ("TEST".to_owned(), "it is text that names no secret"),
        ("Successfully validated SNS topic for Amazon RDS events.".to_owned(), "it is text that names no secret"),
        ("{\"Records\": []}".to_owned(), "it is JSON, but from neither CloudWatch nor EventBridge"),
        (unknown_state.to_string(), "its state is unknown"),
        (no_time.to_string(), "without the time of the change"),
        ("[".repeat(100_000), "it is text that names no secret"),
    ] {
        let Notice::Ignored { reason } = notice(&message).await else { panic!("{message}") };
        assert!(reason.contains(expected), "{reason}");
    }
}

#[tokio::test]
async fn every_state_of_an_alarm_is_kept_redacted_and_extra_fields_do_no_harm() {
    for (word, state) in
        [("ALARM", AlarmState::Alarm), ("OK", AlarmState::Ok), ("INSUFFICIENT_DATA", AlarmState::InsufficientData)]
    {
        let mut message = alarm();
        message["NewStateValue"] = json!(word);
        message["Unheard"] = json!([1, {"of": null}]);
        let Notice::Alarm(alarm) = notice(&message.to_string()).await else { panic!("{word}") };
        assert_eq!(alarm.state, state);
        assert!(!alarm.reason.contains("tiger"), "{}", alarm.reason);
        assert_eq!(alarm.topic.as_deref(), Some(crate::sns_signer::TOPIC));
    }
}
