use super::*;
use crate::model::StepName;
use proptest::prelude::*;

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";

fn question(words: &str) -> InvestigationRequest {
    match parse(words) {
        Ok(Asked::InvestigationRequest(question) | Asked::Word(question)) => question,
        other => panic!("{words:?}: {other:?}"),
    }
}

fn why(words: &str) -> String {
    match parse(words) {
        Err(usage) => usage.to_string(),
        other => panic!("{words:?}: {other:?}"),
    }
}

/// Secret, account, region, window.
fn read(words: &str) -> (String, Option<String>, Option<String>, Option<Lookback>) {
    let InvestigationRequest { secret, account, region, lookback } = question(words);
    (secret.to_string(), account, region.map(|region| region.to_string()), lookback)
}

#[test]
fn a_secret_is_asked_about_by_name_or_arn() {
    assert_eq!(read("prod/orders-db"), ("prod/orders-db".to_owned(), None, None, None));
    assert!(matches!(question(ARN).secret, SecretRef::Arn(_)));
    let longest = "/_+=.@-x".repeat(64);
    for name in ["x", "/_+=.@-", "a=b", "-leading-dash", "../../x", "a//b", longest.as_str()] {
        assert_eq!(read(name).0, name);
    }
}

#[test]
fn options_are_understood_in_every_form_and_order() {
    let expected = ("prod/x".to_owned(), Some("stage".to_owned()), Some("eu-west-1".to_owned()), Some(Lookback::Week));
    for words in [
        "prod/x account:stage region:eu-west-1 window:7d",
        "window:7d region:eu-west-1 prod/x account:stage",
        "prod/x account=stage region=eu-west-1 window=7d",
        "prod/x --account stage --region eu-west-1 --window 7d",
        "prod/x --account=stage --region=eu-west-1 --window=1w",
        "prod/x --account:stage -region EU-WEST-1 Window:7D",
        "prod/x ACCOUNT:stage Region: eu-west-1 window: 7d",
        "/rotation-diag prod/x account:stage region:eu-west-1 window:7d",
    ] {
        assert_eq!(read(words), expected, "{words}");
    }
    for (word, lookback) in [("24h", Lookback::Day), ("7d", Lookback::Week), ("30d", Lookback::Month), ("90d", Lookback::Quarter)]
    {
        assert_eq!(question(&format!("x window:{word}")).lookback, Some(lookback));
    }
}

#[test]
fn what_chat_programs_make_of_typed_text_is_undone() {
    let expected = ("prod.example.com".to_owned(), None, Some("eu-west-1".to_owned()), None);
    for words in [
        "<http://prod.example.com|prod.example.com> region:eu-west-1",
        "“prod.example.com”\u{a0}region:“eu-west-1”",
        "‘prod.example.com’\u{2003}region:eu-west-1",
        "`prod.example.com` —region eu-west-1",
        "\u{feff}prod.example.com\u{200b}  –region=eu-west-1\r\n",
        "  prod.example.com\tregion:eu-west-1  ",
    ] {
        assert_eq!(read(words), expected, "{words}");
    }
    assert_eq!(read("<mailto:db@prod.example|db@prod.example>").0, "db@prod.example");
    // Whoever typed the markup gets it back as text; a whole address was typed as one.
    assert!(why("&lt;http://x.example|x> y").starts_with("what you wrote is not an option"));
    assert!(why("<https://x.example/?a=1&amp;b=2>").starts_with("“https” is not an option"));
}

#[test]
fn a_bare_word_may_be_no_secret_and_what_says_that_it_is_one_is() {
    for words in ["thanks", "orders-db", "evidence4", "ok", "`status`"] {
        assert!(matches!(parse(words), Ok(Asked::Word(_))), "{words}");
        assert!(!names_a_secret(words), "{words}");
    }
    for words in ["prod/x", "secret:rerun", "secret: thanks", "--secret ok", "SECRET=ok", ARN, "x window:7d", "/orders"] {
        assert!(matches!(parse(words), Ok(Asked::InvestigationRequest(_))), "{words}: {:?}", parse(words));
    }
    assert_eq!(read("secret:rerun window:7d"), ("rerun".to_owned(), None, None, Some(Lookback::Week)));
    assert_eq!(why("secret:a b"), "name one secret at a time, without spaces");
    assert_eq!(why("a secret:b"), "name one secret at a time, without spaces");
    assert_eq!(why("secret:"), "secret needs a value, such as secret:prod/orders-db");
    for words in ["why does prod/x not rotate?", "secret:a b", ARN] {
        assert!(names_a_secret(words), "{words}");
    }
}

#[test]
fn a_thread_is_gone_on_with_in_a_few_words() {
    for (words, action) in [
        ("rerun", Action::RerunAll),
        ("Rerun all", Action::RerunAll),
        ("rerun 4", Action::RerunStep(StepName::FunctionLogs)),
        ("rerun step 4", Action::RerunStep(StepName::FunctionLogs)),
        ("rerun #9", Action::RerunStep(StepName::ConfigChanges)),
        ("widen 30d", Action::Widen(Lookback::Month)),
        ("widen to 7 d", Action::Widen(Lookback::Week)),
        ("WIDEN 90D", Action::Widen(Lookback::Quarter)),
        ("evidence 5", Action::Evidence(StepName::ExecutionRole)),
        ("evidence of step 5", Action::Evidence(StepName::ExecutionRole)),
        ("compare", Action::Compare),
        ("Consumers", Action::Consumers),
        ("watch", Action::Watch),
        ("export", Action::Export),
        ("resolve", Action::Resolve),
    ] {
        assert_eq!(parse(words), Ok(Asked::FollowUp(action)), "{words}");
    }
}

