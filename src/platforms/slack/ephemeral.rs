//! Answers that one person sees alone.

use super::render::{Surface, message as render};
use crate::chat::document::Message;
use serde_json::{Value, json};
use slack_morphism::prelude::*;

/// The same message as for everyone, without what only a thread can hold.
pub(super) fn ephemeral_content(answer: &Message) -> SlackMessageContent {
    render(answer, Surface::Ephemeral).content()
}

/// An answer for one person, as an acknowledgement or a `response_url` takes it.
pub(super) fn ephemeral(message: &Message) -> Value {
    let content = ephemeral_content(message);
    json!({
        "response_type": "ephemeral",
        "replace_original": false,
        "text": content.text,
        "blocks": content.blocks,
    })
}
