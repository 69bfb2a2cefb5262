//! The platforms and what else comes in: one line each.

use super::{AppError, Bot};
use crate::alarm::{Endpoint, Limits};
use crate::chat::{ChatPlatform, Intake};
use crate::clock::Clock;
use crate::config::{Config, DiscordMode, Ids};
use crate::diagnosis::page_of;
use crate::investigation::new_id;
use crate::model::Cause;
use crate::platforms::console::{self, Console, Settings};
use crate::platforms::discord::Discord;
use crate::platforms::slack::{Lookups, Slack};
use axum::Router;
use futures::future::BoxFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What platforms bring into the whole.
#[derive(Default)]
pub struct Platforms {
    /// Where messages go.
    pub platforms: Vec<Arc<dyn ChatPlatform>>,
    /// What is answered over HTTP.
    pub routers: Vec<Router>,
    /// What runs beside everything else until the intake closes; ending earlier ends the process.
    pub background: Vec<(&'static str, BoxFuture<'static, Result<(), String>>)>,
    /// Whether each transport is alive, by its own heartbeats.
    pub alive: Vec<(&'static str, Alive)>,
}

/// Tells whether a transport is alive.
pub(super) type Alive = Box<dyn Fn() -> bool + Send + Sync>;

impl Platforms {
    /// Adds what alarms need: `POST /sns`, and the periodic look. `client` fetches certificates.
    ///
    /// # Errors
    /// [`AppError`] when no client can be made.
    pub fn with_alarms(
        mut self,
        config: &Config,
        bot: &Bot,
        stop: &CancellationToken,
        client: reqwest::ClientBuilder,
    ) -> Result<Platforms, AppError> {
        if let Some(sns) = &config.alarms.sns {
            let client = client.build().map_err(|error| AppError::Tls(error.to_string()))?;
            let (intake, subscriber) = (Arc::clone(&bot.alarm_intake), Arc::clone(&bot.subscriber));
            let endpoint = Endpoint::new(sns.clone(), Clock::system(), client, intake, subscriber, Limits::default());
            self.routers.push(endpoint.router());
        }
        if config.alarms.reconcile_every.is_some() {
            let (reconciler, stop) = (Arc::clone(&bot.reconciler), stop.clone());
            let looking = async move {
                reconciler.keep_reconciling(stop).await;
                Ok(())
            };
            self.background.push(("the look for lost alarms", Box::pin(looking)));
        }
        Ok(self)
    }
}

/// Plugs in what the configuration names. A platform whose tokens are missing is left out, with a word to the operator.
pub(super) fn build(config: &Config, bot: &Bot, stop: &CancellationToken) -> Result<Platforms, AppError> {
    let mut platforms = Platforms::default();
    let intake: Arc<dyn Intake> = Arc::clone(&bot.intake) as Arc<dyn Intake>;
    slack(config, &intake, stop, &mut platforms)?;
    discord(config, &intake, stop, &mut platforms)?;
    platforms = platforms.with_alarms(config, bot, stop, crate::alarm::certificate_client())?;
    console(config, bot, stop, &mut platforms);
    let is_configured = config.slack.is_some() || config.discord.is_some() || config.console.is_some();
    match platforms.platforms.as_slice() {
        [] if is_configured => Err(AppError::NoTokens),
        [] => Err(AppError::NoPlatform),
        _ => Ok(platforms),
    }
}

fn slack(config: &Config, intake: &Arc<dyn Intake>, stop: &CancellationToken, platforms: &mut Platforms) -> Result<(), AppError> {
    let Some(settings) = &config.slack else { return Ok(()) };
    let tokens = match settings.fetch_tokens() {
        Ok(tokens) => tokens,
        Err(missing) => {
            missing.iter().for_each(|why| tracing::error!(why, "Slack is left out"));
            return Ok(());
        }
    };
    let rules = || config.allow.iter().chain(&config.deny);
    let lookups = Lookups {
        groups: rules().any(|rule| !rule.groups.is_empty()),
        standing: config.allow.iter().any(|rule| rule.users == Some(Ids::Any) || !rule.groups.is_empty()),
    };
    let slack = Slack::new(settings, &tokens, lookups, Clock::system()).map_err(|error| AppError::Platform(error.to_string()))?;
    let slack = Arc::new(slack);
    platforms.routers.extend(Arc::clone(&slack).router(Arc::clone(intake)));
    let listening = Arc::clone(&slack).listen(Arc::clone(intake), stop.clone());
    platforms.background.push(("Slack", Box::pin(async { listening.await.map_err(|error| error.to_string()) })));
    let one = Arc::clone(&slack);
    let has_sockets = matches!(settings.mode, crate::config::SlackMode::Socket { .. });
    let is_alive = move || one.is_token_accepted() && (!has_sockets || one.sockets().is_healthy());
    platforms.alive.push(("slack", Box::new(is_alive)));
    platforms.platforms.push(slack);
    Ok(())
}

fn discord(
    config: &Config,
    intake: &Arc<dyn Intake>,
    stop: &CancellationToken,
    platforms: &mut Platforms,
) -> Result<(), AppError> {
    let Some(settings) = &config.discord else { return Ok(()) };
    let token = match settings.bot_token.fetch() {
        Ok(token) => token,
        Err(why) => {
            tracing::error!(why, "Discord is left out");
            return Ok(());
        }
    };
    let discord = Discord::new(settings, token, Clock::system()).map_err(|error| AppError::Platform(error.to_string()))?;
    if settings.mode == DiscordMode::Http {
        platforms.routers.push(discord.routes(Arc::clone(intake)));
    }
    let listening = Arc::clone(&discord).run(Arc::clone(intake), stop.clone());
    platforms.background.push(("Discord", Box::pin(async { listening.await.map_err(|error| error.to_string()) })));
    let one = Arc::clone(&discord);
    platforms.alive.push(("discord", Box::new(move || one.is_alive())));
    platforms.platforms.push(discord);
    Ok(())
}

fn console(config: &Config, bot: &Bot, stop: &CancellationToken, platforms: &mut Platforms) {
    let Some(offered) = &config.console else { return };
    let token = match offered.token.fetch() {
        Ok(token) => token,
        Err(why) => {
            tracing::error!(why, "the web console is left out");
            return;
        }
    };
    if !token.is_hard_to_guess() {
        let why = format!("fewer than {} characters, or always the same ones", crate::config::MIN_TOKEN_LENGTH);
        tracing::warn!(
            why,
            "the token of the web console could be guessed, so wrong ones also lock out who comes from the same address: make one with `openssl rand -hex 16`"
        );
    }
    let listen = config.http.listen;
    let settings = Settings {
        hosts: offered.url.as_ref().map_or_else(|| hosts(listen), |url| vec![url.host.clone()]),
        token: Some(token),
        secure: offered.url.as_ref().map_or(config.http.tls.is_some(), |url| url.secure),
        path: offered.url.as_ref().map_or_else(String::new, |url| url.path.clone()),
        trusted_proxies: offered.trusted_proxies.clone(),
        note: None,
        examples: Vec::new(),
        cause_page,
        new_id,
    };
    page(Console::new(settings), bot, stop, platforms);
}

/// The page of the cause with this id.
pub(super) fn cause_page(id: &str) -> Option<&'static str> {
    Cause::from_id(id).and_then(page_of)
}

/// What browsers call an address of this machine.
pub(super) fn hosts(address: SocketAddr) -> Vec<String> {
    let mut hosts = vec![address.to_string()];
    if address.ip().is_loopback() {
        hosts.push(format!("localhost:{}", address.port()));
    }
    hosts
}

/// Plugs a page in; its streams end when the intake closes, so that the server can end too.
pub(super) fn page(page: Arc<Console>, bot: &Bot, stop: &CancellationToken, platforms: &mut Platforms) {
    let board = Arc::clone(&bot.store);
    platforms.routers.push(console::router(Arc::clone(&page), Arc::clone(&bot.intake) as Arc<dyn Intake>, board));
    let (one, stop) = (Arc::clone(&page), stop.clone());
    platforms.background.push((
        "the page",
        Box::pin(async move {
            stop.cancelled().await;
            one.close();
            Ok(())
        }),
    ));
    platforms.platforms.push(page);
}
