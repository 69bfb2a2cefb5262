//! A message in Discord's form: laid out in components where that is taken, in a box of the message's colour; else the title as
//! content and the rest in embeds, with buttons and menus in rows.
//!
//! What does not fit is never cut in silence: the whole message is attached as a text file as well. Commands are never
//! cut at all.

use super::Discord;
use super::body::{Body, no_mentions};
use super::clickable::{CommandIds, clickable};
use super::controls::{button, rows};
use super::escape;
use super::file::{File, WHOLE, file};
use super::layout::{Component, Picture, fits};
use super::limits::{self, length};
use super::page::{Page, Room, whole_text};
use super::snowflake::Snowflake;
use super::text;
use crate::chat::document::{Control, Mention, Message, Part, Tone};
use crate::redact::SafeText;
use serenity::builder::{CreateActionRow, CreateAllowedMentions, CreateButton, CreateEmbed};
use serenity::model::Colour;
use serenity::model::id::{RoleId, UserId};

/// How long the title may be, in the message and in what notifications show.
const TITLE: usize = 400;

/// The parts of a message, as far as they fit where they are shown.
#[derive(Debug, Clone, Default)]
struct Sheet {
    texts: Vec<String>,
    /// The text that has a button beside it.
    with_button: Option<usize>,
    /// The message's own files.
    files: Vec<File>,
    /// The whole message, where not all of it could be shown.
    whole: Option<File>,
}

impl Sheet {
    fn all_files(&self) -> Vec<File> {
        self.files.iter().chain(&self.whole).cloned().collect()
    }

    /// With other texts, which may be longer by what all of them leave of `total`, and each by what it leaves of `each`.
    fn grown(mut self, each: usize, total: usize, grow: impl Fn(&str, usize) -> String) -> Sheet {
        let used: usize = self.texts.iter().map(|text| length(text)).sum();
        let mut left = total.saturating_sub(used);
        for text in &mut self.texts {
            let before = length(text);
            *text = grow(text, each.min(before + left));
            left -= length(text) - before;
        }
        self
    }
}

