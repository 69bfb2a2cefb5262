//! How one speaks to the bot in a place: people are shown commands in the form they can use there. Nothing else that composes
//! messages tells platforms apart; how a person is named is the platform's own concern, which renders the ids in a message's texts.

use crate::redact::SafeText;
use crate::safe_format;

/// How one speaks to the bot in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// A slash command, which threads do not have.
    Slash,
    Mention,
    /// Two slash commands whose options have names: one asks about a secret, the other goes on.
    Options,
    /// A prompt of the bot's own.
    Prompt,
}

impl Manner {
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
    pub fn question(self, secret: impl Into<SafeText>, options: impl Into<SafeText>) -> SafeText {
        safe_format!("{} {} {}", self.start(), secret.into(), options.into()).part(str::trim_end)
    }

    /// A question about any secret, in a place where words may go on with an investigation instead: so that the name is taken for
    /// one, it is said that it is.
    #[must_use]
    pub fn any_question(self) -> SafeText {
        match self {
            Manner::Options => self.question("NAME", ""),
            Manner::Slash | Manner::Mention | Manner::Prompt => self.question("secret:NAME", ""),
        }
    }

    /// What stands above a list of words: where they are said, and how, if they are not said bare.
    #[must_use]
    pub fn example(self, words: &'static str) -> SafeText {
        match self {
            Manner::Prompt => "In a thread".into(),
            other => safe_format!("In a thread, such as {}", other.words(words)),
        }
    }

    /// Words that go on in a thread, or ask for help.
    #[must_use]
    pub fn words(self, words: impl Into<SafeText>) -> SafeText {
        match self {
            Manner::Options => safe_format!("/diag {}", words.into()),
            Manner::Prompt => words.into(),
            Manner::Slash | Manner::Mention => safe_format!("{} {}", self.start(), words.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_own_form() {
        for (manner, question, words) in [
            (Manner::Slash, "/rotation-diag prod/x account:prod", "/rotation-diag rerun 4"),
            (Manner::Slash.in_thread(), "@rotation-diag prod/x account:prod", "@rotation-diag rerun 4"),
            (Manner::Options, "/rotation-diag prod/x account:prod", "/diag rerun 4"),
            (Manner::Options.in_thread(), "/rotation-diag prod/x account:prod", "/diag rerun 4"),
            (Manner::Prompt.in_thread(), "/rotation-diag prod/x account:prod", "rerun 4"),
        ] {
            assert_eq!((manner.question("prod/x", "account:prod").as_str(), manner.words("rerun 4").as_str()), (question, words));
        }
        assert_eq!(Manner::Mention.any_question().as_str(), "@rotation-diag secret:NAME");
        assert_eq!(Manner::Options.any_question().as_str(), "/rotation-diag NAME");
        assert_eq!(Manner::Slash.example("rerun 4").as_str(), "In a thread, such as /rotation-diag rerun 4");
        assert_eq!(Manner::Prompt.example("rerun 4").as_str(), "In a thread");
    }
}
