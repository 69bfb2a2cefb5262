//! What people were shown, kept for the eyes: `tests/looks.py` makes pictures of it.

use rotation_diag::chat::document::{Content, Message};
use serde_json::{Value, json};
use std::path::Path;

/// Leaves what `platform` was sent where `LOOKS` says, with the pictures of the message; nowhere where it says nothing.
pub(crate) fn keep(platform: &str, name: &str, message: &Message, sent: Value, files: &[String]) {
    let Some(folder) = std::env::var_os("LOOKS") else { return };
    let folder = Path::new(&folder).join(platform);
    std::fs::create_dir_all(&folder).unwrap();
    let pictures = message.attachments.iter().filter_map(|file| match &file.content {
        Content::Png(picture) => Some(picture.as_str()),
        Content::Text(_) => None,
    });
    let kept = json!({ "sent": sent, "files": files, "pictures": pictures.collect::<Vec<_>>() });
    std::fs::write(folder.join(format!("{name}.json")), kept.to_string()).unwrap();
}
