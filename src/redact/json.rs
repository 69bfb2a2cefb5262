//! Redaction of structures: every string value of a JSON document, or of anything that serialises to one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::marker::{is_hidden_already, marker};
use super::names::is_secret_name;
use super::redactor::Redactor;
use super::words::{names_a_secret, names_a_value};

/// Where loggers that write JSON put the line they were given.
pub(super) const TEXT_FIELDS: [&str; 4] = ["message", "msg", "log", "event"];

/// The kind shown for a value hidden because of its key.
const BY_NAME: &str = "named secret";

impl Redactor {
    /// Masks the secrets in every string of `document`, and returns how many values were hidden.
    ///
    /// Keys stay. What a key such as `password` or `SecretString` names is masked whatever it looks like, and so is
    /// the `Value` of a `Key` (or `Name`) and `Value` pair, which is how AWS writes tags.
    pub fn redact_json(&self, document: &mut Value) -> usize {
        match document {
            Value::String(text) => {
                let (masked, count) = self.mask(text);
                *text = masked;
                count
            }
            Value::Array(items) => items.iter_mut().map(|item| self.redact_json(item)).sum(),
            Value::Object(fields) => {
                let names_value =
                    ["Key", "key", "Name", "name"].iter().filter_map(|field| fields.get(*field)?.as_str()).any(names_a_secret);
                fields
                    .iter_mut()
                    .map(|(key, value)| {
                        let is_named = names_a_secret(key) || (names_value && key.eq_ignore_ascii_case("value"));
                        if is_named || (key.eq_ignore_ascii_case("secret") && !value.as_str().is_none_or(is_secret_name)) {
                            self.hide(value)
                        } else {
                            self.redact_json(value)
                        }
                    })
                    .sum()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
    }

    /// The same structure with the secrets in all of its strings masked, and how many values were hidden.
    ///
    /// For evidence: redacted before anything is concluded from it. Field names count as keys, see
    /// [`Redactor::redact_json`].
    ///
    /// # Errors
    /// When `evidence` cannot be written as JSON, or its redacted form cannot be read back.
    pub fn redact_strings<T: Serialize + DeserializeOwned>(&self, evidence: T) -> Result<(T, usize), serde_json::Error> {
        let mut document = serde_json::to_value(evidence)?;
        let count = self.redact_json(&mut document);
        Ok((serde_json::from_value(document)?, count))
    }

    /// Hides a value for its key: strings, also in lists, and in an object under a word for a value. Other structures are searched,
    /// numbers stay what they are, so that the document keeps its types.
    fn hide(&self, value: &mut Value) -> usize {
        match value {
            Value::String(text) if text.is_empty() || is_hidden_already(text, &(0..text.len())) => 0,
            Value::String(text) => {
                *text = marker(BY_NAME);
                1
            }
            Value::Array(items) => items.iter_mut().map(|item| self.hide(item)).sum(),
            Value::Object(fields) => {
                let hide = |(key, value): (&String, &mut Value)| match names_a_value(key) {
                    true => self.hide(value),
                    false => self.redact_json(value),
                };
                fields.iter_mut().map(hide).sum()
            }
            other => self.redact_json(other),
        }
    }
}
