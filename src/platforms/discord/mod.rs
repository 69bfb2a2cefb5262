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
mod layout;
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
use crate::config::{LiveToken, Token, TokenSource, UnreadTokens};
use crate::metrics::LimiterWaits;
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
    rendered.body().fields(rendered.mentions())
}

/// How often a token that is not accepted is tried again.
const TOKEN_LOOK: Duration = Duration::from_secs(60);

/// After how many of these times one that is accepted is tried, too: whoever has nothing to send would not notice otherwise.
const LOOKS_BETWEEN: u32 = 5;

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
    /// Of the keys that interactions are signed with.
    verifiers: Vec<Verifier>,
    token: LiveToken,
    /// Where the token is read anew.
    source: TokenSource,
    /// Why it could not be read the last time, which is told once.
    unread: UnreadTokens,
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
    /// Channels that took no components, and until when none are tried there.
    unlaid: Memory<Snowflake, Instant>,
    /// Messages that cannot be laid out in components.
    never_laid: Memory<Snowflake, ()>,
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
        let keys = [("public_key", config.public_key), ("next_public_key", config.next_public_key)];
        let verifiers = keys.into_iter().filter_map(|(name, key)| Some((name, key?))).map(|(name, key)| {
            Verifier::try_new(key).map_err(|_| {
                SetupError(format!("discord.{name} is not a key: copy it anew from the developer portal, General Information"))
            })
        });
        let verifiers = verifiers.collect::<Result<Vec<Verifier>, SetupError>>()?;
        if config.mode == DiscordMode::Http && config.public_key.is_none() {
            return Err(SetupError("discord.public_key is missing".to_owned()));
        }
        let token = LiveToken::new(token, None);
        let rest = Rest::new(&config.api_url, token.clone(), call, pauses.clone()).map_err(SetupError)?;
        let application =
            Snowflake::new(config.application_id).ok_or_else(|| SetupError("discord.application_id is 0".to_owned()))?;
        Ok(Arc::new(Discord {
            mode: config.mode,
            application,
            guilds: config.guilds.iter().filter_map(|id| Snowflake::new(*id)).collect(),
            is_encrypted: config.api_url.starts_with("https:"),
            verifiers,
            token,
            source: config.bot_token.clone(),
            unread: UnreadTokens::default(),
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
            unlaid: Memory::default(),
            never_laid: Memory::default(),
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
            tokio::join!(self.register_commands(), self.introduce(), self.watch_token());
            std::future::pending().await
        };
        tokio::select! {
            ended = listening => ended,
            () = registered => Ok(()),
        }
    }

    /// The address that Discord sends interactions to; nothing in gateway mode, where it sends none.
    pub fn routes(self: &Arc<Self>, intake: Arc<dyn Intake>) -> Router {
        match self.mode {
            DiscordMode::Http => endpoint::routes(self.verifiers.clone(), self.clock, Listener::new(Arc::clone(self), intake)),
            DiscordMode::Gateway => Router::new(),
        }
    }

    /// True while Discord accepts the token, as far as the last call told, and what people do comes in: by the gateway's
    /// heartbeats; in HTTP mode always.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let hears = self.mode == DiscordMode::Http || self.follows.load(Ordering::Acquire) || self.pulse.is_felt();
        !self.rest.is_token_refused() && hears
    }

    /// How many connections to the gateway are alive: one or none.
    #[must_use]
    pub fn connections(&self) -> usize {
        usize::from(self.mode == DiscordMode::Gateway && self.pulse.is_felt())
    }

    /// Reads the token anew where the configuration says it is. A new one is used from now on, and the gateway is connected to
    /// anew with it. Where it cannot be read, the old one stays.
    pub fn renew_token(&self) {
        match self.source.fetch() {
            Ok(token) if !rest::is_sendable(&token) => {
                tracing::error!("the new token of Discord holds characters that no token has: the old one stays");
            }
            Ok(token) => {
                self.unread.clear();
                if self.token.replace(token, None) {
                    tracing::info!("Discord has a new token");
                    self.rest.forget_refusal();
                    self.may_be_let_in();
                }
            }
            Err(why) => {
                let tell = |why: &str| tracing::error!(why, "the token of Discord cannot be read anew: the old one stays");
                self.unread.note(vec![why], tell);
            }
        }
    }

    /// Counts in `waits` how long calls wait for their turn.
    pub fn count_waits(&self, waits: LimiterWaits) {
        self.rest.count_waits(waits);
    }

    /// Asks whether the token is accepted: often for as long as it is not, and now and then while nobody else asks anything.
    async fn watch_token(&self) {
        for look in 1_u32.. {
            tokio::time::sleep(TOKEN_LOOK).await;
            if self.rest.is_token_refused() || look.is_multiple_of(LOOKS_BETWEEN) {
                // What it says is noted where the call is made.
                let _ = self.rest.send(Call::get(Route::Me)).await;
            }
        }
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