#[test]
fn nothing_and_help_get_help() {
    for words in ["", "   ", "\u{a0}\u{200b}\n", "help", "HELP me", "?", "--help", "/rotation-diag", "/rotation-diag help"] {
        assert_eq!(parse(words), Ok(Asked::Help), "{words:?}");
    }
}

#[test]
fn what_makes_no_sense_gets_one_clear_sentence() {
    let not_a_name = "a secret's name has 1 to 512 letters, digits and /_+=.@-! characters";
    for (words, expected) in [
        ("!!! ???", "name one secret at a time, without spaces".to_owned()),
        ("???", format!("what you wrote is not a secret: {not_a_name}")),
        ("prod/x prod/y", "name one secret at a time, without spaces".to_owned()),
        ("region:eu-west-1", "name a secret, or give its ARN".to_owned()),
        ("x region:eu-west-1 --region eu-west-2", "region is given twice".to_owned()),
        ("x region:", "region needs a value, such as region:eu-west-1".to_owned()),
        ("x --window", "window needs a value, such as window:7d".to_owned()),
        ("x --force", "“force” is not an option: use account, region or window".to_owned()),
        (
            "x --role-arn=arn:aws:iam::123456789012:role/r",
            "“role-arn” is not an option: use account, region or window".to_owned(),
        ),
        ("x external_id:y", "“external_id” is not an option: use account, region or window".to_owned()),
        ("x account:arn:aws:iam::123456789012:role/r", "what you wrote is not an account of the configuration".to_owned()),
        ("x region:Ireland", "“Ireland” is not a region such as eu-west-1".to_owned()),
        ("x window:0", "“0” is not a window: a window is 24h, 7d, 30d or 90d".to_owned()),
        ("x window:-1", "“-1” is not a window: a window is 24h, 7d, 30d or 90d".to_owned()),
        ("x window:99999999d", "what you wrote is not a window: a window is 24h, 7d, 30d or 90d".to_owned()),
        ("x window:1e9h", "“1e9h” is not a window: a window is 24h, 7d, 30d or 90d".to_owned()),
        ("rerun 0", "use rerun, or rerun and a step from 1 to 9".to_owned()),
        ("rerun 10", "use rerun, or rerun and a step from 1 to 9".to_owned()),
        ("widen", "use widen 7d, widen 30d or widen 90d".to_owned()),
        ("widen 24h", "use widen 7d, widen 30d or widen 90d".to_owned()),
        ("evidence", "use evidence and a step from 1 to 9".to_owned()),
        ("compare prod/y", "compare takes no arguments".to_owned()),
    ] {
        assert_eq!(why(words), expected, "{words}");
    }
    assert_eq!(why(&"x".repeat(4_000)), "that is too long: name one secret, or give its ARN");
    assert_eq!(why(&format!("{ARN} region:us-east-1")), "the ARN is in region eu-west-1, but region says us-east-1");
}

#[test]
fn an_arn_is_read_strictly() {
    for arn in [
        "arn:aws:s3:::bucket",
        "arn:aws:secretsmanager:eu-west-1:123456789012",
        "arn:aws:secretsmanager::123456789012:secret:prod/x-AbCdEf",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:*",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/x?",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x\"||\"",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:${x}",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x%0a",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a:b",
    ] {
        assert!(parse(arn).is_err(), "{arn}");
    }
    for partition in ["aws", "aws-cn", "aws-us-gov", "aws-iso"] {
        let region = match partition {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            "aws-iso" => "us-iso-east-1",
            _ => "eu-west-1",
        };
        let arn = format!("arn:{partition}:secretsmanager:{region}:123456789012:secret:prod/x-AbCdEf");
        assert!(matches!(question(&arn).secret, SecretRef::Arn(_)), "{arn}");
    }
}

#[test]
fn what_is_repeated_is_short_redacted_and_on_one_line() {
    let said = why("<!channel>");
    assert!(said.starts_with("what you wrote is not a secret"), "{said}");
    assert!(!why("x password:hunter2hunter2").contains("hunter2"));
    assert!(!why("x region:AKIAZZZZ7QJ5TESTKEYQ").contains("AKIAZZZZ7QJ5TESTKEYQ"));
    assert!(why(&format!("x --{}", "y".repeat(900))).chars().count() < 150);
    assert!(why("x\u{202e}y").starts_with("what you wrote is not a secret"));
    for word in ["P@ss#w0rd", "s3cr3t#", "hunter2?", "кириллица", "x$y"] {
        assert!(!why(word).contains(word), "{word}");
        for option in ["account", "region", "window"] {
            assert!(!why(&format!("x {option}:{word}")).contains(word), "{option}:{word}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_gets_an_answer_on_one_line(text in any::<String>()) {
        if let Err(usage) = parse(&text) {
            prop_assert!(!usage.to_string().chars().any(char::is_control));
        }
    }

    #[test]
    fn what_was_understood_holds_only_the_allowed_characters(text in "[ -~]{0,80}") {
        if let Ok(Asked::InvestigationRequest(question) | Asked::Word(question)) = parse(&text) {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-!:".contains(c);
            prop_assert!(question.secret.to_string().chars().all(allowed));
            prop_assert!(question.region.as_deref().into_iter().chain(question.account.as_deref()).all(|value| value.chars().all(allowed)));
        }
    }
}
