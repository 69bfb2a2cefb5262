//! Slack: Socket Mode or signed requests in, the Web API out.
//!
//! [`Slack`] sends; [`Slack::listen`] keeps the sockets of Socket Mode, and [`Slack::router`] takes the signed requests of
//! HTTP mode. Both hand what people say to one `Receiver`, which asks the reception and is done.

mod api;
mod check;
mod config;
mod dialog;
mod ephemeral;
mod failure;
mod home;
mod inspection;
mod kind;
mod message_text;
mod method;
mod name;
mod origin;
mod payload;
mod people;
mod platform;
mod rate_limiter;
mod receiver;
mod refusals;
pub mod render;
mod reply;
mod signature;
mod signed_requests;
mod socket;
mod tokens;
mod transport;
mod words;

pub use config::{SlackConfig, SlackMode, SlackTokens};
pub use inspection::Presence;
pub use kind::Kind;
pub use method::{INBOUND_SCOPES, Method};
pub use name::NAME;
pub use people::Lookups;
pub use socket::{SocketHealth, SocketTimeouts};

use crate::backoff::Backoff;
use crate::chat::Intake;
use crate::clock::Clock;
use crate::metrics::LimiterWaits;
use api::{Api, Identity};
use jiff::SignedDuration;
use people::People;
use receiver::Receiver;
use signature::Signatures;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokens::LiveTokens;
use tokio_util::sync::CancellationToken;

/// How long listening waits for the bot to learn who it is.
const FIRST_INTRODUCTION: Duration = Duration::from_secs(2);

/// How often a token that is not accepted is tried again.
const TOKEN_LOOK: Duration = Duration::from_secs(60);

/// After how many of these times one that is accepted is tried, too: whoever has nothing to send would not notice otherwise.
const LOOKS_BETWEEN: u32 = 5;

/// Why the bot cannot be in Slack. The texts are for the operator, and hold no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlackStop {
    /// Slack does not accept a token, or the app is set up differently: waiting does not help.
    #[error("Slack does not let the bot in: {0}")]
    NotLetIn(String),
    /// Something on this machine.
    #[error("the bot cannot reach Slack: {0}")]
    Unable(String),
}

/// The bot in a Slack workspace.
#[derive(Debug)]
pub struct Slack {
    api: Arc<Api>,
    people: People,
    clock: Clock,
    mode: SlackMode,
    tokens: LiveTokens,
    identity: OnceLock<Identity>,
    sockets: Arc<SocketHealth>,
    rhythm: SocketTimeouts,
    /// Whether endings are shown in the channel too.
    broadcast: bool,
}

impl Slack {
    /// The bot with these tokens. Nothing is asked yet.
    ///
    /// # Errors
    /// [`SlackStop::Unable`] where this machine cannot make connections at all.
    pub fn new(config: &SlackConfig, tokens: &SlackTokens, lookups: Lookups, clock: Clock) -> Result<Slack, SlackStop> {
        Slack::with_rhythm(config, tokens, lookups, clock, SocketTimeouts::default())
    }

    /// The bot with other intervals and deadlines.
    ///
    /// # Errors
    /// As [`Slack::new`].
    pub fn with_rhythm(
        config: &SlackConfig,
        tokens: &SlackTokens,
        lookups: Lookups,
        clock: Clock,
        rhythm: SocketTimeouts,
    ) -> Result<Slack, SlackStop> {
        let tokens = LiveTokens::new(config, tokens);
        let api = Api::new(config, tokens.bot.clone(), &tokens.inbound, rhythm.answer).map_err(SlackStop::Unable)?;
        let api = Arc::new(api);
        Ok(Slack {
            people: People::new(Arc::clone(&api), lookups),
            api,
            clock,
            mode: config.mode.clone(),
            tokens,
            identity: OnceLock::new(),
            sockets: Arc::default(),
            rhythm,
            broadcast: config.broadcast,
        })
    }

    /// True while Slack accepts the bot token, as far as the last call told.
    #[must_use]
    pub fn is_token_accepted(&self) -> bool {
        self.api.refused_token().is_none()
    }

