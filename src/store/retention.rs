//! Removes what is old and finished, a little at a time.

use super::{Store, StoreError};
use jiff::Timestamp;

/// Rows removed in one transaction; others get their turn in between.
const AT_ONCE: u32 = 500;

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Triggers that had ended.
    pub triggers: u64,
    /// Threads, with their investigations and messages.
    pub threads: u64,
    /// Lines of the audit trail.
    pub audit_lines: u64,
    /// Alarms nobody heard of since.
    pub alarms: u64,
}

impl Removed {
    /// True when nothing was removed.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Removed::default()
    }
}

impl Store {
    /// Removes some of what ended before `before`; to be repeated until nothing is left. What is worked on, waits, is
    /// watched or still has to be delivered stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_before(&self, before: Timestamp) -> Result<Removed, StoreError> {
        let before = before.as_millisecond();
        let mut tx = self.write().await?;
        let triggers = sqlx::query("DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE ended_at < $1 LIMIT $2)")
            .bind(before)
            .bind(i64::from(AT_ONCE))
            .execute(&mut *tx)
            .await?;
        let threads = sqlx::query(
            "DELETE FROM threads WHERE id IN (
                 SELECT t.id FROM threads t WHERE t.touched_at < $1
                   AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.thread = t.id AND (m.state = 'pending' OR m.stated_at >= $1))
                   AND NOT EXISTS (SELECT 1 FROM investigations i LEFT JOIN watches w ON w.investigation = i.id
                                   WHERE i.thread = t.id AND (i.state = 'running' OR w.investigation IS NOT NULL
                                   OR EXISTS (SELECT 1 FROM inbox o WHERE o.subject = i.id AND o.state IN ('waiting', 'running'))))
                 LIMIT $2)",
        )
        .bind(before)
        .bind(i64::from(AT_ONCE))
        .execute(&mut *tx)
        .await?;
        let audit = sqlx::query("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < $1 LIMIT $2)")
            .bind(before)
            .bind(i64::from(AT_ONCE))
            .execute(&mut *tx)
            .await?;
        let alarms = sqlx::query("DELETE FROM alarms WHERE key IN (SELECT key FROM alarms WHERE seen_at < $1 LIMIT $2)")
            .bind(before)
            .bind(i64::from(AT_ONCE))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Removed {
            triggers: triggers.rows_affected(),
            threads: threads.rows_affected(),
            audit_lines: audit.rows_affected(),
            alarms: alarms.rows_affected(),
        })
    }

    /// Forgets the answers' addresses that nobody used since `before`: they no longer work.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_answers(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let forgotten =
            sqlx::query("UPDATE messages SET reply_to = NULL WHERE reply_to IS NOT NULL AND alone = 0 AND stated_at < $1")
                .bind(before.as_millisecond())
                .execute(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(forgotten.rows_affected())
    }
}
