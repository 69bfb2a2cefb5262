//! A secret's value, pasted where its name belongs.

use super::{OPTIONS, SECRET, typed};
use crate::model::Arn;
use crate::redact::{SafeText, looks_like_a_value};

/// The most characters that are judged; what is longer is no command anyhow, and the beginning of a value gives it away.
const MAX_JUDGED_CHARS: usize = 8_000;

/// Whether something in `text` looks like the value of a secret: a key, a token, a password, a document with fields.
///
/// ARNs never do, and names that `is_known` holds for never do: a secret that was given a name like a value can still be
/// asked about, by its ARN or, where the names of the account are known, by its name.
pub fn holds_a_value(text: &str, is_known: impl Fn(&str) -> bool) -> bool {
    let text: String = text.chars().take(MAX_JUDGED_CHARS).collect();
    let words = typed::words(&text);
    let mut rest = Vec::new();
    for word in words.iter().map(|word| typed::unquoted(word)) {
        let value = value_of(word);
        if [word, value].into_iter().any(|one| is_arn(one) || is_known(one)) {
            continue;
        }
        if looks_like_a_value(value) {
            return true;
        }
        rest.push(value);
    }
    let rest = rest.join(" ");
    is_document(&text) || looks_like_a_value(&rest) || SafeText::redact(&rest).as_str() != rest
}

/// What follows the name of an option; else the word.
fn value_of(word: &str) -> &str {
    let is_option = |name: &str| OPTIONS.into_iter().chain([SECRET]).any(|option| name.eq_ignore_ascii_case(option));
    let given = word.trim_start_matches('-').split_once([':', '=']).filter(|(name, _)| is_option(name));
    given.map_or(word, |(_, value)| typed::unquoted(value))
}

fn is_arn(word: &str) -> bool {
    word.starts_with("arn:") && Arn::parse(word).is_ok()
}

/// No command begins like a JSON document, and secrets often are one.
fn is_document(text: &str) -> bool {
    let text = text.trim_start().trim_start_matches("/rotation-diag").trim_start();
    let inside = text.trim_start_matches(['`', '\'', '"', '“', '”']).trim_start_matches("json").trim_start();
    inside.starts_with('{') || inside.starts_with('[') && inside.contains(['"', '“', '”'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> bool {
        holds_a_value(text, |name| name == "Zk3vQ9xT7bW2nL5cR8yJ4mH6pD1sF0gA")
    }

    #[test]
    fn values_are_seen_wherever_they_stand() {
        for value in [
            "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE",
            concat!("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY"),
            concat!("AKIA", "ZZZZ7QJ5TESTKEYQ"),
            concat!("ghp_", "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE1uXo"),
            "postgres://app:hunter2hunter2@db.example.com:5432/orders",
            "Tr0ub4dor&3-Xk9!mQ2v",
            "{\"username\":\"app\",\"password\":\"x\"}",
            "{“username”: “app”, “host”: “db”}",
            "password: hunter2hunter2",
        ] {
            for text in [
                value.to_owned(),
                format!("/rotation-diag {value}"),
                format!("`{value}`"),
                format!("prod/orders-db {value}"),
                format!("why does {value} not rotate"),
                format!("prod/orders-db account:{value}"),
                format!("prod/orders-db --region {value}"),
                format!("prod/orders-db window={value}"),
                format!("secret:{value}"),
            ] {
                let is_document = value.starts_with('{')
                    && !text.trim_start_matches(['`']).trim_start_matches("/rotation-diag ").starts_with('{');
                assert!(is_document || judged(&text), "{text}");
            }
        }
    }

    #[test]
    fn names_commands_and_words_are_no_values() {
        for text in [
            "",
            "prod/orders-db",
            "prod/orders-db account:prod region:eu-west-1 window:7d",
            "secret:prod/orders-db",
            "--secret prod/orders-db",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE-AbCdEf",
            "Zk3vQ9xT7bW2nL5cR8yJ4mH6pD1sF0gA",
            "secret:Zk3vQ9xT7bW2nL5cR8yJ4mH6pD1sF0gA",
            "rds!db-3d5f3c3e-2f0f-4f6b-9d1e-7a8b9c0d1e2f",
            "orders_db_password",
            "prod/payments/stripe-api-key",
            "prod.example.com",
            "rerun 4",
            "widen to 30 days",
            "evidence4",
            "thanks a lot",
            "👍",
            "!!! ???",
            "why is prod/orders-db not rotating?",
        ] {
            assert!(!judged(text), "{text}");
        }
    }
}