    /// Where the bot is, and as whom, once that is known.
    #[must_use]
    pub fn whereabouts(&self) -> Option<String> {
        let identity = self.identity.get()?;
        let Identity { team, team_id, user, user_id, .. } = identity;
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "without a name".to_owned());
        if let Some(organization) = identity.enterprise_id.as_ref().filter(|_| identity.is_everywhere()) {
            return Some(format!(
                "as {} ({user_id}) in the organization {organization}, in all its workspaces that have the app",
                name(user)
            ));
        }
        Some(format!("as {} ({user_id}) in the workspace {} ({team_id})", name(user), name(team)))
    }

    /// Learns who the bot is. Asking again costs nothing once it is known.
    ///
    /// # Errors
    /// [`SlackStop::NotLetIn`] where the token is not accepted; where Slack cannot be reached, [`SlackStop::Unable`].
    pub async fn introduce(&self) -> Result<(), SlackStop> {
        if self.identity.get().is_some() {
            return Ok(());
        }
        loop {
            let tried = self.tokens.bot.current();
            match self.api.identity().await {
                Ok(identity) => {
                    let _ = self.identity.set(identity);
                    return Ok(());
                }
                Err(failure) if failure.is_about_the_token() && self.tokens.have_another_bot_than(&tried) => {}
                Err(failure) if failure.is_about_the_token() => return Err(SlackStop::NotLetIn(failure.to_string())),
                Err(failure) => return Err(SlackStop::Unable(failure.to_string())),
            }
        }
    }

    /// The scopes of [`Method::ALL`] and [`INBOUND_SCOPES`] that the token lacks; `None` where Slack did not say.
    pub async fn missing_scopes(&self) -> Option<Vec<&'static str>> {
        let granted = self.api.granted_scopes().await?;
        let mut needed: Vec<&str> =
            Method::ALL.iter().flat_map(|method| method.scopes()).chain(&INBOUND_SCOPES).copied().collect();
        needed.sort_unstable();
        needed.dedup();
        needed.retain(|scope| !granted.iter().any(|have| have == scope));
        Some(needed)
    }

    /// How far this machine's clock is ahead of Slack's; `None` where Slack did not say. Beyond five minutes nothing Slack
    /// signs is taken.
    pub async fn clock_ahead_by(&self) -> Option<SignedDuration> {
        let theirs = self.api.time().await?;
        Some(self.clock.now().duration_since(theirs))
    }

    /// Keeps the sockets of Socket Mode until `stop`; in HTTP mode it only learns who the bot is, and waits.
    ///
    /// # Errors
    /// [`SlackStop::NotLetIn`], at once or when a token is revoked in between. Everything else is waited out.
    pub async fn listen(self: Arc<Self>, intake: Arc<dyn Intake>, stop: CancellationToken) -> Result<(), SlackStop> {
        let receiver = Arc::new(Receiver::new(Arc::clone(&self), intake));
        // Who is a stranger is judged by the bot's own workspace; where Slack is slow to tell it, listening does not wait.
        if let Ok(Err(stop @ SlackStop::NotLetIn(_))) = tokio::time::timeout(FIRST_INTRODUCTION, self.introduce()).await {
            return Err(stop);
        }
        let listening = async {
            match self.mode {
                SlackMode::Socket { connections, .. } => socket::keep_all(&self, &receiver, connections, &stop).await,
                SlackMode::Http { .. } => {
                    stop.cancelled().await;
                    Ok(())
                }
            }
        };
        let ended = tokio::try_join!(self.learn(&stop), listening, self.watch_token(&stop));
        receiver.finish().await;
        ended.map(drop)
    }

    /// Asks whether the token is accepted: often for as long as it is not, now and then while nobody else asks anything, and of
    /// a new one at once.
    async fn watch_token(&self, stop: &CancellationToken) -> Result<(), SlackStop> {
        let mut renewed = self.tokens.bot.changes();
        for look in 1_u32.. {
            let is_new = tokio::select! {
                () = stop.cancelled() => break,
                Ok(()) = renewed.changed() => true,
                () = tokio::time::sleep(TOKEN_LOOK) => false,
            };
            if is_new || !self.is_token_accepted() || look.is_multiple_of(LOOKS_BETWEEN) {
                // What it says is noted where the call was made.
                let _ = self.api.identity().await;
            }
        }
        Ok(())
    }

    /// Learns who the bot is, however long it takes.
    async fn learn(&self, stop: &CancellationToken) -> Result<(), SlackStop> {
        let mut backoff = Backoff::new(self.rhythm.first_wait, self.rhythm.longest_wait);
        loop {
            match stop.run_until_cancelled(self.introduce()).await {
                None => return Ok(()),
                Some(Ok(())) => {
                    if matches!(self.mode, SlackMode::Http { .. }) {
                        self.say_where();
                    }
                    return Ok(());
                }
                Some(Err(stop @ SlackStop::NotLetIn(_))) => return Err(stop),
                Some(Err(later)) => tracing::warn!(%later, "the bot does not know its own name yet"),
            }
            if stop.run_until_cancelled(tokio::time::sleep(backoff.next_wait())).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Where Slack sends its signed requests; `None` in Socket Mode.
    #[must_use]
    pub fn router(self: Arc<Self>, intake: Arc<dyn Intake>) -> Option<axum::Router> {
        match self.mode {
            SlackMode::Socket { .. } => None,
            SlackMode::Http { .. } => {
                let signatures = Signatures::new(self.tokens.inbound.clone(), self.clock);
                Some(signed_requests::router(Arc::new(Receiver::new(self, intake)), signatures))
            }
        }
    }

    /// Reads the tokens anew where the configuration says they are. New ones are used from now on: for what is sent, for sockets,
    /// which are opened anew, and for signatures. Where they cannot be read, the old ones stay.
    pub fn renew_tokens(&self) {
        self.tokens.renew();
    }

    /// Counts in `waits` how long calls wait for their turn.
    pub fn count_waits(&self, waits: LimiterWaits) {
        self.api.count_waits(waits);
    }

    /// How the sockets fare.
    #[must_use]
    pub fn sockets(&self) -> &SocketHealth {
        &self.sockets
    }

    /// Tells the operator as whom and where the bot is connected, and how.
    fn say_where(&self) {
        let whereabouts = self.whereabouts().unwrap_or_else(|| "in a workspace that is not known yet".to_owned());
        tracing::info!("connected to Slack {whereabouts}, {}", self.way_in());
    }

    fn way_in(&self) -> String {
        match self.mode {
            SlackMode::Socket { connections: 1, .. } => "over 1 socket".to_owned(),
            SlackMode::Socket { connections, .. } => format!("over {connections} sockets"),
            SlackMode::Http { .. } => "by signed requests to /slack".to_owned(),
        }
    }

    /// The workspace the app is installed in; `None` while it is unknown, and for an app of a whole organization.
    fn own_team(&self) -> Option<&str> {
        self.identity.get().filter(|identity| !identity.is_everywhere()).map(|identity| identity.team_id.as_str())
    }

    fn bot_user(&self) -> Option<&str> {
        self.identity.get().map(|identity| identity.user_id.as_str())
    }
}
