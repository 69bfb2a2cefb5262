//! The platforms, one line each; and what else comes in.

use super::reload::Reload;
use super::{AppError, Bot};
use crate::alarm::{Endpoint, EndpointLimits};
use crate::chat::{Alive, Background, Built, ChatPlatform, Intake, MessageHistory, PlatformKind, Surroundings};
use crate::clock::Clock;
use crate::config::{Config, keep_renewed};
use crate::diagnosis::page_of;
use crate::investigation::new_id;
use crate::mcp::{self, AgentDoor, AgentTokens, Investigator};
use crate::model::{Cause, PlatformName};
use crate::platforms::console::hosts;
use crate::store::courier;
use axum::Router;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Every chat platform. Nothing else names one: a new platform is its folder, and its line here.
pub const PLATFORMS: &[&dyn PlatformKind] =
    &[&crate::platforms::slack::Kind, &crate::platforms::discord::Kind, &crate::platforms::console::Kind];

/// What platforms bring into the whole.
#[derive(Default)]
pub struct Platforms {
    pub platforms: Vec<Arc<dyn ChatPlatform>>,
    /// What is answered over HTTP.
    pub routers: Vec<Router>,
    /// The same, where an answer may take as long as an investigation.
    pub slow_routers: Vec<Router>,
    /// What runs beside everything else until the intake closes; ending earlier ends the process.
    pub background: Vec<Background>,
    /// Whether each transport is alive, by its own heartbeats.
    pub alive: Vec<(&'static str, Alive)>,
    /// The address below which the page of a cause is shown, where a platform shows it.
    pub cause_pages: Option<String>,
}

impl Platforms {
    /// Adds a platform.
    pub(super) fn add(&mut self, built: Built) {
        self.platforms.push(built.platform);
        self.routers.extend(built.router);
        self.background.push(built.background);
        self.alive.extend(built.alive);
        self.cause_pages = self.cause_pages.take().or(built.cause_pages);
    }

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
            let endpoint = Endpoint::new(sns.clone(), Clock::system(), client, intake, subscriber, EndpointLimits::default());
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

    /// Adds what other agents call, and has their tokens read anew when `reload` says so and from time to time.
    #[must_use]
    pub(super) fn with_agents(mut self, config: &Config, bot: &Bot, reload: &Reload, stop: &CancellationToken) -> Platforms {
        let Some(named) = &config.agents else { return self };
        let agents = Arc::new(AgentTokens::fetch(&named.agents));
        let hosts = if named.hosts.is_empty() { hosts(config.http.listen) } else { named.hosts.clone() };
        self.slow_routers.push(mcp::router(
            AgentDoor { agents: Arc::clone(&agents), hosts },
            Arc::clone(&bot.agents) as Arc<dyn Investigator>,
            stop.clone(),
        ));
        let renewing = keep_renewed(reload.listen(), stop.clone(), move || agents.renew());
        let renewing = async move {
            renewing.await;
            Ok(())
        };
        self.background.push(("the tokens of agents", Box::pin(renewing)));
        self
    }
}

/// Plugs in what the configuration names, of these kinds of platforms.
pub(super) fn build(
    kinds: &[&dyn PlatformKind],
    config: &Config,
    bot: &Bot,
    reload: &Reload,
    stop: &CancellationToken,
) -> Result<Platforms, AppError> {
    let mut built = Platforms::default();
    let leads = |platform: PlatformName| bot.store.term_of(&courier(platform));
    let around = Surroundings {
        config,
        intake: Arc::clone(&bot.intake) as Arc<dyn Intake>,
        history: Arc::clone(&bot.history) as Arc<dyn MessageHistory>,
        stop: stop.clone(),
        reload: reload.listen(),
        metrics: bot.metrics.clone(),
        new_id,
        leads: &leads,
        cause_page,
    };
    for kind in kinds {
        if let Some(platform) = kind.build(&around).map_err(AppError::Platform)? {
            built.add(platform);
        }
    }
    let built = built.with_alarms(config, bot, stop, crate::alarm::certificate_client())?.with_agents(config, bot, reload, stop);
    match built.platforms.as_slice() {
        [] if config.agents.is_some() => Ok(built),
        [] if config.platforms.is_empty() => Err(AppError::NoPlatform),
        [] => Err(AppError::NoTokens),
        _ => Ok(built),
    }
}

/// The page of the cause with this id.
pub(super) fn cause_page(id: &str) -> Option<&'static str> {
    Cause::from_id(id).and_then(page_of)
}

/// The tables of platforms, as a sentence offers them: `[slack], [discord] or [console]`.
pub(super) fn tables(kinds: &[&dyn PlatformKind], conjunction: &str) -> String {
    let tables: Vec<String> = kinds.iter().map(|kind| format!("[{}]", kind.name())).collect();
    match tables.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} {conjunction} {last}", others.join(", ")),
        _ => tables.concat(),
    }
}

#[cfg(test)]
mod tests;
