//! Known answers: messages that Amazon SNS itself signed.

use crate::sns_signer::Behaviour;
use crate::world::{World, sns};
use axum::http::StatusCode;
use rotation_diag::config::{Sns, Topic};
use serde_json::{Value, json};
use std::time::Duration;

struct Samples {
    certificate: String,
    messages: Vec<Value>,
}

fn samples() -> Samples {
    let file: Value = serde_json::from_str(include_str!("../data/sns-signed-by-aws.json")).unwrap();
    let messages = file["messages"].as_array().unwrap().clone();
    assert_eq!(messages.len(), 4);
    Samples { certificate: file["certificate"].as_str().unwrap().to_owned(), messages }
}

async fn world(samples: &Samples, accepts_version_1: bool) -> World {
    let topics = samples.messages.iter().map(|message| Topic::parse(message["TopicArn"].as_str().unwrap()).unwrap());
    let config = Sns { topics: topics.collect(), accepts_version_1, max_age: Duration::from_secs(7_200), ..sns() };
    let world = World::with(config, "2022-07-28T23:00:00Z").await;
    world.host.behave(Behaviour::Serve(samples.certificate.clone().into_bytes()));
    world
}

#[tokio::test]
async fn messages_signed_by_aws_are_taken_as_the_configuration_says() {
    let samples = samples();
    for accepts_version_1 in [false, true] {
        let world = world(&samples, accepts_version_1).await;
        for message in &samples.messages {
            let is_two = message["SignatureVersion"] == "2";
            let expected = if is_two || accepts_version_1 { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(world.send(message).await, expected, "{message}");
        }
    }
}

#[tokio::test]
async fn a_message_signed_by_aws_cannot_be_changed_or_relabelled() {
    let samples = samples();
    let world = world(&samples, true).await;
    for message in &samples.messages {
        let mut relabelled = message.clone();
        relabelled["SignatureVersion"] = if message["SignatureVersion"] == "1" { json!("2") } else { json!("1") };
        assert_eq!(world.send(&relabelled).await, StatusCode::FORBIDDEN);
        let mut changed = message.clone();
        changed["Message"] = json!("Hello World");
        assert_eq!(world.send(&changed).await, StatusCode::FORBIDDEN);
    }
    world.assert_nothing_came_of_it("a09");
}

#[tokio::test]
async fn the_certificate_of_2022_no_longer_counts_today() {
    let samples = samples();
    let topics = samples.messages.iter().map(|message| Topic::parse(message["TopicArn"].as_str().unwrap()).unwrap());
    let config = Sns { topics: topics.collect(), max_age: Duration::from_secs(30 * 86_400), ..sns() };
    let world = World::with(config, "2022-08-18T00:00:00Z").await;
    world.host.behave(Behaviour::Serve(samples.certificate.clone().into_bytes()));
    assert_eq!(world.send(&samples.messages[1]).await, StatusCode::FORBIDDEN);
    assert!(world.log.text().contains("its certificate is not valid now"), "{}", world.log.text());
}
