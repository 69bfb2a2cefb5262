//! Envelopes: forms, topics, ages, and signed bytes that were cut anew.

use crate::sns_signer::{STRANGER, TOPIC, confirmation, notification, recut, signed};
use crate::world::{CANARY, SENT, World, post, sns};
use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

const REQUIRED: [&str; 8] =
    ["Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertURL"];

#[tokio::test]
async fn a_message_without_one_of_its_keys_is_malformed() {
    let world = World::new().await;
    let confirmations = ["SubscriptionConfirmation", "UnsubscribeConfirmation"].map(|kind| (kind, ["Token", "SubscribeURL"]));
    for key in REQUIRED {
        let mut fields = notification(SENT, CANARY);
        fields.as_object_mut().unwrap().remove(key);
        assert_eq!(world.send(&fields).await, StatusCode::BAD_REQUEST, "{key}");
    }
    for (kind, keys) in confirmations {
        for key in keys.into_iter().chain(REQUIRED) {
            let mut fields = confirmation(kind, SENT);
            fields.as_object_mut().unwrap().remove(key);
            assert_eq!(world.send(&fields).await, StatusCode::BAD_REQUEST, "{kind} {key}");
        }
    }
    world.assert_untouched("a02");
}

#[tokio::test]
async fn a_value_of_another_type_is_malformed() {
    let world = World::new().await;
    for key in REQUIRED.into_iter().chain(["Subject"]) {
        for value in [json!(1), Value::Null, json!(true), json!({"a": CANARY}), json!([CANARY])] {
            let mut fields = notification(SENT, CANARY);
            let one_element = json!([fields[key].clone()]);
            for value in [value, one_element] {
                // Without a subject it is signed otherwise, and well-formed.
                if key == "Subject" && value.is_null() {
                    continue;
                }
                fields[key] = value.clone();
                assert_eq!(world.send(&fields).await, StatusCode::BAD_REQUEST, "{key} {value}");
            }
        }
    }
    world.assert_untouched("a03");
}

#[tokio::test]
async fn a_subject_that_is_null_or_empty_counts_as_absent_and_is_left_out_of_what_is_signed() {
    for subject in [Value::Null, json!("")] {
        let world = World::new().await;
        let mut bare = notification(SENT, "x");
        bare.as_object_mut().unwrap().remove("Subject");
        let mut fields = signed(bare);
        fields["Subject"] = subject.clone();
        for optional in ["Token", "SubscribeURL", "UnsubscribeURL", "MessageAttributes", "SequenceNumber"] {
            fields[optional] = Value::Null;
        }
        assert_eq!(world.send(&fields).await, StatusCode::OK, "{subject}");
        // What was signed with a subject is not what was sent without.
        let mut stripped = notification(SENT, CANARY);
        stripped["Subject"] = subject.clone();
        assert_eq!(world.send(&stripped).await, StatusCode::FORBIDDEN, "{subject}");
        assert_eq!(world.kept.notices().len(), 1);
    }
}

#[tokio::test]
async fn a_message_as_lambda_hands_it_on_is_taken() {
    let world = World::new().await;
    let mut fields = notification(SENT, "x");
    fields.as_object_mut().unwrap().remove("Subject");
    let mut fields = signed(fields);
    let url = fields.as_object_mut().unwrap().remove("SigningCertURL").unwrap();
    fields["SigningCertUrl"] = url.clone();
    (fields["Subject"], fields["MessageAttributes"]) = (Value::Null, json!({}));
    fields["UnsubscribeUrl"] = fields.as_object_mut().unwrap().remove("UnsubscribeURL").unwrap();
    assert_eq!(world.send(&fields).await, StatusCode::OK);
    fields["SigningCertURL"] = url;
    assert_eq!(world.send(&fields).await, StatusCode::BAD_REQUEST, "two addresses");
}

#[tokio::test]
async fn a_key_that_occurs_twice_is_malformed() {
    let world = World::new().await;
    let fields = notification(SENT, CANARY);
    for key in REQUIRED.into_iter().chain(["Subject", "UnsubscribeURL"]) {
        for value in [fields[key].clone(), json!("other")] {
            let body = fields.to_string().replacen('{', &format!("{{{}:{value},", json!(key)), 1);
            assert_eq!(world.send_bytes(body).await, StatusCode::BAD_REQUEST, "{key}");
        }
    }
    world.assert_untouched("a04");
}

