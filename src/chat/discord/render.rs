//! A message in Discord's form: the title as content, the rest in embeds, buttons and menus in rows.
//!
//! What does not fit is never cut in silence: the whole message is attached as a text file as well. Commands are never
//! cut at all.

use super::escape;
use super::limits::{self, BUTTONS, CONTENT, DESCRIPTION, EMBEDS_TOTAL, ROWS, length};
use crate::chat::document::{Attachment, Choice, Content, Control, Mention, Message, Part, Quote, Tone};
use crate::model::Action;
use crate::redact::SafeText;
use crate::report::inert;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How long the title may be, in the message and in what notifications show.
const TITLE: usize = 400;
/// How much of one quoted line is shown before the file has to be opened.
const QUOTE: usize = 1_200;
/// How much of one line of text is shown before the file has to be opened.
const LINE: usize = 1_200;
/// Room for the note that names the file.
const NOTE: usize = 120;
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
            text = if length(&whole) <= CONTENT { whole } else { text };
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
    let mut files: Vec<File> = message.attachments.iter().filter_map(|attachment| file(attachment)).collect();
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
        Tone::Working => 0x58_65_f2,
        Tone::Bad => 0xd8_3c_3e,
        Tone::Warning => 0xf0_b2_32,
        Tone::Good => 0x23_a5_5a,
        Tone::Neutral => 0x80_84_8e,
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

/// Embeds as they fill.
#[derive(Default)]
struct Page {
    full: Vec<String>,
    open: String,
    /// Units in all embeds.
    used: usize,
    /// True once something had to be left out or cut.
    left_out: bool,
    /// Commands that no code block can hold.
    commands: Vec<File>,
}

impl Page {
    fn part(&mut self, part: &Part) {
        match part {
            Part::Context(items) => {
                let shown: Vec<String> = items.iter().map(|item| self.line(item)).filter(|item| !item.is_empty()).collect();
                if !shown.is_empty() {
                    self.piece(shown.join(" · "), true);
                }
            }
            Part::Section { label, lines } => self.section(label, lines),
            Part::Quotes { label, quotes } => self.quotes(label, quotes),
            Part::Commands(commands) => commands.iter().for_each(|command| self.command(command)),
            Part::Caution(text) => {
                let text = self.line(text);
                self.piece(format!("⚠ {text}"), true);
            }
            Part::Links(links) => links.iter().enumerate().for_each(|(at, address)| self.piece(link(address), at == 0)),
            Part::Steps(steps) => {
                for (at, step) in steps.iter().enumerate() {
                    let summary = self.line(&step.summary);
                    let dash = if summary.is_empty() { "" } else { " — " };
                    let name = escape::line(&step.name);
                    self.piece(format!("{} **{}** {name}{dash}{summary}", step.state.mark(), step.number), at == 0);
                }
            }
        }
    }

    fn section(&mut self, label: &SafeText, lines: &[SafeText]) {
        let label = self.line(label);
        let mark = if lines.len() > 1 { "• " } else { "" };
        let mut shown = lines.iter().map(|line| format!("{mark}{}", self.line(line))).collect::<Vec<_>>().into_iter();
        let first = shown.next().unwrap_or_else(|| "–".to_owned());
        self.piece(format!("**{label}**\n{first}"), true);
        shown.for_each(|line| self.piece(line, false));
    }

    fn quotes(&mut self, label: &SafeText, quotes: &[Quote]) {
        let mut heading = format!("**{}**\n", self.line(label));
        if quotes.is_empty() {
            heading.push('–');
            return self.piece(heading, true);
        }
        for (at, quote) in quotes.iter().enumerate() {
            let lead: Vec<String> =
                [&quote.lead, &quote.source].iter().map(|text| self.line(text)).filter(|text| !text.is_empty()).collect();
            let inside = escape::code(&quote.text);
            let shown = limits::cut(&inside, QUOTE);
            self.left_out |= shown != inside;
            let block = if shown.trim().is_empty() { String::new() } else { format!("\n{}", escape::fenced(&shown, "")) };
            let heading = if at == 0 { std::mem::take(&mut heading) } else { String::new() };
            self.piece(format!("{heading}{}{block}", lead.join(" · ")), at == 0);
        }
    }

    fn command(&mut self, command: &SafeText) {
        let inside = escape::code(command);
        let block = escape::fenced(&inside, "sh");
        if !escape::breaks_a_fence(command) && self.has_room(length(&block) + 2) {
            return self.piece(block, true);
        }
        let name = format!("command-{}.sh", self.commands.len() + 1);
        self.piece(format!("The command is in the file {}.", name.replace('-', "\\-")), true);
        let content = format!("{}\n", inert::lines(command).join("\n")).into_bytes();
        self.commands.push(File { name, description: "The command to paste".to_owned(), mime: "text/x-sh", content });
    }

    /// A line, cut where it is longer than anyone reads in a chat.
    fn line(&mut self, text: &SafeText) -> String {
        let whole = escape::line(text);
        if length(&whole) <= LINE {
            return whole;
        }
        self.left_out = true;
        escape::line_within(text, LINE)
    }

