//! The pattern table: one entry per kind of secret.
//!
//! To teach redaction a new kind, add an entry with samples it must and must not mask. Where two entries match at the
//! same place, the earlier one wins; otherwise the one that starts first. No repetition in a regex may run over text
//! that other secrets can hide in: the ends of long values are found by functions, so that time stays linear.

use std::ops::Range;

use super::{shapes, value};

/// One kind of secret.
pub(super) struct Pattern {
    /// What the marker calls it: lower case letters and blanks.
    pub(super) kind: &'static str,
    /// Finds the secret, or the name in front of it. Has no capture groups.
    pub(super) regex: &'static str,
    /// The range to hide, given the text and the match; `None` where it is no secret after all.
    pub(super) secret: fn(&str, Range<usize>) -> Option<Range<usize>>,
    /// Texts, each with the part of it that must disappear.
    pub(super) masked: &'static [(&'static str, &'static str)],
    /// Texts that must stay as they are.
    pub(super) kept: &'static [&'static str],
}

const _: () = {
    let mut rest = PATTERNS;
    while let [pattern, others @ ..] = rest {
        assert!(!pattern.masked.is_empty(), "a pattern has no sample that it masks");
        assert!(!pattern.kept.is_empty(), "a pattern has no sample that it keeps");
        rest = others;
    }
};

