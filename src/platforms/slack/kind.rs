//! Slack as one of the platforms: its table, its limits, how it is built and checked.

use super::config::{SlackConfig, SlackMode, read};
use super::name::NAME;
use super::{Lookups, Slack, check};
use crate::chat::{Built, Checked, Limits, LineSize, Manner, PlatformKind, ProgressLimit, Screen, Surroundings};
use crate::clock::Clock;
use crate::config::{Config, Ids, PlatformConfig, PlatformTable, Reader, Section, beside, keep_renewed};
use crate::model::PlatformName;
use async_trait::async_trait;
use std::sync::Arc;

/// What it says of itself. Slash commands are not available in its threads, so people mention the bot there.
///
/// Source: Slack, "Slash commands"; "Rate limits": `chat.update` has tier 3, about 50 a minute and workspace.
pub(super) const LIMITS: Limits = Limits {
    screen: SCREEN,
    progress: Some(ProgressLimit { per_minute: 40, each_channel: false }),
    ..Limits::usual("Slack", Manner::Slash)
};

/// Source: the model of its client in `tests/looks.py`, of which the sizes are those of its web client: text of 15 pixels in lines of
/// 22, headers of 18, context of 13, code of 12 in a frame; buttons and menus in rows.
const SCREEN: Screen = Screen {
    around: 185,
    title: LineSize::new(27, 28),
    context: LineSize::new(19, 46),
    text: LineSize::new(22, 39),
    code: LineSize::new(18, 40),
    gap: 4,
    command_frame: 26,
    quote_frame: 26,
};

/// Slack.
pub struct Kind;

impl PlatformTable for Kind {
    fn name(&self) -> PlatformName {
        NAME
    }

    fn read(&self, reader: &Reader<'_>, root: &Section<'_>) -> Option<Arc<dyn PlatformConfig>> {
        Some(Arc::new(read(reader, root)?))
    }
}

#[async_trait]
impl PlatformKind for Kind {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn build(&self, around: &Surroundings<'_>) -> Result<Option<Built>, String> {
        let config = around.config;
        let Some(settings) = config.platforms.of::<SlackConfig>() else { return Ok(None) };
        let tokens = match settings.fetch_tokens() {
            Ok(tokens) => tokens,
            Err(missing) => {
                missing.iter().for_each(|why| tracing::error!(why, "Slack is left out"));
                return Ok(None);
            }
        };
        let rules = || config.allow.iter().chain(&config.deny);
        let lookups = Lookups {
            groups: rules().any(|rule| !rule.groups.is_empty()),
            standing: config.allow.iter().any(|rule| rule.users == Some(Ids::Any) || !rule.groups.is_empty()),
        };
        let slack = Slack::new(settings, &tokens, lookups, Clock::system()).map_err(|error| error.to_string())?;
        let slack = Arc::new(slack);
        let listening = Arc::clone(&slack).listen(Arc::clone(&around.intake), around.stop.clone());
        slack.count_waits(around.metrics.engine.waits.clone());
        let one = Arc::clone(&slack);
        let renewing = keep_renewed(around.reload.clone(), around.stop.clone(), move || one.renew_tokens());
        let has_sockets = matches!(settings.mode, SlackMode::Socket { .. });
        if has_sockets {
            let (one, counted) = (Arc::clone(&slack), around.metrics.bot.clone());
            around.metrics.refresh_with(move || counted.connected(NAME, one.sockets().open()));
        }
        let one = Arc::clone(&slack);
        let is_alive = move || one.is_token_accepted() && (!has_sockets || one.sockets().is_healthy());
        Ok(Some(Built {
            router: Arc::clone(&slack).router(Arc::clone(&around.intake)),
            background: ("Slack", Box::pin(async { beside(listening, renewing).await.map_err(|error| error.to_string()) })),
            alive: Some(("slack", Box::new(is_alive))),
            platform: slack,
            cause_pages: None,
        }))
    }

    async fn check(&self, config: &Config) -> Vec<Checked> {
        check::check(config).await
    }
}
