//! What people say, on its way to the reception, and what they are answered at once.

use super::Discord;
use super::body::FirstAnswer;
use super::command::{self, Typing};
use super::interaction::{Channel, Interaction, Member, Unheard, User, actor, is_served, kind, place};
use super::kind::LIMITS;
use super::render::render;
use super::reply::Reply;
use super::rest::{Call, RestFailure};
use super::route::Route;
use super::snowflake::Snowflake;
use crate::chat::document::Tone;
use crate::chat::{Ack, ChatPlatform as _, IncomingEvent, Intake, Message, Payload, SendError, compose};
use crate::model::ReplyTo;
use crate::redact::SafeText;
use crate::safe_format;
use serde::Deserialize;
use serde_json::Value;
use serenity::builder::{
    AutocompleteChoice, CreateAutocompleteResponse, CreateInteractionResponse, CreateInteractionResponseMessage,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// How long the reception may take before the answer is deferred without it. Discord waits three seconds.
///
/// Source: Discord developer documentation, "Receiving and Responding".
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long looking for names may take; what is typed next asks again.
const SUGGESTING: Duration = Duration::from_secs(2);
/// Secrets of one message among which a person is asked to choose.
const MAX_OFFERED: usize = 10;
/// How long looking up a channel may take, and how often it is tried for somebody who waits for no first answer.
const LOOKING_UP: Duration = Duration::from_secs(1);
const LOOKS: usize = 4;
/// The waits before an answer to one person is tried again.
const AGAIN: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(15),
    Duration::from_secs(60),
];
/// How many interactions and messages are taken in at once; more are asked to try again.
const AT_ONCE: usize = 256;

/// Takes what people say to the reception.
#[derive(Clone)]
pub(super) struct Listener {
    discord: Arc<Discord>,
    intake: Arc<dyn Intake>,
    open: Arc<Semaphore>,
}

/// A message that somebody wrote.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    id: Snowflake,
    channel_id: Snowflake,
    guild_id: Option<Snowflake>,
    author: User,
    member: Option<Member>,
    #[serde(default)]
    content: String,
    #[serde(default)]
    mentions: Vec<User>,
    #[serde(default)]
    mention_roles: Vec<Snowflake>,
    nonce: Option<Value>,
    webhook_id: Option<Snowflake>,
    #[serde(default, rename = "type")]
    kind: u8,
}

impl Written {
    /// True for what a person wrote, or wrote as a reply. Source: Discord developer documentation, "Message Types".
    fn is_by_a_person(&self) -> bool {
        matches!(self.kind, 0 | 19) && !self.author.bot && self.webhook_id.is_none()
    }

    /// Where whoever wrote it in `guild` is answered.
    fn reply_to(&self, guild: Snowflake) -> Option<ReplyTo> {
        Reply::Message { id: self.id, channel: self.channel_id, author: Some(self.author.id), guild: Some(guild) }.keep()
    }
}

