//! Discord: what people do there comes in over its gateway or over requests it sends, and messages go out over its REST
//! interface.
//!
//! ```text
//! gateway ──┐
//!           ├─► listener ─► Reception          ChatPlatform ─► render ─► post ─► rest (paced)
//! endpoint ─┘       └─► first answer
//! ```

mod body;
mod check;
mod clickable;
mod code;
mod command;
mod config;
mod controls;
mod endpoint;
mod escape;
mod file;
mod forum;
mod gateway;
mod inspection;
mod interaction;
mod kind;
mod limits;
mod listener;
mod lost;
mod memory;
mod name;
mod page;
mod platform;
mod post;
mod presence;
mod pulse;
mod rate_limiter;
mod refusal;
mod render;
mod reply;
mod rest;
mod route;
mod snowflake;
mod text;
mod thread;

pub use config::{DISCORD_API, DiscordConfig, DiscordMode, INTERACTIONS_PATH};
pub use gateway::GatewayError;
pub use inspection::{ChannelRights, needed};
pub use kind::Kind;
pub use name::NAME;

use crate::chat::{Intake, Leadership, Message, SendError};
use crate::clock::{Clock, Pauses};
use crate::config::Token;
use axum::Router;
use clickable::RegisteredCommands;
use interaction::Channel;
use listener::Listener;
use memory::Memory;
use pulse::GatewayPulse;
use refusal::{AskedFor, meaning};
use rest::{Call, Rest};
use route::Route;
use serde_json::Value;
use serenity::interactions_endpoint::Verifier;
use snowflake::Snowflake;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use thread::{ThreadName, Unopened};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What Discord is sent of a message, so that it can be held against Discord's own description. Files go beside it.
#[must_use]
pub fn fields(message: &Message) -> Value {
    let rendered = render::render(message);
    serde_json::to_value(rendered.body().create(rendered.mentions())).unwrap_or_default()
}

/// Why Discord cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(String);

/// Discord, ready to be spoken to.
pub struct Discord {
    mode: DiscordMode,
    application: Snowflake,
    guilds: Vec<Snowflake>,
    /// True where REST is spoken over TLS; then the gateway has to be, too.
    is_encrypted: bool,
    verifier: Option<Verifier>,
    token: Token,
    clock: Clock,
    rest: Arc<Rest>,
    pauses: Pauses,
    pulse: GatewayPulse,
    /// True while another process hears the gateway.
    follows: AtomicBool,
    /// Our messages that the gateway told of, by nonce: where the bot may not read a channel's history, the only way to know of
    /// one whose answer was lost and whose nonce is forgotten.
    arrived: Memory<String, Snowflake>,
    commands: RegisteredCommands,
    /// Who the bot is among the authors of messages.
    me: OnceLock<Snowflake>,
    /// Messages whose thread is still to be opened.
    unopened: Memory<Snowflake, Unopened>,
    named: Memory<Snowflake, ThreadName>,
    /// Messages that get no thread.
    threadless: Memory<Snowflake, ()>,
    /// Where the further messages of one are that is shown as text, by their number.
    parts: Memory<(Snowflake, usize), (Snowflake, Snowflake)>,
    /// Channels that took only text, and until when nothing else is tried there.
    text_alone: Memory<Snowflake, Instant>,
    /// Told when the bot may be let in where it was not.
    doors: watch::Sender<()>,
    channels: Memory<Snowflake, Channel>,
    /// The bot's own role, by server.
    roles: Memory<Snowflake, Option<Snowflake>>,
    told: Memory<(Snowflake, u64), ()>,
}

impl Discord {
    /// Prepares to speak to Discord; nothing is sent.
    ///
    /// # Errors
    /// One sentence that says what to correct.
    pub fn new(config: &DiscordConfig, token: Token, clock: Clock) -> Result<Arc<Discord>, SetupError> {
        Discord::with_waits(config, token, clock, rest::CALL, Pauses::default())
    }

