//! What a message shows, as each of Discord's requests takes it: serenity's builders.

use super::snowflake::Snowflake;
use serenity::builder::{
    CreateActionRow, CreateAllowedMentions, CreateEmbed, CreateInteractionResponseFollowup, CreateInteractionResponseMessage,
    CreateMessage, EditMessage,
};
use serenity::model::channel::{MessageReference, MessageReferenceKind, Nonce};

/// Nobody is called, whatever the text says.
pub(super) fn no_mentions() -> CreateAllowedMentions {
    CreateAllowedMentions::new()
}

/// The text, embeds and controls of one message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Body {
    pub(super) content: String,
    pub(super) embeds: Vec<CreateEmbed>,
    pub(super) rows: Vec<CreateActionRow>,
}

impl Body {
    /// A new message, which calls whom `mentions` allows it to.
    pub(super) fn create(self, mentions: CreateAllowedMentions) -> CreateMessage {
        CreateMessage::new().content(self.content).embeds(self.embeds).components(self.rows).allowed_mentions(mentions)
    }

    /// What an edited message shows instead.
    pub(super) fn edit(self) -> EditMessage {
        EditMessage::new().content(self.content).embeds(self.embeds).components(self.rows).allowed_mentions(no_mentions())
    }

    /// A first answer to an interaction, for that person alone.
    pub(super) fn respond(self) -> CreateInteractionResponseMessage {
        CreateInteractionResponseMessage::new()
            .content(self.content)
            .embeds(self.embeds)
            .components(self.rows)
            .allowed_mentions(no_mentions())
            .ephemeral(true)
    }

    /// A further answer to an interaction, for that person alone.
    pub(super) fn follow_up(self) -> CreateInteractionResponseFollowup {
        follow_up(&self.content).embeds(self.embeds).components(self.rows)
    }
}

/// A further answer to an interaction that is text alone.
pub(super) fn follow_up(content: &str) -> CreateInteractionResponseFollowup {
    CreateInteractionResponseFollowup::new().content(content).allowed_mentions(no_mentions()).ephemeral(true)
}

/// A repetition of the message is the message of before, within some minutes.
///
/// Source: Discord developer documentation, "Create Message": `enforce_nonce`.
pub(super) fn with_nonce(message: CreateMessage, nonce: &str) -> CreateMessage {
    message.nonce(Nonce::String(nonce.to_owned())).enforce_nonce(true)
}

/// A reply, which is refused where the message it replies to is gone.
pub(super) fn in_reply_to(message: CreateMessage, channel: Snowflake, replied_to: Snowflake) -> CreateMessage {
    let reference = MessageReference::new(MessageReferenceKind::Default, channel.of()).message_id(replied_to.of());
    message.reference_message(reference.fail_if_not_exists(true))
}
