//! How much of a phone's screen a message takes, so that what a thread hangs on is read without scrolling far.
//!
//! It is a model: columns are counted, two for a wide character, and nothing is drawn. `tests/looks.py` draws every scenario as each
//! platform shows it; the figures of a platform are those with which no message is drawn taller than it is said to be here.

use super::document::{Message, Part, Quote};
use crate::redact::SafeText;
use crate::report::line_in_utc;
use unicode_width::UnicodeWidthChar as _;

/// How tall what a thread hangs on may be, in pixels.
const MAX_HEIGHT: usize = 1_200;

/// How a platform shows messages on a phone that is 390 pixels wide. All heights are in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// What stands around the title and the parts of a verdict: who says it, margins, its controls.
    pub around: usize,
    pub title: LineSize,
    /// Small print.
    pub context: LineSize,
    /// Labels and paragraphs.
    pub text: LineSize,
    /// Commands and quotes.
    pub code: LineSize,
    /// The gap above a part.
    pub gap: usize,
    /// The frame around a command, with the button that copies it where there is one.
    pub command_frame: usize,
    /// The frame around a quote.
    pub quote_frame: usize,
}

/// The size of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSize {
    /// In pixels.
    pub height: usize,
    /// How many characters it has; of wide ones, such as those of Chinese and Japanese, half as many.
    pub chars: usize,
}

impl LineSize {
    /// A line of `height` pixels and `chars` characters.
    #[must_use]
    pub const fn new(height: usize, chars: usize) -> LineSize {
        LineSize { height, chars }
    }

    /// How tall a text is.
    fn of(self, text: &str) -> usize {
        text.split('\n').map(|line| wrapped(line, self.chars)).sum::<usize>() * self.height
    }
}

/// How many lines a line of text takes: it ends between words or behind a hyphen, and a word that is longer than that is torn.
fn wrapped(text: &str, chars: usize) -> usize {
    let chars = chars.max(1);
    let (mut lines, mut used) = (1, 0);
    for word in text.split_inclusive([' ', '-']) {
        let (shown, whole) = (columns(word.trim_end()), columns(word));
        if shown == 0 || used + shown <= chars {
            used += whole;
            continue;
        }
        let (more, rest) = torn(word.trim_end(), chars);
        lines += usize::from(used > 0) + more;
        used = rest + whole - shown;
    }
    lines
}

/// How many lines a word takes beyond its first, and how much of the last one. Some clients tear it where a line is full, others
/// behind its slashes, which can take more.
fn torn(word: &str, chars: usize) -> (usize, usize) {
    let shown = columns(word);
    // A wide character that has no room leaves a column empty.
    let room = chars.saturating_sub(usize::from(shown > word.chars().count())).max(1);
    let full = shown.saturating_sub(1) / room;
    let (mut lines, mut used) = (0, 0);
    for piece in word.split_inclusive('/').map(columns) {
        if used + piece <= room {
            used += piece;
            continue;
        }
        let more = piece.saturating_sub(1) / room;
        lines += usize::from(used > 0) + more;
        used = piece - more * room;
    }
    if lines > full { (lines, used) } else { (full, shown - full * room) }
}

/// How much of a line a text takes.
fn columns(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(1).max(1)).sum()
}

impl Screen {
    /// One that needs as much room for everything as any platform that is known.
    pub const NARROWEST: Screen = Screen {
        around: 250,
        title: LineSize::new(27, 28),
        context: LineSize::new(22, 33),
        text: LineSize::new(22, 35),
        code: LineSize::new(18, 31),
        gap: 22,
        command_frame: 44,
        quote_frame: 26,
    };

    /// True where a thread may hang on the message.
    #[must_use]
    pub fn has_room_for(&self, message: &Message) -> bool {
        self.has_room_beside(self.height(message), &[])
    }

    /// The same of a message that is so tall without these parts.
    #[must_use]
    pub fn has_room_beside(&self, height: usize, parts: &[Part]) -> bool {
        height + self.parts(parts) <= MAX_HEIGHT
    }

    /// How tall a message is.
    #[must_use]
    pub fn height(&self, message: &Message) -> usize {
        // Platforms draw the mark as small as a letter.
        let mark = if message.tone.mark().is_empty() { "" } else { "● " };
        self.around + self.title.of(&format!("{mark}{}", message.title.as_str())) + self.parts(&message.parts)
    }

    fn parts(&self, parts: &[Part]) -> usize {
        parts.iter().map(|part| self.part(part)).sum()
    }

