//! Confirmations: through AWS's API for believed topics, never by following an address.

use crate::sns_signer::{HOST, STRANGER, TOPIC, confirmation, signed};
use crate::world::{CANARY, SENT, World};
use axum::http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_subscription_to_a_believed_topic_is_confirmed_by_the_api_and_its_address_is_not_followed() {
    let world = World::new().await;
    let fields = confirmation("SubscriptionConfirmation", SENT);
    assert_eq!(world.send(&fields).await, StatusCode::OK);
    let token = fields["Token"].as_str().unwrap().to_owned();
    assert_eq!(*world.confirmed.calls.lock().unwrap(), [(TOPIC.to_owned(), token.clone())]);
    let (connections, names) = world.host.contacts();
    assert_eq!((connections, names), (1, vec![HOST.to_owned()]), "only the certificate's host is contacted");
    assert_eq!(world.kept.notices(), []);
    assert!(!world.log.text().contains(&token), "the token is logged");
}

#[tokio::test]
async fn a_confirmation_that_fails_is_tried_again_by_the_sender() {
    let world = World::new().await;
    *world.confirmed.fails.lock().unwrap() = true;
    let fields = confirmation("SubscriptionConfirmation", SENT);
    assert_eq!(world.send(&fields).await, StatusCode::SERVICE_UNAVAILABLE);
    *world.confirmed.fails.lock().unwrap() = false;
    assert_eq!(world.send(&fields).await, StatusCode::OK);
}

#[tokio::test]
async fn nothing_else_is_confirmed() {
    let world = World::new().await;
    let good = || confirmation("SubscriptionConfirmation", SENT);
    let with = |key: &str, value: serde_json::Value| {
        let mut fields = good();
        fields[key] = value;
        fields
    };
    let long = "a".repeat(1 << 20);
    for (case, fields, expected) in [
        ("an unknown topic", signed(with("TopicArn", json!(STRANGER))), StatusCode::FORBIDDEN),
        ("unsigned", with("Signature", json!("")), StatusCode::FORBIDDEN),
        ("another token", with("Token", json!(CANARY.replace('-', ""))), StatusCode::FORBIDDEN),
        ("another address", with("SubscribeURL", json!(format!("https://{CANARY}"))), StatusCode::FORBIDDEN),
        ("no token", signed(with("Token", json!(""))), StatusCode::BAD_REQUEST),
        ("a long token", signed(with("Token", json!(long))), StatusCode::BAD_REQUEST),
        ("a token of two lines", signed(with("Token", json!("a\nTopicArn\nb"))), StatusCode::BAD_REQUEST),
        ("an address of two lines", signed(with("SubscribeURL", json!("a\nTimestamp\nb"))), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(world.send(&fields).await, expected, "{case}");
        world.assert_nothing_came_of_it(case);
    }
}

#[tokio::test]
async fn a_removed_subscription_warns_the_operator_and_is_not_renewed() {
    let world = World::new().await;
    assert_eq!(world.send(&confirmation("UnsubscribeConfirmation", SENT)).await, StatusCode::OK);
    assert_eq!(*world.confirmed.calls.lock().unwrap(), []);
    assert_eq!(world.kept.notices(), []);
    let log = world.log.text();
    assert!(log.contains("WARN") && log.contains("a subscription to this topic was removed"), "{log}");
}
