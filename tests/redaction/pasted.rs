//! A value pasted where a name belongs is told from a name.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rotation_diag::redact::looks_like_a_value;

/// Names that secrets have in the wild: by hand, by CloudFormation, the CDK, Terraform and AWS's own services.
const NAMES: &[&str] = &[
    "team+payments/eu_west=1/a.b@c-d/last",
    "team/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "prod/orders-db",
    "orders",
    "MyApp_DB_Password_2024",
    "prod/myapp/api-token",
    "staging/secret_key",
    "rds!cluster-0f9c1a2b-1234-4cde-8f01-23456789abcd",
    "rds!db-1f9c1a2b-1234-4cde-8f01-23456789abcd",
    "redshift!prod-cluster-admin",
    "events!connection/orders-webhook/0f9c1a2b-1234-4cde-8f01-23456789abcd",
    "ecs-sc!prod-orders-db",
    "opsworks-cm!chef-automate",
    "bedrock-agentcore-identity!default/apikey/orders",
    "AmazonMSK_orders_kafka_user1",
    "aws/ses/smtp-creds",
    "MyStackSecretA720EF05-kq4Rj5XzT8aB",
    "my-stack-DBSecret-1A2B3C4D5E6F",
    "CDKOrdersRotationSecretD4F6A8B2C1E3",
    "RdsStackDbSecretAttachment3A4B5C6D-AbCdEf",
    "OrdersServiceDatabaseClusterMasterUserSecretProduction",
    "AuroraSlsV2Pg15MstrUsrScrt2024",
    "DEV-RDSPGSQL15-MSTR-PWD",
    "QAEUW1RDSMYSQL8APPUSR",
    "SQLSRVPRDCLSTR01",
    "svc-jnkns-gthb-tkn",
    "prd-mgmt-svc-k8s-tls-x509",
    "eu1-p2-k8s-n3-db2-r1-v2-x9",
    "iOSAppAPIKeyV3Prod",
    "IoTCoreS3ETLJobDBUserV2",
    "terraform-20230915123456789000000001",
    "app-9f86d081884c7d659a2feaa0c55ad015",
    "prod/tenant/9f86d081884c7d659a2feaa0c55ad015/db",
    "vpc-0a1b2c3d4e5f67890",
    "team+orders@example.com",
    "prod.us-east-1.orders.db.v2",
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf",
    "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a-b/C_d+e=f.g@h-XyZ123",
    "7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11",
    "/aws/reference/secretsmanager/prod/db",
    "orders-db-password-rotation-2024-11-22",
    // Other words that are said where a name belongs.
    "thanks a lot!",
    "it's failing again, isn't it?",
    "widen 30d",
    "evidence4",
    "account:prod region:eu-west-1 prod/orders-db",
    "<@U024BE7LH>",
    "<#C024BE7LH|ops-alerts>",
    "${SECRET_NAME}",
    "$SECRET_NAME",
    "<your-secret-name>",
    "\"prod/orders-db\"",
    "`prod/orders-db`,",
    "prod/*",
    "https://eu-west-1.console.aws.amazon.com/secretsmanager/secret?name=prod%2Forders-db&region=eu-west-1",
    "",
];

#[test]
fn no_name_is_taken_for_a_value() {
    let taken: Vec<_> = NAMES.iter().filter(|name| looks_like_a_value(name)).collect();
    assert!(taken.is_empty(), "{taken:?}");
}

