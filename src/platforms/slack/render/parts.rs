//! The parts of a message, each in pieces.

use super::assemble::BlockPiece;
use super::limits::{self, cut, length};
use super::text::{self, bold, paragraph, preformatted, run};
use crate::chat::document::{CauseReference, Part, Quote, StepLine};
use crate::redact::SafeText;
use crate::report::{Phrase, Span, line_in_utc};
use jiff::Timestamp;
use slack_morphism::prelude::*;
use url::Url;

/// A line of a section; a longer one is read in the file.
const LINE: usize = 1_200;

/// A quote; a longer one is read in the file.
const QUOTE: usize = 1_500;

/// A label, a source, the name of a step.
const LABEL: usize = 150;

/// What a step saw, on a line of its own on a phone.
const STEP: usize = 240;

/// A command. It is shown whole or not at all; a text element takes this much for certain.
const COMMAND: usize = limits::TEXT;

/// Small print.
const SMALL: usize = 1_000;

/// The pieces of a part.
pub(super) fn pieces(part: &Part) -> Vec<BlockPiece> {
    match part {
        Part::Context(items) => context(items),
        Part::Facts(phrases) => facts(phrases),
        Part::Section { label, lines } => section(label, lines),
        Part::Quotes { label, quotes } => quoted(label, quotes),
        Part::Commands(commands) => commands.iter().flat_map(command).collect(),
        Part::Caution(caution) => shortened(&text::line(caution), LINE, |text| paragraph(vec![bold("⚠ "), run(&text)])),
        Part::Links(links) => links.iter().filter_map(|link| link_to(link.as_str())).collect(),
        Part::Steps(steps) => steps.iter().flat_map(step).collect(),
        Part::Cause(cause) => vec![reference(cause)],
    }
}

/// A text in an element, and a note where it had to be shortened.
fn shortened(text: &str, limit: usize, element: impl FnOnce(String) -> SlackRichTextElement) -> Vec<BlockPiece> {
    let mut pieces = vec![BlockPiece::Lines(element(cut(text, limit)))];
    if length(text) > limit {
        pieces.push(BlockPiece::Shortened);
    }
    pieces
}

fn context(items: &[SafeText]) -> Vec<BlockPiece> {
    let line = items.iter().map(text::line).collect::<Vec<_>>().join(" · ");
    if line.is_empty() {
        return Vec::new();
    }
    let mut pieces = vec![BlockPiece::Small(cut(&line, SMALL))];
    if length(&line) > SMALL {
        pieces.push(BlockPiece::Shortened);
    }
    pieces
}

/// A moment reads in its reader's own time, for which Slack has mark-up of ours; every other text is shown as it is: where Slack
/// would read mark-up in one, the moments stand apart from the words.
///
/// Source: Slack, "Formatting text for app surfaces", "Date formatting".
fn facts(phrases: &[Phrase]) -> Vec<BlockPiece> {
    let moments = phrases.iter().flat_map(Phrase::spans).filter(|span| matches!(span, Span::Moment { .. })).count();
    let whole = text::line(&line_in_utc(phrases));
    let has_marks = phrases.iter().flat_map(Phrase::spans).any(|span| matches!(span, Span::Text(text) if text::has_marks(text)));
    if moments == 0 || (has_marks && moments > limits::CONTEXT / 2 - 1) || length(&whole) > SMALL {
        return context(&[line_in_utc(phrases)]);
    }
    if has_marks {
        return vec![BlockPiece::Dated(words_and_moments(phrases))];
    }
    let span = |span: &Span| match span {
        Span::Text(text) => text.as_str().to_owned(),
        Span::Moment { at, utc } => moment(*at, utc),
    };
    let phrase = |phrase: &Phrase| phrase.spans().iter().map(span).collect::<String>();
    let line = phrases.iter().map(phrase).collect::<Vec<_>>().join(" · ");
    vec![BlockPiece::Dated(vec![marked(line)])]
}

/// The phrases in elements of a block: words that know no mark-up, and moments between them.
fn words_and_moments(phrases: &[Phrase]) -> Vec<SlackContextBlockElement> {
    let mut elements = Vec::new();
    let mut words = String::new();
    for (at, phrase) in phrases.iter().enumerate() {
        if at > 0 {
            words.push_str(" · ");
        }
        for span in phrase.spans() {
            match span {
                Span::Text(text) => {
                    // A blank at the edge is no part of a line.
                    let edge = |is_there: bool| if is_there { " " } else { "" };
                    let (before, after) = (edge(text.starts_with(' ')), edge(text.ends_with(' ')));
                    words.push_str(&format!("{before}{}{after}", text.single_line()));
                }
                Span::Moment { at, utc } => {
                    elements.extend(small(&std::mem::take(&mut words)));
                    elements.push(marked(moment(*at, utc)));
                }
            }
        }
    }
    elements.extend(small(&words));
    elements
}

fn small(words: &str) -> Option<SlackContextBlockElement> {
    let words = words.trim();
    (!words.is_empty()).then(|| text::plain(words, SMALL).into())
}

