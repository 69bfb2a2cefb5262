//! What a chat platform can do for us.

use super::document::Message;
use super::limits::Limits;
use super::manner::Manner;
use super::screen::Screen;
use crate::model::{Actor, Place, PlatformName, ReplyTo, ThreadRef};
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A channel; the message becomes the root of a new thread.
    Channel(Place),
    Thread(ThreadRef),
    /// A thread of others, in which an investigation is held; nothing of it may be told elsewhere. Its first message is posted
    /// there like any other.
    Held(ThreadRef),
}

/// Why a message was not sent. The texts are for the operator; they hold no token, address or message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The platform asked to wait, or could not be reached before anything was sent: nothing arrived.
    #[error("not sent yet: {why}")]
    Later {
        /// How long the platform asked to wait.
        after: Option<Duration>,
        why: String,
    },
    /// The request was sent, and whether it was taken is unknown: look for the message before sending it again.
    #[error("perhaps sent: {why}")]
    Uncertain { why: String },
    /// What it belongs to is gone: the message to edit, the thread, the channel's bot membership.
    #[error("nowhere to send: {why}")]
    Gone {
        /// What the platform answered.
        why: String,
    },
    /// The place takes no message of ours as things are, and people can change that: it is tried again when they may have.
    #[error("not taken there: {why}")]
    Closed {
        /// What the platform answered.
        why: String,
        /// What the person who asked is told: the reason, and the way on.
        tell: &'static str,
    },
    /// The platform will never take this message here.
    #[error("refused: {why}")]
    Refused {
        /// What the platform answered.
        why: String,
    },
    /// The platform no longer accepts our token: nothing can be sent until an operator acts.
    #[error("the token is not accepted: {why}")]
    Unauthorized {
        /// What the platform answered.
        why: String,
    },
}

impl SendError {
    /// Which kind, in one word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            SendError::Later { .. } => "later",
            SendError::Uncertain { .. } => "uncertain",
            SendError::Gone { .. } => "gone",
            SendError::Closed { .. } => "closed",
            SendError::Refused { .. } => "refused",
            SendError::Unauthorized { .. } => "unauthorized",
        }
    }
}

/// A message that was posted and whose answer was lost.
#[derive(Debug, Clone, Copy)]
pub struct LostPost<'a> {
    /// The delivery's key, as in [`ChatPlatform::post`].
    pub key: &'a str,
    /// What was posted; every attempt posts the same.
    pub message: &'a Message,
    /// When it was posted first.
    pub since: Timestamp,
    /// Messages of the same channel and its threads that are known to be others, by their ids.
    pub others: &'a [String],
}

/// What a platform knows of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedUp {
    /// The person, with all that could be looked up.
    pub actor: Actor,
    /// Why something could not be.
    pub failed: Option<SendError>,
}

/// A chat platform, as far as outgoing messages go. Every call has a deadline of its own.
#[async_trait]
pub trait ChatPlatform: Send + Sync {
    /// Which.
    fn name(&self) -> PlatformName;

    /// What it says of itself.
    fn limits(&self) -> Limits;

    /// Sends a message and returns its id. `key` is the delivery's: the platform keeps it with the message where it can,
    /// so that [`ChatPlatform::find`] knows the message again. Where a message to a channel needs its thread opened, that is
    /// the platform's own concern: the message is there, whatever becomes of its thread.
    async fn post(&self, to: &Destination, message: &Message, key: &str) -> Result<String, SendError>;

    /// Replaces a message. `id` is what [`ChatPlatform::post`] returned; attachments stay as they are.
    async fn edit(&self, to: &Destination, id: &str, message: &Message) -> Result<(), SendError>;

    /// True where the files of a message follow it by [`ChatPlatform::attach`] instead of coming with it.
    fn owes_files(&self, _message: &Message) -> bool {
        false
    }

    /// Hands over the files of a message that was posted as `id`. Where an earlier try may have come through,
    /// `may_be_there`, what is there already is not sent again. An error other than that it is too early is final: the
    /// thread was told of what is missing, where that could be told.
    async fn attach(&self, _to: &Destination, _id: &str, _message: &Message, _may_be_there: bool) -> Result<(), SendError> {
        Ok(())
    }

    /// Looks up what the rules ask about a person who is [`Standing::Pending`](crate::model::Standing::Pending).
    async fn look_up(&self, actor: &Actor) -> LookedUp {
        LookedUp { actor: actor.clone(), failed: None }
    }

    /// Looks for a message that may have arrived; `None` when it did not, or where posting it again returns what arrived.
    async fn find(&self, to: &Destination, lost: &LostPost<'_>) -> Result<Option<String>, SendError>;

    /// Answers one person alone.
    async fn send_ephemeral(&self, to: &ReplyTo, message: &Message) -> Result<(), SendError>;

    /// Tells the person who asked where the work goes on, on a platform where an answer is still open.
    async fn point_to(&self, _to: &ReplyTo, _thread: &ThreadRef) -> Result<(), SendError> {
        Ok(())
    }

    /// Tells when the platform may let us in where it answered [`SendError::Closed`]; `None` where nobody tells.
    fn let_in(&self) -> Option<watch::Receiver<()>> {
        None
    }

    /// A link to a thread, where the platform has one without asking.
    fn link(&self, _thread: &ThreadRef) -> Option<String> {
        None
    }
}

/// The platforms people are on. Clones are the same; which there are is set once, before anything is worked on.
#[derive(Clone, Default)]
pub struct PlatformSet(Arc<OnceLock<Vec<Arc<dyn ChatPlatform>>>>);

impl PlatformSet {
    /// Sets which there are. A second time would be another bot's, and changes nothing.
    pub fn set(&self, platforms: &[Arc<dyn ChatPlatform>]) {
        let _ = self.0.set(platforms.to_vec());
    }

    /// The platform with this name, where the bot is on it.
    #[must_use]
    pub fn find(&self, name: PlatformName) -> Option<&Arc<dyn ChatPlatform>> {
        self.0.get()?.iter().find(|platform| platform.name() == name)
    }

    /// What the platform with this name says of itself; of one the bot is not on any more, what is usual.
    #[must_use]
    pub fn limits(&self, name: PlatformName) -> Limits {
        self.find(name).map_or(Limits::usual("the platform", Manner::Slash), |platform| platform.limits())
    }

    /// How messages at `place` are shown on a phone.
    #[must_use]
    pub fn screen(&self, place: &Place) -> Screen {
        self.limits(place.platform).screen
    }

    /// How one speaks to the bot at `place`.
    #[must_use]
    pub fn manner(&self, place: &Place) -> Manner {
        let manner = self.limits(place.platform).manner;
        if place.thread.is_some() { manner.in_thread() } else { manner }
    }
}
