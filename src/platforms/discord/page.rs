//! The parts of a message in embeds or in the texts of a layout, as far as they fit; and the whole of it as text.

use super::clickable::is_command;
use super::escape;
use super::file::{File, WHOLE};
use super::limits::{self, DESCRIPTION, EMBEDS_TOTAL, TEXTS_TOTAL, length};
use crate::chat::document::{CauseReference, Message, Part, Quote};
use crate::redact::SafeText;
use crate::report::{Phrase, Span, line_in_utc};
use crate::safe_format;

/// How much of one quoted line is shown before the file has to be opened.
const QUOTE: usize = 1_200;
/// How many lines of a log fill a block; more are read in the file.
const MAX_QUOTES: usize = 2;
/// How much of one line of text is shown before the file has to be opened.
const LINE: usize = 1_200;
/// Room for the note that names the file.
const NOTE: usize = 120;

/// How much there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// In one text.
    each: usize,
    /// In all of them together.
    total: usize,
}

impl Room {
    pub(super) const EMBEDS: Room = Room { each: DESCRIPTION, total: EMBEDS_TOTAL };

    /// What a layout has left beside its title.
    pub(super) fn beside(title: &str) -> Room {
        let left = TEXTS_TOTAL.saturating_sub(length(title));
        Room { each: left, total: left }
    }
}

/// Texts as they fill.
pub(super) struct Page {
    room: Room,
    full: Vec<String>,
    open: String,
    /// Units in all texts.
    used: usize,
    /// The text that has a button beside it.
    pub(super) with_button: Option<usize>,
    /// True once something had to be left out or cut.
    pub(super) left_out: bool,
    /// Commands that no code block can hold.
    pub(super) commands: Vec<File>,
}

impl Page {
    pub(super) fn new(room: Room) -> Page {
        Page { room, full: Vec::new(), open: String::new(), used: 0, with_button: None, left_out: false, commands: Vec::new() }
    }

    /// A section whose label is a text of its own, with room for a button beside it.
    pub(super) fn section_with_button(&mut self, label: &SafeText, lines: &[SafeText]) {
        self.close();
        let at = self.full.len();
        let label = self.line(label);
        self.piece(format!("**{label}**"), true);
        self.close();
        self.with_button = (self.full.len() > at).then_some(at);
        self.lines(lines).for_each(|(text, is_first)| self.piece(text, is_first));
    }

    fn close(&mut self) {
        if !self.open.trim().is_empty() {
            self.full.push(std::mem::take(&mut self.open));
        }
    }

    pub(super) fn part(&mut self, part: &Part) {
        match part {
            Part::Context(items) => {
                let shown: Vec<String> = items.iter().map(|item| self.line(item)).filter(|item| !item.is_empty()).collect();
                if !shown.is_empty() {
                    self.piece(shown.join(" · "), true);
                }
            }
            Part::Facts(phrases) => self.piece(facts(phrases), true),
            Part::Section { label, lines } => self.section(label, lines),
            Part::Quotes { label, quotes } => self.quotes(label, quotes),
            Part::Commands(commands) => commands.iter().for_each(|command| self.command(command)),
            Part::Caution(text) => {
                let text = self.line(text);
                self.piece(format!("⚠ {text}"), true);
            }
            Part::Links(links) => links.iter().enumerate().for_each(|(at, address)| self.piece(link(address), at == 0)),
            Part::Cause(cause) => self.piece(reference(cause), true),
            Part::Steps(steps) => {
                for (at, step) in steps.iter().enumerate() {
                    let summary = self.line(&step.summary);
                    let dash = if summary.is_empty() { "" } else { " — " };
                    let name = escape::line(&step.name);
                    self.piece(format!("{} **{}** {name}{dash}{summary}", step.state.mark(), step.number), at == 0);
                }
            }
        }
    }

    fn section(&mut self, label: &SafeText, lines: &[SafeText]) {
        let label = self.line(label);
        let mut shown = self.lines(lines);
        let first = shown.next().map_or_else(|| "–".to_owned(), |(line, _)| line);
        self.piece(format!("**{label}**\n{first}"), true);
        shown.for_each(|(line, _)| self.piece(line, false));
    }