#[test]
fn what_people_paste_by_mistake_is_taken_for_a_value() {
    // Samples of vendors' tokens are put together at run time, so that secret scanners leave this file alone.
    let random = "Xq7LmZ2vTk9RbW4sHd8Nf3Jp6Yc5Ga1Ue0Do";
    let values = [
        "Xk9#mP2$vL8q".to_owned(),
        "Summer2024!".to_owned(),
        "P@ssw0rd123".to_owned(),
        "hT7&kd^3Lq".to_owned(),
        "k7!x-y$z8Q".to_owned(),
        "9drTJvcXLB89EXLCiH9Zyjz+0CWIbz2Vg5oUIh3K".to_owned(),
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        format!("AKIA{}", "Q3EGRIGSN7VPL2XY"),
        format!("ghp_{random}"),
        format!("xoxb-{}-{random}", "123456789012"),
        format!("sk_live_{random}"),
        format!("glpat-{}", random.get(..20).unwrap_or_default()),
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmN".to_owned(),
        "postgres://app:tiger@db.example.com/orders".to_owned(),
        "Server=db;Uid=app;Pwd=tiger;".to_owned(),
        "host=db user=app password=tiger dbname=orders".to_owned(),
        r#"{"username": "app", "password": "tiger"}"#.to_owned(),
        r#"{"u": "app", "p": "tiger"}"#.to_owned(),
        "{'user': 'app', 'p': 'tiger'}".to_owned(),
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----".to_owned(),
        "dXNlcjpwYXNzd29yZA==".to_owned(),
        "9f86d081884c7d659a2feaa0c55ad0159f86d081".to_owned(),
        random.to_owned(),
        format!("diagnose {random} please"),
        format!("app:{random}"),
        format!("{}{random}", "a".repeat(500)),
    ];
    let missed: Vec<_> = values.iter().filter(|value| !looks_like_a_value(value)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

/// How many of a thousand values drawn from `alphabet` are taken for values; the draw is the same in every run. With
/// `of_all_kinds`, a value has letters of both cases and digits in it, as generators of passwords see to.
fn told_of_a_thousand(alphabet: &[u8], length: usize, of_all_kinds: bool) -> usize {
    let mut runner = TestRunner::deterministic();
    let drawn = prop::collection::vec(prop::sample::select(alphabet.to_vec()), length);
    let mut values = Vec::new();
    while values.len() < 1000 {
        let value = String::from_utf8(drawn.new_tree(&mut runner).unwrap().current()).unwrap();
        let has = |class: fn(&u8) -> bool| value.as_bytes().iter().any(class);
        if !of_all_kinds || (has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit)) {
            values.push(value);
        }
    }
    values.iter().filter(|value| looks_like_a_value(value)).count()
}

#[test]
fn nearly_every_generated_value_is_taken_for_one() {
    let printable: Vec<u8> = (b'!'..=b'~').collect();
    let chars = |belongs: fn(&u8) -> bool| printable.iter().copied().filter(belongs).collect::<Vec<u8>>();
    let letters_and_digits = chars(u8::is_ascii_alphanumeric);
    for (alphabet, length, of_all_kinds, least) in [
        (letters_and_digits.clone(), 24, false, 950),
        (letters_and_digits.clone(), 32, false, 980),
        (letters_and_digits, 64, false, 995),
        // An AWS secret access key.
        (chars(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte)), 40, false, 990),
        // 32 bytes in the alphabet of URLs.
        (chars(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)), 43, false, 930),
        (chars(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), 32, false, 980),
        (chars(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte)), 64, false, 1000),
        // What GetRandomPassword draws from.
        (printable.clone(), 32, true, 995),
        (printable.clone(), 16, true, 950),
    ] {
        let told = told_of_a_thousand(&alphabet, length, of_all_kinds);
        assert!(told >= least, "{told} of 1000 with {length} of {}", String::from_utf8_lossy(&alphabet));
    }
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "prod",
        "dev",
        "staging",
        "qa",
        "uat",
        "eu",
        "us",
        "west",
        "east",
        "north",
        "orders",
        "billing",
        "customer",
        "payments",
        "database",
        "cluster",
        "postgres",
        "mysql",
        "oracle",
        "mongo",
        "redis",
        "kafka",
        "aurora",
        "serverless",
        "warehouse",
        "secret",
        "password",
        "credentials",
        "token",
        "api",
        "key",
        "rotation",
        "master",
        "user",
        "admin",
        "service",
        "account",
        "github",
        "slack",
        "stripe",
        "datadog",
        "lambda",
        "function",
        "app",
        "web",
        "mobile",
        "internal",
        "public",
        "shared",
        "svc",
        "mgmt",
        "rds",
        "msk",
        "eks",
        "db",
        "usr",
        "pwd",
        "cfg",
        "iot",
        "etl",
        "analytics",
        "backend",
        "frontend",
        "terraform",
        "jenkins",
        "grafana",
        "keycloak",
        "vault",
        "snowflake",
        "salesforce",
        "schlüssel",
        "zahlung",
        "facturation",
    ])
    .prop_map(str::to_owned)
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Names in the usual ways of writing: kebab, path, snake, dotted, camel case, upper case; with numbers and with the endings
/// that tools append.
fn name() -> impl Strategy<Value = String> {
    let numbered = (word(), prop_oneof![4 => Just(String::new()), 1 => "[0-9]{1,4}", 1 => "v[0-9]"])
        .prop_map(|(word, number)| word + &number);
    let words = prop::collection::vec(numbered, 1..7);
    let styled = (words, 0_usize..7).prop_map(|(words, style)| match style {
        0 => words.join("-"),
        1 => words.join("/"),
        2 => words.join("_"),
        3 => words.join("."),
        4 => words.iter().map(|word| capitalised(word)).collect(),
        5 => words.join("_").to_uppercase(),
        _ => words.iter().map(|word| capitalised(word)).collect::<Vec<_>>().join("_"),
    });
    let ending = prop_oneof![
        3 => Just(String::new()),
        1 => "-[A-Za-z0-9]{6}",
        1 => "-[A-Za-z0-9]{12,13}",
        1 => "[0-9A-F]{8}-[A-Za-z0-9]{12}",
        1 => "-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}",
        1 => "-[0-9a-f]{32}",
        1 => "/[0-9a-f]{40}",
        1 => "-20[0-9]{2}-[01][0-9]-[0-3][0-9]",
        1 => "-[0-9]{14,26}",
    ];
    (styled, ending).prop_map(|(name, ending)| name + &ending)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_generated_name_is_taken_for_a_value(name in name(), service in prop::sample::select(vec!["rds", "events", "ecs-sc"])) {
        // Mailgun's keys have this shape.
        prop_assume!(!name.starts_with("key-"));
        prop_assert!(!looks_like_a_value(&name), "{}", name);
        let managed = format!("{service}!{name}");
        prop_assert!(!looks_like_a_value(&managed), "{}", managed);
        let arn = format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf");
        prop_assert!(!looks_like_a_value(&arn), "{}", arn);
        let said = format!("rerun {name}, please");
        prop_assert!(!looks_like_a_value(&said), "{}", said);
    }

    #[test]
    fn a_password_with_signs_that_no_name_has_is_taken_for_a_value(
        head in "[A-Za-z]{4,8}", sign in "[#$%^&*~|]", digits in "[0-9]{3,8}", tail in "[A-Za-z]{1,8}",
    ) {
        let password = format!("{head}{sign}{digits}{sign}{tail}");
        prop_assert!(looks_like_a_value(&password), "{}", password);
    }

    #[test]
    fn any_text_gets_an_answer(text in any::<String>()) {
        let _ = looks_like_a_value(&text);
    }
}
