//! Secrets and functions that an alarm names: in dimensions, tags, ARNs inside texts.

use crate::model::{Arn, FunctionArn, LAMBDA_LOGS, SecretArn, SecretRef};
use crate::redact::looks_like_a_value;

/// Secrets of one alarm that are counted; of more it is said that there are more.
pub const MAX_COUNTED: usize = 50;

/// Secrets or functions taken from one alarm at most: one more than are counted.
pub(super) const MAX_NAMED: usize = MAX_COUNTED + 1;

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
pub(super) struct NamedSecrets {
    pub(super) secrets: Vec<SecretRef>,
    pub(super) functions: Vec<String>,
    /// Whether a text pointed at one of them, with `secret=NAME`.
    is_pointed_at: bool,
    /// Whether something stood in a name's place that looks like a value.
    is_value_refused: bool,
}

impl NamedSecrets {
    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.functions.is_empty()
    }

    /// True when a text points at a secret, with `secret=NAME`.
    pub(super) fn is_pointed_at(&self) -> bool {
        self.is_pointed_at
    }

    /// True when what stood in the place of a name was refused, because it looks like a value.
    pub(super) fn is_value_refused(&self) -> bool {
        self.is_value_refused
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
        } else if key == "loggroupname" {
            self.add_function(value.strip_prefix(LAMBDA_LOGS).and_then(function_name));
        } else if key == "resource" && value.contains(':') {
            // Lambda's second dimension: `name:alias`.
            self.add_function(value.split(':').next().and_then(function_name));
        }
    }

    /// Reads a text: ARNs anywhere, and `secret=NAME` or `secret: NAME`, with blanks and quotes as people write them.
    pub(super) fn read_text(&mut self, text: &str) {
        let mut expected = None;
        for part in text.split(['\n', ',', ';']) {
            // A name may stand in the line behind `Secret:`; what follows a `secret=` without a name is none that is pointed at.
            expected = expected.map(|_| Sign::Colon);
            let mut is_behind_key = false;
            for word in part.split(|c: char| c.is_whitespace() || "\"'`()[]{}<>|".contains(c)).filter(|word| !word.is_empty()) {
                let (word, sign) = match word.strip_prefix('=').filter(|_| is_behind_key) {
                    Some(rest) => (rest, Some(Sign::Equals)),
                    None => (word, expected),
                };
                is_behind_key = is_secret_key(word) && word.ends_with(|c: char| c.is_ascii_alphanumeric());
                expected = if word.is_empty() { sign } else { self.read_word(word, sign) };
            }
        }
    }

    /// Reads a word behind a secret's key and `sign`, if any; `Some` where the next word is to be a secret.
    fn read_word(&mut self, word: &str, sign: Option<Sign>) -> Option<Sign> {
        let trimmed = word.trim_end_matches(['.', '!', '?', ':']);
        if trimmed.starts_with("arn:") {
            self.is_pointed_at |= sign == Some(Sign::Equals) && trimmed.parse::<SecretRef>().is_ok();
            self.read_arn(trimmed);
        } else if let Some((key, value)) = trimmed.split_once(['=', ':']) {
            if is_secret_key(key)
                && let Ok(secret) = value.parse()
            {
                let is_equals = trimmed.split_once('=').is_some_and(|(before, _)| before == key);
                self.point_at(secret, if is_equals { Sign::Equals } else { Sign::Colon });
            }
        } else if let (Some(sign), Ok(secret)) = (sign, trimmed.parse()) {
            self.point_at(secret, sign);
        }
        let key = word.trim_end_matches([':', '=']);
        (key != word && is_secret_key(key)).then(|| if word.ends_with('=') { Sign::Equals } else { Sign::Colon })
    }

    fn point_at(&mut self, secret: SecretRef, sign: Sign) {
        self.is_pointed_at |= sign == Sign::Equals;
        self.add_secret(Some(secret));
    }

    /// Takes a function that a sentence names.
    pub(super) fn read_function(&mut self, name: &str) {
        self.add_function(function_name(name));
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
        let Some(secret) = secret else { return };
        if matches!(&secret, SecretRef::Name(name) if looks_like_a_value(name)) {
            self.is_value_refused = true;
        } else if self.secrets.len() < MAX_NAMED && !self.secrets.contains(&secret) {
            self.secrets.push(secret);
        }
    }

    /// The same holds for a function.
    pub(super) fn add_function(&mut self, function: Option<String>) {
        let function = function.filter(|name| name.starts_with("arn:") || !looks_like_a_value(name));
        self.functions.extend(function.filter(|name| self.functions.len() < MAX_NAMED && !self.functions.contains(name)));
    }
}

/// What stands between a key and what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Equals,
    Colon,
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
        let mut named = NamedSecrets::default();
        named.read_pair(name, value);
        (named.secrets.iter().map(ToString::to_string).collect(), named.functions)
    }

    fn text(text: &str) -> (Vec<String>, Vec<String>) {
        let mut named = NamedSecrets::default();
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
            ("LogGroupName", "/aws/lambda/orders-rotator", found(&[], &["orders-rotator"])),
            ("LogGroupName", "/ecs/orders", found(&[], &[])),
            ("InstanceId", "i-1234", found(&[], &[])),
            ("SecretId", "x\" || \"", found(&[], &[])),
            ("FunctionName", "../../etc", found(&[], &[])),
            ("FunctionName", "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE", found(&[], &[])),
            ("FunctionName", "stack-OrdersRotator-PvPrRpQ0Zxyz", found(&[], &["stack-OrdersRotator-PvPrRpQ0Zxyz"])),
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
            ("secret = prod/orders-db", found(&["prod/orders-db"], &[])),
            ("secret =prod/orders-db", found(&["prod/orders-db"], &[])),
            ("secret= 'prod/orders-db'", found(&["prod/orders-db"], &[])),
            ("Secret:\nprod/orders-db", found(&["prod/orders-db"], &[])),
            ("https://x/?secret=prod/orders-db&x=1", found(&[], &[])),
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
        assert_eq!(text(&many).0.len(), MAX_NAMED);
    }
}
