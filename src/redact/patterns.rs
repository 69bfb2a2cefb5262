//! The pattern table: one entry per kind of secret.
//!
//! To teach redaction a new kind, add an entry with samples it must and must not mask. Where two entries match at the
//! same place, the earlier one wins; otherwise the one that starts first. No repetition in a regex may run over text
//! that other secrets can hide in: the ends of long values are found by functions, so that time stays linear.

mod by_name;
mod by_shape;

use std::ops::Range;

/// One kind of secret.
pub(super) struct Pattern {
    /// What the marker calls it: lower case letters and blanks.
    pub(super) kind: &'static str,
    /// Finds the secret, or the name in front of it. Has no capture groups.
    pub(super) regex: &'static str,
    /// The range to hide, given the text and the match; `None` where it is no secret after all.
    pub(super) secret: fn(&str, Range<usize>) -> Option<Range<usize>>,
    /// Texts, each with the part of it that must disappear.
    pub(super) masked: &'static [(&'static str, &'static str)],
    /// Texts that must stay as they are.
    pub(super) kept: &'static [&'static str],
}

/// All patterns, in order of precedence.
pub(super) fn patterns() -> impl Iterator<Item = &'static Pattern> {
    by_shape::TABLE.iter().chain(by_name::TABLE)
}

const fn all_have_samples(mut table: &[Pattern]) -> bool {
    while let [pattern, others @ ..] = table {
        if pattern.masked.is_empty() || pattern.kept.is_empty() {
            return false;
        }
        table = others;
    }
    true
}

const _: () = assert!(
    all_have_samples(by_shape::TABLE) && all_have_samples(by_name::TABLE),
    "a pattern lacks a sample that it masks or one that it keeps"
);

#[cfg(test)]
mod tests {
    use super::super::redactor::{MARKER_START, marker};
    use super::super::{Redactor, SafeText};
    use super::patterns;

    #[test]
    fn every_pattern_masks_its_samples_and_keeps_the_others() {
        for pattern in patterns() {
            for (text, secret) in pattern.masked {
                let redacted = Redactor::default().redact(text);
                let shown = redacted.text.as_str();
                assert!(!shown.contains(secret), "{}: {text:?} became {shown:?}", pattern.kind);
                assert!(shown.contains(MARKER_START), "{}: {shown:?}", pattern.kind);
                assert!(redacted.count > 0, "{}: {text:?}", pattern.kind);
            }
            for text in pattern.kept {
                assert_eq!(SafeText::redact(text).as_str(), *text, "{}", pattern.kind);
            }
        }
    }

    #[test]
    fn every_pattern_names_its_own_kind_for_one_of_its_samples() {
        for pattern in patterns() {
            let named = pattern.masked.iter().any(|(text, _)| SafeText::redact(text).as_str().contains(&marker(pattern.kind)));
            assert!(named, "{} never wins", pattern.kind);
        }
    }

    #[test]
    fn a_marker_matches_no_pattern() {
        for pattern in patterns() {
            let marker = marker(pattern.kind);
            assert!(pattern.kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' '));
            for text in [marker.clone(), format!("password={marker}"), format!("\"token\":\"{marker}\"")] {
                assert_eq!(Redactor::default().redact(&text).count, 0, "{text}");
            }
        }
    }
}
