//! What Slack sends, as far as the bot reads it.
//!
//! slack-morphism's own types refuse a whole interaction for a detail that does not matter here, such as `team: null` in an
//! app of an organization, or a block of the message that was clicked; a click would be lost for it. These read no more
//! than is used.

use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// A slash command. Source: Slack, "Slash commands", "Understanding the payload".
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CommandPayload {
    pub(super) team_id: String,
    pub(super) channel_id: String,
    pub(super) user_id: String,
    #[serde(default)]
    pub(super) text: String,
    pub(super) response_url: Option<String>,
    pub(super) trigger_id: String,
}

/// An event and its envelope. Source: Slack, "Events API", "Callback field overview".
#[derive(Debug, Clone, Deserialize)]
pub(super) struct EventPayload {
    pub(super) team_id: String,
    pub(super) event: Event,
    #[serde(default)]
    pub(super) authorizations: Vec<Authorization>,
    /// The workspace through which the app sees it.
    #[serde(default)]
    pub(super) context_team_id: Option<String>,
    /// True where it happened in a channel that another organization shares.
    #[serde(default)]
    pub(super) is_ext_shared_channel: Option<bool>,
}

/// An installation of the app that sees an event. In a shared channel this is ours, while the event's own workspace may be
/// that of whoever wrote. Source: Slack, "Events API", "Callback field overview"; bolt-python's `extract_team_id`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Authorization {
    #[serde(default)]
    pub(super) team_id: Option<String>,
    #[serde(default)]
    pub(super) user_id: Option<String>,
}

/// An event.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Event {
    AppMention(Box<Mentioned>),
    AppHomeOpened(HomeOpened),
    MemberJoinedChannel(Joined),
    LinkShared(SharedLinks),
    #[serde(other)]
    Other,
}

/// Someone wrote to the bot. Source: Slack, "app_mention event".
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Mentioned {
    pub(super) user: Option<String>,
    #[serde(default)]
    pub(super) text: String,
    pub(super) ts: String,
    pub(super) channel: String,
    pub(super) thread_ts: Option<String>,
    pub(super) bot_id: Option<String>,
    pub(super) subtype: Option<String>,
    pub(super) edited: Option<Value>,
    /// The person's own workspace, in a channel that is shared with another; Slack names it in one or several of these.
    pub(super) user_team: Option<String>,
    pub(super) source_team: Option<String>,
    pub(super) team: Option<String>,
}

/// Someone wrote links to a domain of the app. Source: Slack, "link_shared event".
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SharedLinks {
    pub(super) user: String,
    pub(super) channel: String,
    #[serde(default)]
    pub(super) thread_ts: Option<String>,
    pub(super) message_ts: String,
    #[serde(default)]
    pub(super) unfurl_id: Option<String>,
    #[serde(default)]
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) links: Vec<SharedLink>,
}

/// One of them.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SharedLink {
    #[serde(default)]
    pub(super) url: String,
}

/// Someone became a member of a channel. Source: Slack, "member_joined_channel event".
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Joined {
    pub(super) user: String,
    pub(super) channel: String,
}

/// Someone looks at the bot's home. Source: Slack, "app_home_opened event".
#[derive(Debug, Clone, Deserialize)]
pub(super) struct HomeOpened {
    pub(super) user: String,
    #[serde(default)]
    pub(super) tab: String,
}

/// A click or a submission. Source: Slack, "Interaction payloads".
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Interaction {
    BlockActions(Box<Clicked>),
    ViewSubmission(Box<Submitted>),
    MessageAction(Box<UsedShortcut>),
    #[serde(other)]
    Other,
}

/// Buttons and menus that were used.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Clicked {
    #[serde(default)]
    pub(super) team: Option<Id>,
    pub(super) user: Clicker,
    pub(super) trigger_id: String,
    #[serde(default)]
    pub(super) container: Container,
    #[serde(default)]
    pub(super) channel: Option<Id>,
    #[serde(default)]
    pub(super) message: Option<ClickedMessage>,
    #[serde(default)]
    pub(super) response_url: Option<String>,
    #[serde(default)]
    pub(super) actions: Vec<UsedAction>,
}

