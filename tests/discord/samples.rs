//! Messages and places for the tests.

use crate::fake_discord::{CHANNEL, GUILD};
use rotation_diag::chat::Destination;
use rotation_diag::chat::document::{CauseReference, Control, MenuItem, Message, Part, Quote, StepLine, StepState, Tone};
use rotation_diag::model::{Action, ActionToken, Place, PlatformName, StepName, ThreadRef};
use rotation_diag::redact::SafeText;

pub(crate) fn safe(text: &str) -> SafeText {
    SafeText::redact(text)
}

pub(crate) fn in_channel() -> Destination {
    Destination::Channel(Place {
        platform: PlatformName::new("discord"),
        workspace: GUILD.to_string(),
        channel: CHANNEL.to_string(),
        thread: None,
    })
}

pub(crate) fn in_thread(root: &str) -> Destination {
    Destination::Thread(ThreadRef {
        platform: PlatformName::new("discord"),
        workspace: GUILD.to_string(),
        channel: CHANNEL.to_string(),
        root: root.to_owned(),
    })
}

pub(crate) fn token(action: Action) -> ActionToken {
    ActionToken { investigation: "0123456789abcdef0123456789abcdef".parse().unwrap(), revision: 1, action }
}

pub(crate) fn choice(label: &str, action: Action) -> MenuItem {
    MenuItem { label: safe(label), token: token(action) }
}

/// A message with every kind of part, all of it saying `text`.
pub(crate) fn everywhere(text: &str) -> Message {
    let quote = Quote { lead: safe(text), text: safe(text), source: safe(text) };
    let step = StepLine { number: 4, name: safe(text), state: StepState::Done, summary: safe(text) };
    Message {
        parts: vec![
            Part::Context(vec![safe(text), safe(text)]),
            Part::Section { label: safe(text), lines: vec![safe(text), safe(text)] },
            Part::Quotes { label: safe(text), quotes: vec![quote] },
            Part::Commands(vec![safe(text)]),
            Part::Caution(safe(text)),
            Part::Links(vec![safe(text)]),
            Part::Steps(vec![step]),
            Part::Cause(CauseReference { id: safe(text), page: None }),
        ],
        controls: vec![
            Control::Button(choice(text, Action::RerunAll)),
            Control::Select { placeholder: safe(text), choices: vec![choice(text, Action::RerunStep(StepName::FunctionLogs))] },
        ],
        ..Message::line(Tone::Bad, safe(text))
    }
}
