//! The composition root of `rotation-diag serve`: store, platforms, web server, workers, delivery; who watches whom; how it
//! all ends.
//!
//! A part that ends by itself ends the process, with a reason: whoever runs it starts it again, and nothing is lost. The
//! first SIGTERM or SIGINT closes the intake, lets running work come to its end for a while, and leaves the rest to the next
//! start; a second one ends at once.

pub mod check;
pub mod demo;
mod platforms;
mod supervisor;
mod web;

pub use platforms::{PLATFORMS, Platforms};

use crate::aws::ConnectError;
use crate::bot::{Accounts, AwsAccounts, Bot, Delivery, DeliveryPolicy, Health, work};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{OpenError, Store, network_disk};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use supervisor::{Ended, Supervisor, signals};
use tokio_util::sync::CancellationToken;

/// How often it is seen whether the store works.
const STORE_CHECK: Duration = Duration::from_secs(5);

/// How long the last messages may take to go out before the end; what is left goes out after the next start.
const LAST_MESSAGES: Duration = Duration::from_secs(5);

/// Why it does not run, or no longer. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// No clients for AWS can be made.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A platform cannot be used.
    #[error("{0}")]
    Platform(String),
    /// There is no platform at all.
    #[error(
        "no platform is configured, so nobody could ask anything: add {} to the configuration",
        platforms::tables(PLATFORMS, "or")
    )]
    NoPlatform,
    /// Platforms are configured, and none has its tokens.
    #[error("no platform has its tokens, so nobody could ask anything: give the tokens that are named above")]
    NoTokens,
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on ({why}): choose another [http] listen, or stop what uses it")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        why: String,
    },
    /// The certificate or its key cannot be used.
    #[error("the TLS certificate or its key cannot be used ({0}): check [http] tls_certificate and tls_key")]
    Tls(String),
    /// A part ended that never should.
    #[error("{part} ended: {why}")]
    Ended {
        /// Which.
        part: &'static str,
        /// Why.
        why: String,
    },
    /// A second signal came before everything had ended.
    #[error("stopped at once; what was running is resumed at the next start")]
    Killed,
}

/// The bot with everything around it, listening.
pub struct App {
    address: SocketAddr,
    is_listening: bool,
    bot: Arc<Bot>,
    health: Health,
    work: crate::config::Work,
    parts: Supervisor,
    /// Closes the intake: platforms stop listening, workers stop claiming.
    intake: CancellationToken,
    /// Stops what delivers.
    delivery: CancellationToken,
    /// Stops what answers over HTTP.
    web: Option<web::Stop>,
}

