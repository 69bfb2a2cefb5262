//! Where platforms hand in what people say.

use super::document::{Message, Tone};
use super::thread_list::ThreadFilter;
use crate::model::{ActionToken, Actor, IncomingEvent, InvestigationId, Place, Region};
use crate::redact::SafeText;
use async_trait::async_trait;
use jiff::Timestamp;

/// What becomes of it. The platform acknowledges after this, and shows the answer to that person alone.
#[derive(Debug, Clone, PartialEq)]
pub enum Ack {
    /// It is stored, and work begins; a worker answers in the thread.
    Accepted,
    /// It was accepted before; nothing more happens.
    Duplicate,
    /// Nothing is stored: a refusal, help, or "expired, run again".
    Answer(Box<Message>),
    /// We could not store it; the person is told to try again, and a sender that can should send it again.
    Unavailable(Box<Message>),
}

/// One line about an investigation.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub id: InvestigationId,
    pub secret: SafeText,
    /// How its verdict looks, or what stands in its place.
    pub tone: Tone,
    /// The verdict, or what is being done.
    pub line: SafeText,
    pub started_at: Timestamp,
    /// Where its thread is.
    pub place: Place,
}

/// Takes what people say: authorises it, stores it, answers. Never waits for AWS or a platform.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Takes it. Returns within milliseconds; what it accepted survives a crash.
    async fn accept(&self, inbound: IncomingEvent) -> Ack;

    /// Names of secrets this person may ask about here that begin with or contain `typed`, at most 25.
    async fn suggest(&self, actor: &Actor, place: &Place, typed: &str) -> Vec<String>;

    /// The accounts and regions in which this person may ask about `secret` here; where none is named, about any secret that is
    /// known.
    async fn places(&self, _actor: &Actor, _place: &Place, _secret: &str) -> Vec<(Option<String>, Region)> {
        Vec::new()
    }

    /// The secrets that a text is about which this person points at, such as an alarm that somebody else posted: those it names
    /// outright; else those whose names occur in it, of the secrets this person may ask about here. At most 25.
    async fn secrets_in(&self, _actor: &Actor, _place: &Place, _text: &str) -> Vec<String> {
        Vec::new()
    }

    /// The verdict of an investigation without its controls, to be shown at `place` to everybody there; `None` where this person may
    /// not have it told there, or there is none.
    async fn preview(&self, _actor: &Actor, _place: &Place, _id: &InvestigationId) -> Option<Message> {
        None
    }

    /// The newest investigations this person may see that `filter` takes, at most `limit`.
    async fn recent(&self, actor: &Actor, filter: ThreadFilter, limit: usize) -> Vec<Summary>;

    /// The bot became a member of the channel of `place`: what waits for that may go out.
    async fn joined(&self, _place: &Place) {}

    /// What a token asks for, if it is one of ours; never an authorisation.
    fn read_token(&self, text: &str) -> Option<ActionToken> {
        text.parse().ok()
    }
}
