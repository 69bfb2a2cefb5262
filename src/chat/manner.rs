//! How one speaks to the bot in a place: people are shown commands in the form they can use there.

use crate::model::{Place, PlatformName};

/// How one speaks to the bot in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Slack's slash command.
    Slash,
    /// By mention. Source: Slack, "Slash commands": they are not available in threads.
    Mention,
    /// Discord's slash command, whose options have names.
    Options,
    /// The page's prompt.
    Prompt,
}

impl Manner {
    /// The one of a channel or a thread.
    #[must_use]
    pub const fn of(place: &Place) -> Manner {
        match (place.platform, place.thread.is_some()) {
            (PlatformName::Slack, false) => Manner::Slash,
            (PlatformName::Slack, true) => Manner::Mention,
            (PlatformName::Discord, _) => Manner::Options,
            (PlatformName::Console, _) => Manner::Prompt,
        }
    }

    /// The one of the threads below a channel.
    #[must_use]
    pub const fn in_thread(self) -> Manner {
        match self {
            Manner::Slash => Manner::Mention,
            other => other,
        }
    }

    /// What every command begins with; in the prompt, what a question does.
    #[must_use]
    pub const fn start(self) -> &'static str {
        match self {
            Manner::Mention => "@rotation-diag",
            Manner::Slash | Manner::Options | Manner::Prompt => "/rotation-diag",
        }
    }

    /// A question about `secret`; `options` are written `name:value`.
    #[must_use]
    pub fn question(self, secret: &str, options: &str) -> String {
        let named = if self == Manner::Options { "secret:" } else { "" };
        format!("{} {named}{secret} {options}", self.start()).trim_end().to_owned()
    }

    /// Words that go on in a thread, or ask for help.
    #[must_use]
    pub fn words(self, words: &str) -> String {
        match self {
            Manner::Options => format!("{} words:{words}", self.start()),
            Manner::Prompt => words.to_owned(),
            Manner::Slash | Manner::Mention => format!("{} {words}", self.start()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_own_form() {
        let place = |platform, thread: Option<&str>| Place {
            platform,
            workspace: "w".to_owned(),
            channel: "c".to_owned(),
            thread: thread.map(str::to_owned),
        };
        for (platform, thread, question, words) in [
            (PlatformName::Slack, None, "/rotation-diag prod/x account:prod", "/rotation-diag rerun 4"),
            (PlatformName::Slack, Some("1.2"), "@rotation-diag prod/x account:prod", "@rotation-diag rerun 4"),
            (PlatformName::Discord, None, "/rotation-diag secret:prod/x account:prod", "/rotation-diag words:rerun 4"),
            (PlatformName::Discord, Some("7"), "/rotation-diag secret:prod/x account:prod", "/rotation-diag words:rerun 4"),
            (PlatformName::Console, Some("m"), "/rotation-diag prod/x account:prod", "rerun 4"),
        ] {
            let manner = Manner::of(&place(platform, thread));
            assert_eq!((manner.question("prod/x", "account:prod").as_str(), manner.words("rerun 4").as_str()), (question, words));
        }
        assert_eq!(Manner::of(&place(PlatformName::Slack, None)).in_thread().words("rerun"), "@rotation-diag rerun");
    }
}