impl App {
    /// Opens, connects and listens, as `config` says, in AWS.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn start(config: &Config) -> Result<App, AppError> {
        let accounts: Arc<dyn Accounts> = Arc::new(AwsAccounts::of(config).await?);
        App::start_with(config, accounts, |bot, stop| platforms::build(PLATFORMS, config, bot, stop)).await
    }

    /// The same with other accounts and platforms.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn start_with(
        config: &Config,
        accounts: Arc<dyn Accounts>,
        build: impl FnOnce(&Arc<Bot>, &CancellationToken) -> Result<Platforms, AppError>,
    ) -> Result<App, AppError> {
        // Several libraries bring TLS; without a word they could not agree. A second start keeps the first choice.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        if config.allow.is_empty() {
            tracing::warn!("the configuration has no [[allow]] rule: everything anybody asks is refused");
        }
        if let Some(kind) = network_disk(&config.store.path) {
            tracing::warn!(
                kind,
                "the store is on a network disk, whose locks cannot be relied on: name a local one in [store] path"
            );
        }
        let store = Arc::new(Store::open(&config.store.path, Clock::system()).await?);
        let bot = Bot::new(config, Arc::clone(&store), accounts);
        let health = Health::default();
        let (intake, delivery) = (CancellationToken::new(), CancellationToken::new());
        let Platforms { platforms, routers, background, alive } = build(&bot, &intake)?;
        bot.meet(&platforms);
        let mut parts = Supervisor::default();
        let has_to_listen = config.http_is_asked_for || !routers.is_empty();
        let site = web::Site { health: health.clone(), alive, draining: intake.clone(), routers };
        let (address, web) = match web::serve(&config.http, web::Limits::default(), site, &mut parts).await {
            Ok((address, web)) => (address, Some(web)),
            Err(why @ AppError::Listen { .. }) if !has_to_listen => {
                tracing::warn!(%why, "nobody is answered over HTTP, which nothing but /healthz and /readyz needs");
                (config.http.listen, None)
            }
            Err(error) => return Err(error),
        };
        let courier =
            Delivery::new(Arc::clone(&store), health.clone(), DeliveryPolicy::default()).run(platforms, delivery.clone());
        parts.add_endless("delivery", courier);
        for (part, future) in background {
            parts.add(part, future);
        }
        let (one, stop) = (Arc::clone(&bot), intake.clone());
        parts.add_endless("the watch", async move { one.keep_watch(stop).await });
        let (one, stop, retention) = (Arc::clone(&bot), intake.clone(), config.store.retention);
        parts.add_endless("retention", async move { one.keep_tidy(retention, stop).await });
        parts.add("the store's check", check_intake(Arc::clone(&bot), health.clone(), intake.clone()));
        Ok(App { address, is_listening: web.is_some(), bot, health, work: config.work, parts, intake, delivery, web })
    }

    /// Where it listens, or would.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// False where the address was taken, and nothing needed it.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.is_listening
    }

    /// The bot inside.
    #[must_use]
    pub fn bot(&self) -> &Arc<Bot> {
        &self.bot
    }

    /// What works.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Works until a signal or `stop`, or until a part ends by itself.
    ///
    /// # Errors
    /// [`AppError::Ended`], [`AppError::Killed`].
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), AppError> {
        let mut workers = tokio::spawn(work(Arc::clone(&self.bot), self.intake.clone()));
        let names = Arc::clone(&self.bot);
        let learning = tokio::spawn(async move { names.learn_names().await });
        let mut signals = signals()?;
        let failed = tokio::select! {
            _ = signals.recv() => None,
            () = stop.cancelled() => None,
            ended = self.parts.first_to_end() => Some(ended),
            ended = &mut workers => Some(Ended { part: "the workers", why: ended.err().map_or("they returned", |_| "they panicked").to_owned() }),
        };
        learning.abort();
        if let Some(Ended { part, why }) = &failed {
            tracing::error!(part, why, "a part ended by itself: everything ends");
        } else {
            tracing::info!("stopping: the intake is closed, what runs may come to its end");
        }
        self.intake.cancel();
        let calm = async {
            if !workers.is_finished()
                && let Err(error) = workers.await
            {
                tracing::error!(%error, "the workers ended badly");
            }
            self.bot.last_messages(LAST_MESSAGES).await;
            self.delivery.cancel();
            if let Some(web) = &self.web {
                web.stop();
            }
            self.parts.rest(LAST_MESSAGES).await;
            self.bot.store().close().await;
        };
        // Whatever hangs must not keep a process alive that was told to end.
        let most = self.work.drain + LAST_MESSAGES * 3;
        tokio::select! {
            _ = tokio::time::timeout(most, calm) => {}
            _ = signals.recv() => return Err(AppError::Killed),
        }
        failed.map_or(Ok(()), |Ended { part, why }| Err(AppError::Ended { part, why }))
    }
}

/// Notes whether what is accepted is kept and worked on.
async fn check_intake(bot: Arc<Bot>, health: Health, stop: CancellationToken) -> Result<(), String> {
    loop {
        let tried = tokio::time::timeout(STORE_CHECK, bot.store().try_out()).await;
        let why = tried.unwrap_or_else(|_| Err("it does not answer".to_owned())).err();
        if health.note("store", why.as_deref()) {
            match why {
                None => tracing::info!("the store works again"),
                Some(why) => tracing::error!(why, "the store takes nothing: everything is answered with 503 until it does"),
            }
        }
        let stalled = bot.stalled();
        if health.note("work", stalled) {
            match stalled {
                None => tracing::info!("triggers are claimed again"),
                Some(why) => tracing::error!(why, "what is accepted is not worked on"),
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(STORE_CHECK)).await.is_none() {
            return Ok(());
        }
    }
}
