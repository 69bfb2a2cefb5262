//! No secret leaves, and no diagnosis is lost: what redaction must hide and what it must leave alone.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use rotation_diag::redact::{Redactor, SafeText};
use serde_json::json;

fn redacted(text: &str) -> String {
    SafeText::redact(text).as_str().to_owned()
}

#[expect(clippy::unwrap_used, reason = "a test stops at broken test data")]
fn log_lines() -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Line {
        text: String,
    }
    include_str!("data/log-lines.jsonl").lines().map(|line| serde_json::from_str::<Line>(line).unwrap().text).collect()
}

/// Each text with the parts of it that must disappear.
const HIDDEN: &[(&str, &str, &[&str])] = &[
    (
        "an access key and its secret in a table",
        "key_id,secret\nAKIAQ3EGRIGSN7VPL2XY,9drTJvcXLB89EXLCiH9Zyjz+0CWIbz2Vg5oUIh3K\n",
        &["AKIAQ3EGRIGSN7VPL2XY", "9drTJvcXLB89"],
    ),
    ("an access key split over two lines", "AKIAQ3EGRI\r\nGSN7VPL2XY", &["GSN7VPL2XY"]),
    ("a secret key behind a bare `secret`", "secret: 9drTJvcXLB89EXLCiH9Zyjz/0CWIbz2Vg5oUIh3K", &["9drTJvcXLB89"]),
    (
        "credentials of a shared file",
        "[default]\naws_access_key_id=AKIAQ3EGRIGSN7VPL2XY\naws_secret_access_key=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\naws_session_token=IQoJb3JpZ2luX2VjEJr9drTJvcXLB89",
        &["AKIAQ3EG", "9drTJvcXLB89"],
    ),
    ("JSON", r#"{"username": "u", "password": "p\"xyzzy", "host": "h"}"#, &["xyzzy"]),
    ("JSON in JSON in JSON", r#"{"m":"{\"n\":\"{\\\"password\\\":\\\"p\\\\\\\"xyzzy\\\"}\"}"}"#, &["xyzzy"]),
    ("a Python dictionary", r"{'username': 'u', 'password': 'p\'xyzzy', 'port': 5432}", &["xyzzy"]),
    ("bytes of Python", "password = b'xyzzy\\x00'", &["xyzzy"]),
    ("a YAML mapping", "db:\r\n  username: u\r\n  password: xyzzy\r\n  host: h\r\n", &["xyzzy"]),
    ("a pretty printed value below its key", "\"password\":\n    \"xyzzy\"", &["xyzzy"]),
    (
        "a generated password behind a keyword",
        "password=Xy)9,;'&!{}[]|<>?#$%^*_+-=:~`Qz and more",
        &["9,;'&!{}[]|<>?#$%^*_+-=:~`Qz"],
    ),
    ("a password with a quote in it", "password=xy\"zzy\"plugh rest", &["zzy", "plugh"]),
    ("an environment variable", "MYSQL_ROOT_PASSWORD=xyzzy", &["xyzzy"]),
    ("a Java property", "spring.datasource.password=xyzzy", &["xyzzy"]),
    ("headers", "Authorization: Bearer xyzzy.plugh\r\nCookie: sid=xyzzy\r\nX-Amz-Security-Token: xyzzy1\r\n", &["xyzzy"]),
    (
        "a presigned URL",
        "GET https://b.s3.amazonaws.com/k?X-Amz-Credential=ASIAQ3EGRIGSN7VPL2XY%2F20250301&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEJr9drTJvc%2FXLB89&X-Amz-Signature=0f1e2d3c4b5a69788796a5b4c3d2e1f0 403",
        &["ASIAQ3EG", "b3JpZ2lu", "0f1e2d3c"],
    ),
    ("a private key without an end", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nxyzzy\n\nplugh", &["MIIEow", "xyzzy", "plugh"]),
    (
        "a private key behind a keyword",
        "private_key=-----BEGIN EC PRIVATE KEY-----\nxyzzy\n-----END EC PRIVATE KEY-----\n",
        &["xyzzy"],
    ),
    (
        "a private key in one line of JSON",
        r#"{"tls": "-----BEGIN PRIVATE KEY-----\nxyzzy\n-----END PRIVATE KEY-----\n", "host": "h"}"#,
        &["xyzzy"],
    ),
    (
        "a private key that a quoted value cuts in two",
        "secret_key: 'first -----BEGIN PRIVATE KEY-----\nxyzzy\n-----END PRIVATE KEY-----'",
        &["xyzzy"],
    ),
    (
        "a wire log of botocore",
        "2025-03-01 12:00:00,000 botocore.parsers [DEBUG] Response body:\nb'{\"ARN\":\"arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf\",\"SecretString\":\"{\\\\\"username\\\\\":\\\\\"plugh\\\\\",\\\\\"other\\\\\":\\\\\"xyzzy\\\\\"}\",\"VersionStages\":[\"AWSCURRENT\"]}'",
        &["plugh", "xyzzy"],
    ),
    (
        "a binary secret in a wire log",
        "Response body: b'{\"Name\":\"n\",\"SecretBinary\":\"eHl6enk=\",\"VersionId\":\"v\"}'",
        &["eHl6enk="],
    ),
    (
        "a rejected parameter",
        "Invalid type for parameter SecretString, value: {'password': 'xyzzy', 'n': {'m': 'plugh'}}, type: <class 'dict'>, valid types: <class 'str'>",
        &["xyzzy", "plugh"],
    ),
    ("base64 behind a keyword", "password=eHl6enlwbHVnaA==", &["eHl6enlwbHVnaA"]),
    ("hex behind a keyword", "password=78797a7a79", &["78797a7a79"]),
    (
        "an error chain with a URL",
        "error sending request for url (https://user:xyzzy@proxy.example.com/): connection refused",
        &["xyzzy"],
    ),
    ("a header in a panic", "panicked at: HeaderValue { authorization: \"Bearer xyzzy\" }", &["xyzzy"]),
    ("SQL", "syntax error at or near \"FOO\": ALTER USER \"app\" WITH PASSWORD 'it''s xyzzy'", &["it"]),
    ("a connection string of ODBC", "DRIVER={x};SERVER=db;UID=app;PWD=xyzzy;Encrypt=yes", &["xyzzy"]),
];

#[test]
fn secrets_are_hidden_in_every_form() {
    for (what, text, secrets) in HIDDEN {
        let shown = redacted(text);
        for secret in *secrets {
            assert!(!shown.contains(secret), "{what}: {shown}");
        }
        assert_eq!(redacted(&shown), shown, "{what}");
    }
}

#[test]
fn a_wrapped_session_token_is_hidden_whole() {
    let token: String = "IQoJb3JpZ2luX2VjE".chars().chain("aB3/cD4+".chars().cycle()).take(800).collect();
    let lines: Vec<&str> = token.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    for (before, between, after) in [
        ("", "\n", "\nRotation failed: no route to host"),
        ("SessionToken: ", "\r\n", "\r\nRotation failed: no route to host"),
        ("aws_session_token=", "\n  ", "\n\nRotation failed: no route to host"),
        ("{\"SessionToken\": \"", "\n", "\"}\nRotation failed: no route to host"),
    ] {
        let shown = redacted(&format!("{before}{}{after}", lines.join(between)));
        assert!(shown.starts_with(before) && shown.ends_with(after), "{shown}");
        for line in &lines {
            assert!(!shown.contains(line.get(..8).unwrap_or(line)), "{shown}");
        }
    }
}

#[test]
fn what_identifies_things_stays() {
    for text in [
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-password-AbCdE1",
        "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:sts::123456789012:assumed-role/token-broker/secret-rotation-session",
        "arn:aws:lambda:us-east-1:123456789012:function:SecretsManagerPasswordRotation:3",
        "AWSCURRENT AWSPENDING AWSPREVIOUS",
        "7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11 has no stage for rotation",
        "RequestId: 3f1c2d4e-0000-4000-8000-123456789012 Version: $LATEST",
        "(Service: AWSSecretsManager; Status Code: 400; Error Code: AccessDeniedException; Request ID: 38bc6735-286e-41f2-89d4-3d2c8cb78ef9; Proxy: null)",
        "x-amz-id-2: vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo=",
        "2025-03-01T12:00:00.000Z 1740830400000",
        "prod/db-password prod/api-token staging/secret_key",
        "secret prod/db-password, key alias/secret-key, function rotate-password",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "aws secretsmanager rotate-secret --secret-id prod/db-password --region eu-west-1",
        "aws secretsmanager update-secret-version-stage --secret-id prod/db --version-stage AWSPENDING --remove-from-version-id 7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11",
        "ACGTACGTACGTACGTACGT TODAYINASIAASACKOFRICE akiaqwertyuiopasdfgh",
        "REPORT RequestId: 3f1c2d4e-0000-4000-8000-123456789012 Duration: 3000.00 ms Billed Duration: 3000 ms Memory Size: 128 MB",
    ] {
        assert_eq!(redacted(text), text);
    }
}

#[test]
fn no_known_log_line_is_changed() {
    let lines = log_lines();
    assert!(lines.len() > 200);
    for line in lines {
        assert_eq!(redacted(&line), line);
    }
}

#[test]
fn decisive_words_survive_next_to_a_secret() {
    for phrase in [
        "FATAL: password authentication failed for user \"app\"",
        "KeyError: 'password key is missing from secret JSON'",
        "ORA-01017: invalid username/password; logon denied",
        "(1045, \"Access denied for user 'app'@'10.0.0.1' (using password: YES)\")",
        "setSecret: AWSPENDING secret is already set as password in MySQL DB for secret arn",
        "'SET PASSWORD = PASSWORD('<plaintext_password>')' is deprecated",
        "KeyError: 'The token value must be set when rotating an operator token.'",
        "Failed to create keytab with new password",
        "The security token included in the request is expired",
        "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.",
        "ERROR: password must contain at least one digit",
        "Login failed. The login is from an untrusted domain; token-based server access validation failed",
    ] {
        for text in [
            format!("password=xyzzy {phrase}"),
            format!("{phrase}\npassword: xyzzy\n"),
            format!("{{\"password\": \"xyzzy\"}} {phrase}"),
        ] {
            let shown = redacted(&text);
            assert!(shown.contains(phrase), "{shown}");
            assert!(!shown.contains("xyzzy"), "{shown}");
        }
    }
}

#[test]
fn hidden_values_are_counted_and_named() {
    let redactor = Redactor::default();
    let redacted = redactor.redact("user=app password=xyzzy AKIAQ3EGRIGSN7VPL2XY postgres://u:plugh@h/db");
    assert_eq!(
        redacted.text.as_str(),
        "user=app password=[hidden: password] [hidden: aws access key] postgres://u:[hidden: url password]@h/db"
    );
    assert_eq!(redacted.count, 3);
    assert_eq!(redactor.redact(redacted.text.as_str()).count, 0);
    assert_eq!(redactor.redact("nothing to hide").count, 0);
}

#[test]
fn known_secrets_are_masked_wherever_they_occur() {
    let redactor = Redactor::knowing(["s3cr.t+value", "s3cr.t+value-and-more", "tiny", "hidden", ""]).unwrap();
    let shown = redactor.redact("a s3cr.t+value-and-more, xs3cr.t+valuey, tiny, s3crXt+value, hidden");
    assert_eq!(shown.text.as_str(), "a [hidden: known secret], x[hidden: known secret]y, tiny, s3crXt+value, hidden");
    assert_eq!(shown.count, 2);
    assert_eq!(redactor.redact("token=s3cr.t+value").text.as_str(), "token=[hidden: known secret]");
}

#[test]
fn a_cut_shows_no_part_of_a_secret() {
    let text = format!("{}password=xyzzyplugh and more", "ä".repeat(20));
    for limit in 0..60 {
        let cut = SafeText::redact(&text).cut(limit);
        assert!(!cut.as_str().contains("xyz"), "{cut}");
        assert!(cut.as_str().chars().count() <= limit);
    }
    assert_eq!(SafeText::redact("short").cut(5).as_str(), "short");
    assert_eq!(SafeText::redact("longer").cut(5).as_str(), "long…");
}

#[test]
fn every_short_input_and_odd_byte_is_survived() {
    let bytes = 0..=u8::MAX;
    for first in bytes.clone() {
        let one = String::from_utf8_lossy(&[first]).into_owned();
        assert_eq!(redacted(&one), one);
        for second in bytes.clone() {
            let two = String::from_utf8_lossy(&[first, second]).into_owned();
            assert_eq!(redacted(&two), two);
            let assigned = format!("password={two}");
            assert_eq!(redacted(&redacted(&assigned)), redacted(&assigned));
        }
    }
    assert_eq!(redacted(""), "");
    assert_eq!(redacted("a\r\n\0b\u{202e}c"), "a\r\n\0b\u{202e}c");
    assert!(!redacted("password=\0xyzzy").contains("xyzzy"));
    assert!(!redacted("password=\u{1f511}xyzzy").contains("xyzzy"));
}

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
        "hidden": {"token": ["plain", "[hidden: token]"]}
    });
    assert_eq!(Redactor::default().redact_json(&mut document), 6);
    assert_eq!(
        document,
        json!({
            "requestParameters": {"secretString": "[hidden: named secret]", "secretId": "prod/db", "clientRequestToken": "7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11"},
            "secret": "orders-db", "name": "prod/db-password",
            "tags": [{"Key": "team", "Value": "orders"}, {"Key": "db_password", "Value": "[hidden: named secret]"}],
            "MasterUserPassword": "[hidden: named secret]", "password": null, "passwords": ["plain password=[hidden: password]"],
            "text": "failed with password=[hidden: password]", "count": 3,
            "hidden": {"token": ["[hidden: named secret]", "[hidden: token]"]}
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
}

/// Texts that make a backtracking or rescanning redactor quadratic.
#[test]
fn hostile_texts_take_linear_time() {
    let chunks = [
        "token",
        "secret=",
        "secret=secret:",
        "password=arn:",
        "password:",
        "password: word ",
        "token=client_",
        "password=password(",
        "authorization:",
        "cookie: ",
        "sig=",
        "identified by ",
        "://a:",
        "a@:://",
        "\"",
        "\\",
        "password\"",
        "password=\\",
        "'password': '",
        "\"SecretString\":\"{",
        "SecretString={",
        "-----BEGIN ",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END RSA PRIVATE KEY-----",
        "AKIAQ3EGRIGSN7VPL2XY:",
        "-AKIAQ3EGRIGSN7VPL2XY",
        "A\nK\nI\nA\nQ\n3\n",
        "eyJhbGciOiJIUzI1NiJ9.",
        "eyJ-",
        "IQoJb3JpZ2luX2VjE\n",
        "xoxb-",
        "SG.aaaaaaaaaaaaaaaaaa-",
        "MTIzNDU2Nzg5MDEyMzQ1Njc4.",
        "jdbc:oracle:thin:a/",
        "[hidden: ",
        "password=[hidden: password]",
        "bearer a",
        "<token>",
        "--password ",
        "q",
        "\u{1f511}",
        "\r\n",
    ];
    for chunk in chunks {
        let text = chunk.repeat((1 << 20) / chunk.len());
        let started = Instant::now();
        let shown = SafeText::redact(&text);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(30), "{chunk:?} took {took:?}");
        assert!(shown.as_str().len() < 40 * text.len());
    }
}

#[test]
fn ten_mebibytes_in_one_line_are_redacted() {
    let mut text = "2025-03-01 [INFO] setSecret: Successfully set password for user app_user. ".repeat(150_000);
    text.push_str("password=xyzzy");
    assert!(text.len() > 10 << 20);
    let started = Instant::now();
    let redacted = Redactor::default().redact(&text);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert_eq!(redacted.count, 1);
    assert!(redacted.text.as_str().ends_with("password=[hidden: password]"));
}

fn fragment() -> impl Strategy<Value = String> {
    let fixed = [
        "password",
        "Password",
        "secret",
        "token",
        "SecretString",
        "pwd",
        "pass",
        "Authorization",
        "cookie",
        "Bearer ",
        "Basic ",
        "Signature",
        "IDENTIFIED BY ",
        "--",
        "-",
        "_",
        "=",
        ": ",
        ":",
        " => ",
        "\"",
        "'",
        "\\\"",
        "\\",
        "\\\\",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        "</",
        "&",
        "?",
        ", ",
        ",",
        ";",
        "://",
        "@",
        "/",
        " ",
        "\n",
        "\r\n",
        "\t",
        "arn:aws:secretsmanager:us-east-1:1:secret:",
        "[hidden: password]",
        "[hidden: ",
        "hidden",
        "none",
        "YES",
        "word",
        "AKIAQ3EGRIGSN7VPL2XY",
        "AKIA",
        "9drTJvcXLB89EXLCiH9Zyjz+0CWIbz2Vg5oUIh3K",
        "IQoJb3JpZ2luX2VjEJr9drTJvcXLB89",
        "eyJhbGciOiJIUzI1NiJ9",
        ".",
        "xoxb-12345678-abcdefgh",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END RSA PRIVATE KEY-----",
        "MIIEow",
        "7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11",
        "\u{e4}",
        "\u{1f511}",
        "\0",
    ];
    prop_oneof![
        8 => prop::sample::select(fixed.to_vec()).prop_map(str::to_owned),
        1 => "[ -~]{0,6}",
        1 => "[A-Za-z0-9+/]{30,90}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(fragment(), 0..24).prop_map(|fragments| fragments.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn redacting_twice_changes_nothing(text in text()) {
        let once = Redactor::default().redact(&text);
        let twice = Redactor::default().redact(once.text.as_str());
        prop_assert_eq!(twice.text.as_str(), once.text.as_str());
        prop_assert_eq!(twice.count, 0);
        prop_assert_eq!(once.count == 0, once.text.as_str() == text);
    }

    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        let once = redacted(&text);
        prop_assert_eq!(redacted(&once), once);
    }

    #[test]
    fn a_secret_on_its_own_lines_is_hidden_in_any_surroundings(before in text(), after in text()) {
        for secret in [
            "ASIAXYZZY2XYZZY2PLUG",
            "password=xyzzy",
            "{\"password\": \"xyzzy\"}",
            "postgres://u:xyzzy@h/",
        ] {
            let shown = redacted(&format!("{before}\n{secret}\n{after}"));
            prop_assert!(!shown.to_lowercase().contains("xyzzy"), "{}", shown);
        }
    }

    #[test]
    fn a_known_secret_is_hidden_in_any_surroundings(before in text(), after in text()) {
        let redactor = Redactor::knowing(["k7!x\"y z\\-known"]).unwrap();
        let shown = redactor.redact(&format!("{before}k7!x\"y z\\-known{after}"));
        prop_assert!(!shown.text.as_str().contains("k7!x"));
        prop_assert_eq!(redactor.redact(shown.text.as_str()).text, shown.text);
    }

    #[test]
    fn a_quoted_password_is_hidden_at_any_depth_of_json(password in "[ -~]{1,24}", depth in 0_usize..4) {
        let lower = password.to_lowercase();
        prop_assume!(!["none", "null", "%s", "{}", "?"].contains(&lower.as_str()));
        prop_assume!(!password.bytes().all(|byte| byte == b'*'));
        prop_assume!(!(password.starts_with('<') && password.ends_with('>')));
        let document = |value: &str| {
            let innermost = json!({"password": value, "host": "db.example"}).to_string();
            (0..depth).fold(innermost, |inner, _| json!({"m": inner}).to_string())
        };
        let shown = redacted(&document(&password));
        prop_assert_eq!(shown, document("[hidden: password]"));
    }
}
