//! Names that are taken over from an alarm: what looks like a secret's value is no name, and stays nowhere.

use crate::redact::looks_like_a_value;

/// What stands where a value stood.
const NEUTRAL: &str = "a secret";

/// `text` with each of its words that looks like a value replaced. ARNs pass, and so do the words of `arn`: a thing of such a
/// name is known by its ARN.
pub(super) fn neutral(text: &str, arn: &str) -> String {
    text.split_inclusive(char::is_whitespace).map(|word| neutral_word(word, arn)).collect()
}

fn neutral_word(word: &str, arn: &str) -> String {
    let bare = word.trim_end();
    let core = bare.trim_matches(|c: char| ":,;.!?()<>[]{}\"'`“”„‘’".contains(c));
    let is_known = core.starts_with("arn:") || (!core.is_empty() && arn.starts_with("arn:") && arn.contains(core));
    if is_known || !(looks_like_a_value(bare) || looks_like_a_value(core)) {
        return word.to_owned();
    }
    let colon = if bare.ends_with(':') { ":" } else { "" };
    let space = word.strip_prefix(bare).unwrap_or_default();
    format!("{NEUTRAL}{colon}{space}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_a_names_place_is_replaced_word_by_word_and_names_and_arns_stay() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE-AbCdEf";
        for (text, known, expected) in [
            ("Xk9#mP2$vL8q", "", "a secret"),
            ("Xk9#mP2$vL8q: rotation failed", "", "a secret: rotation failed"),
            ("alarm about (q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE) again", "", "alarm about a secret again"),
            ("q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE: rotation failed", arn, "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE: rotation failed"),
            ("q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE", "text:prod/q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE", "a secret"),
            (&format!("Rotation of <{arn}|x> failed"), "", &format!("Rotation of <{arn}|x> failed")),
            (
                "ALARM: \"orders-RotationFailed-1A2BC3D4E5F6G\" in EU (Ireland)",
                "",
                "ALARM: \"orders-RotationFailed-1A2BC3D4E5F6G\" in EU (Ireland)",
            ),
            ("Security Hub: SecretsManager.1 of prod/orders-db", "", "Security Hub: SecretsManager.1 of prod/orders-db"),
            ("", "", ""),
        ] {
            assert_eq!(neutral(text, known), expected, "{text}");
        }
    }
}
