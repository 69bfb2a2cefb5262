//! A message as plain text, for places that allow no embeds: all of it, in as many messages as that takes.

use super::clickable::is_command;
use super::escape;
use super::limits::{self, CONTENT, length};
use super::page::{block_of, facts, in_blocks, link, reference};
use crate::chat::document::{Part, Quote};
use crate::redact::SafeText;

/// How long one part may be; before it stands its number.
pub(super) const ROOM: usize = CONTENT - NUMBER;
/// Room for the line with a part's number.
const NUMBER: usize = 16;
/// What ends a code block.
const END: &str = "\n```";
/// Messages one message may become; Discord lets a channel have about one a second. All that a verdict can hold is shorter.
const MAX_PARTS: usize = 40;

/// A piece of text.
enum Piece {
    Line(String),
    /// The inside of a code block, in its language.
    Code(Vec<String>, &'static str),
}

/// `first`, and all that `parts` say, split between lines and with every code block closed. Where somebody is called, the
/// first message says nothing else.
pub(super) fn texts(first: &str, parts: &[Part], calls: bool) -> Vec<String> {
    let mut split = Split { full: Vec::new(), open: first.to_owned() };
    if calls {
        split.flush();
    }
    for part in parts {
        let mut is_new = true;
        for piece in pieces(part) {
            split.piece(&piece, is_new);
            is_new = false;
        }
    }
    split.finish()
}

struct Split {
    full: Vec<String>,
    open: String,
}

impl Split {
    fn flush(&mut self) {
        let full = std::mem::take(&mut self.open);
        if !full.trim().is_empty() {
            self.full.push(full);
        }
    }

    fn piece(&mut self, piece: &Piece, is_new_part: bool) {
        match piece {
            Piece::Line(line) => {
                let gap = if is_new_part { "\n\n" } else { "\n" };
                for (at, piece) in fitting(line, ROOM).into_iter().enumerate() {
                    self.line(&piece, if at == 0 { gap } else { "\n" });
                }
            }
            Piece::Code(lines, language) => self.code(lines, language),
        }
    }

    fn line(&mut self, line: &str, gap: &str) {
        if length(&self.open) + length(gap) + length(line) > ROOM {
            self.flush();
        }
        if !self.open.is_empty() {
            self.open.push_str(gap);
        }
        self.open.push_str(line);
    }

    /// A code block, which is closed at the end of a message and opened again in the next.
    fn code(&mut self, lines: &[String], language: &str) {
        let begin = format!("```{language}");
        let inside = ROOM - length(&begin) - length(END) - 1;
        let mut is_open = false;
        for line in lines.iter().flat_map(|line| fitting(line, inside)) {
            let begun = if is_open { 0 } else { length(&begin) + 1 };
            if length(&self.open) + begun + 1 + length(&line) + length(END) > ROOM {
                if is_open {
                    self.open.push_str(END);
                }
                self.flush();
                is_open = false;
            }
            if !is_open {
                let gap = if self.open.is_empty() { "" } else { "\n" };
                self.open.push_str(gap);
                self.open.push_str(&begin);
                is_open = true;
            }
            self.open.push('\n');
            self.open.push_str(&line);
        }
        if is_open {
            self.open.push_str(END);
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.flush();
        if self.full.len() > MAX_PARTS {
            self.full.truncate(MAX_PARTS - 1);
            self.full
                .push("*The rest is longer than this chat can show: export it, or ask for the evidence of one step.*".to_owned());
        }
        self.full
    }
}

/// A line as pieces of at most `room` units; where it has to be broken, between words, and never within an escape.
fn fitting(line: &str, room: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut units = 0;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        // An escape, and what is joined to a character, go along with it.
        let mut whole = String::from(c);
        if c == '\\' {
            whole.extend(rest.next());
        }
        while let Some(next) = rest.next_if(|next| matches!(next, '\u{200d}' | '\u{fe0f}')) {
            whole.push(next);
            if next == '\u{200d}' {
                whole.extend(rest.next());
            }
        }
        if units + length(&whole) > room {
            let (kept, moved) = match piece.rsplit_once(' ') {
                Some((kept, moved)) if length(kept) * 2 > room => (kept.to_owned(), moved.to_owned()),
                _ => (std::mem::take(&mut piece), String::new()),
            };
            pieces.push(kept);
            units = length(&moved);
            piece = moved;
        }
        units += length(&whole);
        piece.push_str(&whole);
    }
    pieces.push(piece);
    pieces
}

fn pieces(part: &Part) -> Vec<Piece> {
    let label = |label: &SafeText| Piece::Line(format!("**{}**", escape::line(label)));
    match part {
        Part::Context(items) => {
            let shown: Vec<String> = items.iter().map(escape::line).filter(|item| !item.is_empty()).collect();
            if shown.is_empty() { Vec::new() } else { vec![Piece::Line(shown.join(" · "))] }
        }
        Part::Facts(phrases) => vec![Piece::Line(facts(phrases))],
        Part::Section { label: text, lines } => {
            let mark = if lines.len() > 1 { "• " } else { "" };
            let lines = lines.iter().map(|line| Piece::Line(format!("{mark}{}", escape::line(line))));
            std::iter::once(label(text)).chain(lines).collect()
        }
        Part::Quotes { label: text, quotes } => std::iter::once(label(text)).chain(in_blocks(quotes).flat_map(quoted)).collect(),
        Part::Commands(commands) => commands.iter().map(command).collect(),
        Part::Caution(text) => vec![Piece::Line(format!("⚠ {}", escape::line(text)))],
        Part::Links(links) => links.iter().map(|address| Piece::Line(link(address))).collect(),
        Part::Cause(cause) => vec![Piece::Line(reference(cause))],
        Part::Steps(steps) => {
            let line = |step: &crate::chat::document::StepLine| {
                let summary = escape::line(&step.summary);
                let dash = if summary.is_empty() { "" } else { " — " };
                Piece::Line(format!("{} **{}** {}{dash}{summary}", step.state.mark(), step.number, escape::line(&step.name)))
            };
            steps.iter().map(line).collect()
        }
    }
}

fn command(command: &SafeText) -> Piece {
    match is_command(command.as_str()) {
        true => Piece::Line(escape::line(command)),
        false => Piece::Code(lines_of(command), "sh"),
    }
}

fn quoted(quotes: &[Quote]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if let [quote] = quotes {
        let lead: Vec<String> =
            [&quote.lead, &quote.source].iter().map(|text| escape::line(text)).filter(|text| !text.is_empty()).collect();
        pieces.extend((!lead.is_empty()).then(|| Piece::Line(lead.join(" · "))));
    }
    let inside: Vec<String> = block_of(quotes).lines().map(str::to_owned).collect();
    if inside.iter().any(|line| !line.trim().is_empty()) {
        pieces.push(Piece::Code(inside, ""));
    }
    pieces
}

fn lines_of(text: &SafeText) -> Vec<String> {
    escape::code(text).split('\n').map(str::to_owned).collect()
}

/// A part as it is sent, with its number; the first one, which has none, is 0.
pub(super) fn part(number: usize, of: usize, text: &str) -> String {
    format!("-# {} of {of}\n{text}", number + 1)
}

/// The number of a part that was sent.
pub(super) fn part_number(content: &str) -> Option<usize> {
    let (shown, of) = content.lines().next()?.strip_prefix("-# ")?.split_once(" of ")?;
    let (shown, of) = (shown.parse::<usize>().ok()?, of.parse::<usize>().ok()?);
    (2..=of).contains(&shown).then(|| shown - 1)
}

/// What stands for files that could not be attached.
pub(super) fn without_files(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| escape::line(&SafeText::redact(name))).collect();
    limits::cut(&format!("*Not attached, because Discord does not let me upload files here:* {}", names.join(", ")), 600)
}

