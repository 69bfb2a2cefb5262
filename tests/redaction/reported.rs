//! Secrets as people, programs and databases report them: in sentences, in errors that repeat a value, in other notations.

use rotation_diag::redact::{Redactor, looks_like_a_value};

use super::redacted;

/// Two values of no vendor's shape, put together when the test runs.
fn values() -> [String; 2] {
    [["Xq7L", "mZ2vTk9R"].concat(), ["plugh", "-Gr4v", "el8"].concat()]
}

/// Masks `VALUE` in each text, alone and as the message of a JSON line; returns what was seen all the same.
fn seen(texts: &[&str]) -> Vec<String> {
    let mut seen = Vec::new();
    for value in values() {
        for text in texts {
            let text = text.replace("VALUE", &value);
            let message = serde_json::json!({"level": "INFO", "message": &text}).to_string();
            for form in [&text, &message] {
                let shown = redacted(form);
                if shown.contains(&value) || shown.contains(value.get(4..).unwrap()) {
                    seen.push(format!("{form:?}: {shown}"));
                }
                assert_eq!(redacted(&shown), shown);
            }
        }
    }
    seen
}

fn assert_hidden(texts: &[&str]) {
    let seen = seen(texts);
    assert!(seen.is_empty(), "{}:\n{}", seen.len(), seen.join("\n"));
}

