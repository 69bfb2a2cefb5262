//! The tokens as they are now. They are read anew while the process runs, so that one takes another's place without an end.

use super::config::{SlackConfig, SlackTokens};
use crate::config::{LiveToken, Token, UnreadTokens};
use tokio::sync::watch;

#[derive(Debug)]
pub(super) struct LiveTokens {
    config: SlackConfig,
    pub(super) bot: LiveToken,
    /// The app-level token in Socket Mode, the signing secrets in HTTP mode.
    pub(super) inbound: LiveToken,
    unread: UnreadTokens,
    /// Told when there is a new bot token, with which more may go out.
    renewed: watch::Sender<()>,
}

impl LiveTokens {
    pub(super) fn new(config: &SlackConfig, tokens: &SlackTokens) -> LiveTokens {
        let SlackTokens { bot, inbound, next_inbound } = tokens.clone();
        LiveTokens {
            config: config.clone(),
            bot: LiveToken::new(bot, None),
            inbound: LiveToken::new(inbound, next_inbound),
            unread: UnreadTokens::default(),
            renewed: watch::Sender::new(()),
        }
    }

    /// Reads them where the configuration says they are.
    pub(super) fn renew(&self) {
        match self.config.fetch_tokens() {
            Ok(SlackTokens { bot, inbound, next_inbound }) => {
                self.unread.clear();
                if self.inbound.replace(inbound, next_inbound) {
                    tracing::info!("Slack has a new app-level token or signing secret");
                }
                if self.bot.replace(bot, None) {
                    tracing::info!("Slack has a new bot token");
                    self.renewed.send_replace(());
                }
            }
            Err(problems) => {
                self.unread.note(problems, |why| tracing::error!(why, "a token of Slack cannot be read anew: the old one stays"));
            }
        }
    }

    /// True where there is another bot token by now than `tried`.
    pub(super) fn have_another_bot_than(&self, tried: &Token) -> bool {
        self.renew();
        self.bot.current().expose() != tried.expose()
    }

    /// True where there is another token for sockets by now than `tried`.
    pub(super) fn have_another_inbound_than(&self, tried: &Token) -> bool {
        self.renew();
        self.inbound.current().expose() != tried.expose()
    }

    /// Becomes ready when there is a new bot token.
    pub(super) fn renewals(&self) -> watch::Receiver<()> {
        self.renewed.subscribe()
    }
}
