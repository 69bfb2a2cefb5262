//! Who keeps what authentic messages say, and who confirms subscriptions.

use super::certificates::KnownCertificate;
use super::message::Notice;
use crate::config::Topic;
use async_trait::async_trait;

/// Keeps what authentic messages say, durably, before they are acknowledged.
#[async_trait]
pub trait NoticeIntake: Send + Sync {
    /// Keeps a message under its id, once, however often and however concurrently it comes.
    async fn accept(&self, message_id: &str, notice: Notice) -> Result<AcceptedNotice, Unavailable>;

    /// The certificates that were kept before a restart; none where nothing outlives one.
    async fn known_certificates(&self) -> Result<Vec<KnownCertificate>, Unavailable> {
        Ok(Vec::new())
    }

    /// Keeps a certificate that signed an authentic message, for after a restart.
    async fn keep_certificate(&self, _known: KnownCertificate) -> Result<(), Unavailable> {
        Ok(())
    }
}

/// A message is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptedNotice {
    New,
    Duplicate,
}

/// A message could not be kept; the sender should try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be stored right now")]
pub struct Unavailable;

/// Confirms subscriptions.
#[async_trait]
pub trait Subscriptions: Send + Sync {
    /// Confirms the subscription to `topic` that `token` was sent for.
    ///
    /// # Errors
    /// Why not, in one sentence for the operator, without the token.
    async fn confirm(&self, topic: &Topic, token: &str) -> Result<(), String>;
}
