//! Values pasted where the name of a secret belongs.

use super::SafeText;
use super::keys::{is_key, is_password, is_varied};
use super::scan::is_name_char;
use super::words::MAX_SECRET_NAME;

/// Whether `text`, given where the *name* of a secret belongs, is probably a secret *value*.
///
/// Values are: what redaction masks by its shape (tokens of vendors, JWTs, private keys, connection strings,
/// `password=…`), a JSON document, base64, a key of random characters, and a strong password such as one with
/// punctuation that no name may have. Names are: ARNs, UUIDs, words in any style of writing, with ids, dates and the
/// random endings that AWS, CloudFormation and the CDK append, and names of managed secrets (`rds!cluster-…`).
///
/// A text of several words is a value as soon as one of the words is. A password made of plain words cannot be told
/// from a name. Nothing is looked up and nothing is kept: the answer depends on the text alone.
///
/// ```
/// use rotation_diag::redact::looks_like_a_value;
///
/// assert!(looks_like_a_value("Xk9#mP2$vL8q"));
/// assert!(looks_like_a_value("postgres://app:tiger@db.example.com/orders"));
/// assert!(!looks_like_a_value("prod/orders-db"));
/// assert!(!looks_like_a_value("MyApp_DB_Password_2024"));
/// ```
#[must_use]
pub fn looks_like_a_value(text: &str) -> bool {
    let text = text.trim();
    let is_document = text.starts_with(['{', '[']) && text.contains('"') || text.starts_with('{') && text.contains(':');
    if is_document || SafeText::redact(text).as_str() != text {
        return true;
    }
    text.split_whitespace().any(is_value)
}

fn is_value(word: &str) -> bool {
    let word = word.trim_matches(['"', '\'', '`', '“', '”', '‘', '’', '(', ')', ',', ';']).trim_end_matches(['?', '.', ':', '*']);
    if word.starts_with("arn:") || word.contains("://") || is_placeholder(word) || !is_varied(word) {
        return false;
    }
    if word.len() > MAX_SECRET_NAME {
        return true;
    }
    // `account:prod`, and `user:password`.
    is_password(word) || word.split(':').any(is_key)
}

/// What stands for a name to be filled in, or is a mention of the platform.
fn is_placeholder(word: &str) -> bool {
    let is_name = |name: &str| name.bytes().all(|byte| is_name_char(byte) || b":|#!&".contains(&byte));
    let is_variable = |name: &str| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let enclosed = |open: &str, close: &str| word.strip_prefix(open)?.strip_suffix(close);
    let enclosures = [("<", ">"), ("${", "}"), ("{{", "}}"), ("{", "}"), ("%", "%")];
    enclosures.into_iter().any(|(open, close)| enclosed(open, close).is_some_and(is_name))
        || word.strip_prefix('$').is_some_and(is_variable)
}
