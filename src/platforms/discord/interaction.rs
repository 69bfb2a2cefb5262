//! What Discord says about an interaction, as far as it matters here.
//!
//! Serenity's own type asks for a dozen fields more and refuses an interaction that lacks one; a person would get no
//! answer for a field nobody reads.

use super::NAME;
use super::snowflake::Snowflake;
use crate::model::{Actor, Place, Standing};
use serde::Deserialize;
use serde_json::Value;

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
    context: Option<u8>,
    /// By whom the application was installed where this is said: by the server, by a person, or by both.
    #[serde(default)]
    authorizing_integration_owners: Value,
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
    /// Source: Discord developer documentation, "Channel Types": forums, and those of pictures.
    pub(super) fn is_forum(self) -> bool {
        matches!(self.kind, 15 | 16)
    }

    /// Source: Discord developer documentation, "Channel Types": threads of announcements, public and private ones.
    pub(super) fn is_thread(self) -> bool {
        matches!(self.kind, 10..=12)
    }
}

/// A person in a server.
#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub(super) user: Option<User>,
    pub(super) roles: Vec<Snowflake>,
    /// Has not accepted the server's rules yet.
    #[serde(default)]
    pending: bool,
    #[serde(default)]
    flags: u64,
    /// `None` where Discord says that there is no such moment.
    #[serde(default = "unsaid")]
    joined_at: Option<String>,
}

fn unsaid() -> Option<String> {
    Some(String::new())
}

/// Source: Discord developer documentation, "Guild Member Flags": `IS_GUEST`, who was invited to one voice channel alone.
const GUEST: u64 = 1 << 4;

impl Member {
    /// True for somebody who joined the server: no guest, and nobody who only looks at it or has not accepted its rules.
    fn is_full(&self) -> bool {
        !self.pending && self.flags & GUEST == 0 && self.joined_at.is_some()
    }
}

/// An account.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: Snowflake,
    #[serde(default)]
    pub(super) bot: bool,
    #[serde(default)]
    system: bool,
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
    /// The message that a command was given for.
    target_id: Option<Snowflake>,
    #[serde(default)]
    resolved: Value,
}

impl Input {
    /// All that the message says that a command was given for, what is embedded in it included.
    pub(super) fn quoted(&self) -> Option<String> {
        let message = self.resolved.get("messages")?.get(self.target_id?.to_string())?;
        let mut said = Vec::new();
        // What was forwarded is in a snapshot of its own.
        let forwarded = message.get("message_snapshots").and_then(Value::as_array).into_iter().flatten();
        for message in std::iter::once(message).chain(forwarded.filter_map(|snapshot| snapshot.get("message"))) {
            for part in ["content", "embeds", "components"] {
                texts(message.get(part).unwrap_or(&Value::Null), &mut said);
            }
        }
        Some(unescaped(&said.join("\n")))
    }
}

/// A text without the backslashes that take the meaning from a sign.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' || rest.peek().is_none_or(|next| !next.is_ascii_punctuation()) {
            plain.push(c);
        }
    }
    plain
}

/// What people read of a part of a message.
fn texts(part: &Value, said: &mut Vec<String>) {
    /// Source: Discord developer documentation, "Embed Object", "Component Reference".
    const SHOWN: [&str; 5] = ["title", "description", "name", "text", "content"];
    const INSIDE: [&str; 5] = ["fields", "footer", "author", "components", "accessory"];
    match part {
        Value::String(text) => said.push(text.clone()),
        Value::Array(parts) => parts.iter().for_each(|part| texts(part, said)),
        Value::Object(fields) => {
            let text = |key: &str| fields.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
            match (text("name"), text("value")) {
                (Some(name), Some(value)) => said.push(format!("{name}: {value}")),
                _ => SHOWN.iter().filter_map(|key| text(key)).for_each(|text| said.push(text.to_owned())),
            }
            INSIDE.iter().filter_map(|key| fields.get(*key)).for_each(|part| texts(part, said));
        }
        _ => {}
    }
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
    /// The server did not install the application: a person did, and brought it along.
    #[error("This server did not install me: ask again in a server that did")]
    NotInstalled,
    /// The configuration names other servers.
    #[error("I do not work for this server: whoever runs me can add it to discord.guilds")]
    OtherServer,
}

/// Source: Discord developer documentation, "Interaction Context Types": within servers.
const IN_SERVER: u8 = 0;

