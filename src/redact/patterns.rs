//! The pattern table: one entry per kind of secret.
//!
//! To teach redaction a new kind, add an entry with samples it must and must not mask. Where two entries match at the
//! same place, the earlier one wins; otherwise the one that starts first. No repetition in a regex may run over text
//! that other secrets can hide in: the ends of long values are found by functions, so that time stays linear.

mod by_name;
mod by_place;
mod by_shape;
mod vendors;

use std::ops::Range;

/// One kind of secret.
pub(super) struct SecretKind {
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
pub(super) fn patterns() -> impl Iterator<Item = &'static SecretKind> {
    by_shape::TABLE.iter().chain(vendors::TABLE).chain(by_place::TABLE).chain(by_name::TABLE)
}

const fn all_have_samples(mut table: &[SecretKind]) -> bool {
    while let [pattern, others @ ..] = table {
        if pattern.masked.is_empty() || pattern.kept.is_empty() {
            return false;
        }
        table = others;
    }
    true
}

const _: () = assert!(
    all_have_samples(by_shape::TABLE)
        && all_have_samples(vendors::TABLE)
        && all_have_samples(by_place::TABLE)
        && all_have_samples(by_name::TABLE),
    "a pattern lacks a sample that it masks or one that it keeps"
);

#[cfg(test)]
mod tests {
    use super::super::marker::{MARKER_START, marker};
    use super::super::{Redactor, SafeText};
    use super::patterns;

    #[test]
    fn every_regex_compiles() {
        for pattern in patterns() {
            let compiled = regex::Regex::new(pattern.regex);
            assert!(compiled.is_ok(), "{}: {compiled:?}", pattern.kind);
            assert_eq!(compiled.unwrap().captures_len(), 1, "{}", pattern.kind);
        }
        let all: Vec<_> = patterns().map(|pattern| format!("({})", pattern.regex)).collect();
        regex::Regex::new(&all.join("|")).unwrap();
    }

    #[test]
    fn every_pattern_masks_its_samples_and_keeps_the_others() {
        let mut wrong = Vec::new();
        for pattern in patterns() {
            for (text, secret) in pattern.masked {
                let redacted = Redactor::default().redact(text);
                let shown = redacted.text.as_str();
                if shown.contains(secret) || !shown.contains(MARKER_START) || redacted.count == 0 {
                    wrong.push(format!("{}: {text:?} became {shown:?}", pattern.kind));
                }
            }
            for text in pattern.kept {
                let shown = SafeText::redact(text);
                if shown.as_str() != *text {
                    wrong.push(format!("{}: {text:?} became {shown:?}", pattern.kind));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
