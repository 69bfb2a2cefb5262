//! The engine: one pass finds and masks, and passes repeat until nothing changes.

use std::cmp::Reverse;
use std::fmt;
use std::ops::Range;
use std::sync::{LazyLock, PoisonError, RwLock};

use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::marker::marker;
use super::patterns::{SecretKind, patterns};
use super::safe_text::SafeText;
use super::shapes::{key_bodies, with_whole_private_key};
use super::view::View;

/// The kind of the exact values that a redactor was told.
const KNOWN: &str = "known secret";

/// The kind of a private key.
pub(super) const PRIVATE_KEY: &str = "private key";

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

/// A redacted text, and how many values were hidden in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text without the secrets.
    pub text: SafeText,
    /// Number of values hidden. Markers that were in the text already are not counted.
    pub count: usize,
}

/// What the process itself holds.
static HELD: RwLock<KnownSecrets> = RwLock::new(KnownSecrets(Vec::new()));

/// Has this exact value masked from now on, wherever it occurs, by every redactor: for the tokens this process holds.
///
/// Values shorter than six bytes, and values that are part of a marker's own words, are left out.
pub fn hold(secret: &str) {
    let mut held = HELD.write().unwrap_or_else(PoisonError::into_inner);
    held.learn(secret);
}

/// Exact values, the longest first, should one begin with another.
#[derive(Clone, Default)]
struct KnownSecrets(Vec<String>);

/// Without the values.
impl fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} known secrets", self.0.len())
    }
}

impl KnownSecrets {
    fn learn(&mut self, secret: &str) {
        let secret = secret.trim();
        let is_masked = secret.len() >= SHORTEST_KNOWN_SECRET && !is_word_of_a_marker(secret);
        if is_masked && !self.0.iter().any(|known| known == secret) {
            self.0.push(secret.to_owned());
            self.0.sort_by_key(|known| Reverse(known.len()));
        }
    }

    /// Where they stand in `text`.
    fn find_in<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        self.0.iter().flat_map(|secret| text.match_indices(secret.as_str()).map(|(at, found)| at..at + found.len()))
    }
}

/// Masks secrets: the recognised kinds, the values this process holds, and the exact values it was told.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    known: KnownSecrets,
}

impl Redactor {
    /// A redactor that also masks these exact values, as [`hold`] has them masked by all.
    #[must_use]
    pub fn knowing<I, S>(secrets: I) -> Redactor
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut known = KnownSecrets::default();
        for secret in secrets {
            known.learn(secret.as_ref());
        }
        Redactor { known }
    }

    /// Masks every secret in `text`.
    ///
    /// Takes time linear in the text. A text that does not settle after a few passes is withheld as a whole.
    #[must_use]
    pub fn redact(&self, text: &str) -> Redacted {
        let (text, count) = self.mask(text);
        Redacted { text: SafeText::redacted(text), count }
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
        (marker("text that could not be redacted"), 1)
    }

    /// What is hidden in `text`, in order, with its kind; markers of an earlier redaction are left out.
    pub(super) fn secrets(&self, text: &str) -> Vec<(Range<usize>, &'static str)> {
        let view = View::of(text);
        let held = HELD.read().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.find_in(&view.plain).chain(held.find_in(&view.plain));
        let mut secrets: Vec<_> = known.map(|secret| (secret, KNOWN)).collect();
        secrets.extend(ALTERNATION.iter().flat_map(|alternation| secrets_in(alternation, &view.plain)));
        secrets.sort_by_key(|(range, _)| range.start);
        secrets.into_iter().map(|(range, kind)| (view.origin(range), kind)).collect()
    }

    fn pass(&self, text: &str) -> Pass {
        let Some(alternation) = ALTERNATION.as_ref() else {
            return Pass::Impossible;
        };
        let known = self.mask_known(text);
        let text = known.as_ref().map_or(text, |(masked, _)| masked.as_str());
        match (mask_patterns(alternation, text), known) {
            (None, None) => Pass::Clean,
            (None, Some((masked, count))) => Pass::Masked(masked, count),
            (Some((masked, count)), known) => Pass::Masked(masked, count + known.map_or(0, |(_, count)| count)),
        }
    }

    /// The exact values, also where invisible characters or colours stand in them.
    fn mask_known(&self, text: &str) -> Option<(String, usize)> {
        let held = HELD.read().unwrap_or_else(PoisonError::into_inner);
        if self.known.0.is_empty() && held.0.is_empty() {
            return None;
        }
        let view = View::of(text);
        let mut found: Vec<Range<usize>> = Vec::new();
        for known in [&self.known, &*held] {
            found.extend(known.find_in(text));
            found.extend(known.find_in(&view.plain).map(|secret| view.origin(secret)));
        }
        found.sort_by_key(|secret| (secret.start, Reverse(secret.end)));
        let mut masked = Masking::of(text);
        for secret in found {
            masked.hide(secret, KNOWN);
        }
        masked.finish()
    }
}

impl SafeText {
    /// Masks every recognised secret in `text`.
    ///
    /// Redacting the result again changes nothing. Use [`Redactor`] to mask other exact values too, or to count.
    #[must_use]
    pub fn redact(text: &str) -> SafeText {
        Redactor::default().redact(text).text
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
        serializer.serialize_str(self.as_str())
    }
}

enum Pass {
    Clean,
    Masked(String, usize),
    Impossible,
}

fn is_word_of_a_marker(secret: &str) -> bool {
    patterns()
        .map(|pattern| pattern.kind)
        .chain([KNOWN, "text that could not be redacted"])
        .any(|kind| marker(kind).contains(secret))
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
        let matched: Option<(&'static SecretKind, Range<usize>)> =
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
    secrets.extend(key_bodies(text).into_iter().map(|body| (body, PRIVATE_KEY)));
    secrets.sort_by_key(|(secret, _)| secret.start);
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
