//! Secrets in every form they are logged in.

use super::redacted;

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