    fn has_room(&self, units: usize) -> bool {
        units <= DESCRIPTION && self.used + units + NOTE <= EMBEDS_TOTAL
    }

    /// Adds what belongs together; after the first piece that has no room, all others are left out.
    fn piece(&mut self, text: String, is_new_part: bool) {
        let gap = match (self.open.is_empty(), is_new_part) {
            (true, _) => "",
            (false, true) => "\n\n",
            (false, false) => "\n",
        };
        let units = length(&text) + length(gap);
        if self.is_closed() || !self.has_room(units) {
            self.left_out = true;
            self.used = EMBEDS_TOTAL;
            return;
        }
        self.used += units;
        if length(&self.open) + units + NOTE > DESCRIPTION {
            self.full.push(std::mem::replace(&mut self.open, text));
        } else {
            self.open.push_str(gap);
            self.open.push_str(&text);
        }
    }

    fn is_closed(&self) -> bool {
        self.used >= EMBEDS_TOTAL
    }

    fn finish(mut self) -> Vec<String> {
        if self.left_out {
            let gap = if self.open.is_empty() { "" } else { "\n\n" };
            self.open.push_str(&format!("{gap}*Not all of it fits here: {} has the rest.*", WHOLE.replace('-', "\\-")));
        }
        self.full.push(self.open);
        self.full.retain(|text| !text.trim().is_empty());
        self.full
    }
}

/// An address we know ourselves, as a link; anything else as text.
fn link(address: &SafeText) -> String {
    let is_ours = address.as_str().strip_prefix("https://").is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/?#@!$&*+,;=%".contains(c))
    });
    if is_ours { format!("<{}>", address.as_str()) } else { escape::line(address) }
}

/// Buttons five to a row, then menus, each alone in its row; what has no room is left out.
fn rows(controls: &[Control]) -> Vec<Value> {
    let mut known = BTreeSet::new();
    let mut buttons = Vec::new();
    let mut rows = Vec::new();
    for (at, control) in controls.iter().enumerate() {
        match control {
            Control::Button(choice) if known.insert(choice.token.to_string()) => buttons.push(button(choice)),
            Control::Select { placeholder, choices } if !choices.is_empty() => rows.push(vec![menu(at, placeholder, choices)]),
            Control::Button(_) | Control::Select { .. } => {}
        }
    }
    rows.truncate(ROWS - 1);
    let left = ROWS - rows.len();
    let buttons = buttons.chunks(BUTTONS).take(left).map(<[Value]>::to_vec);
    buttons.chain(rows).map(|components| json!({ "type": 1, "components": components })).collect()
}

fn button(choice: &Choice) -> Value {
    // Source: "Component Reference", button styles: 1 primary, 2 secondary, 3 success.
    let style = match choice.token.action {
        Action::RerunAll | Action::Choose(_) => 1,
        Action::Resolve => 3,
        _ => 2,
    };
    json!({ "type": 2, "style": style, "label": label(&choice.label, limits::LABEL), "custom_id": choice.token.to_string() })
}

fn menu(at: usize, placeholder: &SafeText, choices: &[Choice]) -> Value {
    let mut known = BTreeSet::new();
    let options = choices
        .iter()
        .filter(|choice| known.insert(choice.token.to_string()))
        .take(limits::OPTIONS)
        .map(|choice| json!({ "label": label(&choice.label, limits::OPTION_TEXT), "value": choice.token.to_string() }));
    json!({
        "type": 3,
        "custom_id": format!("menu.{at}"),
        "placeholder": label(placeholder, limits::PLACEHOLDER),
        "options": options.collect::<Vec<_>>(),
    })
}

/// Labels have no Markdown.
fn label(text: &SafeText, limit: usize) -> String {
    let label = limits::cut(&inert::one_line(text), limit);
    if label.is_empty() { "…".to_owned() } else { label }
}

/// The message as text, for the file.
fn whole_text(message: &Message) -> String {
    let mut lines = vec![inert::one_line(&message.title)];
    for part in &message.parts {
        lines.push(String::new());
        match part {
            Part::Context(items) => lines.push(items.iter().map(inert::one_line).collect::<Vec<_>>().join(" · ")),
            Part::Section { label, lines: items } => {
                lines.push(inert::one_line(label));
                lines.extend(items.iter().map(|item| format!("  {}", inert::one_line(item))));
            }
            Part::Quotes { label, quotes } => {
                lines.push(inert::one_line(label));
                for quote in quotes {
                    lines.push(format!("  {} {}", inert::one_line(&quote.lead), inert::one_line(&quote.source)));
                    lines.extend(inert::lines(&quote.text).into_iter().map(|line| format!("    {line}")));
                }
            }
            Part::Commands(commands) => lines.extend(commands.iter().flat_map(inert::lines)),
            Part::Caution(text) => lines.push(format!("⚠ {}", inert::one_line(text))),
            Part::Links(links) => lines.extend(links.iter().map(inert::one_line)),
            Part::Steps(steps) => lines.extend(steps.iter().map(|step| {
                let name = inert::one_line(&step.name);
                format!("{} {} {name}  {}", step.state.mark(), step.number, inert::one_line(&step.summary))
            })),
        }
    }
    lines.push(String::new());
    lines.join("\n")
}