#[tokio::test]
async fn one_changed_character_anywhere_breaks_the_signature() {
    let world = World::new().await;
    type Change = fn(&str) -> String;
    let changes: [(&str, Change); 7] = [
        ("Message", |text| format!("{text}!")),
        ("Message", |text| text.replacen('x', "X", 1)),
        ("Subject", |text| text.replacen("ALARM", "alarm", 1)),
        ("Timestamp", |text| text.replacen(".000Z", ".001Z", 1)),
        ("TopicArn", |_| "arn:aws:sns:eu-west-1:123456789012:other".to_owned()),
        ("MessageId", |_| Uuid::new_v4().to_string()),
        ("Signature", |text| if text.starts_with('A') { text.replacen('A', "B", 1) } else { format!("A{}", text.split_at(1).1) }),
    ];
    for (key, change) in changes {
        let mut fields = notification(SENT, CANARY);
        fields[key] = json!(change(fields[key].as_str().unwrap()));
        assert_eq!(world.send(&fields).await, StatusCode::FORBIDDEN, "{key}");
    }
    let mut without_subject = notification(SENT, CANARY);
    without_subject.as_object_mut().unwrap().remove("Subject");
    assert_eq!(world.send(&without_subject).await, StatusCode::FORBIDDEN);
    world.assert_nothing_came_of_it("a05");
    assert_eq!(world.send(&notification(SENT, CANARY)).await, StatusCode::OK);
}

#[tokio::test]
async fn a_signature_that_is_not_strict_base64_is_wrong() {
    let world = World::new().await;
    let good = notification(SENT, CANARY);
    let signature = good["Signature"].as_str().unwrap().to_owned();
    let url_safe = signature.replace('+', "-").replace('/', "_");
    let huge = "A".repeat(1 << 20);
    for bad in [
        "",
        "!",
        "====",
        &format!(" {signature}"),
        &format!("{signature}\n"),
        &format!("{signature}AAAA"),
        &format!("{}\n{}", signature.split_at(76).0, signature.split_at(76).1),
        signature.trim_end_matches('='),
        if url_safe == signature { "_-_-" } else { &url_safe },
        signature.split_at(signature.len() / 2).0,
        &huge,
    ] {
        let mut fields = good.clone();
        fields["Signature"] = json!(bad);
        assert_eq!(world.send(&fields).await, StatusCode::FORBIDDEN, "{}", bad.chars().take(40).collect::<String>());
    }
    world.assert_nothing_came_of_it("a07");
}

#[tokio::test]
async fn a_signature_relabelled_with_another_version_is_wrong() {
    let both = rotation_diag::config::Sns { accepts_version_1: true, ..sns() };
    let world = World::with(both, crate::world::NOW).await;
    let mut fields = notification(SENT, CANARY);
    fields["SignatureVersion"] = json!("1");
    assert_eq!(world.send(&fields).await, StatusCode::FORBIDDEN);
    world.assert_nothing_came_of_it("a09");
    // The reverse, with a message that AWS itself signed with version 1, is in `signed_by_aws`.
}

#[tokio::test]
async fn version_one_is_refused_before_anything_is_fetched_and_the_log_says_what_to_do() {
    let world = World::new().await;
    let mut fields = notification(SENT, CANARY);
    fields["SignatureVersion"] = json!("1");
    assert_eq!(world.send(&fields).await, StatusCode::FORBIDDEN);
    world.assert_untouched("version 1");
    assert!(world.log.text().contains("set the topic's attribute SignatureVersion to 2"), "{}", world.log.text());
}

#[tokio::test]
async fn an_authentic_message_of_another_accounts_topic_is_refused() {
    let world = World::new().await;
    for topic in [
        STRANGER.to_owned(),
        format!("{TOPIC}2"),
        TOPIC.replace("eu-west-1", "us-east-1"),
        TOPIC.replace(":alarms", ":ALARMS"),
        TOPIC.replace("arn:aws:", "arn:aws-cn:"),
    ] {
        let mut fields = notification(SENT, CANARY);
        fields["TopicArn"] = json!(topic);
        assert_eq!(world.send(&signed(fields)).await, StatusCode::FORBIDDEN, "{topic}");
    }
    world.assert_untouched("a24");
}

#[tokio::test]
async fn signed_bytes_cut_into_other_fields_are_malformed_before_verification() {
    let world = World::new().await;
    let (real, forged) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());

    // The stranger publishes, to a topic of his own, a message that spells out the rest of another one.
    let spelled = format!("{CANARY}\nMessageId\n{forged}\nTimestamp\n{SENT}\nTopicArn\n{TOPIC}\nType\nNotification");
    let published = signed(json!({
        "Type": "Notification", "MessageId": real, "TopicArn": STRANGER, "Message": spelled, "Timestamp": SENT,
    }));
    let rest = format!("MessageId\n{real}\nTimestamp\n{SENT}\nTopicArn\n{STRANGER}\nType\nNotification");
    let many_lined_type = recut(
        &published,
        &[
            ("Message", CANARY),
            ("MessageId", &forged),
            ("Timestamp", SENT),
            ("TopicArn", TOPIC),
            ("Type", &format!("Notification\n{rest}")),
        ],
    );
    let absorbed = format!("{TOPIC}\nType\nNotification\nMessageId\n{real}\nTimestamp\n{SENT}\nTopicArn\n{STRANGER}");
    let many_lined_topic = recut(
        &published,
        &[("Message", CANARY), ("MessageId", &forged), ("Timestamp", SENT), ("TopicArn", &absorbed), ("Type", "Notification")],
    );

    // And a message of the believed topic is given another id by folding its subject into it.
    let own = notification(SENT, CANARY);
    let subject = own["Subject"].as_str().unwrap();
    let folded_id = format!("{}\nSubject\n{subject}", own["MessageId"].as_str().unwrap());
    let folded = recut(
        &own,
        &[("Message", CANARY), ("MessageId", &folded_id), ("Timestamp", SENT), ("TopicArn", TOPIC), ("Type", "Notification")],
    );
    for (case, fields) in [("a26", many_lined_type), ("a27", many_lined_topic), ("a28", folded)] {
        assert_eq!(world.send(&fields).await, StatusCode::BAD_REQUEST, "{case}");
    }
    world.assert_untouched("a26 to a28");
}

