//! Discord's limits, counted the way that is safe.
//!
//! Discord does not say whether it counts code points or UTF-16 units. A text has at least as many units as code points,
//! so counting units keeps both limits.

/// Source: Discord developer documentation, "Create Message": `content`.
pub(super) const CONTENT: usize = 2_000;
/// Source: Discord developer documentation, "Embed Limits": `description`.
pub(super) const DESCRIPTION: usize = 4_096;
/// All texts of all embeds of a message. Source: "Embed Limits".
pub(super) const EMBEDS_TOTAL: usize = 6_000;
/// All texts of a message that is laid out in components. Source: "Component Reference", text display.
pub(super) const TEXTS_TOTAL: usize = 4_000;
/// Components of such a message, those within others included. Source: "Component Reference".
pub(super) const COMPONENTS: usize = 40;
/// Rows of components in a message. Source: "Component Reference", action rows.
pub(super) const ROWS: usize = 5;
/// Buttons in a row. Source: "Component Reference", action row.
pub(super) const BUTTONS: usize = 5;
/// Source: "Component Reference", button: `label`.
pub(super) const LABEL: usize = 80;
/// Source: "Component Reference", string select: `options`.
pub(super) const OPTIONS: usize = 25;
/// Source: "Component Reference", select option: `label` and `value`; also an option's choice.
pub(super) const OPTION_TEXT: usize = 100;
/// Source: "Component Reference", string select: `placeholder`.
pub(super) const PLACEHOLDER: usize = 150;
/// Source: "Start Thread from Message": `name`.
pub(super) const THREAD_NAME: usize = 100;
/// Source: "Create Message": `nonce`.
pub(super) const NONCE: usize = 25;
/// Source: "Uploading Files"; ten files a message.
pub(super) const FILES: usize = 10;
/// The size of all files of a message, in bytes. Source: "Uploading Files": ten MiB without boosts; what is around them
/// is left room for.
pub(super) const UPLOAD: usize = 9 << 20;
/// Source: "Attachment Structure": `description`.
pub(super) const FILE_DESCRIPTION: usize = 1_024;

/// How long a text is, in UTF-16 units.
pub(super) fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// At most `limit` units of a plain text, the last of them `…` where something was cut; an emoji sequence stays whole.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if length(text) <= limit {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut units = 0;
    for c in text.chars() {
        units += c.len_utf16();
        if units >= limit {
            break;
        }
        kept.push(c);
    }
    format!("{}…", whole(&kept).trim_end())
}

/// Without what was joined to a character that is no longer there: joiners, and marks that change the one before.
fn whole(kept: &str) -> &str {
    kept.trim_end_matches(['\u{200d}', '\u{fe0f}', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_keeps_characters_whole_and_counts_utf_16() {
        for (text, limit, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("🔴🔴", 4, "🔴🔴"),
            ("🔴🔴", 3, "🔴…"),
            ("🔴🔴", 2, "…"),
            ("a👩\u{200d}💻b", 5, "a👩…"),
            ("ab  cd", 5, "ab…"),
            (r"a\*b", 3, "a…"),
        ] {
            let shown = cut(text, limit);
            assert_eq!(shown, expected, "{text}");
            assert!(length(&shown) <= limit);
        }
    }
}
