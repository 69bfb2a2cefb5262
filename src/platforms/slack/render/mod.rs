//! Messages as Block Kit.
//!
//! Everything from outside goes into elements that know no mark-up; the only mention is the configuration's, and the only
//! links are documentation's. What does not fit goes into a file, where one can follow.

mod assemble;
mod controls;
pub mod limits;
mod parts;
mod people;
mod plain;
mod text;

use crate::chat::document::{Attachment, Content, Mention, Message};
use assemble::Assembly;
use base64::Engine as _;
use people::NamedPeople;
use slack_morphism::prelude::*;

pub(in crate::platforms::slack) use controls::ACTION_ID;
pub(in crate::platforms::slack) use plain::as_text;
pub(in crate::platforms::slack) use text::{bold, line, paragraph, plain as plain_text, run};

/// What a message becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// What notifications show, escaped.
    pub text: String,
    pub blocks: Vec<SlackBlock>,
    /// What follows it in its thread.
    pub files: Vec<File>,
}

impl Rendered {
    /// The message without its files.
    #[must_use]
    pub fn content(&self) -> SlackMessageContent {
        SlackMessageContent::new().with_text(self.text.clone()).with_blocks(self.blocks.clone())
    }
}

/// A file as Slack takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    /// What it shows, for those who do not see it.
    pub description: String,
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// Where a message appears, which decides what can follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// A new message; files can follow in its thread.
    Post,
    /// One that replaces another, or one that only one person sees: no file can follow.
    Ephemeral,
}

/// The largest file that is sent, in bytes; the longest report of a test is a tenth of it.
const MAX_FILE_BYTES: usize = 1 << 20;

/// Renders a message within Slack's limits.
#[must_use]
pub fn message(message: &Message, surface: Surface) -> Rendered {
    let title = match message.tone.mark() {
        "" => text::line(&message.title),
        mark => format!("{mark} {}", text::line(&message.title)),
    };
    let controls = controls::blocks(&message.controls);
    let mut assembly = Assembly::new(controls.len());
    if let Some(mention) = message.mention.as_ref().and_then(mention) {
        assembly.mention(&mention);
    }
    let people = NamedPeople::new(&message.people, surface);
    match people.title(&title) {
        Some(line) => assembly.title_line(line),
        None => assembly.title(&people.unnamed(&title)),
    }
    for part in &message.parts {
        assembly.part(parts::pieces(part));
    }
    let (blocks, is_whole) = assembly.finish(surface);
    let mut blocks: Vec<SlackBlock> = blocks.into_iter().map(|block| people.in_block(block)).collect();
    blocks.extend(controls);
    let calling = message.mention.as_ref().and_then(mention).map(|mention| format!("{mention} ")).unwrap_or_default();
    let mut files: Vec<File> = Vec::new();
    if surface == Surface::Post {
        if !is_whole {
            files.push(plain::details(message));
        }
        files.extend(message.attachments.iter().filter_map(file));
    }
    Rendered { text: format!("{calling}{}", text::notification(&people.unnamed(&title))), blocks, files }
}

/// True where people are named that an edit can mention and a new message must not.
pub(in crate::platforms::slack) fn names_people(message: &Message) -> bool {
    !NamedPeople::new(&message.people, Surface::Post).is_empty()
}

/// True for an id that begins with one of these letters.
fn is_id(id: &str, first: &[char]) -> bool {
    id.starts_with(first) && id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// True for a person's id.
fn is_person(id: &str) -> bool {
    is_id(id, &['U', 'W'])
}

/// The mention in Slack's mark-up, where its id is one.
fn mention(mention: &Mention) -> Option<String> {
    match mention {
        Mention::User(id) => is_person(id).then(|| format!("<@{id}>")),
        Mention::People(ids) => {
            let people: Vec<String> = ids.iter().filter(|id| is_person(id)).map(|id| format!("<@{id}>")).collect();
            (!people.is_empty()).then(|| people.join(" "))
        }
        Mention::Group(id) => is_id(id, &['S']).then(|| format!("<!subteam^{id}>")),
        Mention::Here => Some("<!here>".to_owned()),
    }
}

fn file(attachment: &Attachment) -> Option<File> {
    let (content_type, bytes) = match &attachment.content {
        Content::Text(text) => ("text/plain; charset=utf-8", text.as_str().as_bytes().to_vec()),
        Content::Png(base64) => ("image/png", base64::engine::general_purpose::STANDARD.decode(base64).ok()?),
    };
    let name: String = attachment.name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).take(100).collect();
    let is_sendable = !name.is_empty() && !bytes.is_empty() && bytes.len() <= MAX_FILE_BYTES;
    is_sendable.then(|| File { name, description: limits::cut(&text::line(&attachment.description), 500), content_type, bytes })
}
