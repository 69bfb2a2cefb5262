//! A message in Discord's form: the title as content, the rest in embeds, buttons and menus in rows.
//!
//! What does not fit is never cut in silence: the whole message is attached as a text file as well. Commands are never
//! cut at all.

use super::Discord;
use super::body::{Body, no_mentions};
use super::clickable::{CommandIds, clickable};
use super::controls::rows;
use super::escape;
use super::file::{File, WHOLE, file};
use super::limits::{self, length};
use super::page::{Page, whole_text};
use super::snowflake::Snowflake;
use super::text;
use crate::chat::document::{Mention, Message, Part, Tone};
use crate::redact::SafeText;
use serenity::builder::{CreateActionRow, CreateAllowedMentions, CreateEmbed};
use serenity::model::Colour;
use serenity::model::id::{RoleId, UserId};

/// How long the title may be, in the message and in what notifications show.
const TITLE: usize = 400;

/// A message in Discord's form.
pub(super) struct Rendered {
    /// What `content` says.
    pub(super) content: String,
    /// Whom it calls, as text before everything else.
    call: String,
    pub(super) descriptions: Vec<String>,
    colour: Colour,
    rows: Vec<CreateActionRow>,
    mentions: CreateAllowedMentions,
    /// The message's own files.
    pub(super) files: Vec<File>,
    /// The whole message, where not all of it could be shown.
    pub(super) whole: Option<File>,
    /// The whole message as a file.
    as_file: File,
    /// The whole message as text, in the messages that takes.
    texts: Vec<String>,
    /// True while a newer one is on its way.
    pub(super) is_progress: bool,
    /// What its thread is called.
    pub(super) thread_name: String,
}

impl Rendered {
    /// What it shows in its best form.
    pub(super) fn body(&self) -> Body {
        let embed = |text: &String| CreateEmbed::new().description(text).colour(self.colour);
        let embeds = self.descriptions.iter().map(embed).collect();
        Body { content: self.content.clone(), embeds, rows: self.rows.clone() }
    }

    /// True for what an investigation ended with: it can be acted on.
    pub(super) fn is_verdict(&self) -> bool {
        !self.is_progress && !self.rows.is_empty()
    }

    /// The forms it can be sent in, the best first; the next is tried where one is refused.
    pub(super) fn forms(&self) -> Vec<Form> {
        let mut forms = vec![Form::Whole];
        let is_short = self.whole.is_none();
        forms.extend((!self.files.is_empty() && is_short).then_some(Form::WithoutFiles));
        forms.extend((!self.descriptions.is_empty() && !self.files.is_empty()).then_some(Form::TextWithFiles));
        forms.extend((!self.descriptions.is_empty() || !is_short).then_some(Form::Text));
        forms.push(Form::InFile);
        forms
    }

    /// What a message shows in a form, and the files that go along. What comes in further messages is left out.
    pub(super) fn in_form(&self, form: Form) -> (Body, Vec<File>) {
        let whole = self.body();
        let text = |content: Option<&String>| Body {
            content: content.map_or_else(|| "…".to_owned(), String::clone),
            embeds: Vec::new(),
            rows: self.rows.clone(),
        };
        match form {
            Form::Whole => (whole, self.files.iter().chain(&self.whole).cloned().collect()),
            Form::WithoutFiles => (Body { content: format!("{}\n{}", self.content, self.unattached()), ..whole }, Vec::new()),
            Form::TextWithFiles => (text(self.texts.first()), self.files.clone()),
            Form::Text => (text(self.all_texts(form).first()), Vec::new()),
            Form::InFile => (text(Some(&format!("{}{}", self.call, text::IN_FILE))), vec![self.as_file.clone()]),
        }
    }

    /// All messages that a form takes, one after the other.
    pub(super) fn all_texts(&self, form: Form) -> Vec<String> {
        match form {
            Form::TextWithFiles => self.texts.clone(),
            Form::Text if self.files.is_empty() => self.texts.clone(),
            Form::Text => {
                let mut texts = self.texts.clone();
                let note = self.unattached();
                match texts.last_mut() {
                    Some(last) if length(last) + length(&note) < text::ROOM => last.push_str(&format!("\n{note}")),
                    _ => texts.push(note),
                }
                texts
            }
            Form::Whole | Form::WithoutFiles | Form::InFile => Vec::new(),
        }
    }