/// A message in Discord's form.
pub(super) struct Rendered {
    /// Its first line, and whom it calls.
    title: String,
    /// Whom it calls, as text before everything else.
    call: String,
    embeds: Sheet,
    layout: Sheet,
    /// True where a new message is laid out.
    is_laid_out: bool,
    colour: Colour,
    /// All its controls.
    rows: Vec<CreateActionRow>,
    /// The button that a layout has beside a text, and the controls besides.
    beside: Option<(CreateButton, Vec<CreateActionRow>)>,
    mentions: CreateAllowedMentions,
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
        self.in_form(if self.is_laid_out { Form::Layout } else { Form::Whole }).0
    }

    /// True where files go along with its best form.
    pub(super) fn has_files(&self) -> bool {
        let sheet = if self.is_laid_out { &self.layout } else { &self.embeds };
        !sheet.files.is_empty() || sheet.whole.is_some()
    }

    /// True for what an investigation ended with: it can be acted on.
    pub(super) fn is_verdict(&self) -> bool {
        !self.is_progress && !self.rows.is_empty()
    }

    /// The forms it can be posted in, the best first; the next is tried where one is refused.
    pub(super) fn forms(&self) -> Vec<Form> {
        let mut forms = Vec::new();
        if self.is_laid_out {
            forms.push(Form::Layout);
            let has_room = self.layout.whole.is_none() && fits(&self.in_form(Form::LayoutWithoutFiles).0.layout);
            forms.extend((!self.layout.files.is_empty() && has_room).then_some(Form::LayoutWithoutFiles));
        }
        let Sheet { texts, files, whole, .. } = &self.embeds;
        let is_short = whole.is_none();
        forms.push(Form::Whole);
        forms.extend((!files.is_empty() && is_short).then_some(Form::WithoutFiles));
        forms.extend((!texts.is_empty() && !files.is_empty()).then_some(Form::TextWithFiles));
        forms.extend((!texts.is_empty() || !is_short).then_some(Form::Text));
        forms.push(Form::InFile);
        forms
    }

    /// The forms a message can be changed to. One that is laid out can be nothing else any more, and every other can become that.
    pub(super) fn forms_of_an_edit(&self) -> Vec<Form> {
        let mut forms = Vec::new();
        if fits(&self.layout(&self.layout.all_files())) {
            forms.push(Form::Layout);
        }
        forms.push(Form::Whole);
        forms.extend((!self.embeds.texts.is_empty() || self.embeds.whole.is_some()).then_some(Form::Text));
        forms.extend([Form::LayoutInFile, Form::InFile]);
        forms
    }

    /// What a message shows in a form, and the files that go along. What comes in further messages is left out.
    pub(super) fn in_form(&self, form: Form) -> (Body, Vec<File>) {
        let text = |content: Option<&String>| Body {
            content: content.map_or_else(|| "…".to_owned(), String::clone),
            rows: self.rows.clone(),
            ..Body::default()
        };
        let whole = || {
            let embed = |text: &String| CreateEmbed::new().description(text).colour(self.colour);
            Body { embeds: self.embeds.texts.iter().map(embed).collect(), ..text(Some(&self.title)) }
        };
        let laid_out = |layout| Body { layout, ..Body::default() };
        let in_file = || format!("{}{}", self.call, text::IN_FILE);
        match form {
            Form::Layout => {
                let files = self.layout.all_files();
                (laid_out(self.layout(&files)), files)
            }
            Form::LayoutWithoutFiles => {
                let mut layout = self.layout(&[]);
                layout.push(Component::Text(unattached(&self.layout.files)));
                (laid_out(layout), Vec::new())
            }
            Form::Whole => (whole(), self.embeds.all_files()),
            Form::WithoutFiles => {
                let content = format!("{}\n{}", self.title, unattached(&self.embeds.files));
                (Body { content, ..whole() }, Vec::new())
            }
            Form::TextWithFiles => (text(self.texts.first()), self.embeds.files.clone()),
            Form::Text => (text(self.all_texts(form).first()), Vec::new()),
            Form::LayoutInFile => {
                let mut layout = vec![Component::Text(in_file()), Component::File(self.as_file.name.clone())];
                layout.extend(self.rows.iter().cloned().map(Component::Row));
                (laid_out(layout), vec![self.as_file.clone()])
            }
            Form::InFile => (text(Some(&in_file())), vec![self.as_file.clone()]),
        }
    }

    /// All messages that a form takes, one after the other.
    pub(super) fn all_texts(&self, form: Form) -> Vec<String> {
        match form {
            Form::TextWithFiles => self.texts.clone(),
            Form::Text if self.embeds.files.is_empty() => self.texts.clone(),
            Form::Text => {
                let mut texts = self.texts.clone();
                let note = unattached(&self.embeds.files);
                match texts.last_mut() {
                    Some(last) if length(last) + length(&note) < text::ROOM => last.push_str(&format!("\n{note}")),
                    _ => texts.push(note),
                }
                texts
            }
            Form::Layout | Form::LayoutWithoutFiles | Form::Whole | Form::WithoutFiles | Form::LayoutInFile | Form::InFile => {
                Vec::new()
            }
        }
    }

    /// The message in components: a line by itself; more than that in a box.
    fn layout(&self, files: &[File]) -> Vec<Component> {
        let mut inside = vec![Component::Text(self.title.clone())];
        let button = self.beside.as_ref().zip(self.layout.with_button);
        inside.extend(self.layout.texts.iter().enumerate().map(|(at, text)| match button {
            Some(((button, _), beside)) if beside == at => Component::Section { text: text.clone(), button: button.clone() },
            _ => Component::Text(text.clone()),
        }));
        let (pictures, others): (Vec<&File>, Vec<&File>) = files.iter().partition(|file| file.is_picture());
        let picture = |file: &&File| Picture { name: file.name.clone(), description: file.description.clone() };
        inside.extend((!pictures.is_empty()).then(|| Component::Gallery(pictures.iter().map(picture).collect())));
        inside.extend(others.iter().map(|file| Component::File(file.name.clone())));
        let rows = button.map_or(&self.rows, |((_, rows), _)| rows);
        if !rows.is_empty() && inside.len() > 1 {
            inside.push(Component::Separator);
        }
        inside.extend(rows.iter().cloned().map(Component::Row));
        if inside.len() == 1 { inside } else { vec![Component::Container { colour: self.colour, inside }] }
    }

    /// The same, with our commands and the people it names as something to click.
    fn clickable(mut self, commands: &CommandIds, people: &[String]) -> Rendered {
        let within = |text: &str, room| clickable(text, commands, people, room);
        let title = length(&self.title);
        let in_layout: usize = self.layout.texts.iter().map(|text| length(text)).sum();
        self.title = within(&self.title, text::ROOM.min(limits::TEXTS_TOTAL.saturating_sub(in_layout)).max(title));
        self.embeds = self.embeds.grown(limits::DESCRIPTION, limits::EMBEDS_TOTAL, within);
        let left = limits::TEXTS_TOTAL.saturating_sub(length(&self.title));
        self.layout = self.layout.grown(left, left, within);
        for text in &mut self.texts {
            *text = within(text, text::ROOM);
        }
        self
    }

    /// Whom a new message calls.
    pub(super) fn mentions(&self) -> CreateAllowedMentions {
        self.mentions.clone()
    }
}

