//! What was said and found, for a platform that keeps no messages itself.

use super::document::Message;
use super::thread_list::{ThreadList, ThreadQuery};
use crate::model::{Actor, Investigation, InvestigationId, Place, PlatformName};
use async_trait::async_trait;
use jiff::Timestamp;

/// A message as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    /// What [`super::ChatPlatform::post`] returned for it, or will return.
    pub id: String,
    /// It grows with every edit.
    pub revision: i64,
    /// When it was last stated.
    pub at: Timestamp,
    pub message: Message,
}

/// An investigation, and where its thread is.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownInvestigation {
    pub investigation: Investigation,
    pub place: Place,
    /// Where it is told on another platform.
    pub elsewhere: Option<Elsewhere>,
}

/// A thread of another platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// What sentences call the platform.
    pub platform: &'static str,
    /// The thread's address there, where the platform knows it.
    pub address: Option<String>,
}

/// The messages cannot be read just now; the operator's log says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the messages cannot be read just now")]
pub struct HistoryError;

/// The messages that were stated for a platform, and what was found. What only one person is to see is not among them.
#[async_trait]
pub trait MessageHistory: Send + Sync {
    /// The threads of the channel of `place`; and on a platform that shows what was found on others, their threads about
    /// secrets that `actor` may ask about here.
    async fn threads(&self, actor: &Actor, place: &Place, query: &ThreadQuery) -> Result<ThreadList, HistoryError>;

    /// The messages of the thread that hangs on message `root`: that one first, then the newest `limit` others in their
    /// order. Empty where there is no such thread.
    async fn messages(&self, platform: PlatformName, root: &str, limit: usize) -> Result<Vec<Posted>, HistoryError>;

    /// An investigation, if `actor` may see it in `place`; `None` also where it does not exist.
    async fn investigation(&self, actor: &Actor, place: &Place, id: &InvestigationId) -> Option<ShownInvestigation>;
}
