//! The type itself, and what may be made of texts that are safe already.

use crate::model::{AccountId, Cause, InvestigationId, Lookback, Region, StepName};
use jiff::Timestamp;
use std::fmt::{self, Write as _};
use std::ops::Deref;

/// Text without secrets.
///
/// It is made in three ways, and in no other: by redaction ([`SafeText::redact`], and reading one redacts too), from words that
/// stand in the source (`&'static str`), and by composing what is safe already ([`safe_format!`](crate::safe_format),
/// [`SafeText::join`], [`SafeText::cut`] and the like). So a text that was not redacted cannot be shown.
///
/// ```compile_fail,E0277
/// let text: rotation_diag::redact::SafeText = String::from("password=tiger").into();
/// ```
/// ```compile_fail,E0423
/// let text = rotation_diag::redact::SafeText(String::from("password=tiger"));
/// ```
/// A text of shorter life than the program is no word of the source:
/// ```compile_fail,E0597
/// let asked = String::from("password=tiger");
/// let text = rotation_diag::redact::SafeText::from(asked.as_str());
/// ```
/// Nor can one be smuggled in as a part, whatever its type, nor by a part that somebody else declares safe:
/// ```compile_fail,E0277
/// let asked = String::from("password=tiger");
/// let text = rotation_diag::safe_format!("you asked for {}", asked);
/// ```
/// ```compile_fail,E0597
/// let asked = String::from("password=tiger");
/// let text = rotation_diag::safe_format!("you asked for {}", asked.as_str());
/// ```
/// ```compile_fail,E0277
/// struct Smuggler;
/// impl rotation_diag::redact::SafePart for Smuggler {
///     fn write_to(&self, text: &mut String) {
///         text.push_str("password=tiger");
///     }
/// }
/// ```
/// Nor by naming it within the template, or by a part of a text that is another text:
/// ```compile_fail
/// let asked = String::from("password=tiger");
/// let text = rotation_diag::safe_format!("you asked for {asked}");
/// ```
/// ```compile_fail
/// let asked = String::from("password=tiger");
/// let text = rotation_diag::redact::SafeText::default().part(|_| asked.as_str());
/// ```
/// What is read is redacted:
/// ```
/// let text: rotation_diag::redact::SafeText = serde_json::from_str("\"password=tiger\"").unwrap();
/// assert!(!text.as_str().contains("tiger"));
/// ```
///
/// Half a secret no longer has its shape: text from AWS or people is redacted whole, and cut or put among other words afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SafeText(String);

impl SafeText {
    /// What a redactor left of a text.
    pub(super) fn redacted(text: String) -> SafeText {
        SafeText(text)
    }

    /// A template with its `{}` filled in, in order; [`safe_format!`](crate::safe_format) counts them while it is compiled.
    #[must_use]
    pub fn filled(template: &'static str, parts: &[&dyn SafePart]) -> SafeText {
        let mut text = String::with_capacity(template.len());
        let mut pieces = template.split("{}");
        text.push_str(pieces.next().unwrap_or_default());
        let mut parts = parts.iter();
        for piece in pieces {
            if let Some(part) = parts.next() {
                part.write_to(&mut text);
            }
            text.push_str(piece);
        }
        SafeText(text)
    }