fn assert_kept(texts: &[&str]) {
    let changed: Vec<_> =
        texts.iter().map(|text| (text, redacted(text))).filter(|(text, shown)| **text != shown.as_str()).collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

fn joined(lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    Redactor::default().redact_lines(&mut lines.iter_mut().collect::<Vec<_>>());
    lines.iter().map(|line| redacted(line)).collect()
}

#[test]
fn a_key_of_hexadecimal_digits_is_no_uuid() {
    let key = ["4c8f1b2d9e7a6035", "f1d2c3b4a5968778"].concat();
    for text in [
        "token=VALUE step=createSecret",
        "{\"authToken\":\"VALUE\"}",
        "secret=VALUE",
        "secret: VALUE,",
        "{\"secret\": \"VALUE\"}",
        "tool --token VALUE",
        "https://example.com/?access_token=VALUE&x=1",
        "X-Auth-Token: VALUE",
        "Authorization: VALUE",
        "HEROKU_TOKEN=VALUE",
    ] {
        for key in [key.clone(), key.to_uppercase()] {
            let shown = redacted(&text.replace("VALUE", &key));
            assert!(!shown.contains(&key), "{shown}");
        }
    }
    assert!(looks_like_a_value(&key));
    let id = "7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11";
    assert!(!looks_like_a_value(id));
    assert_kept(&["token=7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11 step=createSecret", "secret=7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11"]);
}

#[test]
fn what_aws_logs_tail_writes_in_front_of_events_does_not_keep_them_apart() {
    let [value, _] = values();
    let full = "q83vEjRWeJ0AbCdEfGhIjKlMnOpQrStUvWxYz012q83vEjRWeJ0AbCdEfGhIjKlM";
    let last = "Zm9vYmFyEjRWeJ0A9CdEfGh3jKlM";
    for prefix in [
        "2024-05-01T12:00:00 ",
        "2024-05-01T12:00:00.000000+00:00 2024/05/01/[$LATEST]4c8f1b2d9e7a6035f1d2c3b4a5968778 ",
        "2024-05-01T12:00:00.000000+00:00 stream/name ",
        "2024-05-01T12:00:00 [INFO]\t2024-05-01T12:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\t",
    ] {
        for lines in [
            vec!["-----BEGIN RSA PRIVATE KEY-----", full, last, "-----END RSA PRIVATE KEY-----"],
            vec![full, full, last, "done"],
            vec!["The new password:", &value],
            vec!["  \"password\":", &format!("    \"{value}\""), "}"],
        ] {
            let lines: Vec<String> = lines.iter().map(|line| format!("{prefix}{line}\n")).collect();
            let shown = joined(&lines);
            assert!([full, last, value.as_str()].iter().all(|secret| !shown.concat().contains(secret)), "{shown:#?}");
            assert!(shown.iter().all(|line| line.starts_with(prefix)), "{shown:#?}");
        }
        let json: Vec<String> = ["password:", value.as_str()]
            .iter()
            .map(|text| format!("2024-05-01T12:00:00 {}", serde_json::json!({"message": text})))
            .collect();
        assert!(!joined(&json).concat().contains(&value));
    }
}

#[test]
fn other_notations_go_on_in_the_next_event() {
    for value in values() {
        for lines in [
            ["  [\"password\"]=>", "  string(12) \"VALUE\""],
            ["    password: Some(", "        \"VALUE\","],
            ["  password: |", "    VALUE"],
            ["mysql -h db \\", "  -pVALUE"],
        ] {
            let lines = lines.map(|line| line.replace("VALUE", &value));
            let shown = joined(&lines);
            assert!(!shown.concat().contains(&value), "{shown:#?}");
            assert_eq!(shown.first(), lines.first());
        }
    }
}

#[test]
fn a_report_is_no_value_of_the_line_before() {
    for lines in [
        vec!["    if a['password'] != b['password']:", "KeyError: 'password'"],
        vec!["    if a['password'] != b['password']:", "        'password' is missing"],
        vec!["Failed to set password:", "Traceback (most recent call last):"],
        vec!["Error setting password:", "[ERROR] 2024-05-01T12:00:00Z rotate failed"],
        vec!["Error setting password:", "[ERROR]\t2025-11-22T05:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\tfailed\n"],
        vec!["Error creating token:", "HTTPError 503"],
        vec!["Error creating token:", "ERROR 503"],
        vec!["Creating token:", "Forbidden"],
        vec!["Error reading password:", "com.example.rotate.DbException"],
        vec!["Setting password:", "psycopg2.OperationalError('x')"],
        vec!["Setting password:", "REPORT RequestId: 3f1c2d4e-0000-4000-8000-123456789012 Duration: 3000.00 ms"],
    ] {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(joined(&lines), lines);
        let listed: Vec<String> = lines.iter().map(|line| format!("2024-05-01T12:00:00 {line}")).collect();
        assert_eq!(joined(&listed), listed);
    }
}

#[test]
fn the_name_of_a_secret_with_a_host_behind_it_stays() {
    for name in ["dev/app1/mysql@primary", "prod/app2@eu-west-1", "prod/svc1@10.0.1.5:5432", "prod/orders-2024@replica-2"] {
        assert_eq!(redacted(name), name);
        assert!(!looks_like_a_value(name), "{name}");
    }
    assert_hidden(&["app/VALUE@db.example.internal:1521/ORCL", "connect app/VALUE@ORCL", "app/VALUE@db:1521"]);
    for text in ["app/tiger12@db.example.internal:1521/ORCL", "connect app/tiger12@ORCL", "app/tiger12@//db/orders"] {
        assert!(!redacted(text).contains("tiger12"), "{text}");
    }
}

#[test]
fn what_a_sentence_says_of_a_password_is_hidden() {
    assert_hidden(&[
        "Setting password to 'VALUE' for user app",
        "set password to 'VALUE'",
        "new password is VALUE",
        "initial private key is VALUE",
        "The new password is 'VALUE'.",
        "password is: VALUE",
        "Generated password VALUE",
        "connecting with password VALUE to db",
        "A temporary password is generated for root@localhost: VALUE",
        "temporary password for root@localhost: VALUE",
        "Password changed from 'x' to 'VALUE'",
        "Password changed from 'VALUE' to 'x'",
        "Secret value: VALUE",
        "pass: VALUE",
        "pw=VALUE",
        "newpwd=VALUE",
        "Passwords: ['VALUE']",
        "passwords=['first', 'VALUE']",
        "password has been set to VALUE",
        "Password for user app has been set to VALUE",
        "Setting password for user app to 'VALUE'",
        "password was changed from VALUE",
        "using password 'VALUE'",
        "secret value is VALUE",
    ]);
}

#[test]
fn sentences_about_passwords_stay() {
    assert_kept(&[
        "password is incorrect",
        "the password is expired",
        "password is not valid",
        "password is too short: 8 characters",
        "failed with password authentication",
        "Setting password for user app",
        "Setting password for user app: done",
        "Access denied for user 'app'@'10.0.0.1' (using password: YES)",
        "with password encryption scram-sha-256",
        "new password for postgresql-14 is not stored",
        "password for user app: authentication failed",
        "Unable to reset password to the previous one",
        "Password changed successfully for app2",
        "Passwords: 3 rotated",
        "passwords must match",
        "Generated password for secret prod/app-1",
        "The secret value: must be a string",
        "pass: 3, fail: 0",
        "pass=1 fail=0",
        "generated password policy v2 applied",
        "private key is RSA2048",
        "private key is 2048bit",
        "The new password is SHA256-hashed",
        "password is NOT_SET_1",
        "pass: test_rotate_1 ok",
        "The password was created by user svc_rot8 at 10.0.0.1:5432",
        "Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
        "password for db.cluster-abc123.eu-west-1.rds.amazonaws.com: connection refused",
        "password set to never expire",
        "Setting password for user app to the value of AWSPENDING",
        "password was reset by alice@example.com",
        "{\"CodeSha256\": \"00AAaAa/++AAAaA0AA//+0Aaa0A+A+aa+0aA0A+a+pw=\", \"x\": 1}",
        "password is stored in secretsmanager:prod/db-1",
        "password is 12 characters long",
        "Reset password for user app_user1: An error occurred (AccessDenied)",
        "password for user app is not valid: ORA-28003",
        "new password is set for app1",
        "new password was rejected: ORA-20001",
        "password was last changed 2024-05-01T12:00:00Z",
        "using password from secret arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf",
        "default password plugin mysql_native_password is deprecated",
        "Setting password to secret version AWSPENDING-1",
        "password to version 7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11",
        "Unable to set password to new value: ERROR 1396",
        "the token is 7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11",
        "ALTER USER app WITH PASSWORD %s",
    ]);
}

#[test]
fn errors_that_repeat_a_value_are_hidden() {
    assert_hidden(&[
        "The parameter MasterUserPassword VALUE is not valid",
        "1 validation error detected: Value 'VALUE' at 'masterUserPassword' failed to satisfy constraint",
        "syntax error at or near \"VALUE\"\nLINE 1: ALTER USER app WITH PASSWORD",
        "ALTER USER app IDENTIFIED BY %s ('app', 'VALUE')",
        "[SQL: ALTER USER app IDENTIFIED BY %s]\n[parameters: ('app', 'VALUE')]",
        "[parameters: {'pw': 'VALUE'}]",
        "cursor.execute(\"ALTER USER app WITH PASSWORD %s\", ('VALUE',))",
        "1 validation error for Secret\npassword\n  Input should be an integer [type=int_type, input_value='VALUE', input_type=str]",
        "DETAIL: Key (password)=(VALUE) already exists.",
        "could not translate host name \"VALUE@db.example.internal\" to address",
        "mongodb://app:VALUE",
    ]);
    assert_kept(&[
        "The parameter MasterUserPassword is not a valid password.",
        "mongodb://host1:27017,host2:27017/orders",
        "redis://cache:6379",
        "ALTER USER app IDENTIFIED BY %s",
        "Key (name)=(orders) already exists.",
    ]);
}

#[test]
fn values_in_other_notations_are_hidden() {
    assert_hidden(&[
        "array(1) { [\"password\"]=> string(12) \"VALUE\" }",
        "  [\"password\"]=>\n  string(12) \"VALUE\"",
        "db:\n  password: |\n    VALUE\n  host: h",
        "password: >-\n  VALUE",
        "Config { password: Some(\n        \"VALUE\",\n    ), host: None }",
        "ParameterKey=DbPassword,ParameterValue=VALUE",
        "{\"ParameterKey\": \"DbPassword\", \"ParameterValue\": \"VALUE\"}",
        "{&quot;password&quot;:&quot;VALUE&quot;}",
        "q=%7B%22password%22%3A%22VALUE%22%7D",
        "<password><![CDATA[VALUE]]></password>",
        "password = '''VALUE'''",
        "password = \"\"\"VALUE\"\"\"",
        "['password', 'VALUE']",
    ]);
    for start in ["{ \"", "{\r\n", "{\t\"", "{'u", "[{\"", "{\n\t"] {
        let text = format!("{start}username\": \"app\", \"password\": \"xyzzy\"");
        let encoded = base64(text.as_bytes());
        assert!(!redacted(&format!("sent {encoded} on")).contains(&encoded), "{start:?} {encoded}");
    }
    assert_kept(&["missing keys ['username', 'password']", "['password', 'host']", "password: |", "a string(12) of text"]);
}

/// Base64 without padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks_exact(3)
        .flat_map(|chunk| {
            let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
            [18, 12, 6, 0].map(|shift| char::from(*ALPHABET.get(bits >> shift & 63).unwrap()))
        })
        .collect()
}

