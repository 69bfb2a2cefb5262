//! The mark a message carries unseen, so that it is found again when the answer to its posting was lost.
//!
//! Discord tells a message's nonce to whoever posts the message and over the gateway, and does not keep it: a message that
//! is fetched has none. Its text is kept to the letter. Source: Rapptz/discord.py, issue 2451.

use serde_json::Value;

/// Characters that are not shown, join nothing and are no white space, so that nothing trims them. What others say never
/// holds them: see [`crate::report::sanitize`].
///
/// Source: extensions of Discord's own client hide messages in them (TheGreenPig/Apate; Vencord, InvisibleChat).
const UNSEEN: [char; 4] = ['\u{2061}', '\u{2062}', '\u{2063}', '\u{2064}'];
/// How much of a nonce is in the mark, in bytes: enough to tell a channel's last hundred messages apart.
const TAKEN: usize = 8;
/// How long a mark is, in UTF-16 units.
pub(super) const LENGTH: usize = 4 * TAKEN;

/// The mark of the message with a nonce, to stand before its content.
pub(super) fn of(nonce: &str) -> String {
    let pairs = nonce.bytes().take(TAKEN).flat_map(|byte| [byte >> 6, byte >> 4, byte >> 2, byte]);
    pairs.filter_map(|pair| UNSEEN.get(usize::from(pair & 3))).collect()
}

/// A content with the mark of its nonce before it.
pub(super) fn on(content: &str, nonce: &str) -> String {
    format!("{}{content}", of(nonce))
}

/// True for a message of ours with this mark, as it is fetched.
pub(super) fn is_on(message: &Value, mark: &str) -> bool {
    let content = message.get("content").and_then(Value::as_str).unwrap_or_default();
    // A person who copies our text may copy the mark with it.
    content.starts_with(mark) && message.pointer("/author/bot") == Some(&Value::Bool(true))
}

/// True for what people do not see.
pub(super) fn is_unseen(c: char) -> bool {
    UNSEEN.contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platforms::discord::limits::length;
    use crate::platforms::discord::post::nonce;
    use crate::redact::SafeText;
    use serde_json::json;
    use std::collections::BTreeSet;

    #[test]
    fn every_message_has_its_own_mark_and_nobody_sees_it() {
        let marks: BTreeSet<String> = (0..1_000).map(|key| of(&nonce(&key.to_string()))).collect();
        assert_eq!(marks.len(), 1_000);
        for mark in marks {
            assert_eq!(length(&mark), LENGTH);
            assert!(mark.chars().all(|c| is_unseen(c) && !c.is_whitespace() && !c.is_alphanumeric()));
            assert!(!SafeText::redact(&mark).single_line().contains(is_unseen), "text from elsewhere could hold a mark");
        }
    }

    #[test]
    fn only_a_bot_s_message_that_begins_with_the_mark_has_it() {
        let mark = of(&nonce("a"));
        let said = |content: String, bot: bool| is_on(&json!({"content": content, "author": {"id": "1", "bot": bot}}), &mark);
        assert!(said(format!("{mark}looking"), true));
        assert!(!said(format!("{mark}looking"), false));
        assert!(!said(format!("{}looking", of(&nonce("b"))), true));
        assert!(!said("looking".to_owned(), true));
        assert!(!is_on(&json!({}), &mark));
    }
}
