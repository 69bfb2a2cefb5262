//! A message as people read it, before a platform gives it its form.
//!
//! Every text is a [`SafeText`]: redacted, but not yet inert. A platform escapes it, cuts it to its limits, and turns no
//! text into a link, a mention or a button.

use crate::model::ActionToken;
use crate::redact::SafeText;
use crate::report::{Phrase, StepMark, wording};
use crate::safe_format;
use serde::{Deserialize, Serialize};

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The colour it has.
    pub tone: Tone,
    /// Its first line, which notifications show too.
    pub title: SafeText,
    /// The rest, in order.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// Buttons and menus, in order.
    #[serde(default)]
    pub controls: Vec<Control>,
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// Whom it calls: those of the configuration, or whoever asked for what it says. The only way to a mention.
    #[serde(default)]
    pub mention: Option<Mention>,
    /// People whom its texts name, by their ids: a platform shows their names there, and calls nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// True where it ends what people wait for: a platform may be set up to show such a reply in the channel too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_ending: bool,
}

impl Message {
    /// Leads the reader to the page of each cause that is named, below `causes`, such as `https://host/causes/`.
    pub fn link_causes(&mut self, causes: &str) {
        let causes = SafeText::redact(causes);
        for part in &mut self.parts {
            if let Part::Cause(cause) = part {
                cause.page = Some(safe_format!("{}{}", causes, cause.id));
            }
        }
    }

    /// A message of one line.
    #[must_use]
    pub fn line(tone: Tone, title: SafeText) -> Message {
        Message {
            tone,
            title,
            parts: Vec::new(),
            controls: Vec::new(),
            attachments: Vec::new(),
            mention: None,
            people: Vec::new(),
            is_ending: false,
        }
    }
}

/// The colour of a message; a circle or a bar shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Working,
    /// Rotation does not happen.
    Bad,
    /// Rotation suffers, or it cannot be told.
    Warning,
    Good,
    Neutral,
}

impl Tone {
    /// The mark in front of the title; nothing where there is no judgement.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Tone::Working => "🔎",
            Tone::Bad => "🔴",
            Tone::Warning => "🟡",
            Tone::Good => "🟢",
            Tone::Neutral => "",
        }
    }
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Small print, shown in one line with dots between.
    Context(Vec<SafeText>),
    /// The same, with moments that a platform shows in its reader's own time.
    Facts(Vec<Phrase>),
    /// Paragraphs or items under a bold label.
    Section {
        label: SafeText,
        /// One paragraph or item each.
        lines: Vec<SafeText>,
    },
    /// Evidence under a bold label, in a typewriter face.
    Quotes { label: SafeText, quotes: Vec<Quote> },
    /// Commands to paste, in a block that can be copied; never cut.
    Commands(Vec<SafeText>),
    /// What could be lost.
    Caution(SafeText),
    /// Documentation. Only addresses the program itself knows get here, and they are shown as links.
    Links(Vec<SafeText>),
    /// Playbook steps, one line each.
    Steps(Vec<StepLine>),
    /// The cause that a verdict rests on, and where people read more about it.
    Cause(CauseReference),
}

/// A cause by its id, and where its page is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CauseReference {
    /// Such as `db_auth_failed`; letters, digits and underscores.
    pub id: SafeText,
    /// The page's address in the web console; `None` where none is configured, and the command line has to do.
    #[serde(default)]
    pub page: Option<SafeText>,
}

impl CauseReference {
    /// The reference as one line of text.
    #[must_use]
    pub fn line(&self) -> SafeText {
        let more = match &self.page {
            Some(page) => page.clone(),
            None => safe_format!("rotation-diag explain {}", self.id),
        };
        safe_format!("Cause: {} · {}", self.id, more)
    }
}

/// A quoted line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// Such as `step 4`.
    pub lead: SafeText,
    /// The line or the fact.
    pub text: SafeText,
    /// The call and the moment it is from.
    pub source: SafeText,
}

/// One playbook step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepLine {
    /// 1 to 9.
    pub number: u8,
    /// Such as `function logs`.
    pub name: SafeText,
    pub state: StepState,
    /// What it found; empty while it waits or runs.
    pub summary: SafeText,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// What it needs is not known yet.
    Waiting,
    /// It is asking AWS.
    Running,
    /// It saw something; whether that is good is not known yet.
    Done,
    /// What it saw is fine.
    Fine,
    /// It is the trouble: a finding rests on it, or what it saw is bad in itself.
    Trouble,
    /// There was nothing to see.
    Nothing,
    /// It was not permitted to look, or not everywhere.
    Denied,
    /// It was too slow, throttled or broken.
    Broken,
    /// The question makes no sense for this secret, or nobody asked it.
    Skipped,
}

impl StepState {
    /// One character that shows it.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            StepState::Waiting => "·",
            StepState::Running => "◌",
            StepState::Done => wording::SEEN,
            StepState::Fine => StepMark::Fine.sign(),
            StepState::Trouble => StepMark::Trouble.sign(),
            StepState::Nothing => StepMark::Nothing.sign(),
            StepState::Denied | StepState::Broken => StepMark::Unseen.sign(),
            StepState::Skipped => StepMark::Unasked.sign(),
        }
    }
}

/// A button or a menu.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    Button(MenuItem),
    /// Hands over the message's commands with nothing around them; a platform whose readers copy from its blocks leaves it out.
    Copy(MenuItem),
    Select {
        /// What it shows while nothing is chosen.
        placeholder: SafeText,
        /// Its entries, at most 25.
        choices: Vec<MenuItem>,
    },
}

/// A button or a menu's entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MenuItem {
    /// What it shows, at most 75 characters.
    pub label: SafeText,
    pub token: ActionToken,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name, such as `orders-db.json`; letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// What it shows, for those who do not see it.
    pub description: SafeText,
    pub content: Content,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text(SafeText),
    /// A PNG picture we drew ourselves, in base64.
    Png(String),
}

/// Whom a message calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mention {
    /// A person, by id.
    User(String),
    /// People, by id.
    People(Vec<String>),
    /// A user group or role, by id.
    Group(String),
    /// Everyone who is active in the channel.
    Here,
}