/// A shortcut that was used on a message. Source: Slack, "Shortcut payloads", message shortcuts.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct UsedShortcut {
    #[serde(default)]
    pub(super) callback_id: String,
    #[serde(default)]
    pub(super) team: Option<Id>,
    pub(super) user: Clicker,
    pub(super) trigger_id: String,
    #[serde(default)]
    pub(super) channel: Option<Id>,
    #[serde(default)]
    pub(super) response_url: Option<String>,
    #[serde(default)]
    pub(super) message: Value,
}

impl UsedShortcut {
    /// The message that the thread of the one it was used on hangs on: that one itself, where it is in none.
    pub(super) fn root(&self) -> Option<&str> {
        let of = |key: &str| self.message.get(key).and_then(Value::as_str);
        of("thread_ts").or_else(|| of("ts"))
    }
}

/// Anything of which the id is read.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Id {
    pub(super) id: String,
}

/// Who clicked.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Clicker {
    pub(super) id: String,
    #[serde(default)]
    pub(super) team_id: Option<String>,
}

/// What a button belongs to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Container {
    pub(super) channel_id: Option<String>,
    pub(super) message_ts: Option<String>,
    pub(super) thread_ts: Option<String>,
}

/// The message that was clicked in.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ClickedMessage {
    #[serde(default)]
    pub(super) thread_ts: Option<String>,
}

/// A button or a menu, and what it stands for.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct UsedAction {
    pub(super) action_id: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    selected_option: Option<Chosen>,
}

impl UsedAction {
    /// The button's value, or that of the entry chosen.
    pub(super) fn value(&self) -> Option<&str> {
        self.selected_option.as_ref().map(|option| option.value.as_str()).or(self.value.as_deref())
    }
}

/// A menu's entry.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Chosen {
    pub(super) value: String,
}

/// A dialog that was sent off.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Submitted {
    #[serde(default)]
    pub(super) team: Option<Id>,
    pub(super) user: Clicker,
    pub(super) view: SubmittedView,
    #[serde(default)]
    pub(super) response_urls: Vec<ChannelUrl>,
}

/// Where the channel that was chosen in a dialog takes an answer, also where the bot is no member.
///
/// Source: Slack, "Handling user interaction", "Modals and response URLs".
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ChannelUrl {
    #[serde(default)]
    pub(super) channel_id: String,
    #[serde(default)]
    pub(super) response_url: String,
}

/// The dialog and what was filled in.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SubmittedView {
    pub(super) id: String,
    #[serde(default)]
    pub(super) hash: String,
    #[serde(default)]
    pub(super) callback_id: String,
    /// What the dialog was opened with.
    #[serde(default)]
    pub(super) private_metadata: String,
    #[serde(default)]
    pub(super) team_id: Option<String>,
    /// The workspace of the app, where the dialog was opened in a channel that is shared with another.
    #[serde(default)]
    pub(super) app_installed_team_id: Option<String>,
    #[serde(default)]
    pub(super) state: ViewState,
}

/// What was filled in: by block, then by element.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ViewState {
    values: HashMap<String, HashMap<String, Filled>>,
}

/// One field.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Filled {
    value: Option<String>,
    selected_option: Option<Chosen>,
    selected_conversation: Option<String>,
}

impl ViewState {
    /// What was filled in in a block; empty where nothing was.
    pub(super) fn field(&self, block: &str) -> &str {
        let filled = self.values.get(block).and_then(|elements| elements.values().next());
        let filled = filled.and_then(|filled| {
            let option = filled.selected_option.as_ref().map(|option| option.value.as_str());
            filled.value.as_deref().or(option).or(filled.selected_conversation.as_deref())
        });
        filled.unwrap_or_default().trim()
    }
}
