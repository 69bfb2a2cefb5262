//! What the threads of a platform show, for a platform that keeps no messages itself.

use super::document::Message;
use crate::model::PlatformName;
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

/// A thread, from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryThread {
    /// The message it hangs on.
    pub root: Posted,
    /// How many others it has.
    pub replies: usize,
}

/// The messages cannot be read just now; the operator's log says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the messages cannot be read just now")]
pub struct HistoryError;

/// The messages that were stated for a platform. What only one person is to see is not among them.
#[async_trait]
pub trait MessageHistory: Send + Sync {
    /// The newest threads, newest first, at most `limit`.
    async fn threads(&self, platform: PlatformName, limit: usize) -> Result<Vec<HistoryThread>, HistoryError>;

    /// The messages of the thread that hangs on message `root`: that one first, then the newest `limit` others in their
    /// order. Empty where there is no such thread.
    async fn messages(&self, platform: PlatformName, root: &str, limit: usize) -> Result<Vec<Posted>, HistoryError>;
}
