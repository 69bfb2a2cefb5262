//! Secrets and functions that an alarm names: in dimensions, tags, ARNs inside texts.

use crate::model::{Arn, FunctionArn, SecretArn, SecretRef};
use crate::redact::looks_like_a_value;

/// Secrets or functions taken from one alarm at most; an alarm about more is about none in particular.
const MOST: usize = 50;

/// Names of dimensions and tags whose value is a secret, without case and signs.
const SECRET_KEYS: [&str; 9] = [
    "secret",
    "secretid",
    "secretname",
    "secretarn",
    "secrets",
    "secretids",
    "secretarns",
    "rotationsecret",
    "secretsmanagersecret",
];

/// Names of dimensions and tags whose value is a function.
const FUNCTION_KEYS: [&str; 6] =
    ["function", "functionname", "functionarn", "rotationfunction", "rotationlambda", "rotationlambdaarn"];

/// What is named, each once, in the order it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) secrets: Vec<SecretRef>,
    /// Names or ARNs.
    pub(super) functions: Vec<String>,
    /// Whether a text pointed at one of them, with `secret=NAME`.
    is_pointed_at: bool,
}

impl Named {
    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.functions.is_empty()
    }

    /// True when a text points at a secret, with `secret=NAME`.
    pub(super) fn is_pointed_at(&self) -> bool {
        self.is_pointed_at
    }

    /// Reads a field of an object, where its name says that it is a secret.
    pub(super) fn read_own(&mut self, name: &str, value: &str) {
        if is_secret_key(name) {
            self.add_secret(value.parse().ok());
        }
    }

    /// Reads a dimension or a tag.
    pub(super) fn read_pair(&mut self, name: &str, value: &str) {
        let key: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        if value.starts_with("arn:") {
            self.read_text(value);
        } else if is_secret_key(name) {
            self.add_secret(value.parse().ok());
        } else if FUNCTION_KEYS.contains(&key.as_str()) {
            self.add_function(function_name(value));
        } else if key == "resource" && value.contains(':') {
            // Lambda's second dimension: `name:alias`.
            self.add_function(value.split(':').next().and_then(function_name));
        }
    }

    /// Reads a text: ARNs anywhere, and `secret=NAME` or `secret: NAME`.
    pub(super) fn read_text(&mut self, text: &str) {
        let mut expects_secret = false;
        for word in text.split(|c: char| c.is_whitespace() || "\"'`,;()[]{}<>|".contains(c)).filter(|word| !word.is_empty()) {
            let trimmed = word.trim_end_matches(['.', '!', '?', ':']);
            if trimmed.starts_with("arn:") {
                self.read_arn(trimmed);
            } else if let Some((key, value)) = trimmed.split_once(['=', ':']) {
                if is_secret_key(key)
                    && let Ok(secret) = value.parse()
                {
                    self.is_pointed_at |= trimmed.split_once('=').is_some_and(|(before, _)| before == key);
                    self.add_secret(Some(secret));
                }
            } else if expects_secret {
                self.add_secret(trimmed.parse().ok());
            }
            expects_secret = word.ends_with([':', '=']) && is_secret_key(word.trim_end_matches([':', '=']));
        }
    }

    fn read_arn(&mut self, text: &str) {
        let Ok(arn) = Arn::parse(text) else { return };
        match arn.service() {
            "secretsmanager" => self.add_secret(SecretArn::try_from(arn).ok().map(SecretRef::Arn)),
            "lambda" => self.add_function(FunctionArn::try_from(arn).ok().map(|function| function.to_string())),
            _ => {}
        }
    }

    /// A name that looks like a value is taken for one that was pasted there; a secret of such a name is known by its ARN.
    pub(super) fn add_secret(&mut self, secret: Option<SecretRef>) {
        let secret = secret.filter(|secret| !matches!(secret, SecretRef::Name(name) if looks_like_a_value(name)));
        self.secrets.extend(secret.filter(|secret| self.secrets.len() < MOST && !self.secrets.contains(secret)));
    }

    pub(super) fn add_function(&mut self, function: Option<String>) {
        self.functions.extend(function.filter(|name| self.functions.len() < MOST && !self.functions.contains(name)));
    }
}

fn is_secret_key(key: &str) -> bool {
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_KEYS.contains(&key.as_str())
}

/// A function's name as Lambda allows it.
///
/// Source: Lambda API reference, `FunctionName`: letters, digits, `-` and `_`, at most 64.
fn function_name(text: &str) -> Option<String> {
    let shaped = (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    shaped.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";
    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:orders-rotator";

    fn pair(name: &str, value: &str) -> (Vec<String>, Vec<String>) {
        let mut named = Named::default();
        named.read_pair(name, value);
        (named.secrets.iter().map(ToString::to_string).collect(), named.functions)
    }

    fn text(text: &str) -> (Vec<String>, Vec<String>) {
        let mut named = Named::default();
        named.read_text(text);
        (named.secrets.iter().map(ToString::to_string).collect(), named.functions)
    }

    fn found(secrets: &[&str], functions: &[&str]) -> (Vec<String>, Vec<String>) {
        let owned = |list: &[&str]| list.iter().map(|item| (*item).to_owned()).collect();
        (owned(secrets), owned(functions))
    }

    #[test]
    fn dimensions_and_tags_name_secrets_and_functions() {
        for (name, value, expected) in [
            ("SecretId", SECRET, found(&[SECRET], &[])),
            ("Secret-Name", "prod/orders-db", found(&["prod/orders-db"], &[])),
            ("anything", SECRET, found(&[SECRET], &[])),
            ("FunctionName", "orders-rotator", found(&[], &["orders-rotator"])),
            ("FunctionName", FUNCTION, found(&[], &[FUNCTION])),
            ("Resource", "orders-rotator:live", found(&[], &["orders-rotator"])),
            ("Resource", "orders-rotator", found(&[], &[])),
            ("InstanceId", "i-1234", found(&[], &[])),
            ("SecretId", "x\" || \"", found(&[], &[])),
            ("FunctionName", "../../etc", found(&[], &[])),
            ("SecretId", "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE", found(&[], &[])),
        ] {
            assert_eq!(pair(name, value), expected, "{name}={value}");
        }
    }

    #[test]
    fn a_text_names_secrets_by_arn_or_with_the_word_before_it() {
        for (words, expected) in [
            (&*format!("Rotation of {SECRET}. failed"), found(&[SECRET], &[])),
            (&*format!("<{SECRET}|x> by ({FUNCTION})"), found(&[SECRET], &[FUNCTION])),
            ("secret=prod/orders-db, see the runbook", found(&["prod/orders-db"], &[])),
            ("Secret: prod/orders-db", found(&["prod/orders-db"], &[])),
            ("secret_id:prod/orders-db.", found(&["prod/orders-db"], &[])),
            ("the secret is not rotating", found(&[], &[])),
            ("secret", found(&[], &[])),
            ("a/b and/or c", found(&[], &[])),
            ("arn:aws:s3:::bucket", found(&[], &[])),
            ("secret=q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE", found(&[], &[])),
            ("secret: q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE", found(&[], &[])),
            ("", found(&[], &[])),
        ] {
            assert_eq!(text(words), expected, "{words}");
        }
    }

    #[test]
    fn each_is_named_once_and_not_without_bound() {
        assert_eq!(text(&format!("{SECRET} {SECRET}")).0.len(), 1);
        let many: String = (0..1_000).map(|n| format!("secret=s{n} ")).collect();
        assert_eq!(text(&many).0.len(), MOST);
    }
}
