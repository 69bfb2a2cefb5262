//! What Discord says about an interaction, as far as it matters here.
//!
//! Serenity's own type asks for a dozen fields more and refuses an interaction that lacks one; a person would get no
//! answer for a field nobody reads.

use super::snowflake::Snowflake;
use crate::model::{Actor, Place, PlatformName, Standing};
use serde::Deserialize;

/// An interaction.
#[derive(Debug, Deserialize)]
pub(super) struct Interaction {
    pub(super) id: Snowflake,
    #[serde(rename = "type")]
    pub(super) kind: u8,
    #[serde(default)]
    pub(super) token: Secret,
    pub(super) guild_id: Option<Snowflake>,
    pub(super) channel_id: Option<Snowflake>,
    pub(super) channel: Option<Channel>,
    pub(super) member: Option<Member>,
    #[serde(default)]
    pub(super) data: Input,
}

/// An interaction's token: whoever has it can answer. It is not shown by accident, and is one segment of an address.
#[derive(Default, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Secret(pub(super) String);

impl TryFrom<String> for Secret {
    type Error = &'static str;

    fn try_from(token: String) -> Result<Secret, &'static str> {
        let is_segment = token.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~=+:".contains(c)) && !token.starts_with('.');
        is_segment.then_some(Secret(token)).ok_or("not an interaction's token")
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Source: Discord developer documentation, "Interaction Type".
pub(super) mod kind {
    pub(crate) const PING: u8 = 1;
    pub(crate) const COMMAND: u8 = 2;
    pub(crate) const CLICK: u8 = 3;
    pub(crate) const AUTOCOMPLETE: u8 = 4;
}

/// A channel or thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Channel {
    pub(super) id: Snowflake,
    #[serde(rename = "type")]
    pub(super) kind: u8,
    pub(super) parent_id: Option<Snowflake>,
}

impl Channel {
    /// Source: Discord developer documentation, "Channel Types": threads of announcements, public and private ones.
    pub(super) fn is_thread(self) -> bool {
        matches!(self.kind, 10..=12)
    }

    /// Source: as [`Channel::is_thread`]: forums and media channels hold threads alone.
    pub(super) fn is_forum(self) -> bool {
        matches!(self.kind, 15 | 16)
    }
}

/// A person in a server.
#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub(super) user: Option<User>,
    pub(super) roles: Vec<Snowflake>,
    /// Has not accepted the server's rules yet.
    #[serde(default)]
    pub(super) pending: bool,
}

/// An account.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: Snowflake,
    #[serde(default)]
    pub(super) bot: bool,
}

/// What was typed or clicked.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Input {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) options: Vec<Given>,
    #[serde(default)]
    pub(super) custom_id: String,
    #[serde(default)]
    pub(super) values: Vec<String>,
}

/// An option of the command.
#[derive(Debug, Deserialize)]
pub(super) struct Given {
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: serde_json::Value,
    #[serde(default)]
    pub(super) focused: bool,
}

/// Why nobody can be heard: the sentence is for that person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unheard {
    /// A direct message, or a group.
    #[error("I answer in servers only: ask again in a channel of your server")]
    NotInServer,
    /// Discord left out who it was, or where.
    #[error("Discord did not say who you are or where; ask again")]
    Incomplete,
    /// A forum has no messages besides its threads.
    #[error("A forum cannot hold my thread: ask again in a text channel")]
    Forum,
}

impl Interaction {
    /// Who says it.
    pub(super) fn actor(&self) -> Result<Actor, Unheard> {
        let guild = self.guild_id.ok_or(Unheard::NotInServer)?;
        let member = self.member.as_ref().ok_or(Unheard::Incomplete)?;
        let user = member.user.as_ref().ok_or(Unheard::Incomplete)?;
        Ok(actor(guild, user, member))
    }

