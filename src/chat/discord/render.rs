//! A message in Discord's form: the title as content, the rest in embeds, buttons and menus in rows.
//!
//! What does not fit is never cut in silence: the whole message is attached as a text file as well. Commands are never
//! cut at all.

use super::controls::rows;
use super::escape;
use super::limits::{self, CONTENT, length};
use super::mark;
use super::page::{Page, whole_text};
use crate::chat::document::{Attachment, Content, Mention, Message, Tone};
use crate::redact::SafeText;
use crate::report::inert;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// How long the title may be, in the message and in what notifications show.
const TITLE: usize = 400;
/// The name of the file that holds what did not fit.
pub(super) const WHOLE: &str = "whole-message.txt";

/// A message in Discord's form.
pub(super) struct Rendered {
    /// What `content` says.
    pub(super) content: String,
    /// One embed each.
    pub(super) descriptions: Vec<String>,
    colour: u32,
    rows: Vec<Value>,
    mentions: Value,
    /// The message's own files.
    pub(super) files: Vec<File>,
    /// The whole message, where not all of it could be shown.
    pub(super) whole: Option<File>,
    /// What its thread is called.
    pub(super) thread_name: String,
}

/// A file to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) mime: &'static str,
    pub(super) content: Vec<u8>,
}

/// Nobody is called, whatever the text says.
pub(super) fn no_mentions() -> Value {
    json!({ "parse": [] })
}

impl Rendered {
    /// The fields that a new message and an edited one share. Nobody is called by them.
    pub(super) fn fields(&self) -> Value {
        let embeds = self.descriptions.iter().map(|text| json!({ "description": text, "color": self.colour }));
        json!({
            "content": self.content,
            "embeds": embeds.collect::<Vec<_>>(),
            "components": self.rows,
            "allowed_mentions": no_mentions(),
        })
    }

    /// The fields of a new message: the only ones that can call somebody.
    pub(super) fn fields_of_new(&self) -> Value {
        let mut fields = self.fields();
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("allowed_mentions".to_owned(), self.mentions.clone());
        }
        fields
    }

    /// True where there is more than content, which a channel may not allow.
    pub(super) fn is_rich(&self) -> bool {
        !self.files.is_empty() || self.whole.is_some() || !self.descriptions.is_empty()
    }

    /// A new message without embeds and files.
    pub(super) fn plain_new(&self) -> Value {
        self.plain(self.mentions.clone())
    }

    /// Fields without embeds and files. Content can call somebody and embeds cannot, so their text becomes content only
    /// where nobody is called.
    pub(super) fn plain(&self, mentions: Value) -> Value {
        let mut text = self.content.clone();
        if self.mentions == no_mentions() {
            let whole = [&self.content].into_iter().chain(&self.descriptions).cloned().collect::<Vec<_>>().join("\n");
            text = if length(&whole) + mark::LENGTH <= CONTENT { whole } else { text };
        }
        json!({ "content": text, "components": self.rows, "allowed_mentions": mentions })
    }
}

/// Renders a message.
pub(super) fn render(message: &Message) -> Rendered {
    let mut page = Page::default();
    for part in &message.parts {
        page.part(part);
    }
    let (call, mentions) = message.mention.as_ref().and_then(mention).unwrap_or_else(|| (String::new(), no_mentions()));
    let mut files: Vec<File> = message.attachments.iter().filter_map(file).collect();
    files.append(&mut page.commands);
    let own = limits::FILES - 1;
    let too_many = files.len() > own;
    files.truncate(own);
    let mut size = 0;
    let all = files.len();
    files.retain(|file| {
        size += file.content.len();
        size <= limits::UPLOAD
    });
    if too_many || files.len() < all {
        page.piece("Not all files could be attached.".to_owned(), true);
    }
    let whole = page.left_out.then(|| File {
        name: WHOLE.to_owned(),
        description: "The whole message as text".to_owned(),
        mime: "text/plain",
        content: whole_text(message).into_bytes(),
    });
    Rendered {
        content: content(message, &call),
        descriptions: page.finish(),
        colour: colour(message.tone),
        rows: rows(&message.controls),
        mentions,
        files,
        whole,
        thread_name: thread_name(&message.title),
    }
}

fn content(message: &Message, call: &str) -> String {
    let title = escape::line_within(&message.title, TITLE);
    let title = match (title.is_empty(), message.parts.is_empty()) {
        (true, _) => "…".to_owned(),
        (false, true) => title,
        (false, false) => format!("**{title}**"),
    };
    [call, message.tone.mark(), &title].iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

fn thread_name(title: &SafeText) -> String {
    let name = limits::cut(&inert::one_line(title), limits::THREAD_NAME);
    if name.is_empty() { "rotation".to_owned() } else { name }
}

const fn colour(tone: Tone) -> u32 {
    match tone {
        Tone::Working => 0x0058_65f2,
        Tone::Bad => 0x00d8_3c3e,
        Tone::Warning => 0x00f0_b232,
        Tone::Good => 0x0023_a55a,
        Tone::Neutral => 0x0080_848e,
    }
}

/// The text that calls somebody, and the permission to.
fn mention(mention: &Mention) -> Option<(String, Value)> {
    let id = |id: &str| id.parse::<u64>().ok().filter(|id| *id > 0).map(|id| id.to_string());
    Some(match mention {
        Mention::User(user) => (format!("<@{}>", id(user)?), json!({ "parse": [], "users": [id(user)?] })),
        Mention::Group(role) => (format!("<@&{}>", id(role)?), json!({ "parse": [], "roles": [id(role)?] })),
        Mention::Here => ("@here".to_owned(), json!({ "parse": ["everyone"] })),
    })
}

fn file(attachment: &Attachment) -> Option<File> {
    let (mime, content) = match &attachment.content {
        Content::Text(text) if attachment.name.ends_with(".json") => ("application/json", text.as_str().as_bytes().to_vec()),
        Content::Text(text) => ("text/plain", text.as_str().as_bytes().to_vec()),
        Content::Png(base64) => ("image/png", BASE64_STANDARD.decode(base64).ok()?),
    };
    let name: String = attachment.name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).take(100).collect();
    let name = if name.trim_matches('.').is_empty() { "file.txt".to_owned() } else { name };
    let description = limits::cut(&inert::one_line(&attachment.description), limits::FILE_DESCRIPTION);
    Some(File { name, description, mime, content })
}
