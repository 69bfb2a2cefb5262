//! How much waits, and for how long: for whoever watches the bot.

use super::{Store, StoreError};
use std::time::Duration;

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// How many.
    pub count: i64,
    /// How long the oldest of them has been due; zero where none is.
    pub oldest: Duration,
}

impl Store {
    /// The triggers that nobody works on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting_triggers(&self) -> Result<Backlog, StoreError> {
        self.backlog("SELECT count(*), min(not_before) FROM inbox WHERE state = 'waiting'").await
    }

    /// The messages that are not shown as they are to be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting_messages(&self) -> Result<Backlog, StoreError> {
        self.backlog(
            "SELECT count(*), min(not_before) FROM messages WHERE state = 'pending' AND (posted < revision OR files > 0)",
        )
        .await
    }

    async fn backlog(&self, sql: &'static str) -> Result<Backlog, StoreError> {
        let (count, oldest): (i64, Option<i64>) = sqlx::query_as(sql).fetch_one(&self.readers).await?;
        let due_for = oldest.map_or(0, |oldest| self.tick().saturating_sub(oldest));
        Ok(Backlog { count, oldest: Duration::from_millis(u64::try_from(due_for).unwrap_or_default()) })
    }
}
