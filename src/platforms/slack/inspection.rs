//! What can be learned about the set-up without posting or changing anything.

use super::Slack;
use super::api::Done;
use super::config::SlackMode;
use super::failure::{FailureKind, SlackFailure};
use super::method::Method;
use serde::Deserialize;

/// Whether the bot takes part in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    Member,
    /// It does not, or there is no such channel: of a private one Slack says the same.
    Stranger,
    /// It cannot be told, and why.
    Unknown(String),
}

#[derive(Deserialize)]
struct ChannelAnswer {
    channel: ChannelRecord,
}

/// What `conversations.info` says about a channel. Source: Slack, "Conversation object".
#[derive(Deserialize)]
struct ChannelRecord {
    #[serde(default)]
    is_ext_shared: bool,
}

impl Slack {
    /// The id of the workspace the bot token is of; `None` until [`Slack::introduce`] succeeded, and for an app of a whole
    /// organization.
    #[must_use]
    pub fn workspace(&self) -> Option<&str> {
        self.own_team()
    }

    /// Whether the app-level token opens sockets. No socket is opened for it.
    ///
    /// # Errors
    /// Why not, and what to do. In HTTP mode there is nothing to ask.
    pub async fn check_sockets(&self) -> Result<(), String> {
        if matches!(self.mode, SlackMode::Http { .. }) {
            return Ok(());
        }
        match self.api.open_socket().await {
            Ok(_) => Ok(()),
            Err(SlackFailure { kind: FailureKind::Code(code), .. }) => Err(match code.as_str() {
                // Source: Slack, "apps.connections.open", "Errors".
                "missing_scope" | "no_permission" => {
                    "the app-level token lacks the scope connections:write: generate another under Basic Information, App-Level Tokens".to_owned()
                }
                "not_allowed_token_type" => {
                    "slack.app_token is no app-level token: Basic Information, App-Level Tokens has it, and it begins with xapp-".to_owned()
                }
                "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
                    format!("Slack does not accept the app-level token ({code}): generate another under Basic Information, App-Level Tokens")
                }
                other => format!("Slack opens no socket ({other}): is Socket Mode on in the app's settings?"),
            }),
            Err(failure) => Err(failure.to_string()),
        }
    }

    /// Whether people of another organization read a channel too; `None` where Slack does not say.
    pub async fn is_shared(&self, channel: &str) -> Option<bool> {
        let answer = self.api.get::<ChannelAnswer>(Method::ConversationsInfo, &[("channel", channel)]).await.ok()?;
        Some(answer.channel.is_ext_shared)
    }

    /// Whether the bot takes part in a channel: Slack lets it read the history of such channels alone.
    ///
    /// Source: Slack, "conversations.history", "Errors": `not_in_channel`, and `channel_not_found` for private channels.
    pub async fn presence(&self, channel: &str) -> Presence {
        match self.api.get::<Done>(Method::ConversationsHistory, &[("channel", channel), ("limit", "1")]).await {
            Ok(_) => Presence::Member,
            Err(SlackFailure { kind: FailureKind::Code(code), .. })
                if ["not_in_channel", "channel_not_found"].contains(&code.as_str()) =>
            {
                Presence::Stranger
            }
            Err(failure) => Presence::Unknown(failure.to_string()),
        }
    }
}
