//! What starts work: a person's command or click, an alarm, or a watch that is due. Triggers are stored until done.

use super::action::{Action, ActionToken};
use super::alarm::Alarm;
use super::chat::{Actor, InvestigationRequest, Place, ReplyTo};
use super::ids::{InvestigationId, ThreadId};
use serde::{Deserialize, Serialize};

/// What starts work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Trigger {
    /// A person asks about a secret.
    Command(Command),
    /// A person acts on an investigation.
    #[serde(rename = "act")]
    Action(ActionRequest),
    /// An alarm came, or a periodic look found one that did not.
    Alarm(Alarm),
    /// A watched investigation is due for another look.
    WatchDue { investigation: InvestigationId },
    /// What alarms left for later is due.
    Recheck { thread: ThreadId, why: Recheck },
    /// A person said or clicked something, and whether that person may is still to be asked of the platform.
    #[serde(rename = "said")]
    Incoming(IncomingEvent),
}

/// Why the thread of an alarm is looked at again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recheck {
    /// An alarm changed to and fro, and has been still since.
    Still,
    /// A secret has a new version, and nothing told yet whether a rotation made it.
    Version,
    /// A storm of alarms is over, or its list is complete for now.
    Storm,
}

impl Recheck {
    const ALL: [Recheck; 3] = [Recheck::Still, Recheck::Version, Recheck::Storm];

    /// As it is stored.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Recheck::Still => "still",
            Recheck::Version => "version",
            Recheck::Storm => "storm",
        }
    }

    /// The reason stored as `id`.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Recheck> {
        Recheck::ALL.into_iter().find(|why| why.id() == id)
    }
}

/// Something a person said or clicked, authentic by the platform's own signature or connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingEvent {
    /// The same for a redelivery, and for nothing else: the platform's id of the message or interaction.
    pub key: String,
    pub actor: Actor,
    /// Where; with the thread, where it was said in one.
    pub place: Place,
    /// Where that person can be answered alone.
    pub reply_to: Option<ReplyTo>,
    pub said: Payload,
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Words: a slash command's, or those after a mention. Read by the grammar of commands.
    Words(String),
    /// A click on a button or a menu entry, with the token's text as it came back.
    Click(String),
}

/// A person asks about a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Who, already authorised for this question.
    pub actor: Actor,
    /// Where; a question inside a thread opens one of its own in the channel.
    pub place: Place,
    /// Where to answer that person alone.
    pub reply_to: Option<ReplyTo>,
    pub question: InvestigationRequest,
    /// True where it was asked in a thread.
    #[serde(default)]
    pub in_thread: bool,
}

/// A person acts on an investigation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRequest {
    /// Who, already authorised for this action.
    pub actor: Actor,
    pub place: Place,
    /// Where to answer that person alone.
    pub reply_to: Option<ReplyTo>,
    /// Which investigation, as of which revision, and what.
    pub token: ActionToken,
}

impl ActionRequest {
    /// What to do.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.token.action
    }
}