impl Interaction {
    /// Whether anybody may be heard where this is said: in a server that installed the application, and that the bot works
    /// for; `guilds` empty means all.
    pub(super) fn admit(&self, guilds: &[Snowflake]) -> Result<(), Unheard> {
        let guild = self.guild_id.ok_or(Unheard::NotInServer)?;
        if self.context.is_some_and(|context| context != IN_SERVER) {
            return Err(Unheard::NotInServer);
        }
        // Source: as above, "Authorizing Integration Owners Object": 0 is the server that installed it, 1 a person.
        let owner = |kind: &str| self.authorizing_integration_owners.get(kind).and_then(Value::as_str);
        match (owner("0"), owner("1")) {
            (Some(server), _) if server != guild.to_string() => return Err(Unheard::NotInstalled),
            (None, Some(_)) => return Err(Unheard::NotInstalled),
            _ => {}
        }
        if is_served(guilds, guild) { Ok(()) } else { Err(Unheard::OtherServer) }
    }

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

/// True for a server the bot works for.
pub(super) fn is_served(guilds: &[Snowflake], guild: Snowflake) -> bool {
    guilds.is_empty() || guilds.contains(&guild)
}

/// Somebody, as rights are given: by ids alone.
pub(super) fn actor(guild: Snowflake, user: &User, member: &Member) -> Actor {
    Actor {
        platform: NAME,
        workspace: guild.to_string(),
        user: user.id.to_string(),
        groups: Some(member.roles.iter().map(Snowflake::to_string).collect()),
        standing: if user.bot || user.system || !member.is_full() { Standing::Outsider } else { Standing::Member },
    }
}

/// A channel, or a thread in it.
pub(super) fn place(guild: Snowflake, id: Snowflake, channel: Option<Channel>) -> Place {
    let parent = channel.filter(|channel| channel.is_thread()).and_then(|channel| channel.parent_id);
    Place {
        platform: NAME,
        workspace: guild.to_string(),
        channel: parent.unwrap_or(id).to_string(),
        thread: parent.map(|_| id.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
    }

    #[test]
    fn only_who_joined_the_server_is_a_member() {
        let joined = json!("2024-01-01T00:00:00Z");
        for (user, member, expected) in [
            (json!({}), json!({"joined_at": joined, "flags": 0b10_1111, "pending": false}), Standing::Member),
            (json!({"bot": true}), json!({"joined_at": joined}), Standing::Outsider),
            (json!({"system": true}), json!({"joined_at": joined}), Standing::Outsider),
            (json!({}), json!({"joined_at": joined, "pending": true}), Standing::Outsider),
            (json!({}), json!({"joined_at": joined, "flags": 16}), Standing::Outsider),
            (json!({}), json!({"joined_at": joined, "flags": 16 | 2}), Standing::Outsider),
            (json!({}), json!({"joined_at": null}), Standing::Outsider),
        ] {
            let (mut user, mut member) = (user, member);
            user["id"] = json!("3");
            member["user"] = user;
            member["roles"] = json!([]);
            assert_eq!(interaction(&[("member", member.clone())]).actor().unwrap().standing, expected, "{member}");
        }
    }

    #[test]
    fn nobody_is_heard_where_the_server_did_not_let_the_bot_in() {
        let ours = [Snowflake::new(1).unwrap()];
        for (changed, expected) in [
            (("context", json!(0)), Ok(())),
            (("context", json!(1)), Err(Unheard::NotInServer)),
            (("context", json!(2)), Err(Unheard::NotInServer)),
            (("authorizing_integration_owners", json!({})), Ok(())),
            (("authorizing_integration_owners", json!({"0": "1"})), Ok(())),
            (("authorizing_integration_owners", json!({"0": "1", "1": "3"})), Ok(())),
            (("authorizing_integration_owners", json!({"1": "3"})), Err(Unheard::NotInstalled)),
            (("authorizing_integration_owners", json!({"0": "9"})), Err(Unheard::NotInstalled)),
            (("guild_id", json!("9")), Err(Unheard::OtherServer)),
            (("guild_id", Value::Null), Err(Unheard::NotInServer)),
        ] {
            assert_eq!(interaction(std::slice::from_ref(&changed)).admit(&ours), expected, "{changed:?}");
        }
        assert_eq!(interaction(&[("guild_id", json!("9"))]).admit(&[]), Ok(()));
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
    fn a_message_is_quoted_with_what_is_embedded_in_it() {
        let message = json!({
            "id": "9", "content": "look\\_here", "author": {"username": "nobody"},
            "embeds": [{
                "title": "ALARM", "description": "rotation failed", "color": 7,
                "fields": [{"name": "Secret", "value": "prod/x", "inline": true}], "footer": {"text": "eu-west-1"},
            }],
            "components": [{"type": 17, "components": [{"type": 10, "content": "in a container"}]}],
            "message_snapshots": [{"message": {"content": "forwarded", "embeds": []}}],
        });
        let data = json!({"name": "Diagnose this alarm", "type": 3, "target_id": "9", "resolved": {"messages": {"9": message}}});
        let quoted = interaction(&[("data", data)]).data.quoted().unwrap();
        let expected = "look_here\nALARM\nrotation failed\nSecret: prod/x\neu-west-1\nin a container\nforwarded";
        assert_eq!(quoted, expected);
        assert_eq!(interaction(&[]).data.quoted(), None);
    }

    #[test]
    fn a_token_is_not_shown() {
        assert!(!format!("{:?}", interaction(&[])).contains("very-secret"));
    }
}