/// What stands for files that could not be attached.
fn unattached(files: &[File]) -> String {
    text::without_files(&files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>())
}

/// A form of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Title, texts, buttons and files, laid out in components.
    Layout,
    /// The same, naming the files that are missing.
    LayoutWithoutFiles,
    /// Title, embeds, buttons and files.
    Whole,
    /// The same, naming the files that are missing.
    WithoutFiles,
    /// All of it as text, with its own files.
    TextWithFiles,
    /// All of it as text.
    Text,
    /// A sentence of ours, and all of it in a file, laid out in components: where what it says is refused.
    LayoutInFile,
    /// The same as text.
    InFile,
}

impl Form {
    pub(super) const fn is_layout(self) -> bool {
        matches!(self, Form::Layout | Form::LayoutWithoutFiles | Form::LayoutInFile)
    }

    /// True where the message itself is in a file.
    pub(super) const fn is_in_file(self) -> bool {
        matches!(self, Form::LayoutInFile | Form::InFile)
    }

    /// True where text alone is left of it.
    pub(super) const fn is_text(self) -> bool {
        matches!(self, Form::TextWithFiles | Form::Text)
    }
}

impl Discord {
    /// Renders a message for a server.
    pub(super) fn render(&self, message: &Message, guild: Option<Snowflake>) -> Rendered {
        render(message).clickable(&self.commands.of(guild), &message.people)
    }
}

/// Renders a message for any server.
pub(super) fn render(message: &Message) -> Rendered {
    let (call, mentions) = message.mention.as_ref().and_then(mention).unwrap_or_else(|| (String::new(), no_mentions()));
    let mut title = title(message, &call);
    let texts = text::texts(&title, &message.parts, !call.is_empty());
    let as_file = File {
        name: WHOLE.to_owned(),
        description: "The whole message as text".to_owned(),
        mime: "text/plain",
        content: String::from(whole_text(message)).into_bytes(),
    };
    let copy = message.controls.iter().find_map(|control| match control {
        Control::Copy(item) => Some(button(item)),
        Control::Button(_) | Control::Select { .. } => None,
    });
    let mut embeds = sheet(message, Page::new(Room::EMBEDS), None, &as_file);
    let copied = copy.as_ref().and_then(|_| copied(&message.parts));
    let mut layout = sheet(message, Page::new(Room::beside(&title)), copied, &as_file);
    // All of it can be copied at once, on a phone too, where it is text and nothing else.
    let are_commands = message.tone == Tone::Neutral && message.parts.iter().all(|part| matches!(part, Part::Commands(_)));
    let is_bare = are_commands && embeds.files.is_empty() && embeds.whole.is_none();
    if let ([only], true) = (texts.as_slice(), is_bare) {
        title.clone_from(only);
        embeds.texts.clear();
        layout.texts.clear();
    }
    let mut rendered = Rendered {
        texts,
        is_laid_out: false,
        call: if call.is_empty() { call } else { format!("{call} ") },
        as_file,
        is_progress: message.tone == Tone::Working,
        title,
        embeds,
        layout,
        colour: colour(message.tone),
        rows: rows(&message.controls, true),
        beside: copy.map(|copy| (copy, rows(&message.controls, false))),
        mentions,
        thread_name: thread_name(&message.title),
    };
    let layout = rendered.layout(&rendered.layout.all_files());
    // A phone's notification shows the text of a message, and nothing of its components: discord/discord-api-docs, issue 7854.
    // So whoever is called is called by text; and a line by itself is text, too.
    rendered.is_laid_out = rendered.call.is_empty() && layout.len() == 1 && fits(&layout) && !is_line(&layout);
    rendered
}

fn is_line(layout: &[Component]) -> bool {
    matches!(layout, [Component::Text(_)])
}

/// The parts as far as `page` has room; `copied` is the number of the part that has a button beside it.
fn sheet(message: &Message, mut page: Page, copied: Option<usize>, as_file: &File) -> Sheet {
    for (at, part) in message.parts.iter().enumerate() {
        match part {
            Part::Section { label, lines } if copied == Some(at) => page.section_with_button(label, lines),
            part => page.part(part),
        }
    }
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
    let whole = page.left_out.then(|| as_file.clone());
    Sheet { with_button: page.with_button, texts: page.finish(), files, whole }
}

/// The section that the first commands belong to, or did if they were not too long to stand here: the last one before the proof.
fn copied(parts: &[Part]) -> Option<usize> {
    let commands = parts.iter().position(|part| matches!(part, Part::Commands(_) | Part::Quotes { .. }))?;
    parts.iter().take(commands).rposition(|part| matches!(part, Part::Section { .. }))
}

fn title(message: &Message, call: &str) -> String {
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
