//! Whether a word is a value rather than a name.

use super::SafeText;

/// The shortest mixed run that counts.
const LEAST_RUN: usize = 10;

/// True when `text` looks like a secret's value. ARNs and names people give to secrets do not.
#[must_use]
pub fn looks_like_a_value(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() || text.starts_with("arn:") {
        return false;
    }
    SafeText::redact(text).as_str() != text || is_random(text) || is_password(text)
}

fn is_random(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
        let kinds: Vec<u8> = run.bytes().map(kind).collect();
        let changes = kinds.windows(2).filter(|pair| pair.first() != pair.last()).count();
        run.len() >= LEAST_RUN && changes * 2 >= run.len() && kinds.contains(&0) && (kinds.contains(&1) || kinds.contains(&2))
    })
}

fn kind(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        _ => 2,
    }
}

fn is_password(text: &str) -> bool {
    let core = text.trim_matches(|c: char| c.is_ascii_punctuation());
    core.len() >= 8
        && !text.contains("://")
        && core.contains(|c: char| "&#$%^*~|\\;!".contains(c))
        && core.contains(|c: char| c.is_ascii_digit())
        && core.contains(|c: char| c.is_ascii_alphabetic())
        && !core.contains("!db-")
        && !core.contains("!cluster-")
}
