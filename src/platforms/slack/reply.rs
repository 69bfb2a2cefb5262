//! Where one person can be answered alone.

use crate::model::ReplyTo;
use serde::{Deserialize, Serialize};

/// What a [`ReplyTo`] holds on Slack.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SlackReply {
    /// The channel in which only that person sees the answer.
    pub(super) channel: String,
    pub(super) user: String,
    /// The thread it was asked in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) thread: Option<String>,
    /// The address that takes answers for half an hour, also where the bot is no member. A capability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) response_url: Option<String>,
}

impl SlackReply {
    /// As the store keeps it.
    pub(super) fn to_reply(&self) -> Option<ReplyTo> {
        serde_json::to_string(self).ok().map(ReplyTo)
    }

    /// As it was kept.
    pub(super) fn read(kept: &ReplyTo) -> Option<SlackReply> {
        serde_json::from_str(&kept.0).ok()
    }
}
