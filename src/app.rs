//! The composition root of `rotation-diag serve`: store, platforms, web server, workers, delivery; who watches whom; how it
//! all ends.
//!
//! A part that ends by itself ends the process, with a reason: whoever runs it starts it again, and nothing is lost. The
//! first SIGTERM or SIGINT closes the intake, lets running work come to its end for a while, and leaves the rest to the next
//! start; a second one ends at once.

pub mod check;
pub mod demo;
pub mod health;
mod platforms;
mod reload;
mod shared_turns;
mod supervisor;
pub mod traces;
mod vitals;
mod web;

pub use platforms::{PLATFORMS, Platforms};

use crate::aws::{ConnectError, SharedTurns};
use crate::bot::{
    Access, Accounts, Actions, AgentQuestions, AlarmIntake, AlarmThreads, Autocomplete, AwsAccounts, ChatHistory, Delivery,
    DeliveryPolicy, Handlers, Health, Intake, InvestigationRequests, PendingEvents, Reconciler, Runner, Subscriber, Watches,
    Workers, keep_schedule, keep_tidy, last_messages,
};
use crate::chat::PlatformSet;
use crate::clock::Clock;
use crate::config::{Config, Work};
use crate::metrics::{BotMetrics, Metrics};
use crate::store::{OpenError, Store, network_disk};
use reload::Reload;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use supervisor::{Ended, Supervisor, signals};
use tokio_util::sync::CancellationToken;
use vitals::Vitals;

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
    #[error("{address} cannot be listened on ({why}): choose another [{table}] listen, or stop what uses it")]
    Listen {
        address: SocketAddr,
        /// The table of the configuration that names it.
        table: &'static str,
        /// What the system says.
        why: String,
    },
    /// The certificate or its key cannot be used.
    #[error("the TLS certificate or its key cannot be used ({0}): check [http] tls_certificate and tls_key")]
    Tls(String),
    /// A part ended that never should.
    #[error("{part} ended: {why}")]
    Ended { part: &'static str, why: String },
    /// A second signal came before everything had ended.
    #[error("stopped at once; what was running is resumed at the next start")]
    Killed,
}

/// The bot, owner by owner: each is made of those above it, and of nothing else.
pub struct Bot {
    /// What is counted and measured.
    pub metrics: Metrics,
    /// What must survive a crash.
    pub store: Arc<Store>,
    /// The platforms people are on, set before anything is worked on.
    pub platforms: PlatformSet,
    /// Who may do what, and where it can be looked into.
    pub access: Arc<Access>,
    /// Names of secrets while a person types.
    pub autocomplete: Arc<Autocomplete>,
    /// Where what people say comes in.
    pub intake: Arc<Intake>,
    /// What was said and found, for a page.
    pub history: Arc<ChatHistory>,
    pub runner: Arc<Runner>,
    /// What other agents ask.
    pub agents: Arc<AgentQuestions>,
    /// Where alarms come in.
    pub alarm_intake: Arc<AlarmIntake>,
    /// Confirms subscriptions to topics.
    pub subscriber: Arc<Subscriber>,
    /// Looks for alarms that SNS lost.
    pub reconciler: Arc<Reconciler>,
    /// What alarms come to.
    pub alarm_threads: Arc<AlarmThreads>,
}

impl Bot {
    /// A bot that keeps what it accepts in `store` and looks into `accounts`; nobody reads what it counts.
    #[must_use]
    pub fn new(config: &Config, store: Arc<Store>, accounts: Arc<dyn Accounts>) -> Bot {
        Bot::counting(config, store, accounts, Metrics::new())
    }

