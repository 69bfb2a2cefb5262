//! The operations of Discord's REST interface that are used.

use super::snowflake::Snowflake;

/// What is addressed; paths are made of ids and the tokens Discord gave, never of other text.
#[derive(Clone, Copy)]
pub(super) enum Route<'a> {
    /// The messages of a channel or thread.
    Messages { channel: Snowflake },
    /// One message.
    Message { channel: Snowflake, message: Snowflake },
    /// The thread of a message.
    ThreadFrom { channel: Snowflake, message: Snowflake },
    /// A channel or thread itself.
    Channel { channel: Snowflake },
    /// The first answer to an interaction.
    Callback { interaction: Snowflake, token: &'a str },
    /// The first answer, once it was given.
    FirstAnswer { application: Snowflake, token: &'a str },
    /// Further answers to an interaction.
    FollowUps { application: Snowflake, token: &'a str },
    /// The slash commands, in a server or everywhere.
    Commands { application: Snowflake, guild: Option<Snowflake> },
    /// Where the gateway is, and how often we may identify.
    Gateway,
    /// The bot's own account.
    Me,
    /// The application the token belongs to.
    Application,
}

impl Route<'_> {
    /// The path below the base address.
    pub(super) fn path(self) -> String {
        match self {
            Route::Messages { channel } => format!("/channels/{channel}/messages"),
            Route::Message { channel, message } => format!("/channels/{channel}/messages/{message}"),
            Route::ThreadFrom { channel, message } => format!("/channels/{channel}/messages/{message}/threads"),
            Route::Channel { channel } => format!("/channels/{channel}"),
            Route::Callback { interaction, token } => format!("/interactions/{interaction}/{}/callback", segment(token)),
            Route::FirstAnswer { application, token } => {
                format!("/webhooks/{application}/{}/messages/@original", segment(token))
            }
            Route::FollowUps { application, token } => format!("/webhooks/{application}/{}", segment(token)),
            Route::Commands { application, guild: None } => format!("/applications/{application}/commands"),
            Route::Commands { application, guild: Some(guild) } => {
                format!("/applications/{application}/guilds/{guild}/commands")
            }
            Route::Gateway => "/gateway/bot".to_owned(),
            Route::Me => "/users/@me".to_owned(),
            Route::Application => "/applications/@me".to_owned(),
        }
    }

    /// What shares a limit: the operation with its channel, server or interaction, without the ids below.
    ///
    /// Source: Discord developer documentation, "Rate Limits": top-level resources.
    pub(super) fn bucket(self) -> String {
        match self {
            Route::Message { channel, .. } => format!("/channels/{channel}/messages/*"),
            Route::ThreadFrom { channel, .. } => format!("/channels/{channel}/messages/*/threads"),
            other => other.path(),
        }
    }

    /// True where the interaction's own token is the authority: the bot's token is not sent there, the limit over all
    /// requests does not count there, and a refusal says nothing about the bot's token.
    ///
    /// Source: Discord developer documentation, "Receiving and Responding", interaction endpoints are not bound to the
    /// bot's global rate limit.
    pub(super) fn is_by_interaction(self) -> bool {
        matches!(self, Route::Callback { .. } | Route::FirstAnswer { .. } | Route::FollowUps { .. })
    }
}

/// An interaction's token as one segment of a path.
fn segment(token: &str) -> String {
    percent_encoding::utf8_percent_encode(token, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%5F", "_")
        .replace("%2D", "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cannot_leave_its_segment() {
        let application = Snowflake::new(7).unwrap();
        let path = Route::FollowUps { application, token: "aW50ZXJ_-/../../users/@me?x#y" }.path();
        assert_eq!(path, "/webhooks/7/aW50ZXJ_-%2F%2E%2E%2F%2E%2E%2Fusers%2F%40me%3Fx%23y");
    }

    #[test]
    fn messages_of_a_channel_share_a_limit_and_channels_do_not() {
        let [a, b] = [1, 2].map(|id| Snowflake::new(id).unwrap());
        let bucket = |channel, message| Route::Message { channel, message }.bucket();
        assert_eq!(bucket(a, a), bucket(a, b));
        assert_ne!(bucket(a, a), bucket(b, a));
        assert_ne!(bucket(a, a), Route::Messages { channel: a }.bucket());
    }
}
