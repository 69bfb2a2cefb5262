//! The endpoints of Discord's REST interface that are used: their addresses, and what shares a limit.

use super::snowflake::Snowflake;

/// An endpoint. Source: Discord developer documentation, "API Reference".
#[derive(Debug, Clone, Copy)]
pub(super) enum Route<'a> {
    /// The threads of a server that are not archived.
    ActiveThreads {
        guild: Snowflake,
    },
    /// The application the bot's token belongs to.
    Application,
    /// A channel or thread.
    Channel {
        channel: Snowflake,
    },
    /// The commands of an application, everywhere.
    Commands {
        application: Snowflake,
    },
    /// Channels with one person alone.
    DirectChannels,
    /// Further answers to an interaction.
    FollowUps {
        application: Snowflake,
        token: &'a str,
    },
    /// Where the gateway is.
    Gateway,
    /// The commands of an application in one server.
    GuildCommands {
        application: Snowflake,
        guild: Snowflake,
    },
    /// The first answer to an interaction.
    InteractionResponse {
        interaction: Snowflake,
        token: &'a str,
    },
    Me,
    /// A person in a server.
    Member {
        guild: Snowflake,
        user: Snowflake,
    },
    Message {
        channel: Snowflake,
        message: Snowflake,
    },
    /// The messages of a channel or thread.
    Messages {
        channel: Snowflake,
    },
    /// The thread of a message.
    MessageThreads {
        channel: Snowflake,
        message: Snowflake,
    },
    /// The servers the bot is in.
    MyGuilds,
    /// The posts of a forum.
    Posts {
        forum: Snowflake,
    },
    /// The first answer to an interaction, once it was given.
    OriginalResponse {
        application: Snowflake,
        token: &'a str,
    },
    /// The roles of a server.
    Roles {
        guild: Snowflake,
    },
}

impl Route<'_> {
    /// The address, below the interface's base.
    pub(super) fn path(&self) -> String {
        match self {
            Route::ActiveThreads { guild } => format!("/guilds/{guild}/threads/active"),
            Route::Application => "/oauth2/applications/@me".to_owned(),
            Route::Channel { channel } => format!("/channels/{channel}"),
            Route::Commands { application } => format!("/applications/{application}/commands"),
            Route::DirectChannels => "/users/@me/channels".to_owned(),
            Route::FollowUps { application, token } => format!("/webhooks/{application}/{token}"),
            Route::Gateway => "/gateway/bot".to_owned(),
            Route::GuildCommands { application, guild } => format!("/applications/{application}/guilds/{guild}/commands"),
            Route::InteractionResponse { interaction, token } => format!("/interactions/{interaction}/{token}/callback"),
            Route::Me => "/users/@me".to_owned(),
            Route::Member { guild, user } => format!("/guilds/{guild}/members/{user}"),
            Route::Message { channel, message } => format!("/channels/{channel}/messages/{message}"),
            Route::Messages { channel } => format!("/channels/{channel}/messages"),
            Route::MessageThreads { channel, message } => format!("/channels/{channel}/messages/{message}/threads"),
            Route::MyGuilds => "/users/@me/guilds".to_owned(),
            Route::OriginalResponse { application, token } => format!("/webhooks/{application}/{token}/messages/@original"),
            Route::Posts { forum } => format!("/channels/{forum}/threads"),
            Route::Roles { guild } => format!("/guilds/{guild}/roles"),
        }
    }

    /// The address without the ids that no limit is counted by.
    ///
    /// Source: Discord developer documentation, "Rate Limits", top-level resources: limits count by channel, by server, and
    /// by webhook with its token.
    pub(super) fn bucket(&self) -> String {
        match self {
            Route::GuildCommands { application, .. } => format!("/applications/{application}/guilds/:guild/commands"),
            Route::InteractionResponse { token, .. } => format!("/interactions/:interaction/{token}/callback"),
            Route::Member { guild, .. } => format!("/guilds/{guild}/members/:user"),
            Route::Message { channel, .. } => format!("/channels/{channel}/messages/:message"),
            Route::MessageThreads { channel, .. } => format!("/channels/{channel}/messages/:message/threads"),
            other => other.path(),
        }
    }

    /// True where the interaction's own token is the authority: the bot's token is not sent there, the limit over all
    /// requests does not count there, and a refusal says nothing about the bot's token.
    ///
    /// Source: Discord developer documentation, "Receiving and Responding", interaction endpoints are not bound to the
    /// bot's global rate limit.
    pub(super) const fn is_by_interaction(&self) -> bool {
        matches!(self, Route::InteractionResponse { .. } | Route::OriginalResponse { .. } | Route::FollowUps { .. })
    }
}