/// Samples of vendors' tokens are put together from two parts, so that secret scanners leave this file alone.
pub(super) const PATTERNS: &[Pattern] = &[
    Pattern {
        kind: "private key",
        regex: r"-----(?:BEGIN|END) [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,8}-----",
        secret: shapes::private_key,
        masked: &[
            (
                "key:\n-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nq83vEjRWeJA=\n-----END RSA PRIVATE KEY-----\nnext line",
                "q83vEjRWeJA=",
            ),
            ("-----BEGIN PRIVATE KEY-----\r\nMIIEvQIBADANBg\r\n-----END PRIVATE KEY-----", "MIIEvQIBADANBg"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA\ncut here", "cut here"),
            (r"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBkg\n-----END EC PRIVATE KEY-----\n", "MHcCAQEEIBkg"),
            ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBGRm\n-----END PGP PRIVATE KEY BLOCK-----", "lQOYBGRm"),
            ("first line of the page\nMIIEowIBAAKCAQEA\nq83vEjRWeJA=\n-----END RSA PRIVATE KEY-----", "MIIEowIBAAKCAQEA"),
        ],
        kept: &[
            "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIE\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYI\n-----END PUBLIC KEY-----",
            "could not load PRIVATE KEY from PEM",
        ],
    },
    Pattern {
        kind: "aws access key",
        regex: r"(?-u:\b)A(?:\r?\n)?(?:K(?:\r?\n)?I|S(?:\r?\n)?I|B(?:\r?\n)?I|C(?:\r?\n)?C|3(?:\r?\n)?T)(?:\r?\n)?[A-Z0-9](?:(?:\r?\n)?[A-Z2-7]){16}(?-u:\b)",
        secret: shapes::access_key,
        masked: &[
            ("AccessKeyId AKIAIOSFODNN7EXAMPLE is inactive", "IOSFODNN7"),
            ("ASIAQWERTYUIOPASDFGH", "ASIAQWERTYUIOPASDFGH"),
            ("ABIAQWERTYUIOPASDFGH ACCAQWERTYUIOPASDFGH A3TXQWERTYUIOPASDFGH", "QWERTYUIOPASDFGH"),
            ("AKIAQWERTYUIOPASDFGH:wJalrXUtnFEMI/K7MDENG/bPxRfiCYq83vEjRWeJ", "wJalrXUtnFEMI"),
            ("AKIAQWERTYUIOPASDFGH\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYq83vEjRWeJ\n", "bPxRfiCYq83vEjRWeJ"),
            ("AKIAQWERT\nYUIOPASDFGH", "YUIOPASDFGH"),
        ],
        kept: &[
            "TODAYINASIAASACKOFRICE",
            "akiaqwertyuiopasdfgh",
            "ACCAGATTACAGATTACAGA",
            "AROAQWERTYUIOPASDFGH:session is the id of a role",
            "the region is AKIA",
        ],
    },
    Pattern {
        kind: "aws session token",
        regex: r"(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=%_-]{16,}",
        secret: shapes::wrapped,
        masked: &[
            ("credentials IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQD", "b3JpZ2luX2Vj"),
            ("FwoGZXIvYXdzEBYaDHqa0AP2Fv5vBCyoKCKrAS", "ZXIvYXdzEBYaDH"),
            (
                "token follows\nIQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQD\n  cm9sbGVyMTIzNDU2Nzg5\nRotation failed",
                "cm9sbGVyMTIz",
            ),
        ],
        kept: &["IQoJ is how a session token begins", "FwoG"],
    },
    Pattern {
        kind: "json web token",
        // `eyJ` is `{"` in base64; `ZXlK` is `eyJ` in base64 again; `ewog` is `{`, a new line, a blank.
        regex: r"(?-u:\b)(?:eyJ|ZXlK|ewog)[A-Za-z0-9_+/-]{12,}={0,2}(?:\.[A-Za-z0-9_-]*){0,4}",
        secret: shapes::wrapped,
        masked: &[
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmN end", "dozjgNryP4J3jVmN"),
            ("cut: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx", "eyJzdWIiOiIx"),
            ("ZXlKaGJHY2lPaUpJVXpJMU5pSjkuZXlKemRXSWlPaUl4", "ZXlKaGJHY2lP"),
            ("json in base64: eyJwYXNzd29yZCI6Imh1bnRlcjIifQ==", "cGFzc3dvcmQ"),
        ],
        kept: &["keyJack and eyJ are no tokens", "the eyJhbGci header is short"],
    },
    Pattern {
        kind: "slack token",
        regex: r"(?-u:\b)(?:xox[abceoprs](?:\.xox[bp])?|xapp)-[A-Za-z0-9-]{8,}",
        secret: shapes::whole,
        masked: &[
            (concat!("SLACK xox", "b-1234567890-1234567890123-AbCdEfGhIjKl ok"), "AbCdEfGhIjKl"),
            (concat!("xox", "p-1234567890-abc123def456"), "abc123def456"),
            (concat!("xap", "p-1-A0123456789-1234567890-abcdef"), "A0123456789"),
            (concat!("xox", "e.xoxp-1-Mi0yLTEyMzQ1Njc4OTA"), "Mi0yLTEyMzQ1"),
        ],
        kept: &["xoxb tokens begin with xoxb-", "foxoxb-12345678"],
    },
    Pattern {
        kind: "slack webhook",
        regex: r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9/+_-]+",
        secret: shapes::whole,
        masked: &[(concat!("POST https://hooks.slack", ".com/services/T0000/B0000/AbCdEfGh 500"), "AbCdEfGh")],
        kept: &["https://slack.com/api/chat.postMessage", "https://hooks.slack.com/"],
    },
    Pattern {
        kind: "discord token",
        regex: r"(?-u:\b)(?:[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{25,}|mfa\.[A-Za-z0-9_-]{40,})",
        secret: shapes::whole,
        masked: &[(
            concat!("login MTIzNDU2Nzg5MDEyMzQ1Njc4", ".GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789ab"),
            "abcdefghijklmnop",
        )],
        kept: &["MyModule.SubModule.function_name", "mfa.required"],
    },
    Pattern {
        kind: "discord webhook",
        regex: r"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]+/[A-Za-z0-9_-]+",
        secret: shapes::whole,
        masked: &[("https://discord.com/api/v10/webhooks/123456789012345678/AbCdEf-GhIjKl_0", "AbCdEf-GhIjKl_0")],
        kept: &["https://discord.com/api/v10/channels/1/messages"],
    },
    Pattern {
        kind: "github token",
        regex: r"(?-u:\b)(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
        secret: shapes::whole,
        masked: &[
            (concat!("remote: gh", "p_abcdefghijklmnopqrstuvwxyz0123456789"), "abcdefghijklmnop"),
            (concat!("github_", "pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz"), "11ABCDEFG0"),
        ],
        kept: &["ghp_ is the prefix", "graph_of_dependencies"],
    },
    Pattern {
        kind: "stripe key",
        regex: r"(?-u:\b)(?:(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,})",
        secret: shapes::whole,
        masked: &[
            (concat!("sk_", "live_abcdefghij0123456789"), "abcdefghij0123456789"),
            (concat!("whs", "ec_abcdefghij0123456789"), "abcdefghij0123456789"),
        ],
        kept: &["task_live_migration_of_database", "sk_test_"],
    },
    Pattern {
        kind: "api token",
        regex: r"(?-u:\b)(?:glpat-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|sk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|hv[bs]\.[A-Za-z0-9_-]{20,}|dop_v1_[a-f0-9]{64}|shp(?:at|ss)_[a-fA-F0-9]{32})",
        secret: shapes::whole,
        masked: &[
            (concat!("gl", "pat-abcdefghij0123456789"), "abcdefghij0123456789"),
            (concat!("hv", "s.abcdefghij0123456789abcdef"), "abcdefghij0123456789"),
        ],
        kept: &["risk-assessment-of-the-rotation-schedule", "npm_config_cache"],
    },
    Pattern {
        kind: "url password",
        regex: r"://",
        secret: shapes::url_password,
        masked: &[
            ("mongodb://app:p%40ss-word@db.example.internal:27017/admin", "p%40ss-word"),
            ("postgres://app:p@ss@db.example.internal/orders failed", "p@ss"),
            ("proxy http://:secret@10.0.0.1:8080", "secret"),
        ],
        kept: &[
            "https://secretsmanager.us-east-1.amazonaws.com:443/",
            "https://user@example.com/a:b@c",
            "Could not connect to the endpoint URL: \"https://sts.eu-west-1.amazonaws.com/\"",
        ],
    },
    Pattern {
        kind: "database password",
        regex: r"(?-u:\b)jdbc:oracle:[a-z]{1,8}:[A-Za-z0-9_$#]{1,128}/[!-?A-~]{1,128}@",
        secret: |text, found| {
            let slash = found.start + text.get(found.clone())?.find('/')?;
            let password = slash + 1..found.end - 1;
            (!text.get(password.clone())?.starts_with('/')).then_some(password)
        },
        masked: &[("jdbc:oracle:thin:app/Tiger-12@//db.example.internal:1521/ORCL", "Tiger-12")],
        kept: &["jdbc:oracle:thin:@//db.example.internal:1521/ORCL"],
    },
    Pattern {
        kind: "authorization",
        regex: r"(?i-u:authorization)",
        secret: value::authorization,
        masked: &[
            ("Authorization: Bearer abc.def-123\r\nHost: x", "abc.def-123"),
            ("authorization: basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
            (r#"{"Authorization": "Bearer abcdef", "Host": "x"}"#, "abcdef"),
            ("curl -H 'Authorization: Token 0123abc' https://example.com", "0123abc"),
            ("'Authorization': b'AWS4-HMAC-SHA256 Credential=X/20250101/us-east-1, Signature=0a1b'", "0a1b"),
        ],
        kept: &[
            "create_secret: Successfully created new authorization for ARN arn:aws:x and version 1.",
            "Failed to delete authorization: the user is in use",
        ],
    },
    Pattern {
        kind: "bearer token",
        regex: r"(?-u:\b)(?i-u:bearer|basic)[ \t]{1,4}[A-Za-z0-9._~+/-]{8,}={0,2}",
        secret: shapes::scheme_token,
        masked: &[("sent Bearer 0a1b2c3d4e5f", "0a1b2c3d4e5f"), ("used Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA")],
        kept: &["Basic authentication failed", "the bearer certificate", "Bearer Authentication is off"],
    },
    Pattern {
        kind: "cookie",
        regex: r"(?i-u:cookie)",
        secret: value::cookie,
        masked: &[
            ("Cookie: session=0a1b2c; theme=dark\nnext", "0a1b2c"),
            ("Set-Cookie: id=a3fWa; Secure", "a3fWa"),
            (r#""cookie":"sid=31d4d96e407aad42""#, "31d4d96e407aad42"),
        ],
        kept: &["cookie: not set", "cookies are rejected"],
    },
    Pattern {
        kind: "signature",
        regex: r"(?i-u:signature|(?-u:\b)sig)",
        secret: value::signature,
        masked: &[
            ("https://b.s3.amazonaws.com/k?X-Amz-Signature=0a1b2c3d4e5f60718293a4b5c6d7e8f9&X-Amz-Expires=60", "0a1b2c3d"),
            ("?AWSAccessKeyId=X&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D&Expires=1", "vjbyPxybdZaNmGa"),
        ],
        kept: &[
            "Signature expired: 20250301T120000Z is now earlier than 20250301T120500Z",
            "The request signature we calculated does not match the signature you provided.",
        ],
    },
    Pattern {
        kind: "password",
        regex: r"(?i-u:identified[ \t]{1,4}(?:with[ \t]{1,4}[a-z0-9_']{1,64}[ \t]{1,4})?by)(?-u:\b)",
        secret: value::identified_by,
        masked: &[
            ("ALTER USER app IDENTIFIED BY \"tiger 12\"", "tiger 12"),
            ("alter user app identified by tiger12 replace lion", "tiger12"),
            ("ALTER USER 'app'@'%' IDENTIFIED WITH caching_sha2_password BY 'tiger'", "tiger"),
        ],
        kept: &["ORA-01935: user must be IDENTIFIED BY VALUES or externally", "the caller is identified by:"],
    },
    Pattern {
        kind: "secret value",
        regex: r"(?i-u:secret_?(?:string|binary|value))",
        secret: value::secret_value,
        masked: &[
            (r#"{"ARN":"arn:x","SecretString":"{\"username\":\"u\",\"custom\":\"xyzzy\"}","VersionId":"v"}"#, "xyzzy"),
            (r#"b'{"Name":"n","SecretString":"{\\"username\\":\\"u\\",\\"custom\\":\\"xyzzy\\"}","VersionId":"v"}'"#, "xyzzy"),
            (r#"{'Name': 'n', 'SecretBinary': b'\x00\x01xyzzy', 'VersionId': 'v'}"#, "xyzzy"),
            ("SecretString={\"custom\": \"xyzzy\"} was sent", "xyzzy"),
            ("Invalid type for parameter SecretString, value: {'custom': 'xyzzy'}, type: <class 'dict'>", "xyzzy"),
        ],
        kept: &[
            "secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf",
            "when calling the GetSecretValue operation: Access to KMS is not allowed",
            "You must provide SecretString or SecretBinary.",
            "Invalid secret value json for secret arn:aws:x",
        ],
    },
    Pattern {
        kind: "secret key",
        regex: r"(?i-u:secret[_-]?access[_-]?key|(?:secret|private|api|access|encryption|signing|account|shared)[_ -]?key|(?:client|app|signing|shared|consumer)[_-]?secret|connection_?string)",
        secret: value::strong,
        masked: &[
            ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
            ("<SecretAccessKey>wJalrXUtnFEMI/K7MDENG</SecretAccessKey>", "wJalrXUtnFEMI"),
            ("x-api-key: 0a1b2c3d", "0a1b2c3d"),
            (r#"{"client_secret":"xyzzy","client_id":"a"}"#, "xyzzy"),
            ("'private_key': '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n'", "MIIEow"),
        ],
        kept: &[
            "KMS access key: arn:aws:kms:us-east-1:123456789012:key/7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11",
            "Cannot exceed quota for AccessKeysPerUser: 2",
            "secret:burrito-barn-dev-api-key-GMOV2I because no resource-based policy allows",
            "api key: the value is too long",
        ],
    },
    Pattern {
        kind: "password",
        regex: r"(?i-u:pass(?:word|wd|phrase)|passwort)",
        secret: value::strong,
        masked: &[
            ("host=db user=app password=tiger dbname=orders", "tiger"),
            ("PGPASSWORD=q]9{x'!;,& next", "q]9{x'!;,&"),
            (r#"{"username":"u","password":"p\"xyzzy"}"#, "xyzzy"),
            (r#"{"message":"{\"password\":\"p\\\"xyzzy\",\"host\":\"h\"}"}"#, "xyzzy"),
            (r#"{'username': 'u', 'password': 'p\'xyzzy', 'host': 'h'}"#, "xyzzy"),
            ("username: app\npassword: tiger\nhost: db", "tiger"),
            ("password: t1ger and more", "t1ger"),
            ("config['password'] = \"tiger\"", "tiger"),
            ("mysqldump --password tiger orders", "tiger"),
            ("<password>tiger</password>", "tiger"),
            ("ALTER USER app WITH PASSWORD 'tiger 12'", "tiger 12"),
            ("SET PASSWORD FOR app = PASSWORD('tiger')", "tiger"),
            ("https://example.com/login?password=tiger&next=x", "tiger"),
            ("user=app&password%3Dtiger", "tiger"),
            ("\"password\": 12345678}", "12345678"),
        ],
        kept: &[
            "FATAL: password authentication failed for user \"app\"",
            "Access denied for user 'app'@'10.0.0.1' (using password: YES)",
            "'password key is missing from secret JSON'",
            "ORA-01017: invalid username/password; logon denied",
            "setSecret: AWSPENDING secret is already set as password in PostgreSQL DB for secret arn arn:aws:x.",
            "Unable to set password: ORA-28003: password verification failed",
            "Failed to update password: An error occurred (InvalidParameter)",
            "'SET PASSWORD = PASSWORD('<plaintext_password>')' is deprecated",
            "The secret prod/db-password was not found",
            "{\"password\": null}",
            "password: must contain a digit",
        ],
    },
    Pattern {
        kind: "password",
        regex: r"(?-u:\b)(?i-u:pwd)",
        secret: value::pwd,
        masked: &[("Server=db;Uid=app;Pwd=tiger;", "tiger")],
        kept: &["PWD=/var/task", "pwd: /var/task"],
    },
    Pattern {
        kind: "password",
        regex: r"(?i-u:(?:\b|_)pass\b)",
        secret: value::short_name,
        masked: &[("DB_PASS=tiger", "tiger"), ("{'user': 'u', 'pass': 'tiger'}", "tiger")],
        kept: &["pass: 3, fail: 0", "first pass of two"],
    },
    Pattern {
        kind: "token",
        regex: r"(?i-u:token)",
        secret: value::token,
        masked: &[
            ("X-Amz-Security-Token=AQoDYXdzEJr1K&X-Amz-Date=1", "AQoDYXdzEJr1K"),
            ("SLACK_TOKEN=tiger", "tiger"),
            ("{\"auth_token\": \"tiger\"}", "tiger"),
            ("X-Vault-Token: s.0a1b2c", "s.0a1b2c"),
            ("'RotationToken': '7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11'", "7b2a4c10"),
        ],
        kept: &[
            "EVENT: {'ClientRequestToken': 'AF585B8F-AA06-4EAB-8827-EFF43E6FD896', 'Step': 'createSecret'}",
            "token=7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11 step=createSecret",
            "{\"nextToken\": \"abcdef0123\"}",
            "KeyError: 'The token value must be set when rotating an operator token.'",
            "Invalid token: expired",
        ],
    },
    Pattern {
        kind: "secret",
        regex: r"(?-u:\b)(?i-u:secret)",
        secret: value::secret,
        masked: &[("secret=aG4!kd93Xq", "aG4!kd93Xq"), ("{\"secret\": \"aG4kd93XqQ\"}", "aG4kd93XqQ")],
        kept: &[
            "secret: prod/db-password",
            "secret=prod/orders-db9-AbCdEf step=setSecret",
            "\"secret\": \"orders-db\"",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders-AbCdE1",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::super::redactor::{MARKER_START, marker};
    use super::super::{Redactor, SafeText};
    use super::PATTERNS;

    #[test]
    fn every_pattern_masks_its_samples_and_keeps_the_others() {
        for pattern in PATTERNS {
            for (text, secret) in pattern.masked {
                let redacted = Redactor::default().redact(text);
                let shown = redacted.text.as_str();
                assert!(!shown.contains(secret), "{}: {text:?} became {shown:?}", pattern.kind);
                assert!(shown.contains(MARKER_START), "{}: {shown:?}", pattern.kind);
                assert!(redacted.count > 0, "{}: {text:?}", pattern.kind);
            }
            for text in pattern.kept {
                assert_eq!(SafeText::redact(text).as_str(), *text, "{}", pattern.kind);
            }
        }
    }

    #[test]
    fn every_pattern_names_its_own_kind_for_one_of_its_samples() {
        for pattern in PATTERNS {
            let named = pattern.masked.iter().any(|(text, _)| SafeText::redact(text).as_str().contains(&marker(pattern.kind)));
            assert!(named, "{} never wins", pattern.kind);
        }
    }

    #[test]
    fn a_marker_matches_no_pattern() {
        for pattern in PATTERNS {
            let marker = marker(pattern.kind);
            assert!(pattern.kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' '));
            for text in [marker.clone(), format!("password={marker}"), format!("\"token\":\"{marker}\"")] {
                assert_eq!(Redactor::default().redact(&text).count, 0, "{text}");
            }
        }
    }
}
