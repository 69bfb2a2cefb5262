//! Where one person can be answered alone: what is kept of an interaction or a message for that.

use super::snowflake::Snowflake;
use crate::model::ReplyTo;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long an interaction can be answered, with room for the answer's way.
///
/// Source: Discord developer documentation, "Receiving and Responding": tokens are valid for 15 minutes.
const ANSWERABLE: SignedDuration = SignedDuration::from_secs(15 * 60 - 20);

/// Where somebody can be answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub(super) enum Reply {
    /// By an interaction's token, seen by that person alone.
    Interaction {
        id: Snowflake,
        /// Its token: whoever has it can answer.
        token: String,
        /// True for a command, whose deferred answer stands there waiting; false for a click.
        is_command: bool,
        /// The channel or thread it was said in.
        channel: Snowflake,
        #[serde(default)]
        guild: Option<Snowflake>,
    },
    /// By a reply to the person's message, which others see too: messages cannot be answered in private.
    Message {
        id: Snowflake,
        /// The channel or thread it is in.
        channel: Snowflake,
        #[serde(default)]
        author: Option<Snowflake>,
        #[serde(default)]
        guild: Option<Snowflake>,
    },
}

impl Reply {
    /// For the store; only [`Reply::read`] understands it.
    pub(super) fn keep(&self) -> Option<ReplyTo> {
        serde_json::to_string(self).ok().map(ReplyTo)
    }

    pub(super) fn read(kept: &ReplyTo) -> Option<Reply> {
        serde_json::from_str(&kept.0).ok()
    }

    /// The server it was said in.
    pub(super) fn guild(&self) -> Option<Snowflake> {
        match self {
            Reply::Interaction { guild, .. } | Reply::Message { guild, .. } => *guild,
        }
    }

    /// The channel or thread it was said in.
    pub(super) fn channel(&self) -> Snowflake {
        match self {
            Reply::Interaction { channel, .. } | Reply::Message { channel, .. } => *channel,
        }
    }
}

/// True while an interaction can still be answered by its token.
pub(super) fn is_open(interaction: Snowflake, now: Timestamp) -> bool {
    now.duration_since(interaction.made_at()) < ANSWERABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_survives_the_store() {
        let [id, channel] = [7, 8].map(|id| Snowflake::new(id).unwrap());
        for reply in [
            Reply::Interaction { id, token: "aW50".to_owned(), is_command: true, channel, guild: Some(id) },
            Reply::Message { id, channel, author: Some(id), guild: None },
        ] {
            let kept = reply.keep().unwrap();
            assert!(Reply::read(&kept).unwrap() == reply);
            assert_eq!(reply.channel(), channel);
        }
        assert!(Reply::read(&ReplyTo("https://hooks.slack.example".to_owned())).is_none());
    }

    #[test]
    fn an_interaction_can_be_answered_for_a_quarter_of_an_hour() {
        let id: Snowflake = "175928847299117063".parse().unwrap();
        let after = |seconds| id.made_at() + SignedDuration::from_secs(seconds);
        assert!(is_open(id, after(0)) && is_open(id, after(879)));
        assert!(!is_open(id, after(881)) && !is_open(id, after(86_400)));
    }
}
