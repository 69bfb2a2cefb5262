//! People and places in a chat, and what they ask.

use super::secret_ref::SecretRef;
use super::window::Lookback;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A chat platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlatformName {
    /// Slack.
    Slack,
    /// Discord.
    Discord,
    /// The local page.
    Console,
}

impl PlatformName {
    /// All platforms.
    pub const ALL: [PlatformName; 3] = [PlatformName::Slack, PlatformName::Discord, PlatformName::Console];

    /// The name as configuration and store write it.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            PlatformName::Slack => "slack",
            PlatformName::Discord => "discord",
            PlatformName::Console => "console",
        }
    }

    /// The platform with this name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<PlatformName> {
        PlatformName::ALL.into_iter().find(|platform| platform.id() == id)
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A channel, or a thread in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The platform.
    pub platform: PlatformName,
    /// Slack's workspace (`T…`), Discord's server, or `local`.
    pub workspace: String,
    /// The channel's id; on Discord the parent channel of a thread.
    pub channel: String,
    /// The id of the message the thread hangs on: Slack's `ts`, Discord's message id, which is also the thread's id.
    pub thread: Option<String>,
}

/// A thread: the message it hangs on, in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ThreadRef {
    /// The platform.
    pub platform: PlatformName,
    /// As in [`Place`].
    pub workspace: String,
    /// The channel's id.
    pub channel: String,
    /// The id of the message the thread hangs on.
    pub root: String,
}

/// A person. Rights depend on ids alone; a display name is never asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The platform.
    pub platform: PlatformName,
    /// As in [`Place`].
    pub workspace: String,
    /// The person's id on that platform.
    pub user: String,
    /// The ids of the person's user groups or roles; `None` where they could not be looked up.
    pub groups: Option<Vec<String>>,
    /// What kind of account it is.
    pub standing: Standing,
}

/// What kind of account a person acts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A full member of the workspace or server.
    Member,
    /// A guest, someone of another organization, a deactivated account or a bot.
    Outsider,
    /// It was not looked up, or the look-up failed.
    Unknown,
    /// The platform can tell and was not asked yet: whoever works on it asks before anything is told or done.
    Pending,
}

/// Where the one person who asked can be answered alone. Only its platform reads it; it may be a capability, so it is
/// never shown.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReplyTo(pub String);

impl fmt::Debug for ReplyTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyTo(…)")
    }
}

/// What to investigate, as a person wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvestigationRequest {
    /// The secret.
    pub secret: SecretRef,
    /// The configured account; `None` where none was named.
    pub account: Option<String>,
    /// The region; `None` where none was named.
    pub region: Option<String>,
    /// How far back; `None` widens by itself.
    pub reach: Option<Lookback>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_one_person_is_not_shown() {
        assert_eq!(format!("{:?}", ReplyTo("https://hooks.example/secret".to_owned())), "ReplyTo(…)");
    }
}
