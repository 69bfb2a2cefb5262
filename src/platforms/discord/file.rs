//! Files that go out with a message.

use super::limits;
use crate::chat::document::{Attachment, Content};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// The name of the file that holds what did not fit.
pub(super) const WHOLE: &str = "whole-message.txt";

/// A file to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) mime: &'static str,
    pub(super) content: Vec<u8>,
}

impl File {
    /// True for what is shown as a picture.
    pub(super) fn is_picture(&self) -> bool {
        self.mime.starts_with("image/")
    }
}

pub(super) fn file(attachment: &Attachment) -> Option<File> {
    let (mime, content) = match &attachment.content {
        Content::Text(text) if attachment.name.ends_with(".json") => ("application/json", text.as_str().as_bytes().to_vec()),
        Content::Text(text) => ("text/plain", text.as_str().as_bytes().to_vec()),
        Content::Png(base64) => ("image/png", BASE64_STANDARD.decode(base64).ok()?),
    };
    let name: String = attachment.name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).take(100).collect();
    let name = if name.trim_matches('.').is_empty() { "file.txt".to_owned() } else { name };
    let description = limits::cut(&attachment.description.single_line(), limits::FILE_DESCRIPTION);
    Some(File { name, description, mime, content })
}
