//! The beginning of a text that is too long to be kept.

/// At most the first `max_chars` characters (Unicode scalar values) of `text`, in whole words: half a word may be half a secret, which
/// nobody recognises any more.
#[must_use]
pub fn excerpt(text: &str, max_chars: usize) -> &str {
    let Some((end, next)) = text.char_indices().nth(max_chars) else { return text };
    let kept = text.get(..end).unwrap_or_default();
    if next.is_whitespace() {
        return kept;
    }
    kept.rfind(char::is_whitespace).and_then(|blank| kept.get(..blank)).unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn what_is_cut_ends_with_a_whole_word() {
        for (max, kept) in [(0, ""), (4, ""), (5, "größe"), (8, "größe"), (10, "größe word"), (99, "größe word xyzzy")] {
            assert_eq!(excerpt("größe word xyzzy", max), kept, "{max}");
        }
        assert_eq!(excerpt("onewordthatistoolong", 6), "");
    }
}