    /// The texts with `between` between them.
    #[must_use]
    pub fn join<I>(texts: I, between: &'static str) -> SafeText
    where
        I: IntoIterator,
        I::Item: SafePart,
    {
        let mut joined = String::new();
        for (at, text) in texts.into_iter().enumerate() {
            if at > 0 {
                joined.push_str(between);
            }
            text.write_to(&mut joined);
        }
        SafeText(joined)
    }

    /// A moment in UTC, written in a form of `strftime` such as `%Y-%m-%d`.
    #[must_use]
    pub fn moment(at: Timestamp, form: &'static str) -> SafeText {
        SafeText(at.strftime(form).to_string())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A part of the text, or words of the source in its place: by its type, `of` can give nothing else.
    #[must_use]
    pub fn part(&self, of: impl for<'t> FnOnce(&'t str) -> &'t str) -> SafeText {
        SafeText(of(&self.0).to_owned())
    }

    /// At most the first `max_chars` characters (Unicode scalar values), the last one replaced by `…` where
    /// something was left out.
    #[must_use]
    pub fn cut(&self, max_chars: usize) -> SafeText {
        if self.0.char_indices().nth(max_chars).is_none() {
            return self.clone();
        }
        let kept: String = self.0.chars().take(max_chars.saturating_sub(1)).collect();
        let mut kept = kept.trim_end().to_owned();
        if max_chars > 0 {
            kept.push('…');
        }
        SafeText(kept)
    }

    /// The text with a capital letter at its beginning.
    #[must_use]
    pub fn capitalized(&self) -> SafeText {
        let mut chars = self.0.chars();
        SafeText(chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default())
    }
}

impl Deref for SafeText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for SafeText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Words of the source, which hold no secret.
impl From<&'static str> for SafeText {
    fn from(words: &'static str) -> SafeText {
        SafeText(words.to_owned())
    }
}

impl From<&SafeText> for SafeText {
    fn from(text: &SafeText) -> SafeText {
        text.clone()
    }
}

impl From<SafeText> for String {
    fn from(text: SafeText) -> String {
        text.0
    }
}

mod sealed {
    /// Only this module says what is safe.
    pub trait Sealed {}
}

/// What may stand in a [`SafeText`] as it is: safe text, words of the source, and values whose type has no room for a secret.
pub trait SafePart: sealed::Sealed {
    /// Writes it behind `text`.
    fn write_to(&self, text: &mut String);
}

impl<T: SafePart + ?Sized> sealed::Sealed for &T {}

impl<T: SafePart + ?Sized> SafePart for &T {
    fn write_to(&self, text: &mut String) {
        (**self).write_to(text);
    }
}

macro_rules! safe_parts {
    ($($part:ty),+ $(,)?) => { $(
        impl sealed::Sealed for $part {}

        impl SafePart for $part {
            fn write_to(&self, text: &mut String) {
                // Writing into a String cannot fail.
                let _ = write!(text, "{self}");
            }
        }
    )+ };
}

safe_parts!(
    SafeText,
    &'static str,
    u8,
    u16,
    u32,
    u64,
    usize,
    i32,
    i64,
    Cause,
    StepName,
    Lookback,
    Region,
    AccountId,
    InvestigationId
);

/// Whether `template` has `count` times `{}`, and no other brace.
#[doc(hidden)]
#[must_use]
pub const fn has_parts(template: &str, count: usize) -> bool {
    let mut bytes = template.as_bytes();
    let mut found = 0;
    loop {
        bytes = match bytes {
            [] => return found == count,
            [b'{', b'}', rest @ ..] => {
                found += 1;
                rest
            }
            [b'{' | b'}', ..] => return false,
            [_, rest @ ..] => rest,
        };
    }
}

/// A [`SafeText`] from a template and its parts, each of which is safe by its type
/// ([`SafePart`]).
///
/// ```
/// use rotation_diag::redact::SafeText;
/// use rotation_diag::safe_format;
///
/// let asked = SafeText::redact("prod/orders-db");
/// assert_eq!(safe_format!("{} of {} steps of {}", 3_usize, 9_u8, asked).as_str(), "3 of 9 steps of prod/orders-db");
/// ```
/// A part too few or too many does not compile:
/// ```compile_fail
/// rotation_diag::safe_format!("{} of {}", 3_u8);
/// ```
#[macro_export]
macro_rules! safe_format {
    ($template:literal $(, $part:expr)* $(,)?) => {{
        const {
            let parts: &[&str] = &[$(stringify!($part)),*];
            assert!($crate::redact::has_parts($template, parts.len()), "as many parts as the template has places");
        }
        $crate::redact::SafeText::filled($template, &[$(&$part),*])
    }};
}
