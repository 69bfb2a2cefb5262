//! The engine: one pass finds and masks, and passes repeat until nothing changes.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::SafeText;
use super::patterns::{Pattern, patterns};
use super::shapes::with_whole_private_key;
use super::view::View;

/// How a marker begins. It names the kind of secret and ends with `]`.
pub(super) const MARKER_START: &str = "[hidden: ";

/// The kind of the exact values that a redactor was told.
const KNOWN: &str = "known secret";

/// Known secrets shorter than this (in bytes) are not masked: they would blank out ordinary words.
const SHORTEST_KNOWN_SECRET: usize = 6;

/// Passes before a text counts as impossible to settle. Masking can uncover a word boundary in front of another
/// secret, so one pass is not always enough; more than three are only needed by a text made for it.
const MAX_PASSES: usize = 6;

/// All patterns as one alternation, group `n` being pattern `n`, so that a text is read once.
static ALTERNATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let groups: Vec<String> = patterns().map(|pattern| format!("({})", pattern.regex)).collect();
    Regex::new(&groups.join("|")).ok()
});

static SHARED: LazyLock<Redactor> = LazyLock::new(Redactor::default);

/// A redacted text, and how many values were hidden in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text without the secrets.
    pub text: SafeText,
    /// Number of values hidden. Markers that were in the text already are not counted.
    pub count: usize,
}

/// Masks secrets: the recognised kinds, and the exact values it was told.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    known: Option<Regex>,
}

impl Redactor {
    /// A redactor that also masks these exact values wherever they occur, such as the tokens this process holds.
    ///
    /// Values shorter than six bytes, and values that are part of a marker's own words, are left out.
    ///
    /// # Errors
    /// When the values together are too large to search for (several megabytes).
    pub fn knowing<I, S>(secrets: I) -> Result<Redactor, regex::Error>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut secrets: Vec<String> = secrets
            .into_iter()
            .map(|secret| secret.as_ref().trim().to_owned())
            .filter(|secret| secret.len() >= SHORTEST_KNOWN_SECRET && !is_word_of_a_marker(secret))
            .collect();
        if secrets.is_empty() {
            return Ok(Redactor::default());
        }
        // The regex prefers the earlier alternative: the longest, should one secret begin with another.
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        let literals: Vec<String> = secrets.iter().map(|secret| regex::escape(secret)).collect();
        Ok(Redactor { known: Some(Regex::new(&literals.join("|"))?) })
    }

    /// The redactor of [`SafeText::redact`], which knows no exact values.
    pub(super) fn shared() -> &'static Redactor {
        &SHARED
    }

    /// Masks every secret in `text`.
    ///
    /// Takes time linear in the text. A text that does not settle after a few passes is withheld as a whole.
    #[must_use]
    pub fn redact(&self, text: &str) -> Redacted {
        let (text, count) = self.mask(text);
        Redacted { text: SafeText(text), count }
    }

    pub(super) fn mask(&self, text: &str) -> (String, usize) {
        let mut text = text.to_owned();
        let mut total = 0;
        for _ in 0..MAX_PASSES {
            match self.pass(&text) {
                Pass::Clean => return (text, total),
                Pass::Masked(masked, count) => {
                    text = masked;
                    total += count;
                }
                Pass::Impossible => break,
            }
        }
        (marker("text that could not be redacted"), total + 1)
    }

    /// What is hidden in `text`, in order, with its kind; markers of an earlier redaction are left out.
    pub(super) fn secrets(&self, text: &str) -> Vec<(Range<usize>, &'static str)> {
        let view = View::of(text);
        let known = self.known.iter().flat_map(|known| known.find_iter(&view.plain));
        let mut secrets: Vec<_> = known.map(|secret| (secret.range(), KNOWN)).collect();
        secrets.extend(ALTERNATION.iter().flat_map(|alternation| secrets_in(alternation, &view.plain)));
        secrets.sort_by_key(|(range, _)| range.start);
        secrets.into_iter().map(|(range, kind)| (view.origin(range), kind)).collect()
    }

    fn pass(&self, text: &str) -> Pass {
        let Some(alternation) = ALTERNATION.as_ref() else {
            return Pass::Impossible;
        };
        let known = match &self.known {
            Some(known) => mask_known(known, text),
            None => None,
        };
        let text = known.as_ref().map_or(text, |(masked, _)| masked.as_str());
        match (mask_patterns(alternation, text), known) {
            (None, None) => Pass::Clean,
            (None, Some((masked, count))) => Pass::Masked(masked, count),
            (Some((masked, count)), known) => Pass::Masked(masked, count + known.map_or(0, |(_, count)| count)),
        }
    }
}

