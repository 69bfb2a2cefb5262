//! Discord as one of the platforms: its table, its limits, how it is built and checked.

use super::config::{DiscordConfig, DiscordMode, read};
use super::name::NAME;
use super::{Discord, check};
use crate::chat::{Built, Checked, Limits, LineSize, Manner, PlatformKind, ProgressLimit, Screen, Surroundings};
use crate::clock::Clock;
use crate::config::{Config, PlatformConfig, PlatformTable, Reader, Section, beside, keep_renewed};
use crate::model::PlatformName;
use async_trait::async_trait;
use std::sync::Arc;

/// What it says of itself. It counts the edits of each channel by themselves.
///
/// Source: `X-RateLimit-Limit` of "Edit Message": five within five seconds; half of that is left to verdicts.
pub(super) const LIMITS: Limits = Limits {
    screen: SCREEN,
    progress: Some(ProgressLimit { per_minute: 30, each_channel: true }),
    ..Limits::usual("Discord", Manner::Options)
};

/// Source: the model of its client in `tests/looks.py`, of which the sizes are those of its web client: text in lines of 22 pixels,
/// code in lines of 16 within a frame, a blank line between parts; a row of buttons, and each menu in a row of its own.
const SCREEN: Screen = Screen {
    around: 250,
    title: LineSize::new(22, 31),
    context: LineSize::new(22, 35),
    text: LineSize::new(22, 35),
    code: LineSize::new(16, 31),
    gap: 22,
    command_frame: 24,
    quote_frame: 24,
};

/// Discord.
pub struct Kind;

impl PlatformTable for Kind {
    fn name(&self) -> PlatformName {
        NAME
    }

    fn read(&self, _reader: &Reader<'_>, root: &Section<'_>) -> Option<Arc<dyn PlatformConfig>> {
        Some(Arc::new(read(root)?))
    }
}

#[async_trait]
impl PlatformKind for Kind {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn build(&self, around: &Surroundings<'_>) -> Result<Option<Built>, String> {
        let Some(settings) = around.config.platforms.of::<DiscordConfig>() else { return Ok(None) };
        let token = match settings.bot_token.fetch() {
            Ok(token) => token,
            Err(why) => {
                tracing::error!(why, "Discord is left out");
                return Ok(None);
            }
        };
        let discord = Discord::new(settings, token, Clock::system()).map_err(|error| error.to_string())?;
        let leads = (around.leads)(NAME);
        let listening = Arc::clone(&discord).run_while(leads, Arc::clone(&around.intake), around.stop.clone());
        discord.count_waits(around.metrics.engine.waits.clone());
        let one = Arc::clone(&discord);
        let renewing = keep_renewed(around.reload.clone(), around.stop.clone(), move || one.renew_token());
        if settings.mode == DiscordMode::Gateway {
            let (one, counted) = (Arc::clone(&discord), around.metrics.bot.clone());
            around.metrics.refresh_with(move || counted.connected(NAME, one.connections()));
        }
        let one = Arc::clone(&discord);
        Ok(Some(Built {
            router: (settings.mode == DiscordMode::Http).then(|| discord.routes(Arc::clone(&around.intake))),
            background: ("Discord", Box::pin(async { beside(listening, renewing).await.map_err(|error| error.to_string()) })),
            alive: Some(("discord", Box::new(move || one.is_alive()))),
            platform: discord,
            cause_pages: None,
        }))
    }

    async fn check(&self, config: &Config) -> Vec<Checked> {
        check::check(config).await
    }
}