#[test]
fn passwords_on_more_command_lines_are_hidden() {
    assert_hidden(&[
        "mysql -h db \\\n  -u app \\\n  -pVALUE orders",
        "mysql \\\n-pVALUE",
        "curl -sSu app:VALUE https://example.com",
        "mysqladmin -pX password VALUE",
        "ldappasswd -x -s VALUE",
        "hdbsql -n db -u app -p VALUE",
        "ENV DB_PASSWORD VALUE",
        "CONN app/VALUE",
    ]);
    assert_kept(&[
        "echo hello | openssl md5",
        "mysql \\\n-h db",
        "curl -sSu app https://example.com",
        "ldapsearch -s base",
        "CONN app/orders",
        "mysqladmin status",
    ]);
}

#[test]
fn source_and_ordinary_words_stay() {
    assert_kept(&[
        "conn = connect(user=d['username'], password=d['password'], port=port)",
        "connect(user=d[\"username\"], password=d[\"password\"], port=port)",
        "def rotate(host, password: str, port: int):",
        "def rotate(password: str)",
        "const password = event.password;",
        "    password := os.Getenv(\"DB_PASSWORD\")",
        "password = os.getenv('DB_PASSWORD')",
        "password=os.environ['DB_PASSWORD']",
        "connect(user=user, password=password, host=host)",
        "password=kwargs.pop('password')",
        "    client.put_secret_value(SecretId=arn, SecretString=json.dumps(secret), VersionStages=['AWSPENDING'])",
        "Unexpected token: expected … before",
        "Unexpected token: comma",
        "`slack.bot_token`: expected where the channel is",
        "nextForwardToken: f/3456789012345678901234567890",
        "ResumptionToken: none",
        "requirepass is not set",
        "pass=1",
    ]);
}