fn marked(text: String) -> SlackContextBlockElement {
    SlackBlockMarkDownText::new(text).with_verbatim(true).into()
}

/// A moment in Slack's mark-up, with what is shown where Slack does not know it.
fn moment(at: Timestamp, utc: &SafeText) -> String {
    format!("<!date^{}^{{date_short_pretty}} {{time}}|{utc}>", at.as_second())
}

fn heading(label: &SafeText) -> BlockPiece {
    BlockPiece::Lines(paragraph(vec![bold(&cut(&text::line(label), LABEL))]))
}

fn section(label: &SafeText, lines: &[SafeText]) -> Vec<BlockPiece> {
    let mut pieces = vec![heading(label)];
    match lines {
        [] => pieces.push(BlockPiece::Lines(paragraph(vec![run(&text::line(&SafeText::default()))]))),
        [only] => pieces.extend(shortened(&text::line(only), LINE, |text| paragraph(vec![run(&text)]))),
        several => {
            pieces.extend(
                several.iter().flat_map(|item| shortened(&text::line(item), LINE, |text| paragraph(vec![run("• "), run(&text)]))),
            );
        }
    }
    pieces
}

/// Quotes with a source each stand for themselves; those without, such as the lines of a log, share a block.
fn quoted(label: &SafeText, quotes: &[Quote]) -> Vec<BlockPiece> {
    let mut pieces = vec![heading(label)];
    let has_source = |quote: &Quote| !quote.source.as_str().trim().is_empty();
    for quotes in quotes.chunk_by(|one, next| !has_source(one) && !has_source(next)) {
        match quotes {
            [quote] if has_source(quote) => {
                let lead = bold(&cut(&text::line(&quote.lead), LABEL));
                let source = run(&format!(" · {}", cut(&text::line(&quote.source), LABEL)));
                pieces.push(BlockPiece::Lines(paragraph(vec![lead, source])));
                pieces.extend(shortened(&text::lines(&quote.text), QUOTE, |text| preformatted(&text)));
            }
            lines => pieces.extend(log(lines)),
        }
    }
    pieces
}

/// Lines of a log in blocks that can be copied, each as long as a block may be.
fn log(quotes: &[Quote]) -> Vec<BlockPiece> {
    let mut pieces = Vec::new();
    let mut block = String::new();
    for quote in quotes {
        let whole = match quote.lead.as_str().trim() {
            "" => text::lines(&quote.text),
            _ => format!("{}  {}", cut(&text::line(&quote.lead), LABEL), text::lines(&quote.text)),
        };
        let line = cut(&whole, QUOTE);
        if length(&block) + 1 + length(&line) > limits::TEXT {
            pieces.push(BlockPiece::Lines(preformatted(&std::mem::take(&mut block))));
        }
        if !block.is_empty() {
            block.push('\n');
        }
        block.push_str(&line);
        if length(&whole) > QUOTE {
            pieces.push(BlockPiece::Shortened);
        }
    }
    if !block.is_empty() {
        pieces.push(BlockPiece::Lines(preformatted(&block)));
    }
    pieces
}

fn command(command: &SafeText) -> Vec<BlockPiece> {
    let whole = text::lines(command);
    if length(&whole) <= COMMAND {
        return vec![BlockPiece::Copy(preformatted(&whole))];
    }
    let note = "This command is too long to be shown here whole, and half of it would do something else.";
    vec![BlockPiece::Lines(paragraph(vec![run(note)])), BlockPiece::Shortened]
}

/// A link, where it is one; the address is what is shown.
fn link_to(address: &str) -> Option<BlockPiece> {
    let url = Url::parse(address).ok().filter(|url| url.scheme() == "https" && length(url.as_str()) <= LINE)?;
    Some(BlockPiece::Lines(paragraph(vec![SlackRichTextLink::new(url.into()).into()])))
}

/// A cause, linked to its page where it has one.
fn reference(cause: &CauseReference) -> BlockPiece {
    let page = cause.page.as_ref().and_then(|page| Url::parse(page.as_str()).ok());
    match page.filter(|url| matches!(url.scheme(), "https" | "http") && length(url.as_str()) <= LINE) {
        Some(url) => {
            let link = SlackRichTextLink::new(url.into()).with_text(text::line(&cause.id));
            BlockPiece::Lines(paragraph(vec![run("Cause: "), link.into()]))
        }
        None => BlockPiece::Small(text::line(&CauseReference { page: None, ..cause.clone() }.line())),
    }
}

fn step(step: &StepLine) -> Vec<BlockPiece> {
    let name = format!("{} {} {}", step.state.mark(), step.number, cut(&text::line(&step.name), LABEL));
    let summary = step.summary.as_str().trim();
    if summary.is_empty() {
        return vec![BlockPiece::Lines(paragraph(vec![bold(&name)]))];
    }
    shortened(&text::line(&step.summary), STEP, |summary| paragraph(vec![bold(&name), run(&format!("  {summary}"))]))
}
