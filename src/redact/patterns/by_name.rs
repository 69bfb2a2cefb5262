//! Secrets that look like anything, given away by the name they are assigned to.

use super::super::names;
use super::Pattern;

pub(super) const TABLE: &[Pattern] = &[
    Pattern {
        kind: "authorization",
        regex: r"(?i-u:authorization)",
        secret: names::authorization,
        masked: &[
            (
                "Authorization: Bearer abc.def-123\r\nHost: x",
                "abc.def-123",
            ),
            ("authorization: basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
            (
                r#"{"Authorization": "Bearer abcdef", "Host": "x"}"#,
                "abcdef",
            ),
            (
                "curl -H 'Authorization: Token 0123abc' https://example.com",
                "0123abc",
            ),
            (
                "'Authorization': b'AWS4-HMAC-SHA256 Credential=X/20250101/us-east-1, Signature=0a1b'",
                "0a1b",
            ),
        ],
        kept: &[
            "create_secret: Successfully created new authorization for ARN arn:aws:x and version 1.",
            "Failed to delete authorization: the user is in use",
        ],
    },
    Pattern {
        kind: "cookie",
        regex: r"(?i-u:cookie)",
        secret: names::cookie,
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
        secret: names::signature,
        masked: &[
            (
                "https://b.s3.amazonaws.com/k?X-Amz-Signature=0a1b2c3d4e5f60718293a4b5c6d7e8f9&X-Amz-Expires=60",
                "0a1b2c3d",
            ),
            (
                "?AWSAccessKeyId=X&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D&Expires=1",
                "vjbyPxybdZaNmGa",
            ),
        ],
        kept: &[
            "Signature expired: 20250301T120000Z is now earlier than 20250301T120500Z",
            "The request signature we calculated does not match the signature you provided.",
        ],
    },
    Pattern {
        kind: "password",
        regex: r"(?i-u:identified[ \t]{1,4}(?:with[ \t]{1,4}[a-z0-9_']{1,64}[ \t]{1,4})?by)(?-u:\b)",
        secret: names::identified_by,
        masked: &[
            ("ALTER USER app IDENTIFIED BY \"tiger 12\"", "tiger 12"),
            (
                "alter user app identified by tiger12 replace lion",
                "tiger12",
            ),
            (
                "ALTER USER 'app'@'%' IDENTIFIED WITH caching_sha2_password BY 'tiger'",
                "tiger",
            ),
        ],
        kept: &[
            "ORA-01935: user must be IDENTIFIED BY VALUES or externally",
            "the caller is identified by:",
        ],
    },
    Pattern {
        kind: "secret value",
        regex: r"(?i-u:secret[_-]?(?:string|binary|value))",
        secret: names::secret_value,
        masked: &[
            (
                r#"{"ARN":"arn:x","SecretString":"{\"username\":\"u\",\"custom\":\"xyzzy\"}","VersionId":"v"}"#,
                "xyzzy",
            ),
            (
                r#"b'{"Name":"n","SecretString":"{\\"username\\":\\"u\\",\\"custom\\":\\"xyzzy\\"}","VersionId":"v"}'"#,
                "xyzzy",
            ),
            (
                r#"{'Name': 'n', 'SecretBinary': b'\x00\x01xyzzy', 'VersionId': 'v'}"#,
                "xyzzy",
            ),
            ("SecretString={\"custom\": \"xyzzy\"} was sent", "xyzzy"),
            (
                "put-secret-value --secret-id prod/db --secret-string xyzzy",
                "xyzzy",
            ),
            (
                "Invalid type for parameter SecretString, value: {'custom': 'xyzzy'}, type: <class 'dict'>",
                "xyzzy",
            ),
        ],
        kept: &[
            "secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf",
            "when calling the GetSecretValue operation: Access to KMS is not allowed",
            "You must provide SecretString or SecretBinary.",
            "Unable to decode secret_string: Expecting value: line 1 column 1 (char 0)",
            "put-secret-value --secret-id prod/db",
            "Invalid secret value json for secret arn:aws:x",
        ],
    },
    Pattern {
        kind: "secret key",
        regex: r"(?i-u:secret[_-]?access[_-]?key|(?:secret|private|api|access|encryption|signing|account|shared)[_ -]?key|(?:client|app|signing|shared|consumer)[_-]?secret|connection_?string)",
        secret: names::strong,
        masked: &[
            (
                "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "wJalrXUtnFEMI",
            ),
            (
                "<SecretAccessKey>wJalrXUtnFEMI/K7MDENG</SecretAccessKey>",
                "wJalrXUtnFEMI",
            ),
            ("x-api-key: 0a1b2c3d", "0a1b2c3d"),
            (r#"{"client_secret":"xyzzy","client_id":"a"}"#, "xyzzy"),
            (
                "'private_key': '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n'",
                "MIIEow",
            ),
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
        secret: names::strong,
        masked: &[
            ("host=db user=app password=tiger dbname=orders", "tiger"),
            ("PGPASSWORD=q]9{x'!;,& next", "q]9{x'!;,&"),
            (r#"{"username":"u","password":"p\"xyzzy"}"#, "xyzzy"),
            (
                r#"{"message":"{\"password\":\"p\\\"xyzzy\",\"host\":\"h\"}"}"#,
                "xyzzy",
            ),
            (
                r#"{'username': 'u', 'password': 'p\'xyzzy', 'host': 'h'}"#,
                "xyzzy",
            ),
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
            ("password: Some(\"tiger 12\"), host: None", "tiger 12"),
            ("[('user', 'app'), ('password', 'tiger')]", "tiger"),
            ("{User:app Password:tiger Host:db}", "tiger"),
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
            "Unable to set password: authentication failed",
            "missing keys ('password', 'host', 'port')",
        ],
    },
    Pattern {
        kind: "password",
        regex: r"(?-u:\b)(?i-u:pwd)",
        secret: names::pwd,
        masked: &[("Server=db;Uid=app;Pwd=tiger;", "tiger")],
        kept: &["PWD=/var/task", "pwd: /var/task"],
    },
    Pattern {
        kind: "password",
        regex: r"(?i-u:(?:\b|_)pass\b)",
        secret: names::short_name,
        masked: &[
            ("DB_PASS=tiger", "tiger"),
            ("{'user': 'u', 'pass': 'tiger'}", "tiger"),
        ],
        kept: &["pass: 3, fail: 0", "first pass of two"],
    },
    Pattern {
        kind: "token",
        regex: r"(?i-u:token)",
        secret: names::token,
        masked: &[
            (
                "X-Amz-Security-Token=AQoDYXdzEJr1K&X-Amz-Date=1",
                "AQoDYXdzEJr1K",
            ),
            ("SLACK_TOKEN=tiger", "tiger"),
            ("{\"auth_token\": \"tiger\"}", "tiger"),
            ("X-Vault-Token: s.0a1b2c", "s.0a1b2c"),
            (
                "'RotationToken': '7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11'",
                "7b2a4c10",
            ),
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
        secret: names::secret,
        masked: &[
            ("secret=aG4!kd93Xq", "aG4!kd93Xq"),
            ("{\"secret\": \"aG4kd93XqQ\"}", "aG4kd93XqQ"),
        ],
        kept: &[
            "secret: prod/db-password",
            "secret=prod/orders-db9-AbCdEf step=setSecret",
            "\"secret\": \"orders-db\"",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders-AbCdE1",
        ],
    },
];
