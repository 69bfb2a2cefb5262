//! The secrets in a message that a person points at: it has said already that they are to be looked into.

use super::text;
use crate::model::SecretRef;

/// The characters of a message that are read: more than any platform lets one have.
const MAX_CHARS: usize = 50_000;

/// The secrets that `message` names by their ARN, behind a key such as `secret=` or behind the word "secret"; besides, its words
/// for which `is_known` holds. Each once, by the most exact of its names.
#[must_use]
pub fn secrets_in(message: &str, is_known: impl Fn(&str) -> bool) -> Vec<SecretRef> {
    let message: String = message.chars().take(MAX_CHARS).collect();
    let named = text::named(&message).secrets;
    let known = message.split(|c: char| c.is_whitespace() || "\"'`()[]{}<>|,;*".contains(c)).filter_map(|word| {
        let word = word.trim_end_matches(['.', '!', '?', ':']);
        is_known(word).then(|| word.parse().ok())?
    });
    let mut secrets: Vec<SecretRef> = Vec::new();
    for secret in named.into_iter().chain(known) {
        match secrets.iter_mut().find(|other| is_same(other, &secret)) {
            None => secrets.push(secret),
            Some(other) if matches!(secret, SecretRef::Arn(_)) => *other = secret,
            Some(_) => {}
        }
    }
    secrets
}

/// Two ARNs are the same when they are equal; a name may be that of any ARN with it.
fn is_same(one: &SecretRef, other: &SecretRef) -> bool {
    match (one, other) {
        (SecretRef::Arn(one), SecretRef::Arn(other)) => one == other,
        _ => one.name() == other.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";
    const OTHER: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/orders-db-GhIjKl";

    fn read(text: &str) -> Vec<String> {
        secrets_in(text, |word| word == "prod/billing" || word == "plain").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_message_names_its_secrets_as_an_alarm_does_and_by_names_that_are_known() {
        for (text, expected) in [
            (format!("ALARM: rotation of {SECRET} failed"), vec![SECRET]),
            (format!("{{\"SecretId\": \"{SECRET}\"}}"), vec![SECRET]),
            ("please look at secret=prod/x".to_owned(), vec!["prod/x"]),
            ("Rotation of secret prod/x-db failed".to_owned(), vec!["prod/x-db"]),
            ("**prod/billing** is red, plain.".to_owned(), vec!["prod/billing", "plain"]),
            (format!("secret=prod/orders-db ({SECRET})"), vec![SECRET]),
            (format!("{SECRET} and secret prod/orders-db"), vec![SECRET]),
            (format!("{SECRET} {OTHER}"), vec![SECRET, OTHER]),
            ("good morning, the secret is out".to_owned(), vec![]),
            ("secret=q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE".to_owned(), vec![]),
            (String::new(), vec![]),
        ] {
            assert_eq!(read(&text), expected, "{text}");
        }
    }
}
