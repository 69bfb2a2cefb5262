//! What is due, and what became of what was sent.

use super::{DUE, DueMessage, EditInterval, Files, Look, MAX_OTHERS, MessageRow, NEXT};
use crate::chat::Message;
use crate::model::PlatformName;
use crate::store::leaders::{courier, in_term};
use crate::store::{Changed, Store, StoreError, Tx, to_json};
use std::collections::HashSet;
use std::time::Duration;

impl Store {
    /// The messages of `platform` that may be sent now: at most one per thread, none of the `busy` threads or the `full`
    /// channels; a thread's root comes before its replies, and replies come in order. First signs of life go first, and edits
    /// that tell of progress last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_messages(
        &self,
        platform: PlatformName,
        busy: &HashSet<&str>,
        full: &HashSet<&str>,
        limit: u32,
    ) -> Result<Look, StoreError> {
        self.in_time(self.look(platform, busy, full, limit)).await
    }

    async fn look(
        &self,
        platform: PlatformName,
        busy: &HashSet<&str>,
        full: &HashSet<&str>,
        limit: u32,
    ) -> Result<Look, StoreError> {
        // Both questions are about the same moment: what becomes due between two would be in neither answer.
        let now = self.tick();
        let office = courier(platform);
        let term = self.term(&office);
        let rows: Vec<MessageRow> = sqlx::query_as(DUE)
            .bind(now)
            .bind(platform.id())
            .bind(to_json("list of threads", busy)?)
            .bind(to_json("list of channels", full)?)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        let mut threads = HashSet::new();
        let mut due = Vec::new();
        for row in rows.into_iter().filter(|row| threads.insert(row.thread.clone())) {
            let id = row.id;
            match row.read(&office, term) {
                Ok(one) => due.push(one),
                // Another version wrote it; the others are not to wait for it.
                Err(error) => self.skip_unreadable(id, &error).await?,
            }
        }
        let next: Option<i64> = sqlx::query_scalar(NEXT).bind(now).bind(platform.id()).fetch_optional(&self.readers).await?;
        Ok(Look { due, next: next.map(|next| self.until(next)) })
    }

    async fn skip_unreadable(&self, id: i64, error: &StoreError) -> Result<(), StoreError> {
        tracing::error!(%error, "a message is given up");
        sqlx::query("UPDATE messages SET state = 'given_up', reply_to = NULL, why = $1 WHERE id = $2")
            .bind(error.to_string())
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Notes that a message is about to be posted: from here on it may have arrived. False where that is no longer up to us.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn posting(&self, due: &DueMessage) -> Result<bool, StoreError> {
        let noted = sqlx::query(in_term!(
            "UPDATE messages SET uncertain = $1, tried = iif(uncertain > 0, tried, NULL),
                    tried_at = iif(uncertain > 0, tried_at, $2) WHERE id = $3",
            "$4",
            "$5"
        ))
        .bind(due.revision)
        .bind(self.now().as_millisecond())
        .bind(due.id)
        .bind(due.term)
        .bind(&due.office)
        .execute(&self.writer)
        .await?;
        Ok(noted.rows_affected() == 1)
    }

    /// Notes that the platform has this revision, under `posted_id`; where it `owes_files`, they follow. What may be replaced
    /// by a late edit is said again after `again`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sent(
        &self,
        due: &DueMessage,
        posted_id: &str,
        pace: EditInterval,
        owes_files: bool,
        again: Duration,
    ) -> Result<(), StoreError> {
        let owes_files = owes_files || due.files != Files::None;
        let mut tx = self.write().await?;
        sqlx::query(in_term!(
            "UPDATE messages SET posted = $1, posted_id = $2, uncertain = 0, tried = NULL, attempts = 0, closed = 0, why = '',
                    files = iif($7, max(files, 1), files),
                    repeats = repeats - iif(revision = $1 AND passing = 0 AND NOT $7 AND repeats > 0, 1, 0),
                    state = iif(revision = $1 AND NOT $7 AND (passing = 1 OR repeats = 0), 'sent', 'pending'),
                    not_before = CASE WHEN revision = $1 AND passing = 0 AND NOT $7 AND repeats > 0 THEN $8
                                      WHEN passing = 1 THEN $3 ELSE $4 END,
                    message = iif(revision = $1 AND NOT $7, coalesce($6, message), message) WHERE id = $5",
            "$9",
            "$10"
        ))
        .bind(due.revision)
        .bind(posted_id)
        .bind(self.tick_after(pace.between_edits))
        .bind(self.tick())
        .bind(due.id)
        .bind(without_files(due)?)
        .bind(owes_files)
        .bind(self.tick_after(again))
        .bind(due.term)
        .bind(&due.office)
        .execute(&mut *tx)
        .await?;
        self.end_sending(tx, due, posted_id).await
    }

    /// Notes that what was being posted when its answer was lost is there, under `posted_id`; where it `owes_files`, they follow.
    /// It may be of an earlier attempt, so it is edited next, whatever it says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn found(&self, due: &DueMessage, posted_id: &str, owes_files: bool) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(in_term!(
            "UPDATE messages SET posted = revision, revision = revision + 1, posted_id = $1, uncertain = 0, tried = NULL,
                    attempts = 0, closed = 0, why = '', files = iif($4, max(files, 1), files), state = 'pending', not_before = $2
             WHERE id = $3",
            "$5",
            "$6"
        ))
        .bind(posted_id)
        .bind(self.tick())
        .bind(due.id)
        .bind(owes_files)
        .bind(due.term)
        .bind(&due.office)
        .execute(&mut *tx)
        .await?;
        self.end_sending(tx, due, posted_id).await
    }

    async fn end_sending(&self, mut tx: Tx, due: &DueMessage, posted_id: &str) -> Result<(), StoreError> {
        let root = (due.is_root() && !due.ephemeral).then_some(posted_id);
        sqlx::query(in_term!("UPDATE threads SET root = coalesce($1, root), touched_at = $2 WHERE id = $3", "$4", "$5"))
            .bind(root)
            .bind(self.now().as_millisecond())
            .bind(due.thread.as_str())
            .bind(due.term)
            .bind(&due.office)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.changed(Changed::Messages);
        Ok(())
    }

    /// The platform's ids of other messages in the channel of a message and its threads, the newest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn others_there(&self, due: &DueMessage) -> Result<Vec<String>, StoreError> {
        let ids = sqlx::query_scalar(
            "SELECT m.posted_id FROM messages m JOIN threads t ON t.id = m.thread
             WHERE t.platform = $1 AND t.workspace = $2 AND t.channel = $3 AND m.posted_id IS NOT NULL AND m.id <> $4
             ORDER BY m.id DESC LIMIT $5",
        )
        .bind(due.place.platform.id())
        .bind(&due.place.workspace)
        .bind(&due.place.channel)
        .bind(due.id)
        .bind(i64::from(MAX_OTHERS))
        .fetch_all(&self.readers)
        .await?;
        Ok(ids)
    }

    /// Notes that the files of a message are about to be handed over: from here on they may be there. False where that is no
    /// longer up to us.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attaching(&self, due: &DueMessage) -> Result<bool, StoreError> {
        let noted = sqlx::query(in_term!("UPDATE messages SET files = 2 WHERE id = $1", "$2", "$3"))
            .bind(due.id)
            .bind(due.term)
            .bind(&due.office)
            .execute(&self.writer)
            .await?;
        Ok(noted.rows_affected() == 1)
    }

    /// Notes that the files of a message are there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attached(&self, due: &DueMessage) -> Result<(), StoreError> {
        sqlx::query(in_term!(
            "UPDATE messages SET files = 0, attempts = 0, why = '', state = iif(revision = $1, 'sent', 'pending'),
                    message = iif(revision = $1, coalesce($2, message), message) WHERE id = $3",
            "$4",
            "$5"
        ))
        .bind(due.revision)
        .bind(without_files(due)?)
        .bind(due.id)
        .bind(due.term)
        .bind(&due.office)
        .execute(&self.writer)
        .await?;
        self.changed(Changed::Messages);
        Ok(())
    }

    /// Leaves a message as the platform has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn leave(&self, due: &DueMessage) -> Result<(), StoreError> {
        sqlx::query(in_term!(
            "UPDATE messages SET repeats = 0, state = iif(revision = $1, 'sent', 'pending') WHERE id = $2",
            "$3",
            "$4"
        ))
        .bind(due.revision)
        .bind(due.id)
        .bind(due.term)
        .bind(&due.office)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Forgets where the person who asked can be answered: it was done.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answered(&self, due: &DueMessage) -> Result<(), StoreError> {
        sqlx::query("UPDATE messages SET reply_to = NULL WHERE id = $1").bind(due.id).execute(&self.writer).await?;
        Ok(())
    }
}

/// A message whose files the platform keeps from now on, unless they stay here.
fn without_files(due: &DueMessage) -> Result<Option<String>, StoreError> {
    if due.message.attachments.is_empty() || due.files_stay {
        return Ok(None);
    }
    to_json("message", &Message { attachments: Vec::new(), ..due.message.clone() }).map(Some)
}