enum Pass {
    Clean,
    Masked(String, usize),
    Impossible,
}

/// The inert text that stands for a hidden value.
pub(super) fn marker(kind: &str) -> String {
    format!("{MARKER_START}{kind}]")
}

fn is_word_of_a_marker(secret: &str) -> bool {
    patterns()
        .map(|pattern| pattern.kind)
        .chain([KNOWN, "text that could not be redacted"])
        .any(|kind| marker(kind).contains(secret))
}

/// The exact values, also where invisible characters or colours stand in them.
fn mask_known(known: &Regex, text: &str) -> Option<(String, usize)> {
    let view = View::of(text);
    let seen = known.find_iter(&view.plain).map(|secret| view.origin(secret.range()));
    let mut found: Vec<_> = known.find_iter(text).map(|secret| secret.range()).chain(seen).collect();
    found.sort_by_key(|secret| (secret.start, secret.end));
    let mut masked = Masking::of(text);
    for secret in found {
        masked.hide(secret, KNOWN);
    }
    masked.finish()
}

fn mask_patterns(alternation: &Regex, text: &str) -> Option<(String, usize)> {
    let mut masked = Masking::of(text);
    let view = View::of(text);
    for (secret, kind) in secrets_in(alternation, &view.plain) {
        masked.hide(view.origin(secret), kind);
    }
    masked.finish()
}

/// What is to be hidden in a plain text, in the order it was found, with its kind.
fn secrets_in(alternation: &Regex, text: &str) -> Vec<(Range<usize>, &'static str)> {
    let mut secrets = Vec::new();
    let mut at = 0;
    while let Some(captures) = alternation.captures_at(text, at) {
        let matched: Option<(&'static Pattern, Range<usize>)> =
            patterns().zip(1..).find_map(|(pattern, group)| Some((pattern, captures.get(group)?.range())));
        let Some((pattern, found)) = matched else {
            break;
        };
        // What is no secret after all may hold the name or the start of one.
        at = text.ceil_char_boundary(found.start + 1);
        if let Some(secret) = (pattern.secret)(text, found.clone()) {
            let secret = with_whole_private_key(text, secret);
            at = found.end.max(secret.end);
            secrets.push((secret, pattern.kind));
        }
    }
    secrets
}

/// A text being copied with some ranges replaced by markers.
struct Masking<'t> {
    text: &'t str,
    out: String,
    copied: usize,
    count: usize,
}

impl<'t> Masking<'t> {
    fn of(text: &'t str) -> Masking<'t> {
        Masking { text, out: String::new(), copied: 0, count: 0 }
    }

    /// Ranges come in order; what an earlier one covers already is not hidden twice.
    fn hide(&mut self, secret: Range<usize>, kind: &str) {
        let start = secret.start.max(self.copied);
        if start >= secret.end {
            return;
        }
        self.out.push_str(self.text.get(self.copied..start).unwrap_or_default());
        self.out.push_str(&marker(kind));
        self.copied = secret.end;
        self.count += 1;
    }

    fn finish(mut self) -> Option<(String, usize)> {
        if self.count == 0 {
            return None;
        }
        self.out.push_str(self.text.get(self.copied..).unwrap_or_default());
        Some((self.out, self.count))
    }
}
