//! The methods of Slack's Web API that the bot calls, and the scope each needs.

/// A method. `config/slack-manifest.yaml` asks for the scopes of all of them, and for no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `apps.connections.open`, with the app-level token.
    AppsConnectionsOpen,
    /// `auth.test`
    AuthTest,
    /// `chat.postMessage`
    ChatPostMessage,
    /// `chat.update`
    ChatUpdate,
    /// `chat.unfurl`
    ChatUnfurl,
    /// `chat.postEphemeral`
    ChatPostEphemeral,
    /// `conversations.info`
    ConversationsInfo,
    /// `conversations.history`
    ConversationsHistory,
    /// `conversations.replies`
    ConversationsReplies,
    /// `files.getUploadURLExternal`
    FilesGetUploadUrl,
    /// `files.completeUploadExternal`
    FilesCompleteUpload,
    /// `usergroups.list`
    UsergroupsList,
    /// `users.info`
    UsersInfo,
    /// `views.open`
    ViewsOpen,
    /// `views.publish`
    ViewsPublish,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 15] = [
        Method::AppsConnectionsOpen,
        Method::AuthTest,
        Method::ChatPostMessage,
        Method::ChatUpdate,
        Method::ChatUnfurl,
        Method::ChatPostEphemeral,
        Method::ConversationsInfo,
        Method::ConversationsHistory,
        Method::ConversationsReplies,
        Method::FilesGetUploadUrl,
        Method::FilesCompleteUpload,
        Method::UsergroupsList,
        Method::UsersInfo,
        Method::ViewsOpen,
        Method::ViewsPublish,
    ];

    /// Its name, as it stands in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Method::AppsConnectionsOpen => "apps.connections.open",
            Method::AuthTest => "auth.test",
            Method::ChatPostMessage => "chat.postMessage",
            Method::ChatUpdate => "chat.update",
            Method::ChatUnfurl => "chat.unfurl",
            Method::ChatPostEphemeral => "chat.postEphemeral",
            Method::ConversationsInfo => "conversations.info",
            Method::ConversationsHistory => "conversations.history",
            Method::ConversationsReplies => "conversations.replies",
            Method::FilesGetUploadUrl => "files.getUploadURLExternal",
            Method::FilesCompleteUpload => "files.completeUploadExternal",
            Method::UsergroupsList => "usergroups.list",
            Method::UsersInfo => "users.info",
            Method::ViewsOpen => "views.open",
            Method::ViewsPublish => "views.publish",
        }
    }

    /// The scopes the bot token needs for it: in public and in private channels.
    ///
    /// Source: Slack, each method's reference page, "Required scopes".
    #[must_use]
    pub const fn scopes(self) -> &'static [&'static str] {
        match self {
            // Of the app-level token: connections:write.
            Method::AppsConnectionsOpen | Method::AuthTest | Method::ViewsOpen | Method::ViewsPublish => &[],
            Method::ChatPostMessage | Method::ChatUpdate | Method::ChatPostEphemeral => &["chat:write"],
            Method::ChatUnfurl => &["links:write"],
            Method::ConversationsInfo => &["channels:read", "groups:read"],
            Method::ConversationsHistory | Method::ConversationsReplies => &["channels:history", "groups:history"],
            Method::FilesGetUploadUrl | Method::FilesCompleteUpload => &["files:write"],
            Method::UsergroupsList => &["usergroups:read"],
            Method::UsersInfo => &["users:read"],
        }
    }
}

/// What Slack sends the bot, and the scope each needs: `app_mention` events, slash commands, `link_shared` events, and
/// `member_joined_channel` events of public and of private channels.
///
/// Source: Slack, "app_mention event", "commands scope", "link_shared event" and "member_joined_channel event".
pub const INBOUND_SCOPES: [&str; 5] = ["app_mentions:read", "channels:read", "commands", "groups:read", "links:read"];