    /// The same, counting in `metrics`.
    #[must_use]
    pub fn counting(config: &Config, store: Arc<Store>, accounts: Arc<dyn Accounts>, metrics: Metrics) -> Bot {
        let shared = Arc::new(config.clone());
        let platforms = PlatformSet::default();
        let access = Arc::new(Access::new(config, accounts));
        let autocomplete = Arc::new(Autocomplete::new(Arc::clone(&access)));
        let (one, names) = (Arc::clone(&store), Arc::clone(&autocomplete));
        let intake = Arc::new(Intake::new(one, Arc::clone(&access), names, platforms.clone(), metrics.bot.clone()));
        let history = Arc::new(ChatHistory::new(Arc::clone(&store), Arc::clone(&access), platforms.clone()));
        let (one, counted) = (Arc::clone(&store), metrics.bot.clone());
        let runner = Arc::new(Runner::new(config, one, Arc::clone(&access), platforms.clone(), counted));
        let agents = Arc::new(AgentQuestions::new(Arc::clone(&store), Arc::clone(&access), Arc::clone(&runner)));
        let alarm_intake = Arc::new(AlarmIntake::new(Arc::clone(&store), metrics.bot.clone()));
        let subscriber = Arc::new(Subscriber::new(Arc::clone(&access)));
        let reconciler = Reconciler::new(config.alarms.clone(), Arc::clone(&access), Arc::clone(&alarm_intake));
        let alarm_threads =
            AlarmThreads::new(shared, Arc::clone(&store), Arc::clone(&access), Arc::clone(&runner), Arc::clone(&alarm_intake));
        let (reconciler, alarm_threads) = (Arc::new(reconciler), Arc::new(alarm_threads));
        Bot {
            metrics,
            store,
            platforms,
            access,
            autocomplete,
            intake,
            history,
            runner,
            agents,
            alarm_intake,
            subscriber,
            reconciler,
            alarm_threads,
        }
    }

    /// Those who work on what was accepted.
    #[must_use]
    pub fn workers(&self, work: Work) -> Arc<Workers> {
        let (store, runner) = (|| Arc::clone(&self.store), || Arc::clone(&self.runner));
        let (access, autocomplete) = (Arc::clone(&self.access), Arc::clone(&self.autocomplete));
        let handlers = Handlers {
            requests: InvestigationRequests::new(store(), access, autocomplete, runner(), self.platforms.clone()),
            actions: Actions::new(store(), runner(), work),
            watches: Watches::new(store(), runner(), work.watch_every),
            events: PendingEvents::new(store(), Arc::clone(&self.intake), self.platforms.clone()),
            alarms: Arc::clone(&self.alarm_threads),
        };
        Workers::new(store(), handlers, work, &self.runner, self.metrics.bot.clone())
    }
}

/// The bot with everything around it, listening.
pub struct App {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    is_listening: bool,
    bot: Bot,
    workers: Arc<Workers>,
    health: Health,
    work: Work,
    parts: Supervisor,
    /// Closes the intake: platforms stop listening, workers stop claiming.
    intake: CancellationToken,
    delivery: CancellationToken,
    /// Stops what answers over HTTP.
    web: Option<web::ServerStop>,
}

