//! Messages that could not be sent: they wait for their time, for their channel or for the platform, or are given up.

use super::{CLOSED_FOR, DEADLINE, DueMessage, REPEATS};
use crate::model::{Place, PlatformName, ReplyTo, ThreadId};
use crate::redact::SafeText;
use crate::store::leaders::in_term;
use crate::store::{Changed, Store, StoreError, audit, millis};
use std::time::Duration;

impl Store {
    /// Puts a message off by `wait`, or gives it up when that is past its deadline; true when it was given up.
    /// `arrived` is `None` when it is unknown whether it arrived: a message is looked for then, and an edit may be carried out
    /// late.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_off(
        &self,
        due: &DueMessage,
        wait: Duration,
        arrived: Option<bool>,
        why: &SafeText,
    ) -> Result<bool, StoreError> {
        if self.tick_after(wait) > due.due_by {
            self.give_up(due, why).await?;
            return Ok(true);
        }
        let may_come_late = arrived.is_none() && due.posted_id.is_some() && !due.is_for_files();
        sqlx::query(in_term!(
            "UPDATE messages SET attempts = attempts + 1, not_before = $1, uncertain = coalesce($2, uncertain), why = $3,
                    repeats = max(repeats, $4) WHERE id = $5",
            "$6",
            "$7"
        ))
        .bind(self.tick_after(wait))
        // That this attempt did not arrive says nothing of the one before it.
        .bind(arrived.filter(|_| due.lost.is_none()).map(|_| 0_i64))
        .bind(why.as_str())
        .bind(if may_come_late { i64::from(REPEATS) } else { 0 })
        .bind(due.id)
        .bind(due.term)
        .bind(&due.office)
        .execute(&self.writer)
        .await?;
        Ok(false)
    }

    /// Puts off a message that its place does not take as things are, and keeps it for days: people may change that. True when
    /// that was too long, and it was given up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn wait_for_place(&self, due: &DueMessage, wait: Duration, why: &SafeText) -> Result<bool, StoreError> {
        if self.now().as_millisecond().saturating_sub(due.stated_at) > millis(CLOSED_FOR) {
            self.give_up(due, why).await?;
            return Ok(true);
        }
        let next = self.tick_after(wait);
        sqlx::query(in_term!(
            "UPDATE messages SET attempts = attempts + 1, not_before = $1, due_by = max(due_by, $2), uncertain = iif($5, uncertain, 0),
                    closed = 1, why = $3
             WHERE id = $4",
            "$6",
            "$7"
        ))
        .bind(next)
        .bind(next.saturating_add(millis(DEADLINE)))
        .bind(why.as_str())
        .bind(due.id)
        .bind(due.lost.is_some())
        .bind(due.term)
        .bind(&due.office)
        .execute(&self.writer)
        .await?;
        Ok(false)
    }

    /// Whoever delivers to a platform begins: edits of the process before may still be carried out, after the next one. For a
    /// file, opening it does this.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_up_deliveries(&self, platform: PlatformName) -> Result<(), StoreError> {
        if !self.is_shared() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE messages SET repeats = max(repeats, $1) WHERE state = 'pending' AND posted > 0 AND posted < revision
               AND thread IN (SELECT id FROM threads WHERE platform = $2)",
        )
        .bind(i64::from(REPEATS))
        .bind(platform.id())
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Any place of the platform may take now what it did not: what waits for that is tried.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn let_in(&self, platform: PlatformName) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let hurried = sqlx::query(
            "UPDATE messages SET not_before = $1 WHERE state = 'pending' AND not_before > $1 AND closed = 1
               AND thread IN (SELECT id FROM threads WHERE platform = $2)",
        )
        .bind(self.tick())
        .bind(platform.id())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        if hurried.rows_affected() > 0 {
            self.changed(Changed::Messages);
        }
        Ok(())
    }

    /// What waits for the channel of `place` may go out now: how many messages.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn send_now(&self, place: &Place) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let hurried = sqlx::query(
            "UPDATE messages SET not_before = $1 WHERE state = 'pending' AND not_before > $1 AND attempts > 0
               AND thread IN (SELECT id FROM threads WHERE platform = $2 AND workspace = $3 AND channel = $4)",
        )
        .bind(self.tick())
        .bind(place.platform.id())
        .bind(&place.workspace)
        .bind(&place.channel)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.changed(Changed::Messages);
        Ok(hurried.rows_affected())
    }

    /// A message that was given up sets out again; whoever asked now is answered. False where it was not given up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revive(&self, thread: &ThreadId, message_key: &str, to: Option<&ReplyTo>) -> Result<bool, StoreError> {
        let now = self.tick();
        let revived = sqlx::query(
            "UPDATE messages SET state = 'pending', attempts = 0, not_before = $1, due_by = $2,
                    reply_to = coalesce($3, reply_to) WHERE thread = $4 AND slot = $5 AND state = 'given_up'",
        )
        .bind(now)
        .bind(now.saturating_add(millis(DEADLINE)))
        .bind(to.map(|to| to.0.as_str()))
        .bind(thread.as_str())
        .bind(message_key)
        .execute(&self.writer)
        .await?;
        self.changed(Changed::Messages);
        Ok(revived.rows_affected() > 0)
    }

    /// The platform lost a message that was posted: it is posted anew. For a root, the thread moves with it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn post_anew(&self, due: &DueMessage) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let mine = sqlx::query(in_term!(
            "UPDATE messages SET posted = 0, posted_id = NULL, posts = posts + 1, uncertain = 0, repeats = 0 WHERE id = $1",
            "$2",
            "$3"
        ))
        .bind(due.id)
        .bind(due.term)
        .bind(&due.office)
        .execute(&mut *tx)
        .await?;
        if due.is_root() && mine.rows_affected() == 1 {
            sqlx::query("UPDATE threads SET root = NULL WHERE id = $1").bind(due.thread.as_str()).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Gives a message up, with the reason; with a root that was never posted, its whole thread. What was stated meanwhile in
    /// its place is sent instead.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_up(&self, due: &DueMessage, why: &SafeText) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let newer = sqlx::query(in_term!(
            "UPDATE messages SET not_before = $1, uncertain = 0, why = $2 WHERE id = $3 AND revision > $4",
            "$5",
            "$6"
        ))
        .bind(self.tick())
        .bind(why.as_str())
        .bind(due.id)
        .bind(due.revision)
        .bind(due.term)
        .bind(&due.office)
        .execute(&mut *tx)
        .await?;
        if newer.rows_affected() > 0 {
            return Ok(tx.commit().await?);
        }
        let whole_thread = due.is_root() && due.posted_id.is_none();
        let given_up = sqlx::query(in_term!(
            "UPDATE messages SET state = 'given_up', reply_to = NULL, why = $1
             WHERE (id = $2 OR ($3 AND thread = $4 AND state = 'pending' AND alone = 0))",
            "$5",
            "$6"
        ))
        .bind(why.as_str())
        .bind(due.id)
        .bind(whole_thread)
        .bind(due.thread.as_str())
        .bind(due.term)
        .bind(&due.office)
        .execute(&mut *tx)
        .await?;
        if given_up.rows_affected() == 0 {
            return Ok(());
        }
        let line = audit::Audited::system("gave up a message", &due.message_key, why.as_str());
        audit::insert(&mut tx, &line, self.now()).await?;
        Ok(tx.commit().await?)
    }
}