    /// The lines of a section, and which is the first.
    fn lines(&mut self, lines: &[SafeText]) -> std::vec::IntoIter<(String, bool)> {
        let mark = if lines.len() > 1 { "• " } else { "" };
        let shown = lines.iter().enumerate().map(|(at, line)| (format!("{mark}{}", self.line(line)), at == 0));
        shown.collect::<Vec<_>>().into_iter()
    }

    fn quotes(&mut self, label: &SafeText, quotes: &[Quote]) {
        let heading = format!("**{}**", self.line(label));
        if quotes.is_empty() {
            return self.piece(format!("{heading}\n–"), true);
        }
        let mut heading = Some(heading);
        for quotes in in_blocks(quotes) {
            let lead: Vec<String> = match quotes {
                [quote] => {
                    let lead = [&quote.lead, &quote.source];
                    lead.iter().map(|text| self.line(text)).filter(|text| !text.is_empty()).collect()
                }
                _ => Vec::new(),
            };
            let inside = block_of(quotes);
            let shown = limits::cut(&inside, QUOTE * quotes.len().min(MAX_QUOTES));
            self.left_out |= shown != inside;
            let block = if shown.trim().is_empty() { String::new() } else { escape::fenced(&shown, "") };
            let pieces = [heading.take(), Some(lead.join(" · ")).filter(|lead| !lead.is_empty()), Some(block)];
            let is_first = pieces.first().is_some_and(Option::is_some);
            let text: Vec<String> = pieces.into_iter().flatten().filter(|piece| !piece.is_empty()).collect();
            self.piece(text.join("\n"), is_first);
        }
    }

    fn command(&mut self, command: &SafeText) {
        if is_command(command.as_str()) {
            let line = self.line(command);
            return self.piece(line, true);
        }
        let inside = escape::code(command);
        let block = escape::fenced(&inside, "sh");
        if !escape::breaks_a_fence(command) && self.has_room(length(&block) + 2) {
            return self.piece(block, true);
        }
        let name = format!("command-{}.sh", self.commands.len() + 1);
        self.piece(format!("The command is in the file {}.", name.replace('-', "\\-")), true);
        let content = format!("{}\n", SafeText::join(command.visible_lines(), "\n")).into_bytes();
        self.commands.push(File { name, description: "The command to paste".to_owned(), mime: "text/x-sh", content });
    }

    /// A line, cut where it is longer than anyone reads in a chat.
    fn line(&mut self, text: &SafeText) -> String {
        let whole = escape::line(text);
        if length(&whole) <= LINE {
            return whole;
        }
        self.left_out = true;
        escape::line_within(text, LINE)
    }

    fn has_room(&self, units: usize) -> bool {
        units <= self.room.each && self.used + units + NOTE <= self.room.total
    }

    /// Adds what belongs together; after the first piece that has no room, all others are left out.
    pub(super) fn piece(&mut self, text: String, is_new_part: bool) {
        let gap = match (self.open.is_empty(), is_new_part) {
            (true, _) => "",
            (false, true) => "\n\n",
            (false, false) => "\n",
        };
        let units = length(&text) + length(gap);
        if self.is_closed() || !self.has_room(units) {
            self.left_out = true;
            self.used = self.room.total;
            return;
        }
        self.used += units;
        if length(&self.open) + units + NOTE > self.room.each {
            self.full.push(std::mem::replace(&mut self.open, text));
        } else {
            self.open.push_str(gap);
            self.open.push_str(&text);
        }
    }

    fn is_closed(&self) -> bool {
        self.used >= self.room.total
    }

    pub(super) fn finish(mut self) -> Vec<String> {
        if self.left_out {
            let gap = if self.open.is_empty() { "" } else { "\n\n" };
            self.open.push_str(&format!("{gap}*Not all of it fits here: {} has the rest.*", WHOLE.replace('-', "\\-")));
        }
        self.full.push(self.open);
        self.full.retain(|text| !text.trim().is_empty());
        self.full
    }
}

