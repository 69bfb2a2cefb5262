//! What a platform says of itself: what it is called, how one speaks to it, how much it takes.

use super::manner::Manner;
use super::screen::Screen;
use std::time::Duration;

/// What a platform says of itself. Nobody else tells platforms apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What sentences call it: "Slack", "the page".
    pub title: &'static str,
    /// How one speaks to the bot in a channel.
    pub manner: Manner,
    /// How it shows messages on a phone.
    pub screen: Screen,
    /// The time between two edits of progress in one thread, where it takes more than is usual.
    pub between_edits: Option<Duration>,
    /// How many edits may tell of progress; `None` where nobody counts. A new message is limited by its channel alone.
    pub progress: Option<ProgressLimit>,
    /// True where it shows messages from the store, so that their files stay there.
    pub shows_the_store: bool,
    /// True where investigations of other platforms are shown too, to whoever may ask about the same secret.
    pub shows_others: bool,
    /// True where people have threads in which the bot can be asked, but which are not the bot's.
    pub has_others_threads: bool,
}

/// How many edits may tell of progress, so that those of verdicts find room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgressLimit {
    pub per_minute: u32,
    /// True where the platform counts the edits of each channel by themselves, false where it counts all of them together.
    pub each_channel: bool,
}

impl Limits {
    /// A platform that takes what is usual, and keeps what it is sent.
    #[must_use]
    pub const fn usual(title: &'static str, manner: Manner) -> Limits {
        Limits {
            title,
            manner,
            screen: Screen::NARROWEST,
            between_edits: None,
            progress: None,
            shows_the_store: false,
            shows_others: false,
            has_others_threads: true,
        }
    }
}
