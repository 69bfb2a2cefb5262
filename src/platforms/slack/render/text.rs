//! Texts as Slack's elements: shown as they are, whatever they spell.
//!
//! Texts go into `rich_text` and `plain_text` elements, which know no mark-up: nothing in them becomes a mention, a link or
//! an emoji. The one exception is the text of the notification, which is escaped.

use super::limits::{self, cut, escape, length};
use crate::redact::SafeText;
use slack_morphism::prelude::*;

/// Shown where there is nothing to show; Slack refuses empty texts.
const NOTHING: &str = "–";

/// One visible line.
pub(in crate::platforms::slack) fn line(text: &SafeText) -> String {
    or_nothing(text.single_line().into())
}

/// Visible lines, for a block that keeps them.
pub(super) fn lines(text: &SafeText) -> String {
    or_nothing(SafeText::join(text.visible_lines(), "\n").trim_matches('\n').to_owned())
}

fn or_nothing(text: String) -> String {
    if text.trim().is_empty() { NOTHING.to_owned() } else { text }
}

/// A text that knows no mark-up and no emoji codes.
pub(in crate::platforms::slack) fn plain(text: &str, limit: usize) -> SlackBlockPlainText {
    SlackBlockPlainText::new(cut(text, limit)).with_emoji(false)
}

/// The text of the notification. Slack reads mark-up here, so it is escaped, and what reads like an emoji's name is broken.
pub(super) fn notification(text: &str) -> String {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_".contains(&byte));
    let mut parts = text.split(':').peekable();
    let mut broken = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        // A name stands between two colons; without the second it is a time or the like.
        broken.push_str(if parts.peek().is_some() && is_name(part) { ":\u{2060}" } else { ":" });
        broken.push_str(part);
    }
    escape(&broken, limits::NOTIFICATION)
}

/// True where Slack would read mark-up, an address or a name in the text instead of showing it.
pub(super) fn has_marks(text: &str) -> bool {
    let is_harmless = |c: char| c.is_alphanumeric() || " -·…,.()/".contains(c);
    !text.chars().all(is_harmless)
}

/// A run of text in a `rich_text` block.
pub(in crate::platforms::slack) fn run(text: &str) -> SlackRichTextInlineElement {
    SlackRichTextText::new(text.to_owned()).into()
}

/// A bold run.
pub(in crate::platforms::slack) fn bold(text: &str) -> SlackRichTextInlineElement {
    SlackRichTextText::new(text.to_owned()).bold().into()
}

/// A line of runs.
pub(in crate::platforms::slack) fn paragraph(runs: Vec<SlackRichTextInlineElement>) -> SlackRichTextElement {
    SlackRichTextSection::new(runs).into()
}

/// A block in a typewriter face that can be copied.
pub(super) fn preformatted(text: &str) -> SlackRichTextElement {
    SlackRichTextPreformatted::new(vec![run(text)]).into()
}

/// The length of all texts in an element of a `rich_text` block.
pub(super) fn length_of(element: &SlackRichTextElement) -> usize {
    match element {
        SlackRichTextElement::Section(section) => section.elements.iter().map(length_of_run).sum(),
        SlackRichTextElement::Preformatted(block) => block.elements.iter().map(length_of_run).sum(),
        SlackRichTextElement::Quote(quote) => quote.elements.iter().map(length_of_run).sum(),
        SlackRichTextElement::List(list) => list
            .elements
            .iter()
            .map(|SlackRichTextListElement::Section(item)| item.elements.iter().map(length_of_run).sum::<usize>())
            .sum(),
    }
}

fn length_of_run(run: &SlackRichTextInlineElement) -> usize {
    match run {
        SlackRichTextInlineElement::Text(text) => length(&text.text),
        SlackRichTextInlineElement::Link(link) => length(&link.url.0) + link.text.as_deref().map_or(0, length),
        _ => 0,
    }
}
