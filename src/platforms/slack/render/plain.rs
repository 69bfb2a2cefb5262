//! The whole message as a text file, for what does not fit.

use super::limits::escape;
use super::people::NamedPeople;
use super::{File, Surface, text};
use crate::chat::document::{Message, Part};
use crate::report::line_in_utc;

/// The name of the file.
const NAME: &str = "details.txt";

/// Characters of a message without blocks. Source: Slack, "chat.postMessage": 4 000 are recommended at most.
const PLAIN: usize = 3_800;

/// The message in a block of code, in which nothing is mark-up, for where its blocks are not taken: as much as one message
/// holds.
pub(in crate::platforms::slack) fn as_text(message: &Message) -> String {
    let calling = message.mention.as_ref().and_then(super::mention).map(|mention| format!("{mention} ")).unwrap_or_default();
    let text = format!("{} {}", message.tone.mark(), whole(message)).replace('`', "'");
    format!("{calling}```{}```", escape(text.trim(), PLAIN))
}

/// The message as text, nothing left out.
pub(super) fn details(message: &Message) -> File {
    let mut whole = whole(message);
    whole.truncate(whole.floor_char_boundary(super::MAX_FILE_BYTES));
    File {
        name: NAME.to_owned(),
        description: "the whole message as text".to_owned(),
        content_type: "text/plain; charset=utf-8",
        bytes: whole.into_bytes(),
    }
}

fn whole(message: &Message) -> String {
    let mut whole = format!("{}\n", text::lines(&message.title));
    for part in &message.parts {
        whole.push('\n');
        write(&mut whole, part);
    }
    NamedPeople::new(&message.people, Surface::Post).unnamed(&whole)
}

fn write(whole: &mut String, part: &Part) {
    let mut line = |text: &str| {
        whole.push_str(text);
        whole.push('\n');
    };
    match part {
        Part::Context(items) => line(&items.iter().map(text::line).collect::<Vec<_>>().join(" · ")),
        Part::Facts(phrases) => line(&text::line(&line_in_utc(phrases))),
        Part::Section { label, lines } => {
            line(&text::line(label));
            lines.iter().for_each(|item| line(&format!("  {}", text::line(item))));
        }
        Part::Quotes { label, quotes } => {
            line(&text::line(label));
            for quote in quotes {
                line(&format!("  {} · {}", text::line(&quote.lead), text::line(&quote.source)));
                text::lines(&quote.text).lines().for_each(|text| line(&format!("    {text}")));
            }
        }
        Part::Commands(commands) => commands.iter().for_each(|command| line(&text::lines(command))),
        Part::Caution(caution) => line(&format!("⚠ {}", text::line(caution))),
        Part::Links(links) => links.iter().for_each(|link| line(&text::line(link))),
        Part::Cause(cause) => line(&text::line(&cause.line())),
        Part::Steps(steps) => {
            for step in steps {
                line(&format!("{} {} {}  {}", step.state.mark(), step.number, text::line(&step.name), text::line(&step.summary)));
            }
        }
    }
}