    /// The same, with our commands and the people it names as something to click.
    fn clickable(mut self, commands: &CommandIds, people: &[String]) -> Rendered {
        let within = |text: &str, room| clickable(text, commands, people, room);
        self.content = within(&self.content, text::ROOM);
        let total: usize = self.descriptions.iter().map(|text| length(text)).sum();
        let mut left = limits::EMBEDS_TOTAL.saturating_sub(total);
        for text in &mut self.descriptions {
            let before = length(text);
            *text = within(text, limits::DESCRIPTION.min(before + left));
            left -= length(text) - before;
        }
        for text in &mut self.texts {
            *text = within(text, text::ROOM);
        }
        self
    }

    fn unattached(&self) -> String {
        text::without_files(&self.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>())
    }

    /// Whom a new message calls.
    pub(super) fn mentions(&self) -> CreateAllowedMentions {
        self.mentions.clone()
    }
}

/// A form of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Title, embeds, buttons and files.
    Whole,
    /// The same, naming the files that are missing.
    WithoutFiles,
    /// All of it as text, with its own files.
    TextWithFiles,
    /// All of it as text.
    Text,
    /// A sentence of ours, and all of it in a file: where what it says is refused.
    InFile,
}

impl Discord {
    /// Renders a message for a server.
    pub(super) fn render(&self, message: &Message, guild: Option<Snowflake>) -> Rendered {
        render(message).clickable(&self.commands.of(guild), &message.people)
    }
}

/// Renders a message for any server.
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
    let as_file = File {
        name: WHOLE.to_owned(),
        description: "The whole message as text".to_owned(),
        mime: "text/plain",
        content: String::from(whole_text(message)).into_bytes(),
    };
    let whole = page.left_out.then(|| as_file.clone());
    let mut content = content(message, &call);
    let texts = text::texts(&content, &message.parts, !call.is_empty());
    let mut descriptions = page.finish();
    // On a phone, nothing can be copied out of an embed.
    let are_commands = message.tone == Tone::Neutral && message.parts.iter().all(|part| matches!(part, Part::Commands(_)));
    if let [only] = texts.as_slice()
        && are_commands
        && files.is_empty()
        && whole.is_none()
    {
        content.clone_from(only);
        descriptions.clear();
    }
    Rendered {
        texts,
        call: if call.is_empty() { call } else { format!("{call} ") },
        as_file,
        is_progress: message.tone == Tone::Working,
        content,
        descriptions,
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
    // Where everybody here may be called, only we call them.
    let title = if message.mention == Some(Mention::Here) { title.replace("\\@", "＠") } else { title };
    let title = match (title.is_empty(), message.parts.is_empty()) {
        (true, _) => "…".to_owned(),
        (false, true) => title,
        (false, false) => format!("**{title}**"),
    };
    [call, message.tone.mark(), &title].iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

fn thread_name(title: &SafeText) -> String {
    let name = limits::cut(&title.single_line(), limits::THREAD_NAME);
    if name.is_empty() { "rotation".to_owned() } else { name }
}

const fn colour(tone: Tone) -> Colour {
    Colour::new(match tone {
        Tone::Working => 0x0058_65f2,
        Tone::Bad => 0x00d8_3c3e,
        Tone::Warning => 0x00f0_b232,
        Tone::Good => 0x0023_a55a,
        Tone::Neutral => 0x0080_848e,
    })
}

/// The text that calls somebody, and the permission to.
fn mention(mention: &Mention) -> Option<(String, CreateAllowedMentions)> {
    let id = |id: &str| id.parse::<Snowflake>().ok();
    Some(match mention {
        Mention::User(user) => (format!("<@{}>", id(user)?), no_mentions().users([id(user)?.of::<UserId>()])),
        Mention::People(people) => {
            let people: Vec<Snowflake> = people.iter().filter_map(|person| id(person)).collect();
            let called: Vec<String> = people.iter().map(|person| format!("<@{person}>")).collect();
            (!called.is_empty()).then_some(())?;
            (called.join(" "), no_mentions().users(people.iter().map(|person| person.of::<UserId>())))
        }
        Mention::Group(role) => (format!("<@&{}>", id(role)?), no_mentions().roles([id(role)?.of::<RoleId>()])),
        Mention::Here => ("@here".to_owned(), no_mentions().everyone(true)),
    })
}
