//! JSON documents and structures are redacted string by string.

use rotation_diag::redact::{Redactor, SafeText};
use serde_json::json;

#[test]
fn a_policy_document_survives_and_named_values_do_not() {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "AllowRotationOfPasswords",
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"],
            "Resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-password-AbCdEf",
            "Condition": {
                "StringEquals": {"secretsmanager:resource/AllowRotationLambdaArn": "arn:aws:lambda:us-east-1:123456789012:function:rotate", "kms:EncryptionContext:SecretARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf"},
                "Null": {"aws:TokenIssueTime": "false"}
            }
        }]
    });
    let mut same = policy.clone();
    assert_eq!(Redactor::default().redact_json(&mut same), 0);
    assert_eq!(same, policy);

    let mut document = json!({
        "requestParameters": {"secretString": "plain", "secretId": "prod/db", "clientRequestToken": "7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11"},
        "secret": "orders-db", "name": "prod/db-password",
        "tags": [{"Key": "team", "Value": "orders"}, {"Key": "db_password", "Value": "plain"}],
        "MasterUserPassword": "plain", "password": null, "passwords": ["plain password=other"],
        "text": "failed with password=plain", "count": 3,
        "hidden": {"token": ["plain", "[hidden: token]"]},
        "item": {"password": {"S": "plain"}, "apiKey": {"value": "plain", "since": "yesterday"}}
    });
    assert_eq!(Redactor::default().redact_json(&mut document), 8);
    assert_eq!(
        document,
        json!({
            "requestParameters": {"secretString": "[hidden: named secret]", "secretId": "prod/db", "clientRequestToken": "7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11"},
            "secret": "orders-db", "name": "prod/db-password",
            "tags": [{"Key": "team", "Value": "orders"}, {"Key": "db_password", "Value": "[hidden: named secret]"}],
            "MasterUserPassword": "[hidden: named secret]", "password": null, "passwords": ["plain password=[hidden: password]"],
            "text": "failed with password=[hidden: password]", "count": 3,
            "hidden": {"token": ["[hidden: named secret]", "[hidden: token]"]},
            "item": {"password": {"S": "[hidden: named secret]"}, "apiKey": {"value": "[hidden: named secret]", "since": "yesterday"}}
        })
    );
    let once = document.clone();
    assert_eq!(Redactor::default().redact_json(&mut document), 0);
    assert_eq!(document, once);
}

#[test]
fn every_string_of_a_structure_is_redacted() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    enum Line {
        Error { text: String },
        Plain(String),
    }
    let lines = vec![
        Some(Line::Error { text: "password=xyzzy".to_owned() }),
        Some(Line::Plain("password authentication failed".to_owned())),
        None,
    ];
    let (lines, count) = Redactor::default().redact_strings(lines).unwrap();
    assert_eq!(count, 1);
    assert_eq!(
        lines,
        vec![
            Some(Line::Error { text: "password=[hidden: password]".to_owned() }),
            Some(Line::Plain("password authentication failed".to_owned())),
            None,
        ]
    );
}

#[test]
fn safe_text_serialises_as_its_text() {
    let text = SafeText::redact("password=xyzzy");
    assert_eq!(serde_json::to_value(&text).unwrap(), json!("password=[hidden: password]"));
    assert_eq!(format!("{text:>30}"), "   password=[hidden: password]");
    let same: [String; 4] = [(*text).to_owned(), text.as_ref().to_owned(), SafeText::from(&text).into(), text.clone().into()];
    assert_eq!(same, ["password=[hidden: password]"; 4]);
}

#[test]
fn a_named_value_counts_as_hidden_only_where_it_is_a_marker_and_nothing_else() {
    for (value, count) in [
        ("", 0),
        ("[hidden: password]", 0),
        ("[hidden: password] xyzzy", 1),
        ("[hidden: password] xyzzy]", 1),
        ("[hidden: password]\nxyzzy]", 1),
        ("xyzzy [hidden: password]", 1),
        ("xyzzy]", 1),
    ] {
        let mut document = json!({ "password": value });
        assert_eq!(Redactor::default().redact_json(&mut document), count, "{value}");
        assert!(!document.to_string().contains("xyzzy"), "{document}");
    }
}

#[test]
fn a_moment_is_written_in_the_form_that_is_asked_for() {
    assert_eq!(SafeText::moment(jiff::Timestamp::UNIX_EPOCH, "%Y-%m-%d %H:%M").as_str(), "1970-01-01 00:00");
}

#[test]
fn what_is_read_as_safe_text_is_redacted_again() {
    let read: SafeText = serde_json::from_value(json!("user=app password=xyzzy")).unwrap();
    assert_eq!(read.as_str(), "user=app password=[hidden: password]");
}
