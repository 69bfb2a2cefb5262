//! `SafeText`: the only text that may leave the process.
//!
//! Everything that reaches a terminal, a chat, a log or a file is a [`SafeText`], and redaction is the only way to
//! make one. Secrets are recognised by their own shape (an AWS access key, a JWT, a private key), by the name they
//! are assigned to (`password=…`, `"SecretString": "…"`), by their place in a connection string, on a command line or in a
//! statement, or because the process itself holds them ([`hold`]).
//!
//! A text is read as a person sees it: without colours and invisible characters, look-alike letters as the plain ones. The events of
//! a log are joined first ([`Redactor::redact_lines`]), because a secret may be cut over two of them.
//!
//! Known limits: a value without a telling shape, name or neighbour cannot be recognised; neither can a secret that
//! was compressed or encoded as hex, except behind a telling name. Redact whole texts and cut afterwards
//! ([`SafeText::cut`]): half a secret no longer has its shape.

mod commands;
mod dsn;
mod json;
mod keys;
mod lines;
mod marker;
mod names;
mod pasted;
mod patterns;
mod prose;
mod randomness;
mod redactor;
mod scan;
mod shapes;
mod value;
mod view;
mod words;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use pasted::looks_like_a_value;
pub use redactor::{Redacted, Redactor, hold};

/// Text without secrets. Redaction is its only constructor, so a text that could not be redacted cannot be shown.
///
/// ```compile_fail
/// let text: rotation_diag::redact::SafeText = String::from("password=tiger").into();
/// ```
///
/// ```
/// let text: rotation_diag::redact::SafeText = serde_json::from_str("\"password=tiger\"").unwrap();
/// assert!(!text.as_str().contains("tiger"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SafeText(String);

impl SafeText {
    /// Masks every recognised secret in `text`.
    ///
    /// Redacting the result again changes nothing. Use [`Redactor`] to mask other exact values too, or to count.
    #[must_use]
    pub fn redact(text: &str) -> SafeText {
        Redactor::shared().redact(text).text
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// At most the first `max_chars` characters (Unicode scalar values), the last one replaced by `…` where
    /// something was left out.
    #[must_use]
    pub fn cut(&self, max_chars: usize) -> SafeText {
        match self.0.char_indices().nth(max_chars) {
            None => self.clone(),
            Some(_) => {
                let mut kept: String = self.0.chars().take(max_chars.saturating_sub(1)).collect();
                if max_chars > 0 {
                    kept.push('…');
                }
                SafeText(kept)
            }
        }
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for SafeText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Reading redacts: what was changed in between, in the store or by hand, cannot bring a secret back.
impl<'de> Deserialize<'de> for SafeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SafeText, D::Error> {
        String::deserialize(deserializer).map(|text| SafeText::redact(&text))
    }
}

impl Serialize for SafeText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