    fn part(&self, part: &Part) -> usize {
        let paragraphs = |texts: &[SafeText]| texts.iter().map(|text| self.text.of(text)).sum::<usize>();
        match part {
            Part::Context(texts) => self.gap + self.context.of(&SafeText::join(texts, " · ")),
            Part::Facts(phrases) => self.gap + self.context.of(&line_in_utc(phrases)),
            Part::Section { label, lines } => self.gap + self.text.of(label) + self.lines(lines),
            Part::Quotes { label, quotes } => {
                self.gap + self.text.of(label) + quotes.iter().map(|quote| self.quote(quote)).sum::<usize>()
            }
            Part::Commands(commands) => commands.iter().map(|command| self.command_frame + self.code.of(command)).sum::<usize>(),
            Part::Caution(text) => self.gap + self.text.of(&format!("⚠ {}", text.as_str())),
            Part::Links(texts) => self.gap + paragraphs(texts),
            Part::Steps(steps) => {
                let line = |name: &SafeText, summary: &SafeText| format!("✓ 1 {}  {}", name.as_str(), summary.as_str());
                self.gap + steps.iter().map(|step| self.text.of(&line(&step.name, &step.summary))).sum::<usize>()
            }
            Part::Cause(cause) => self.gap + self.text.of(&cause.line()),
        }
    }

    /// Paragraphs or items.
    fn lines(&self, lines: &[SafeText]) -> usize {
        let mark = if lines.len() > 1 { "• " } else { "" };
        lines.iter().map(|line| self.text.of(&format!("{mark}{}", line.as_str()))).sum()
    }

    fn quote(&self, quote: &Quote) -> usize {
        let source = format!("{} · {}", quote.lead.as_str(), quote.source.as_str());
        self.text.of(&source) + self.quote_frame + self.code.of(&quote.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::document::Tone;

    #[test]
    fn a_line_ends_between_words_or_behind_a_hyphen() {
        for (text, lines) in [
            ("", 1),
            ("one two", 1),
            ("one two three", 2),
            ("one two-three", 2),
            ("exactlyten", 1),
            ("exactlyten eleven", 2),
            ("more-than-ten-characters", 3),
            ("morethantencharacters", 3),
            ("a morethantencharacters", 4),
            ("one    ", 1),
            ("five/five/five/five/", 2),
            ("seven/seven/seven/seven/", 4),
            ("a seven/seven/seven/seven/", 5),
            ("ありがとう", 1),
            ("ありがとうございます", 3),
            ("a ありがとうございます", 4),
            ("🔴🔴🔴🔴🔴🔴", 2),
        ] {
            assert_eq!(wrapped(text, 10), lines, "{text:?}");
        }
    }

    #[test]
    fn a_message_is_as_tall_as_its_title_its_parts_and_what_stands_around_them() {
        let screen = Screen {
            around: 1_000,
            title: LineSize::new(100, 5),
            context: LineSize::new(3, 10),
            text: LineSize::new(10, 10),
            code: LineSize::new(7, 10),
            gap: 1,
            command_frame: 20,
            quote_frame: 30,
        };
        let mut message = Message::line(Tone::Neutral, "title".into());
        assert_eq!(screen.height(&message), 1_100);
        let quote = Quote { lead: "1".into(), text: "one two three".into(), source: "log".into() };
        for (part, height) in [
            (Part::Context(vec!["one".into(), "two".into()]), 1 + 3),
            (Part::Facts(vec!["one".into(), "two".into(), "three".into()]), 1 + 2 * 3),
            (Part::Section { label: "label".into(), lines: vec!["one two".into()] }, 1 + 10 + 10),
            (Part::Section { label: "label".into(), lines: vec!["one two 10".into(), "two".into()] }, 1 + 10 + 2 * 10 + 10),
            (Part::Commands(vec!["one two three".into(), "one\ntwo".into()]), 20 + 2 * 7 + 20 + 2 * 7),
            (Part::Caution("one two".into()), 1 + 10),
            (Part::Quotes { label: "label".into(), quotes: vec![quote] }, 1 + 10 + 10 + 30 + 2 * 7),
        ] {
            message.parts = vec![part.clone()];
            assert_eq!(screen.height(&message), 1_100 + height, "{part:?}");
        }
        message.parts.clear();
        assert!(screen.has_room_for(&message));
        message.title = "title title title".into();
        assert!(!screen.has_room_for(&message));
    }
}