/// Quotes that stand for themselves, and lines without a source, such as those of a log or a policy, which share a block.
pub(super) fn in_blocks(quotes: &[Quote]) -> impl Iterator<Item = &[Quote]> {
    let has_source = |quote: &Quote| !quote.source.as_str().trim().is_empty();
    quotes.chunk_by(move |one, next| !has_source(one) && !has_source(next))
}

/// The inside of a code block: one quote, or lines that share it, each behind its lead.
pub(super) fn block_of(quotes: &[Quote]) -> String {
    match quotes {
        [quote] => escape::code(&quote.text),
        lines => {
            let line = |quote: &Quote| match quote.lead.trim() {
                "" => escape::code(&quote.text),
                _ => format!("{}  {}", escape::code(&quote.lead.single_line()), escape::code(&quote.text)),
            };
            lines.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    }
}

/// Phrases in one line; a moment reads in its reader's own time.
///
/// Source: Discord developer documentation, "Message Formatting", timestamps.
pub(super) fn facts(phrases: &[Phrase]) -> String {
    let span = |span: &Span| match span {
        // An escape looks at what stands around it; a blank at the edge is no part of a line.
        Span::Text(text) => {
            let edge = |is_there: bool| if is_there { " " } else { "" };
            let line = escape::line(text);
            format!("{}{line}{}", edge(text.starts_with(' ')), edge(text.ends_with(' ')))
        }
        Span::Moment { at, .. } => format!("<t:{}:f>", at.as_second()),
    };
    let phrase = |phrase: &Phrase| phrase.spans().iter().map(span).collect::<String>();
    phrases.iter().map(phrase).filter(|text| !text.trim().is_empty()).collect::<Vec<_>>().join(" · ")
}

/// An address we know ourselves, as a link; anything else as text.
pub(super) fn link(address: &SafeText) -> String {
    let is_ours = address.as_str().strip_prefix("https://").is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/?#@!$&*+,;=%".contains(c))
    });
    if is_ours { format!("<{}>", address.as_str()) } else { escape::line(address) }
}

/// A cause, and the address of its page or the command that prints it.
pub(super) fn reference(cause: &CauseReference) -> String {
    match &cause.page {
        Some(page) => format!("Cause: {} {}", escape::line(&cause.id), link(page)),
        None => escape::line(&cause.line()),
    }
}

/// The message as text, for the file.
pub(super) fn whole_text(message: &Message) -> SafeText {
    let mut lines = vec![message.title.single_line()];
    for part in &message.parts {
        lines.push(SafeText::default());
        match part {
            Part::Context(items) => lines.push(SafeText::join(items.iter().map(SafeText::single_line), " · ")),
            Part::Facts(phrases) => lines.push(line_in_utc(phrases)),
            Part::Section { label, lines: items } => {
                lines.push(label.single_line());
                lines.extend(items.iter().map(|item| safe_format!("  {}", item.single_line())));
            }
            Part::Quotes { label, quotes } => {
                lines.push(label.single_line());
                for quote in quotes {
                    lines.push(safe_format!("  {} {}", quote.lead.single_line(), quote.source.single_line()));
                    lines.extend(quote.text.visible_lines().into_iter().map(|line| safe_format!("    {}", line)));
                }
            }
            Part::Commands(commands) => lines.extend(commands.iter().flat_map(SafeText::visible_lines)),
            Part::Caution(text) => lines.push(safe_format!("⚠ {}", text.single_line())),
            Part::Links(links) => lines.extend(links.iter().map(SafeText::single_line)),
            Part::Cause(cause) => lines.push(cause.line().single_line()),
            Part::Steps(steps) => lines.extend(steps.iter().map(|step| {
                let (name, summary) = (step.name.single_line(), step.summary.single_line());
                safe_format!("{} {} {}  {}", step.state.mark(), step.number, name, summary)
            })),
        }
    }
    lines.push(SafeText::default());
    SafeText::join(lines, "\n")
}
