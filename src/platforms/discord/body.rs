//! What a message shows, as each of Discord's requests takes it: serenity's builders.

use super::layout::{self, Component};
use super::snowflake::Snowflake;
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use serenity::builder::{
    CreateActionRow, CreateAllowedMentions, CreateEmbed, CreateInteractionResponse, CreateInteractionResponseFollowup,
    CreateInteractionResponseMessage, CreateMessage, EditMessage,
};
use serenity::model::channel::{MessageReference, MessageReferenceKind, Nonce};

/// Nobody is called, whatever the text says.
pub(super) fn no_mentions() -> CreateAllowedMentions {
    CreateAllowedMentions::new()
}

/// What one message shows: text, embeds and controls; or a layout, which holds all of that. The builders leave the layout out:
/// it is put into the request.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Body {
    pub(super) content: String,
    pub(super) embeds: Vec<CreateEmbed>,
    pub(super) rows: Vec<CreateActionRow>,
    pub(super) layout: Vec<Component>,
}

impl Body {
    /// A new message, which calls whom `mentions` allows it to.
    pub(super) fn create(&self, mentions: CreateAllowedMentions) -> CreateMessage {
        let new = CreateMessage::new().content(&self.content).embeds(self.embeds.clone()).components(self.rows.clone());
        new.allowed_mentions(mentions)
    }

    /// What an edited message shows instead.
    pub(super) fn edit(&self) -> EditMessage {
        let edited = EditMessage::new().content(&self.content).embeds(self.embeds.clone()).components(self.rows.clone());
        edited.allowed_mentions(no_mentions())
    }

    /// A further answer to an interaction, for that person alone.
    pub(super) fn follow_up(&self) -> CreateInteractionResponseFollowup {
        let further = CreateInteractionResponseFollowup::new().content(&self.content).embeds(self.embeds.clone());
        further.components(self.rows.clone()).allowed_mentions(no_mentions()).ephemeral(true)
    }

    /// The fields of a new message, as they are sent.
    pub(super) fn fields(&self, mentions: CreateAllowedMentions) -> Value {
        let mut fields = serde_json::to_value(self.create(mentions)).unwrap_or_default();
        if !self.layout.is_empty() {
            layout::put(&mut fields, &self.layout, false);
        }
        fields
    }
}

/// The first answer to an interaction.
#[derive(Debug, Clone)]
pub(super) struct FirstAnswer {
    response: CreateInteractionResponse,
    layout: Vec<Component>,
}

impl FirstAnswer {
    /// A message for that person alone.
    pub(super) fn message(body: Body) -> FirstAnswer {
        let message = CreateInteractionResponseMessage::new().content(body.content).embeds(body.embeds).components(body.rows);
        let message = message.allowed_mentions(no_mentions()).ephemeral(true);
        FirstAnswer { response: CreateInteractionResponse::Message(message), layout: body.layout }
    }

    pub(super) const fn is_message(&self) -> bool {
        matches!(self.response, CreateInteractionResponse::Message(_))
    }
}

impl From<CreateInteractionResponse> for FirstAnswer {
    fn from(response: CreateInteractionResponse) -> FirstAnswer {
        FirstAnswer { response, layout: Vec::new() }
    }
}

impl Serialize for FirstAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.layout.is_empty() {
            return self.response.serialize(serializer);
        }
        // An answer holds nothing that JSON lacks.
        let mut response = serde_json::to_value(&self.response).unwrap_or_default();
        layout::put(&mut response, &self.layout, false);
        response.serialize(serializer)
    }
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