/// What stands for a message that Discord would not show.
pub(super) const IN_FILE: &str = "This server does not let me write here what I found: it is in the file.";

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(text: &str) -> SafeText {
        SafeText::redact(text)
    }

    /// What readers see, without Markdown and line breaks.
    fn words(text: &str) -> String {
        text.chars().filter(|c| c.is_alphanumeric()).collect()
    }

    #[test]
    fn nothing_is_cut_away_and_every_code_block_is_closed() {
        let long = (0..900).map(|at| format!("word{at}")).collect::<Vec<_>>().join(" ");
        let log = (0..400).map(|at| format!("line {at} of the log *_`")).collect::<Vec<_>>().join("\n");
        let quote = Quote { lead: safe("lead"), text: safe(&log), source: safe("source") };
        let parts = vec![
            Part::Context(vec![safe("one"), safe("two")]),
            Part::Section { label: safe("Label"), lines: vec![safe(&long), safe("end")] },
            Part::Quotes { label: safe("Proof"), quotes: vec![quote] },
            Part::Commands(vec![safe(&format!("aws {}", "x".repeat(3_000))), safe("aws short")]),
            Part::Caution(safe("caution")),
        ];
        let texts = texts("**title**", &parts, false);
        for text in &texts {
            assert!(length(text) <= ROOM, "{}", length(text));
            assert_eq!(text.matches("```").count() % 2, 0, "{text}");
        }
        let all = words(&texts.join("\n"));
        for said in [&long, &log, &"x".repeat(3_000), &"aws short".to_owned(), &"caution".to_owned()] {
            // Where a code block is opened again, its language comes between.
            assert!(all.replace("sh", "").contains(&words(said).replace("sh", "")), "{}", safe(said).single_line());
        }
        assert!(texts.len() > 5);
    }

    #[test]
    fn whoever_is_called_is_called_by_a_message_that_says_nothing_else() {
        let parts = vec![Part::Caution(safe("caution"))];
        assert_eq!(texts("<@1> **title**", &parts, true), ["<@1> **title**", "⚠ caution"]);
        assert_eq!(texts("**title**", &parts, false), ["**title**\n\n⚠ caution"]);
    }

    #[test]
    fn a_part_begins_with_its_number_and_is_known_by_it() {
        assert_eq!(part(1, 4, "text"), "-# 2 of 4\ntext");
        assert!(length(&part(MAX_PARTS - 1, MAX_PARTS, "")) <= NUMBER);
        for (content, number) in [
            ("-# 2 of 4\ntext", Some(1)),
            ("-# 40 of 40\n", Some(39)),
            ("-# 1 of 4", None),
            ("-# 5 of 4", None),
            ("-# 2 of many", None),
            ("\\-\\# 2 of 4", None),
            ("text\n-# 2 of 4", None),
            ("", None),
        ] {
            assert_eq!(part_number(content), number, "{content}");
        }
    }

    #[test]
    fn a_line_is_broken_between_words_and_never_in_an_escape() {
        assert_eq!(fitting("one two three", 8), ["one two", "three"]);
        assert_eq!(fitting(r"aaa\*\*", 4), ["aaa", r"\*\*"]);
        assert_eq!(fitting("👩\u{200d}💻👩\u{200d}💻", 5), ["👩\u{200d}💻", "👩\u{200d}💻"]);
        assert_eq!(fitting("", 5), [""]);
    }
}