impl Listener {
    pub(super) fn new(discord: Arc<Discord>, intake: Arc<dyn Intake>) -> Listener {
        Listener { discord, intake, open: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The first answer to an interaction, as Discord wants it: within three seconds, whatever happens.
    pub(super) async fn answer(&self, interaction: Interaction) -> FirstAnswer {
        match interaction.kind {
            kind::PING => CreateInteractionResponse::Pong.into(),
            kind::AUTOCOMPLETE => {
                let choices = self.choices(&interaction).await;
                CreateInteractionResponse::Autocomplete(CreateAutocompleteResponse::new().set_choices(choices)).into()
            }
            kind::COMMAND | kind::CLICK => self.hear(interaction).await,
            _ => ephemeral_answer("This is not something I offer"),
        }
    }

    async fn choices(&self, interaction: &Interaction) -> Vec<AutocompleteChoice> {
        if interaction.admit(&self.discord.guilds).is_err() {
            return Vec::new();
        }
        let options = &interaction.data.options;
        let (Some(typing), Ok(actor), Ok(place)) = (Typing::of(options), interaction.actor(), interaction.place()) else {
            return Vec::new();
        };
        match typing {
            Typing::Secret(typed) => {
                let names = timeout(SUGGESTING, self.intake.suggest(&actor, &place, typed)).await.unwrap_or_default();
                command::choices(&names)
            }
            Typing::Place { secret } => {
                let places = timeout(SUGGESTING, self.intake.places(&actor, &place, secret)).await.unwrap_or_default();
                command::place_choices(options, &places)
            }
            Typing::Words(typed) => command::word_choices(typed),
        }
    }

    async fn hear(&self, interaction: Interaction) -> FirstAnswer {
        let pointed_at = match self.pointed_at(&interaction).await {
            Ok(words) => words,
            Err(message) => {
                let rendered = self.discord.render(&message, interaction.guild_id);
                return FirstAnswer::message(rendered.body());
            }
        };
        let inbound = match self.inbound(&interaction, pointed_at) {
            Ok(inbound) => inbound,
            Err(unheard) => return ephemeral_answer(&unheard.to_string()),
        };
        let Ok(permit) = Arc::clone(&self.open).try_acquire_owned() else {
            return ephemeral_answer("I am too busy to take this; try again in a minute");
        };
        let intake = Arc::clone(&self.intake);
        let mut receiving = tokio::spawn(async move {
            let receipt = intake.accept(inbound).await;
            drop(permit);
            receipt
        });
        let deferred = match interaction.kind {
            kind::CLICK => CreateInteractionResponse::Acknowledge,
            _ => CreateInteractionResponse::Defer(CreateInteractionResponseMessage::new().ephemeral(true)),
        };
        let deferred = FirstAnswer::from(deferred);
        let message = match timeout(PATIENCE, &mut receiving).await {
            Ok(Ok(Ack::Accepted | Ack::Duplicate)) => return deferred,
            Ok(Ok(Ack::Answer(message) | Ack::Unavailable(message))) => *message,
            Ok(Err(_)) => return ephemeral_answer("Something broke on my side; try again"),
            Err(_) => {
                let discord = Arc::clone(&self.discord);
                tokio::spawn(async move {
                    if let Ok(Ack::Answer(message) | Ack::Unavailable(message)) = receiving.await {
                        discord.follow_up_or_warn(&interaction, &message).await;
                    }
                });
                return deferred;
            }
        };
        let rendered = self.discord.render(&message, interaction.guild_id);
        if !rendered.has_files() {
            return FirstAnswer::message(rendered.body());
        }
        let discord = Arc::clone(&self.discord);
        tokio::spawn(async move { discord.follow_up_or_warn(&interaction, &message).await });
        deferred
    }

    /// The words that stand for a message that somebody points at, where one is.
    ///
    /// # Errors
    /// What the person is told: it names no secret, or several.
    async fn pointed_at(&self, interaction: &Interaction) -> Result<Option<String>, Message> {
        let is_heard = interaction.kind == kind::COMMAND && interaction.admit(&self.discord.guilds).is_ok();
        let text = interaction.data.quoted().filter(|_| is_heard && interaction.data.name == command::DIAGNOSE);
        let (Some(text), Ok(actor), Ok(place)) = (text, interaction.actor(), interaction.place()) else { return Ok(None) };
        let secrets = timeout(SUGGESTING, self.intake.secrets_in(&actor, &place, &text)).await.unwrap_or_default();
        let manner = LIMITS.manner;
        match secrets.as_slice() {
            [] => Err(compose::nothing_named(manner)),
            [secret] => Ok(Some(format!("secret:{secret}"))),
            several => {
                let names: Vec<SafeText> = several.iter().take(MAX_OFFERED).map(|name| SafeText::redact(name)).collect();
                Err(compose::several_named(&names, manner))
            }
        }
    }

    fn inbound(&self, interaction: &Interaction, pointed_at: Option<String>) -> Result<IncomingEvent, Unheard> {
        interaction.admit(&self.discord.guilds)?;
        let actor = interaction.actor()?;
        let place = interaction.place()?;
        let channel = interaction.channel.map(|channel| channel.id).or(interaction.channel_id).ok_or(Unheard::Incomplete)?;
        let input = &interaction.data;
        let said = match interaction.kind {
            kind::CLICK => Payload::Click(input.values.first().unwrap_or(&input.custom_id).clone()),
            _ if [command::NAME, command::GO_ON].contains(&input.name.as_str()) => Payload::Words(command::words(&input.options)),
            _ if input.name == command::DIAGNOSE => Payload::Words(pointed_at.ok_or(Unheard::Incomplete)?),
            _ => return Err(Unheard::Incomplete),
        };
        let is_command = interaction.kind == kind::COMMAND;
        let (id, token, guild) = (interaction.id, interaction.token.0.clone(), interaction.guild_id);
        let reply = Reply::Interaction { id, token, is_command, channel, guild };
        Ok(IncomingEvent { key: interaction.id.to_string(), actor, place, reply_to: reply.keep(), said })
    }

    /// Takes words that were said to the bot; all other messages are passed over.
    pub(super) async fn read(&self, written: Written, me: Snowflake) {
        if written.author.id == me {
            if let Some(nonce) = written.nonce.as_ref().and_then(Value::as_str) {
                self.discord.arrived.put(nonce.to_owned(), written.id);
            }
            return;
        }
        let is_for_me = written.mentions.iter().any(|user| user.id == me);
        let guild = written.guild_id.filter(|guild| is_served(&self.discord.guilds, *guild));
        let (true, Some(guild), Some(member)) = (written.is_by_a_person(), guild, &written.member) else { return };
        if !is_for_me {
            return self.hint_at_mention(&written, guild, me).await;
        }
        let Some(reply_to) = written.reply_to(guild) else { return };
        let Ok(_permit) = self.open.try_acquire() else {
            tracing::warn!("a message to the bot was passed over: too many at once");
            return;
        };
        let Some(channel) = self.discord.find_channel(written.channel_id).await else {
            let unknown = "I could not find out what channel this is: say it again in a minute";
            return self.discord.tell(&reply_to, &Message::line(Tone::Warning, unknown.into())).await;
        };
        let words = written.content.replace(&format!("<@{me}>"), " ").replace(&format!("<@!{me}>"), " ");
        let inbound = IncomingEvent {
            key: written.id.to_string(),
            actor: actor(guild, &written.author, member),
            place: place(guild, written.channel_id, Some(channel)),
            reply_to: Some(reply_to.clone()),
            said: Payload::Words(words.trim().to_owned()),
        };
        if let Ack::Answer(message) | Ack::Unavailable(message) = self.intake.accept(inbound).await {
            self.discord.tell(&reply_to, &message).await;
        }
    }
}

impl Listener {
    /// Whoever mentions the bot's role meant the bot; but Discord shows a bot only messages that mention the bot itself.
    ///
    /// Source: Discord developer documentation, "Message Content Intent".
    async fn hint_at_mention(&self, written: &Written, guild: Snowflake, me: Snowflake) {
        if written.mention_roles.is_empty() {
            return;
        }
        let role = self.discord.own_role(guild, me).await;
        if role.is_none_or(|role| !written.mention_roles.contains(&role)) {
            return;
        }
        let Ok(_permit) = self.open.try_acquire() else { return };
        let Some(reply_to) = written.reply_to(guild) else { return };
        let bot = SafeText::redact(&me.to_string());
        let mut hint = compose::notice(
            Tone::Neutral,
            safe_format!("you mentioned my role, and I cannot read that: mention {} instead, or use /rotation-diag", bot),
        );
        hint.people.push(me.to_string());
        self.discord.tell(&reply_to, &hint).await;
    }
}

impl Discord {
    /// The role that Discord made for the bot in a server; `None` where there is none, or that cannot be found out quickly.
    async fn own_role(&self, guild: Snowflake, me: Snowflake) -> Option<Snowflake> {
        if let Some(known) = self.roles.get(&guild) {
            return known;
        }
        let roles = self.rest.send(Call::get(Route::Roles { guild }).within(LOOKING_UP)).await.ok()?;
        // Source: Discord developer documentation, "Role Tags Structure".
        let is_own = |role: &&Value| role.pointer("/tags/bot_id").and_then(Value::as_str) == Some(me.to_string().as_str());
        let own = roles.as_array().into_iter().flatten().find(is_own).and_then(|role| super::rest::id(role).ok());
        self.roles.put(guild, own);
        own
    }

    /// What kind of channel it is; `None` where that cannot be found out quickly.
    pub(super) async fn channel(&self, id: Snowflake) -> Option<Channel> {
        if let Some(known) = self.channels.get(&id) {
            return Some(known);
        }
        let found = self.rest.send(Call::get(Route::Channel { channel: id }).within(LOOKING_UP)).await.ok()?;
        let channel: Channel = serde_json::from_value(found).ok()?;
        self.channels.put(id, channel);
        Some(channel)
    }

    async fn find_channel(&self, id: Snowflake) -> Option<Channel> {
        for _ in 0..LOOKS {
            if let Some(channel) = self.channel(id).await {
                return Some(channel);
            }
        }
        None
    }

    /// Tells one person, and tries again while that may help.
    async fn tell(&self, to: &ReplyTo, message: &Message) {
        for wait in AGAIN {
            let after = match self.send_ephemeral(to, message).await {
                Ok(()) => return,
                Err(SendError::Later { after, .. }) => after,
                Err(SendError::Uncertain { .. }) => None,
                Err(error) => {
                    tracing::warn!("a message to the bot could not be answered: {error}");
                    return;
                }
            };
            sleep(after.map_or(wait, |after| after.min(MAX_WAIT))).await;
        }
        tracing::warn!("a message to the bot could not be answered, however often it was tried");
    }

    /// Answers an interaction further, and tries again while that may help. What is for one person alone goes nowhere else.
    async fn follow_up_or_warn(&self, interaction: &Interaction, message: &Message) {
        let rendered = self.render(message, interaction.guild_id);
        for wait in AGAIN {
            let Err(failure) = self.follow_up(&interaction.token.0, &rendered).await else { return };
            if failure.refusal().is_some() {
                tracing::warn!("an interaction could not be answered: {}", command::why(&failure));
                return;
            }
            sleep(if let RestFailure::Held(after) = failure { after.min(MAX_WAIT) } else { wait }).await;
        }
        tracing::warn!("an interaction could not be answered, however often it was tried");
    }
}

/// The longest wait for the sake of one answer: an interaction is over after a quarter of an hour.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// One sentence for that person alone.
pub(super) fn ephemeral_answer(sentence: &str) -> FirstAnswer {
    let message = Message::line(Tone::Neutral, SafeText::redact(sentence));
    FirstAnswer::message(render(&message).body())
}
