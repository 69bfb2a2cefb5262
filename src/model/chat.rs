//! People and places in a chat, and what they ask.

use super::region::Region;
use super::secret_ref::SecretRef;
use super::window::Lookback;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A chat platform, by the word that configuration and store call it. Which there are is the composition root's to say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlatformName {
    /// The word, and zeros after it.
    letters: [u8; PlatformName::MAX_LETTERS],
}

/// A text cannot be a platform's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a platform is called by 1 to 16 small letters")]
pub struct NotAPlatform;

impl PlatformName {
    /// The longest name, in letters.
    pub const MAX_LETTERS: usize = 16;

    /// The name `word`, for a constant; what is longer than a name may be is cut off.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "both are indexed below their lengths, and iterators are not const")]
    pub const fn new(word: &'static str) -> PlatformName {
        let word = word.as_bytes();
        let mut letters = [0; PlatformName::MAX_LETTERS];
        let mut at = 0;
        while at < word.len() && at < PlatformName::MAX_LETTERS {
            letters[at] = word[at];
            at += 1;
        }
        PlatformName { letters }
    }

    /// The name as configuration and store write it.
    #[must_use]
    pub fn id(&self) -> &str {
        let word = self.letters.split(|letter| *letter == 0).next().unwrap_or_default();
        std::str::from_utf8(word).unwrap_or_default()
    }
}

impl FromStr for PlatformName {
    type Err = NotAPlatform;

    fn from_str(text: &str) -> Result<PlatformName, NotAPlatform> {
        let is_word = !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_lowercase());
        let mut letters = [0; PlatformName::MAX_LETTERS];
        let place = letters.get_mut(..text.len()).filter(|_| is_word).ok_or(NotAPlatform)?;
        place.copy_from_slice(text.as_bytes());
        Ok(PlatformName { letters })
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Debug for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for PlatformName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for PlatformName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<PlatformName, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A channel, or a thread in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    pub platform: PlatformName,
    /// What rights are given in: the workspace or server, by its id.
    pub workspace: String,
    /// The channel's id; on Discord the parent channel of a thread.
    pub channel: String,
    /// The id of the message the thread hangs on: Slack's `ts`, Discord's message id, which is also the thread's id.
    pub thread: Option<String>,
}

/// A thread: the message it hangs on, in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ThreadRef {
    pub platform: PlatformName,
    /// As in [`Place`].
    pub workspace: String,
    pub channel: String,
    /// The id of the message the thread hangs on.
    pub root: String,
}

/// A person. Rights depend on ids alone; a display name is never asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
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
    pub secret: SecretRef,
    /// The configured account; `None` where none was named.
    pub account: Option<String>,
    /// The region; `None` where none was named.
    pub region: Option<Region>,
    /// How far back; `None` widens by itself.
    // The name that is stored and told.
    #[serde(rename = "reach")]
    pub lookback: Option<Lookback>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_s_name_is_a_short_word_and_survives_the_store() {
        const NAME: PlatformName = PlatformName::new("slack");
        assert_eq!((NAME.id(), "slack".parse()), ("slack", Ok(NAME)));
        assert_eq!(serde_json::to_string(&NAME).unwrap(), "\"slack\"");
        assert_eq!(serde_json::from_str::<PlatformName>("\"slack\"").unwrap(), NAME);
        for text in ["", "Slack", "a b", "ä", "seventeen-letters", "aaaaaaaaaaaaaaaaa", "a\0"] {
            assert_eq!(text.parse::<PlatformName>(), Err(NotAPlatform), "{text}");
        }
        assert_eq!("aaaaaaaaaaaaaaaa".parse::<PlatformName>().unwrap().id().len(), PlatformName::MAX_LETTERS);
    }

    #[test]
    fn an_address_for_one_person_is_not_shown() {
        assert_eq!(format!("{:?}", ReplyTo("https://hooks.example/secret".to_owned())), "ReplyTo(…)");
    }
}