    /// Where it is said.
    pub(super) fn place(&self) -> Result<Place, Unheard> {
        let guild = self.guild_id.ok_or(Unheard::NotInServer)?;
        let channel = self.channel.map(|channel| channel.id).or(self.channel_id).ok_or(Unheard::Incomplete)?;
        Ok(place(guild, channel, self.channel))
    }
}

/// Somebody, as rights are given: by ids alone.
pub(super) fn actor(guild: Snowflake, user: &User, member: &Member) -> Actor {
    Actor {
        platform: PlatformName::Discord,
        workspace: guild.to_string(),
        user: user.id.to_string(),
        groups: Some(member.roles.iter().map(Snowflake::to_string).collect()),
        standing: if user.bot || member.pending { Standing::Outsider } else { Standing::Member },
    }
}

/// A channel, or a thread in it.
pub(super) fn place(guild: Snowflake, id: Snowflake, channel: Option<Channel>) -> Place {
    let parent = channel.filter(|channel| channel.is_thread()).and_then(|channel| channel.parent_id);
    Place {
        platform: PlatformName::Discord,
        workspace: guild.to_string(),
        channel: parent.unwrap_or(id).to_string(),
        thread: parent.map(|_| id.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn interaction(changed: &[(&str, Value)]) -> Interaction {
        let mut body = json!({
            "id": "11", "type": 2, "token": "very-secret", "guild_id": "1", "channel_id": "2",
            "channel": {"id": "2", "type": 0},
            "member": {"user": {"id": "3", "username": "alice"}, "roles": ["4", "5"]},
            "data": {"name": "rotation-diag"},
        });
        for (name, value) in changed {
            body[*name] = value.clone();
        }
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn somebody_is_known_by_ids_and_roles() {
        let actor = interaction(&[]).actor().unwrap();
        assert_eq!((actor.workspace.as_str(), actor.user.as_str()), ("1", "3"));
        assert_eq!(actor.groups, Some(vec!["4".to_owned(), "5".to_owned()]));
        assert_eq!(actor.standing, Standing::Member);
        for member in
            [json!({"user": {"id": "3", "bot": true}, "roles": []}), json!({"user": {"id": "3"}, "roles": [], "pending": true})]
        {
            assert_eq!(interaction(&[("member", member)]).actor().unwrap().standing, Standing::Outsider);
        }
    }

    #[test]
    fn who_or_where_left_out_is_refused_with_a_reason() {
        for (changed, expected) in [
            (("guild_id", Value::Null), Unheard::NotInServer),
            (("member", Value::Null), Unheard::Incomplete),
            (("member", json!({"roles": []})), Unheard::Incomplete),
        ] {
            assert_eq!(interaction(&[changed]).actor().unwrap_err(), expected);
        }
        let nowhere = interaction(&[("channel", Value::Null), ("channel_id", Value::Null)]);
        assert_eq!(nowhere.place().unwrap_err(), Unheard::Incomplete);
    }

    #[test]
    fn a_thread_is_named_with_its_channel() {
        let place = interaction(&[("channel", json!({"id": "7", "type": 11, "parent_id": "2"}))]).place().unwrap();
        assert_eq!((place.channel.as_str(), place.thread.as_deref()), ("2", Some("7")));
        let place = interaction(&[("channel", json!({"id": "2", "type": 0, "parent_id": "9"}))]).place().unwrap();
        assert_eq!((place.channel.as_str(), place.thread.as_deref()), ("2", None));
    }

    #[test]
    fn a_token_cannot_leave_its_segment_of_an_address() {
        let read = |token: &str| serde_json::from_value::<Secret>(json!(token)).is_ok();
        assert!(read("aW50ZXJhY3Rpb246MTA4_-.x=") && read(""));
        for token in ["a/b", "a/../../users/@me", "..", ".", "a?x", "a#y", "a%2fb", "a\\b", "a b", "é"] {
            assert!(!read(token), "{token}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        assert!(!format!("{:?}", interaction(&[])).contains("very-secret"));
    }
}
