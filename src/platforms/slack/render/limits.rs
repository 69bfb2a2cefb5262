//! Slack's limits, and how its lengths are counted.
//!
//! Slack does not say whether it counts characters or UTF-16 units; the latter are never fewer, so counting them keeps
//! within the limits either way.

use unicode_width::UnicodeWidthChar as _;

/// Blocks in a message. Source: Slack, "Blocks": "up to 50 blocks in each message".
pub const BLOCKS: usize = 50;

/// Characters in a header. Source: Slack, "Header block".
pub const HEADER: usize = 150;

/// Characters in a text object. Source: Slack, "Text object".
pub const TEXT: usize = 3_000;

/// Characters on a button. Source: Slack, "Button element": 75, "may truncate with ~30 characters".
pub const BUTTON: usize = 75;

/// Characters of a menu's entry and placeholder. Source: Slack, "Option object"; "Select menu element": 150.
pub const OPTION: usize = 75;

/// Characters of a button's value. Source: Slack, "Button element".
pub const VALUE: usize = 2_000;

/// Entries of a menu. Source: Slack, "Select menu element".
pub const OPTIONS: usize = 100;

/// Buttons and menus in one block. Source: Slack, "Actions block".
pub const ACTIONS: usize = 25;

/// Elements of a context block. Source: Slack, "Context block".
pub const CONTEXT: usize = 10;

/// Characters of all blocks together. Slack documents none, and answers `msg_blocks_too_long` from about 11 000 on, containers
/// included. Source: slackapi/bolt-js issues 2509 and 2867.
pub const MESSAGE: usize = 9_000;

/// Characters of the text that notifications show. Slack recommends 4 000 and cuts at 40 000; a phone shows two lines.
pub const NOTIFICATION: usize = 300;

/// The length as Slack may count it.
pub(super) fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// At most `limit` long, the last character `…` where something was cut; never between characters that are shown as one.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if length(text) <= limit {
        return text.to_owned();
    }
    let mut used = 1;
    let fitting = text.char_indices().find(|(_, c)| {
        used += c.len_utf16();
        used > limit
    });
    let mut end = fitting.map_or(text.len(), |(at, _)| at);
    while text.get(end..).and_then(|rest| rest.chars().next()).is_some_and(belongs_to_previous) && end > 0 {
        end = text.get(..end).and_then(|kept| kept.char_indices().next_back()).map_or(0, |(at, _)| at);
    }
    format!("{}…", text.get(..end).unwrap_or_default().trim_end())
}

/// Accents, variation selectors and skin tones change the character before them.
fn belongs_to_previous(c: char) -> bool {
    c.width() == Some(0) || ('\u{1f3fb}'..='\u{1f3ff}').contains(&c)
}

/// Escapes the three characters that Slack's mark-up is made of, in at most `limit` characters of the result.
///
/// Source: Slack, "Formatting text for app surfaces", "Escaping text".
pub(super) fn escape(text: &str, limit: usize) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut limit_of_text = limit;
    loop {
        let result = escaped(&cut(text, limit_of_text));
        match length(&result).checked_sub(limit) {
            None | Some(0) => return result,
            // An escape adds at most four characters to one.
            Some(excess) => limit_of_text = limit_of_text.saturating_sub(excess.div_ceil(4).max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_falls_between_characters_as_they_are_shown() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("ab🔒🔒", 5), "ab🔒…", "a pair of surrogates counts two and stays whole");
        assert_eq!(cut("ab🔒🔒", 4), "ab…");
        assert_eq!(cut("abe\u{301}\u{301}f", 5), "ab…", "an accent stays with its letter");
        assert_eq!(cut("a👍🏽b", 5), "a…", "a skin tone stays with its hand");
        assert_eq!(cut("日本語です", 3), "日本…");
        assert_eq!(cut("x", 0), "…");
    }

    #[test]
    fn an_entity_is_never_cut() {
        assert_eq!(escape("a & b <c>", 100), "a &amp; b &lt;c&gt;");
        for limit in 1..20 {
            let text = escape("&&&&&&&&", limit);
            assert!(length(&text) <= limit.max(1), "{limit}: {text}");
            assert_eq!(text.matches('&').count(), text.matches("&amp;").count(), "{limit}: {text}");
        }
    }
}
