//! Threads of alarms that are to be looked at again later.

use super::{Store, StoreError, at};
use crate::model::{Recheck, ThreadId};
use jiff::Timestamp;

/// A thread that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRecheck {
    pub thread: ThreadId,
    pub why: Recheck,
    pub due_at: Timestamp,
}

impl Store {
    /// Has `thread` looked at again at `due_at`, and not at the time it was to be for the same reason.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recheck_at(&self, thread: &ThreadId, why: Recheck, due_at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO rechecks (thread, why, due_at) VALUES ($1, $2, $3)
             ON CONFLICT (thread, why) DO UPDATE SET due_at = excluded.due_at",
        )
        .bind(thread.as_str())
        .bind(why.id())
        .bind(due_at.as_millisecond())
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// What is due at `now`, the most overdue first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_rechecks(&self, now: Timestamp, limit: u32) -> Result<Vec<DueRecheck>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT thread, why, due_at FROM rechecks WHERE due_at <= $1 ORDER BY due_at LIMIT $2")
                .bind(now.as_millisecond())
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
        // What another version wrote hides nothing else.
        let read = |(thread, why, due): (String, String, i64)| {
            Some(DueRecheck { thread: thread.parse().ok()?, why: Recheck::from_id(&why)?, due_at: at(due) })
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Forgets one that was begun; one that was put off meanwhile stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recheck_begun(&self, due: &DueRecheck) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM rechecks WHERE thread = $1 AND why = $2 AND due_at = $3")
            .bind(due.thread.as_str())
            .bind(due.why.id())
            .bind(due.due_at.as_millisecond())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}