#[tokio::test]
async fn an_unknown_type_is_malformed() {
    let world = World::new().await;
    for kind in ["", "notification", "NOTIFICATION", "Notification ", " Notification", "Notification\u{0}", "Other"] {
        let mut fields = notification(SENT, CANARY);
        fields["Type"] = json!(kind);
        assert_eq!(world.send(&fields).await, StatusCode::BAD_REQUEST, "{kind:?}");
    }
    world.assert_untouched("a30");
}

#[tokio::test]
async fn headers_that_disagree_and_raw_delivery_are_refused() {
    let world = World::new().await;
    let body = notification(SENT, CANARY).to_string();
    let mismatch = [("x-amz-sns-message-type", "SubscriptionConfirmation")];
    assert_eq!(post(&world.router, body.clone(), &mismatch).await, StatusCode::BAD_REQUEST);
    let raw = [("x-amz-sns-rawdelivery", "true"), ("x-amz-sns-message-type", "Notification")];
    assert_eq!(post(&world.router, CANARY, &raw).await, StatusCode::BAD_REQUEST);
    world.assert_untouched("a31, a32");
    assert!(world.log.text().contains("turn it off"), "{}", world.log.text());
    assert_eq!(post(&world.router, body, &[("x-amz-sns-message-type", "Notification")]).await, StatusCode::OK);
}

#[tokio::test]
async fn what_sns_really_sends_is_taken() {
    let world = World::new().await;
    let fields = notification(SENT, "Grüße 🔑\nzwei \"Zeilen\" \\ \u{7f} \u{1b}[0m");
    let headers = [
        ("x-amz-sns-message-type", "Notification"),
        ("x-amz-sns-message-id", fields["MessageId"].as_str().unwrap()),
        ("x-amz-sns-topic-arn", TOPIC),
        ("user-agent", "Amazon Simple Notification Service Agent"),
    ];
    let pretty = serde_json::to_string_pretty(&fields).unwrap();
    assert_eq!(post(&world.router, pretty, &headers).await, StatusCode::OK);
    assert_eq!(world.kept.notices().len(), 1);
}

#[tokio::test]
async fn a_message_that_comes_again_is_kept_once() {
    let world = World::new().await;
    let fields = notification(SENT, "x");
    let body = fields.to_string();
    for _ in 0..2 {
        assert_eq!(world.send(&fields).await, StatusCode::OK);
    }
    let at_once = (0..100).map(|_| post(&world.router, body.clone(), &[]));
    assert!(futures::future::join_all(at_once).await.iter().all(|status| *status == StatusCode::OK));
    let later = world.restarted(sns(), "2026-11-25T10:59:00Z", world.host.client());
    assert_eq!(post(&later, body, &[]).await, StatusCode::OK);
    assert_eq!(world.kept.notices().len(), 1);
}

#[tokio::test]
async fn the_age_decides() {
    let world = World::new().await;
    for (sent, expected) in [
        ("2026-11-25T09:01:00.000Z", StatusCode::OK),
        ("2026-11-25T10:04:00.000Z", StatusCode::OK),
        ("2026-11-25T08:59:59.000Z", StatusCode::FORBIDDEN),
        ("2026-11-25T10:10:00.000Z", StatusCode::FORBIDDEN),
        ("1970-01-01T00:00:00.000Z", StatusCode::FORBIDDEN),
        ("0000-01-01T00:00:00.000Z", StatusCode::FORBIDDEN),
        ("9999-12-30T00:00:00.000Z", StatusCode::FORBIDDEN),
        ("10000-01-01T00:00:00.000Z", StatusCode::FORBIDDEN),
        ("2026-11-25T09:59:60.000Z", StatusCode::BAD_REQUEST),
        ("2026-11-25T10:00:00.000", StatusCode::BAD_REQUEST),
        ("2026-11-25T10:00:00.000+00:00", StatusCode::BAD_REQUEST),
        ("2026-11-25 10:00:00.000Z", StatusCode::BAD_REQUEST),
        ("2026-11-25T10:00:00.000z", StatusCode::BAD_REQUEST),
        ("2026-13-25T10:00:00.000Z", StatusCode::BAD_REQUEST),
        ("", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(world.send(&notification(sent, CANARY)).await, expected, "{sent:?}");
    }
    assert_eq!(world.kept.notices().len(), 2);
    assert!(world.log.text().contains("this machine's clock may be wrong"));
}
