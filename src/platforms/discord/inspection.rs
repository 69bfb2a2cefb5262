//! What can be learned about the set-up without posting or changing anything: the servers the bot is in, and what it may do
//! in a channel.

use super::code;
use super::config::{DiscordMode, INTERACTIONS_PATH};
use super::refusal::{self, AskedFor, meaning};
use super::rest::{Call, RestFailure};
use super::route::Route;
use super::snowflake::Snowflake;
use super::{Discord, SetupError};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
use serenity::model::Permissions;

/// What the bot needs in a channel, with the names that Discord's settings write.
const NEEDS: [(Permissions, &str); 7] = [
    (Permissions::VIEW_CHANNEL, "View Channel"),
    (Permissions::SEND_MESSAGES, "Send Messages"),
    (Permissions::EMBED_LINKS, "Embed Links"),
    (Permissions::ATTACH_FILES, "Attach Files"),
    (Permissions::READ_MESSAGE_HISTORY, "Read Message History"),
    (Permissions::CREATE_PUBLIC_THREADS, "Create Public Threads"),
    (Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads"),
];

/// All of it, as the number in the invitation says it.
#[must_use]
pub fn needed() -> Permissions {
    NEEDS.iter().fold(Permissions::empty(), |all, (one, _)| all | *one)
}

/// Servers on one page, and pages that are read at most.
///
/// Source: Discord developer documentation, "Get Current User Guilds": at most 200.
const PAGE: usize = 200;
const MAX_PAGES: usize = 10;

/// What the bot may do in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelRights {
    rights: Permissions,
    is_forum: bool,
}

impl ChannelRights {
    /// True when it sees the channel and may write there; in a forum, in the threads that its posts are.
    #[must_use]
    pub fn may_write(self) -> bool {
        let writing = if self.is_forum { Permissions::SEND_MESSAGES_IN_THREADS } else { Permissions::SEND_MESSAGES };
        self.rights.contains(Permissions::VIEW_CHANNEL | writing)
    }

    /// True when it may begin a post, where the channel is a forum.
    #[must_use]
    pub fn may_begin_posts(self) -> bool {
        self.rights.contains(Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES)
    }

    /// True when it may call everyone, and roles that nobody else may call.
    #[must_use]
    pub fn may_mention(self) -> bool {
        self.rights.contains(Permissions::MENTION_EVERYONE)
    }

    /// True for a forum, in which there are no messages of the channel itself.
    #[must_use]
    pub fn is_forum(self) -> bool {
        self.is_forum
    }

    /// The names of what it needs and lacks, as Discord's settings write them.
    #[must_use]
    pub fn lacking(self) -> Vec<&'static str> {
        NEEDS.iter().filter(|(need, _)| !self.rights.contains(*need)).map(|(_, name)| *name).collect()
    }
}

/// Source: Discord developer documentation, "Permission Overwrites": in a role's or a member's name.
#[derive(Debug, Deserialize)]
struct Overwrite {
    id: Snowflake,
    #[serde(rename = "type")]
    kind: u8,
    allow: Permissions,
    deny: Permissions,
}

#[derive(Debug, Deserialize)]
struct GuildRole {
    id: Snowflake,
    permissions: Permissions,
}

#[derive(Debug, Deserialize)]
struct ChannelForm {
    #[serde(rename = "type")]
    kind: u8,
    guild_id: Option<Snowflake>,
    parent_id: Option<Snowflake>,
    #[serde(default)]
    permission_overwrites: Vec<Overwrite>,
}

#[derive(Debug, Deserialize)]
struct WithId {
    id: Snowflake,
}

#[derive(Debug, Deserialize)]
struct InspectedMember {
    roles: Vec<Snowflake>,
}

impl Discord {
    /// How far this machine's clock is ahead of Discord's, as its last answer told; `None` where none did. Beyond five minutes no
    /// interaction that is signed is taken.
    #[must_use]
    pub fn clock_ahead_by(&self) -> Option<SignedDuration> {
        Some(self.clock.now().duration_since(self.rest.time()?))
    }

    /// How many sessions may still be begun with the gateway, of how many a day.
    ///
    /// # Errors
    /// Why Discord did not say.
    pub async fn sessions_left(&self) -> Result<(u64, u64), SetupError> {
        let answer = self.rest.send(Call::get(Route::Gateway)).await.map_err(setup_error)?;
        let budget = |name: &str| answer.pointer(&format!("/session_start_limit/{name}")).and_then(Value::as_u64);
        let unsaid = || SetupError("Discord did not say how many sessions may be begun".to_owned());
        Ok((budget("remaining").ok_or_else(unsaid)?, budget("total").ok_or_else(unsaid)?))
    }

