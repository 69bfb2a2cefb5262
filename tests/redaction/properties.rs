//! What holds for any text.

use super::redacted;
use proptest::prelude::*;
use rotation_diag::redact::Redactor;
use serde_json::json;

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
        let redactor = Redactor::knowing(["k7!x\"y z\\-known"]);
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
