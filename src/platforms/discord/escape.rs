//! Text that Discord shows as it is: no mention, link, emoji, timestamp, format or end of a code block comes out of it.
//!
//! Requests switch every mention off besides; this is what readers see.

use super::limits;
use crate::redact::SafeText;

/// What stands for a backtick that would end a code block with the one before it.
const BACKTICK: char = 'ˋ';

/// One line of plain text.
pub(super) fn line(text: &SafeText) -> String {
    escaped(&text.single_line())
}

/// One line of plain text, cut to `limit` units as they are sent: the plain text is cut, never an escape in two.
pub(super) fn line_within(text: &SafeText, limit: usize) -> String {
    let plain = text.single_line();
    let whole = escaped(&plain);
    if limits::length(&whole) <= limit {
        return whole;
    }
    let cut = |units| escaped(&limits::cut(&plain, units));
    let (mut fits, mut exceeds) = (1, limit + 1);
    while exceeds - fits > 1 {
        let middle = usize::midpoint(fits, exceeds);
        if limits::length(&cut(middle)) <= limit { fits = middle } else { exceeds = middle }
    }
    cut(fits)
}

/// Lines for the inside of a fenced code block.
pub(super) fn code(text: &SafeText) -> String {
    let lines: Vec<String> = text.visible_lines().iter().map(|line| unfenced(line)).collect();
    lines.join("\n")
}

/// True where [`code`] had to change something that a paste would miss.
pub(super) fn breaks_a_fence(text: &SafeText) -> bool {
    text.as_str().contains("``")
}

/// A fenced code block; `inside` came from [`code`].
pub(super) fn fenced(inside: &str, language: &str) -> String {
    format!("```{language}\n{inside}\n```")
}

/// Two backticks never follow one another, so no three do: every second one is shown as a sign like it.
fn unfenced(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for c in line.chars() {
        let ends = c == '`' && shown.ends_with('`');
        shown.push(if ends { BACKTICK } else { c });
    }
    shown
}

/// Source: Discord's Markdown, where a backslash takes the meaning from any sign that is neither letter, digit nor space.
fn escaped(line: &str) -> String {
    let mut shown = String::with_capacity(line.len() + line.len() / 8);
    let mut rest = line.chars().peekable();
    let mut digits_from_start = !line.is_empty();
    while let Some(c) = rest.next() {
        let starts_list = digits_from_start && c == '.' && !shown.is_empty();
        digits_from_start = digits_from_start && c.is_ascii_digit();
        let signifies = match c {
            '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' | '(' | ')' | '<' | '>' | '@' | '#' => true,
            // A shortcode `:name:`, and what follows a scheme.
            ':' => ends_shortcode(rest.clone()) || rest.peek() == Some(&'/'),
            '-' | '+' => shown.is_empty(),
            '.' => starts_list,
            _ => false,
        };
        if signifies {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

fn ends_shortcode(rest: impl Iterator<Item = char>) -> bool {
    let mut name = 0;
    for c in rest {
        match c {
            ':' => return name > 0,
            c if c.is_ascii_alphanumeric() || "_+-".contains(c) => name += 1,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        line(&SafeText::redact(text))
    }

    /// What a reader sees: escapes gone.
    fn read(text: &str) -> String {
        let mut seen = String::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            seen.extend(if c == '\\' { rest.next() } else { Some(c) });
        }
        seen
    }

    #[test]
    fn markdown_mentions_links_and_emoji_are_literal() {
        for (text, expected) in [
            ("@everyone", "\\@everyone"),
            ("<@1> <@!1> <@&1> <#1>", "\\<\\@1\\> \\<\\@!1\\> \\<\\@&1\\> \\<\\#1\\>"),
            ("<@<@&1234>", "\\<\\@\\<\\@&1234\\>"),
            ("<t:1700000000:R> <a:x:1>", "\\<t\\:1700000000:R\\> \\<a\\:x:1\\>"),
            (":tada: 05:00:12", "\\:tada: 05\\:00:12"),
            ("[Approve](https://evil)", "\\[Approve\\]\\(https\\://evil\\)"),
            ("slack://x data:text", "slack\\://x data:text"),
            ("*_~>#-|", "\\*\\_\\~\\>\\#-\\|"),
            ("||spoiler||", "\\|\\|spoiler\\|\\|"),
            ("# heading", "\\# heading"),
            ("-# small", "\\-\\# small"),
            ("- item", "\\- item"),
            ("12. item", "12\\. item"),
            ("a 12. item", "a 12. item"),
            (r"\*", r"\\\*"),
            ("```x```", "\\`\\`\\`x\\`\\`\\`"),
            ("arn:aws:iam::123456789012:role/x", "arn\\:aws\\:iam:\\:123456789012:role/x"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
            assert_eq!(read(&shown(text)), text);
        }
    }

    #[test]
    fn a_cut_counts_what_is_sent_and_never_halves_an_escape() {
        for (text, limit) in [("*".repeat(300), 100), ("a".repeat(300), 100), ("🔴*".repeat(100), 33), ("@".repeat(90), 50)] {
            let cut = line_within(&SafeText::redact(&text), limit);
            assert!(limits::length(&cut) <= limit && limits::length(&cut) + 6 >= limit, "{cut}");
            assert!(cut.ends_with('…') && !read(&cut).contains('\\'), "{cut}");
        }
        assert_eq!(line_within(&SafeText::redact("a*b"), 4), "a\\*b");
    }

    #[test]
    fn nothing_leaves_a_code_block() {
        for text in ["```", "````", "x```\n@everyone\n```", "`a` ``b``", "~~~"] {
            let inside = code(&SafeText::redact(text));
            assert!(!inside.contains("``"), "{inside}");
            assert_eq!(inside.replace(BACKTICK, "`"), text);
        }
        assert!(!code(&SafeText::redact(&"`".repeat(100))).contains("``"));
    }
}
