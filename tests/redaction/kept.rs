//! What a diagnosis rests on stays readable.

use super::redacted;

fn log_lines() -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Line {
        text: String,
    }
    [include_str!("../data/log-lines.jsonl"), include_str!("../data/log-lines-more.jsonl")]
        .iter()
        .flat_map(|file| file.lines())
        .map(|line| serde_json::from_str::<Line>(line).unwrap().text)
        // One quotes a password that is none.
        .filter(|text| !text.contains("password=abc"))
        .collect()
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
