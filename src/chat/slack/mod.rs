//! Slack: Socket Mode or signed requests in, the Web API out.
//!
//! [`Slack`] sends; [`Slack::listen`] keeps the sockets of Socket Mode, and [`Slack::router`] takes the signed requests of
//! HTTP mode. Both hand what people say to one `Intake`, which asks the reception and is done.

mod api;
mod dialog;
mod failure;
mod home;
mod inspection;
mod intake;
mod method;
mod pacing;
mod payload;
mod people;
mod platform;
pub mod render;
mod reply;
mod signature;
mod signed_requests;
mod socket;
mod transport;
mod words;

pub use inspection::Presence;
pub use method::{INBOUND_SCOPES, Method};
pub use people::Lookups;
pub use socket::{Rhythm, SocketHealth};

use crate::chat::Reception;
use crate::chat::backoff::Backoff;
use crate::clock::Clock;
use crate::config::{SlackConfig, SlackMode, SlackTokens, Token};
use api::{Api, Identity};
use intake::Intake;
use jiff::SignedDuration;
use people::People;
use signature::Signatures;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

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
    inbound: Token,
    identity: OnceLock<Identity>,
    sockets: Arc<SocketHealth>,
    rhythm: Rhythm,
}

impl Slack {
    /// The bot with these tokens. Nothing is asked yet.
    ///
    /// # Errors
    /// [`SlackStop::Unable`] where this machine cannot make connections at all.
    pub fn new(config: &SlackConfig, tokens: &SlackTokens, lookups: Lookups, clock: Clock) -> Result<Slack, SlackStop> {
        Slack::with_rhythm(config, tokens, lookups, clock, Rhythm::default())
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
        rhythm: Rhythm,
    ) -> Result<Slack, SlackStop> {
        let api = Arc::new(Api::new(config, tokens, rhythm.answer).map_err(SlackStop::Unable)?);
        Ok(Slack {
            people: People::new(Arc::clone(&api), lookups),
            api,
            clock,
            mode: config.mode.clone(),
            inbound: tokens.inbound.clone(),
            identity: OnceLock::new(),
            sockets: Arc::default(),
            rhythm,
        })
    }

    /// Learns who the bot is. Asking again costs nothing once it is known.
    ///
    /// # Errors
    /// [`SlackStop::NotLetIn`] where the token is not accepted; where Slack cannot be reached, [`SlackStop::Unable`].
    pub async fn introduce(&self) -> Result<(), SlackStop> {
        if self.identity.get().is_some() {
            return Ok(());
        }
        match self.api.identity().await {
            Ok(identity) => {
                let _ = self.identity.set(identity);
                Ok(())
            }
            Err(failure) if failure.is_about_the_token() => Err(SlackStop::NotLetIn(failure.to_string())),
            Err(failure) => Err(SlackStop::Unable(failure.to_string())),
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
    pub async fn listen(self: Arc<Self>, reception: Arc<dyn Reception>, stop: CancellationToken) -> Result<(), SlackStop> {
        let intake = Arc::new(Intake::new(Arc::clone(&self), reception));
        let listening = async {
            match self.mode {
                SlackMode::Socket { connections, .. } => socket::keep_all(&self, &intake, connections, &stop).await,
                SlackMode::Http { .. } => {
                    stop.cancelled().await;
                    Ok(())
                }
            }
        };
        let ended = tokio::try_join!(self.learn(&stop), listening);
        intake.finish().await;
        ended.map(drop)
    }

    /// Learns who the bot is, however long it takes.
    async fn learn(&self, stop: &CancellationToken) -> Result<(), SlackStop> {
        let mut backoff = Backoff::new(self.rhythm.first_wait, self.rhythm.longest_wait);
        loop {
            match stop.run_until_cancelled(self.introduce()).await {
                None | Some(Ok(())) => return Ok(()),
                Some(Err(stop @ SlackStop::NotLetIn(_))) => return Err(stop),
                Some(Err(later)) => tracing::warn!(%later, "the bot does not know its own name yet"),
            }
            if stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Where Slack sends its signed requests; `None` in Socket Mode.
    #[must_use]
    pub fn router(self: Arc<Self>, reception: Arc<dyn Reception>) -> Option<axum::Router> {
        match self.mode {
            SlackMode::Socket { .. } => None,
            SlackMode::Http { .. } => {
                let signatures = Signatures::new(&self.inbound, self.clock);
                Some(signed_requests::router(Arc::new(Intake::new(self, reception)), signatures))
            }
        }
    }

    /// How the sockets fare.
    #[must_use]
    pub fn sockets(&self) -> &SocketHealth {
        &self.sockets
    }

    fn bot_user(&self) -> Option<&str> {
        self.identity.get().map(|identity| identity.user_id.as_str())
    }
}