    /// The servers the bot is in, by id.
    ///
    /// # Errors
    /// Why Discord did not say.
    pub async fn servers(&self) -> Result<Vec<String>, SetupError> {
        let mut all: Vec<WithId> = Vec::new();
        for _ in 0..MAX_PAGES {
            let mut call = Call::get(Route::MyGuilds).query("limit", &PAGE.to_string());
            if let Some(last) = all.last() {
                call = call.query("after", &last.id.to_string());
            }
            let page: Vec<WithId> = self.read(call).await.map_err(setup_error)?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                break;
            }
        }
        Ok(all.iter().map(|guild| guild.id.to_string()).collect())
    }

    /// Whether the slash command may be registered in a server: the invitation has to say `applications.commands`.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub async fn check_commands(&self, guild: &str) -> Result<(), SetupError> {
        let Ok(guild_id) = guild.parse::<Snowflake>() else { return Ok(()) };
        let route = Route::GuildCommands { application: self.application, guild: guild_id };
        match self.rest.send(Call::get(route)).await {
            Err(RestFailure::Refused { code: code::MISSING_ACCESS, .. }) => Err(SetupError(format!(
                "the bot was invited to the server {guild} without applications.commands, so nobody sees its command: invite it again, with scope=bot+applications.commands"
            ))),
            Err(failure) => Err(setup_error(failure)),
            Ok(_) => Ok(()),
        }
    }

    /// Whether the application sends interactions to where this mode expects them, signed with `key` where one is configured.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub async fn check_interactions(&self, key: Option<&[u8; 32]>) -> Result<(), SetupError> {
        let application = self.rest.send(Call::get(Route::Application)).await.map_err(setup_error)?;
        let address = application.get("interactions_endpoint_url").and_then(Value::as_str).filter(|url| !url.is_empty());
        let expected = key.map(|key| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let theirs = application.get("verify_key").and_then(Value::as_str);
        if expected.is_some_and(|expected| theirs.is_some_and(|theirs| !theirs.eq_ignore_ascii_case(&expected))) {
            let why = "discord.public_key is not the application's: copy it anew from the developer portal, General Information";
            return Err(SetupError(why.to_owned()));
        }
        match (self.mode, address) {
            (DiscordMode::Gateway, Some(_)) => Err(SetupError(
                "the application has an Interactions Endpoint URL, so Discord sends commands and clicks there and not over the gateway: empty it in the developer portal, or set discord.mode to \"http\"".to_owned(),
            )),
            (DiscordMode::Http, None) => Err(SetupError(
                "the application has no Interactions Endpoint URL: start the bot, then enter https://<your host>/discord/interactions in the developer portal, General Information".to_owned(),
            )),
            (DiscordMode::Http, Some(url)) if !url.ends_with(INTERACTIONS_PATH) => Err(SetupError(format!(
                "the application's Interactions Endpoint URL does not end in {}: correct it in the developer portal, General Information",
                INTERACTIONS_PATH
            ))),
            _ => Ok(()),
        }
    }

    /// What the bot may do in a channel of a server.
    ///
    /// # Errors
    /// Why that cannot be told: there is no such channel, or the bot does not see it.
    pub async fn rights(&self, guild: &str, channel: &str) -> Result<ChannelRights, SetupError> {
        let id = |text: &str| text.parse::<Snowflake>().map_err(|_| SetupError(format!("{text} is no id of Discord's")));
        let (guild, channel) = (id(guild)?, id(channel)?);
        let mut form: ChannelForm = self.read(Call::get(Route::Channel { channel })).await.map_err(setup_error)?;
        if form.guild_id != Some(guild) {
            return Err(SetupError(format!("it is no channel of the server {guild}")));
        }
        // A thread has the overwrites of its channel. Source: Discord developer documentation, "Channel Types": 10 to 12.
        if let (10..=12, Some(parent)) = (form.kind, form.parent_id) {
            form = self.read(Call::get(Route::Channel { channel: parent })).await.map_err(setup_error)?;
        }
        let me: WithId = self.read(Call::get(Route::Me)).await.map_err(setup_error)?;
        let roles: Vec<GuildRole> = self.read(Call::get(Route::Roles { guild })).await.map_err(setup_error)?;
        let member: InspectedMember = self.read(Call::get(Route::Member { guild, user: me.id })).await.map_err(setup_error)?;
        let rights = in_channel(guild, me.id, &member.roles, &roles, &form.permission_overwrites);
        Ok(ChannelRights { rights, is_forum: matches!(form.kind, 15 | 16) })
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, call: Call<'_>) -> Result<T, RestFailure> {
        let answer = self.rest.send(call).await?;
        serde_json::from_value(answer).map_err(|_| RestFailure::Lost("the answer could not be read"))
    }
}