impl App {
    /// Opens, connects and listens, as `config` says, in AWS.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn start(config: &Config) -> Result<App, AppError> {
        let metrics = Metrics::new();
        let accounts: Arc<dyn Accounts> = Arc::new(AwsAccounts::counting(config, metrics.engine.clone()).await?);
        let reload = Reload::on_signal()?;
        App::start_counting(config, accounts, metrics, |bot, stop| platforms::build(PLATFORMS, config, bot, &reload, stop)).await
    }

    /// The same with other accounts and platforms.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn start_with(
        config: &Config,
        accounts: Arc<dyn Accounts>,
        build: impl FnOnce(&Bot, &CancellationToken) -> Result<Platforms, AppError>,
    ) -> Result<App, AppError> {
        App::start_counting(config, accounts, Metrics::new(), build).await
    }

    /// The same, counting in `metrics`.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn start_counting(
        config: &Config,
        accounts: Arc<dyn Accounts>,
        metrics: Metrics,
        build: impl FnOnce(&Bot, &CancellationToken) -> Result<Platforms, AppError>,
    ) -> Result<App, AppError> {
        crate::tls::choose();
        if config.allow.is_empty() {
            tracing::warn!("the configuration has no [[allow]] rule: every request is refused");
        }
        if let Some(kind) = network_disk(&config.store.path).filter(|_| config.store.server.is_none()) {
            tracing::warn!(
                kind,
                "the store is on a network disk, whose locks cannot be relied on: name a local one in [store] path"
            );
        }
        let store = Arc::new(Store::open_configured(&config.store, Clock::system()).await?);
        if store.is_shared() {
            accounts.share_limits(Arc::clone(&store) as Arc<dyn SharedTurns>);
        }
        let bot = Bot::counting(config, Arc::clone(&store), accounts, metrics);
        let health = Health::default();
        let (intake, delivery) = (CancellationToken::new(), CancellationToken::new());
        let Platforms { platforms, routers, slow_routers, background, alive, cause_pages } = build(&bot, &intake)?;
        bot.platforms.set(&platforms);
        let workers = bot.workers(config.work);
        let mut parts = Supervisor::default();
        let has_to_listen = config.http_is_asked_for || !routers.is_empty() || !slow_routers.is_empty();
        let names = platforms.iter().map(|platform| platform.name().to_string());
        let vitals = Arc::new(Vitals { health: health.clone(), platforms: names.collect(), alive, draining: intake.clone() });
        let metrics_address = match config.metrics {
            Some(server) => {
                let (one, counted) = (Arc::clone(&vitals), bot.metrics.bot.clone());
                bot.metrics.refresh_with(move || one.count(&counted));
                Some(web::serve_metrics(server, bot.metrics.clone(), &mut parts).await?)
            }
            None => None,
        };
        let site = web::Site { vitals, routers, slow_routers };
        let (address, web) = match web::serve(&config.http, web::ServerLimits::default(), site, &mut parts).await {
            Ok((address, web)) => (address, Some(web)),
            Err(why @ AppError::Listen { .. }) if !has_to_listen => {
                tracing::warn!(%why, "nobody is answered over HTTP, which nothing but /healthz and /readyz needs");
                (config.http.listen, None)
            }
            Err(error) => return Err(error),
        };
        let worker = Delivery::new(Arc::clone(&store), health.clone(), DeliveryPolicy::default())
            .linking_causes(cause_pages)
            .counting(bot.metrics.bot.clone())
            .run(platforms, delivery.clone());
        parts.add_endless("delivery", worker);
        for (part, future) in background {
            parts.add(part, future);
        }
        let (one, every, stop) = (Arc::clone(&store), config.work.watch_every, intake.clone());
        parts.add_endless("the watch", async move { keep_schedule(&one, every, stop).await });
        let (one, stop, retention) = (Arc::clone(&store), intake.clone(), config.store.retention);
        parts.add_endless("retention", async move { keep_tidy(&one, retention, stop).await });
        let (one, counted) = (Arc::clone(&store), bot.metrics.bot.clone());
        parts.add("the store's check", check_intake(one, Arc::clone(&workers), health.clone(), counted, intake.clone()));
        let is_listening = web.is_some();
        Ok(App { address, metrics_address, is_listening, bot, workers, health, work: config.work, parts, intake, delivery, web })
    }

    /// Where it listens, or would.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it answers what it counted, if anywhere.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// False where the address was taken, and nothing needed it.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.is_listening
    }

    /// The bot inside.
    #[must_use]
    pub fn bot(&self) -> &Bot {
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
        let mut workers = tokio::spawn(Arc::clone(&self.workers).work(self.intake.clone()));
        let names = Arc::clone(&self.bot.autocomplete);
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
            tracing::info!("stopping: no new work is accepted, running work may finish");
        }
        self.intake.cancel();
        let calm = async {
            if !workers.is_finished()
                && let Err(error) = workers.await
            {
                tracing::error!(%error, "the workers failed");
            }
            last_messages(&self.bot.store, LAST_MESSAGES).await;
            self.delivery.cancel();
            if let Some(web) = &self.web {
                web.stop();
            }
            self.parts.rest(LAST_MESSAGES).await;
            self.bot.store.close().await;
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
async fn check_intake(
    store: Arc<Store>,
    workers: Arc<Workers>,
    health: Health,
    metrics: BotMetrics,
    stop: CancellationToken,
) -> Result<(), String> {
    loop {
        let tried = tokio::time::timeout(STORE_CHECK, store.try_out()).await;
        let why = tried.unwrap_or_else(|_| Err("it does not answer".to_owned())).err();
        if health.note("store", why.as_deref()) {
            match why {
                None => tracing::info!("the store works again"),
                Some(why) => tracing::error!(why, "the store cannot be written to: everything is answered with 503 until it can"),
            }
        }
        // Where they cannot be read, the store's own failure says so.
        if let Ok(waiting) = store.waiting_triggers().await {
            metrics.triggers_wait(waiting.count, waiting.oldest);
        }
        if let Ok(waiting) = store.waiting_messages().await {
            metrics.messages_wait(waiting.count, waiting.oldest);
        }
        let stalled = workers.stalled();
        if health.note("work", stalled) {
            match stalled {
                None => tracing::info!("triggers are claimed again"),
                Some(why) => tracing::error!(why, "accepted triggers are not being processed"),
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(STORE_CHECK)).await.is_none() {
            return Ok(());
        }
    }
}
