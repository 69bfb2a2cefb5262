//! `*` and `?`, as IAM policies use them.

use wildmatch::WildMatch;

/// Whether `text` matches `pattern`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

/// The same for actions, whose case does not matter.
pub(super) fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    WildMatch::new_case_insensitive(pattern).matches(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_iam() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*secret:prod/*-??????", "arn:secret:prod/db-AbCdEf", true),
            ("*secret:prod/*-??????", "arn:secret:prod/db-AbCde", false),
            ("a?c", "ac", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(matches_ignoring_case("SecretsManager:get*", "secretsmanager:GetSecretValue"));
    }
}