    /// The same, where no answer is waited for longer than `call`, and pauses pass as `pauses` has them.
    ///
    /// # Errors
    /// As [`Discord::new`].
    pub fn with_waits(
        config: &DiscordConfig,
        token: Token,
        clock: Clock,
        call: Duration,
        pauses: Pauses,
    ) -> Result<Arc<Discord>, SetupError> {
        let verifier = config.public_key.map(Verifier::try_new).transpose().map_err(|_| {
            SetupError("discord.public_key is not a key: copy it anew from the developer portal, General Information".to_owned())
        })?;
        if config.mode == DiscordMode::Http && verifier.is_none() {
            return Err(SetupError("discord.public_key is missing".to_owned()));
        }
        let rest = Rest::new(&config.api_url, &token, call, pauses.clone()).map_err(SetupError)?;
        let application =
            Snowflake::new(config.application_id).ok_or_else(|| SetupError("discord.application_id is 0".to_owned()))?;
        Ok(Arc::new(Discord {
            mode: config.mode,
            application,
            guilds: config.guilds.iter().filter_map(|id| Snowflake::new(*id)).collect(),
            is_encrypted: config.api_url.starts_with("https:"),
            verifier,
            token,
            clock,
            rest: Arc::new(rest),
            pauses,
            pulse: GatewayPulse::default(),
            follows: AtomicBool::new(false),
            arrived: Memory::default(),
            commands: RegisteredCommands::default(),
            me: OnceLock::new(),
            unopened: Memory::default(),
            named: Memory::default(),
            threadless: Memory::default(),
            parts: Memory::default(),
            text_alone: Memory::default(),
            doors: watch::Sender::new(()),
            channels: Memory::default(),
            roles: Memory::default(),
            told: Memory::default(),
        }))
    }

    /// Registers the slash command and, in gateway mode, listens; until `stop`.
    ///
    /// # Errors
    /// [`GatewayError`] where only an operator can help; the process should end, and not try again by itself.
    pub async fn run(self: Arc<Self>, intake: Arc<dyn Intake>, stop: CancellationToken) -> Result<(), GatewayError> {
        self.run_while(watch::Sender::new(Some(0)).subscribe(), intake, stop).await
    }

    /// The same, where the gateway is heard only while this process leads: it would tell each of several everything.
    ///
    /// # Errors
    /// As [`Discord::run`].
    pub async fn run_while(
        self: Arc<Self>,
        leads: Leadership,
        intake: Arc<dyn Intake>,
        stop: CancellationToken,
    ) -> Result<(), GatewayError> {
        let listener = Listener::new(Arc::clone(&self), intake);
        let listening = async {
            match self.mode {
                DiscordMode::Gateway => self.listen_while(leads, &listener, &stop).await,
                DiscordMode::Http => {
                    stop.cancelled().await;
                    Ok(())
                }
            }
        };
        let registered = async {
            tokio::join!(self.register_commands(), self.introduce());
            std::future::pending().await
        };
        tokio::select! {
            ended = listening => ended,
            () = registered => Ok(()),
        }
    }

    /// The address that Discord sends interactions to; nothing in gateway mode, where it sends none.
    pub fn routes(self: &Arc<Self>, intake: Arc<dyn Intake>) -> Router {
        match &self.verifier {
            Some(verifier) if self.mode == DiscordMode::Http => {
                endpoint::routes(verifier.clone(), self.clock, Listener::new(Arc::clone(self), intake))
            }
            _ => Router::new(),
        }
    }

    /// True while what people do comes in: by the gateway's heartbeats; in HTTP mode always.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.mode == DiscordMode::Http || self.follows.load(Ordering::Acquire) || self.pulse.is_felt()
    }

    /// Hears the gateway in each term of ours.
    async fn listen_while(
        &self,
        mut leads: Leadership,
        listener: &Listener,
        stop: &CancellationToken,
    ) -> Result<(), GatewayError> {
        while !stop.is_cancelled() {
            let is_ours = leads.borrow_and_update().is_some();
            self.follows.store(!is_ours, Ordering::Release);
            let changed = async {
                // Who can no longer be told anything else leads for good.
                if leads.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            if !is_ours {
                let _ = stop.run_until_cancelled(changed).await;
                continue;
            }
            let term = stop.child_token();
            let mut hearing = std::pin::pin!(self.listen(listener, &term));
            tokio::select! {
                ended = &mut hearing => return ended,
                () = changed => {
                    term.cancel();
                    hearing.await?;
                }
            }
        }
        Ok(())
    }

    /// Asks Discord who the bot is, and whether token and application belong together.
    ///
    /// # Errors
    /// Why it cannot work, in a sentence that says what to do.
    pub async fn check(&self) -> Result<String, SetupError> {
        let failed = |failure| {
            SetupError(match meaning(&failure, AskedFor::Repeatable) {
                SendError::Unauthorized { .. } => GatewayError::TokenRefused.to_string(),
                other => format!("Discord could not be queried: {other}"),
            })
        };
        let application = self.rest.send(Call::get(Route::Application)).await.map_err(failed)?;
        if application.get("id").and_then(Value::as_str) != Some(self.application.to_string().as_str()) {
            return Err(SetupError("discord.application_id is not the application that discord.bot_token belongs to".to_owned()));
        }
        let me = self.rest.send(Call::get(Route::Me)).await.map_err(failed)?;
        Ok(me.get("username").and_then(Value::as_str).unwrap_or("a bot without a name").to_owned())
    }
}