fn setup_error(failure: RestFailure) -> SetupError {
    SetupError(match &failure {
        RestFailure::Refused { code, .. } if !refusal::reason(*code).is_empty() => refusal::reason(*code).to_owned(),
        other => meaning(other, AskedFor::Repeatable).to_string(),
    })
}

/// Source: Discord developer documentation, "Permission Hierarchy": `@everyone`'s role has the server's id.
fn in_channel(guild: Snowflake, me: Snowflake, mine: &[Snowflake], roles: &[GuildRole], overwrites: &[Overwrite]) -> Permissions {
    let is_mine = |id: Snowflake| id == guild || mine.contains(&id);
    let base = roles.iter().filter(|role| is_mine(role.id)).fold(Permissions::empty(), |all, role| all | role.permissions);
    if base.contains(Permissions::ADMINISTRATOR) {
        return Permissions::all();
    }
    let apply = |rights: Permissions, chosen: &dyn Fn(&Overwrite) -> bool| {
        let chosen: Vec<&Overwrite> = overwrites.iter().filter(|one| chosen(one)).collect();
        let denied = chosen.iter().fold(Permissions::empty(), |all, one| all | one.deny);
        let allowed = chosen.iter().fold(Permissions::empty(), |all, one| all | one.allow);
        (rights - denied) | allowed
    };
    let rights = apply(base, &|one| one.kind == 0 && one.id == guild);
    let rights = apply(rights, &|one| one.kind == 0 && one.id != guild && mine.contains(&one.id));
    apply(rights, &|one| one.kind == 1 && one.id == me)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn id(number: u64) -> Snowflake {
        number.to_string().parse().unwrap()
    }

    fn rights(roles: &Value, overwrites: &Value) -> Permissions {
        let roles: Vec<GuildRole> = serde_json::from_value(roles.clone()).unwrap();
        let overwrites: Vec<Overwrite> = serde_json::from_value(overwrites.clone()).unwrap();
        in_channel(id(1), id(9), &[id(2), id(3)], &roles, &overwrites)
    }

    #[test]
    fn the_numbers_of_the_invitation_are_what_is_needed() {
        let document = include_str!("../../../docs/discord.md");
        let with_mention = needed() | Permissions::MENTION_EVERYONE;
        assert!(document.contains(&format!("permissions={}", needed().bits())), "{}", needed().bits());
        assert!(document.contains(&format!("`{}`", with_mention.bits())), "{}", with_mention.bits());
    }

    #[test]
    fn the_closest_word_on_a_right_counts() {
        let (view, send) = (Permissions::VIEW_CHANNEL, Permissions::SEND_MESSAGES);
        let everyone = json!([{"id": "1", "permissions": (view | send).bits().to_string()}, {"id": "7", "permissions": "8"}]);
        let word = |id: &str, kind: u8, allow: Permissions, deny: Permissions| json!({"id": id, "type": kind, "allow": allow.bits().to_string(), "deny": deny.bits().to_string()});
        let none = Permissions::empty();
        // Somebody else's administrator is none of ours.
        assert_eq!(rights(&everyone, &json!([])), view | send);
        assert_eq!(rights(&everyone, &json!([word("1", 0, none, send)])), view);
        // A role of ours allows what is denied to everyone, and another one that denies it does not take it back.
        let by_role = json!([word("1", 0, none, send), word("2", 0, none, send), word("3", 0, send, none)]);
        assert_eq!(rights(&everyone, &by_role), view | send);
        let to_me = json!([word("3", 0, send, none), word("9", 1, none, view)]);
        assert_eq!(rights(&everyone, &to_me), send);
        assert_eq!(rights(&everyone, &json!([word("7", 0, none, view), word("8", 1, none, view)])), view | send);
        let administrator = json!([{"id": "1", "permissions": "0"}, {"id": "2", "permissions": "8"}]);
        assert_eq!(rights(&administrator, &json!([word("1", 0, none, view)])), Permissions::all());
    }
}
