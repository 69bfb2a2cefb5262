//! Threads: where an investigation, or all that an alarm touches, is told.

use super::channel::place;
use super::messages::{self, DesiredMessage};
use super::{Changed, Store, StoreError, Tx, parsed};
use crate::model::{Place, ThreadId};
use jiff::Timestamp;
use sqlx::FromRow;

/// A thread to be opened.
#[derive(Debug, Clone, PartialEq)]
pub struct NewThread {
    /// Its id, nobody can guess.
    pub id: ThreadId,
    /// The channel; with a thread, where it is held in one that is not ours and must not leave it.
    pub place: Place,
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    pub id: ThreadId,
    /// Where it is; with the thread, once its root is posted.
    pub place: Place,
    /// The thread of others that it must not leave, where it is held in one.
    pub held_in: Option<String>,
}

#[derive(FromRow)]
struct ThreadRow {
    id: String,
    platform: String,
    workspace: String,
    channel: String,
    root: Option<String>,
    held_in: Option<String>,
}

impl ThreadRow {
    fn read(self) -> Result<Thread, StoreError> {
        Ok(Thread {
            place: place(&self.platform, self.workspace, self.channel, self.root)?,
            held_in: self.held_in,
            id: parsed("id of a thread", &self.id)?,
        })
    }
}

impl Store {
    /// Opens a thread with what it is to show; a thread of that id that is there already is kept as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_thread(&self, thread: &NewThread, messages: &[DesiredMessage]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        insert(&mut tx, thread, self.now()).await?;
        messages::upsert_messages(&mut tx, messages, self.tick(), self.now()).await?;
        tx.commit().await?;
        self.changed(Changed::Messages);
        Ok(())
    }

    /// The thread with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn thread(&self, id: &ThreadId) -> Result<Option<Thread>, StoreError> {
        let row: Option<ThreadRow> =
            sqlx::query_as("SELECT * FROM threads WHERE id = $1").bind(id.as_str()).fetch_optional(&self.readers).await?;
        row.map(ThreadRow::read).transpose()
    }

    /// The thread at `place`, which names one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn thread_at(&self, place: &Place) -> Result<Option<Thread>, StoreError> {
        let Some(root) = &place.thread else { return Ok(None) };
        let row: Option<ThreadRow> =
            sqlx::query_as("SELECT * FROM threads WHERE platform = $1 AND workspace = $2 AND channel = $3 AND root = $4")
                .bind(place.platform.id())
                .bind(&place.workspace)
                .bind(&place.channel)
                .bind(root)
                .fetch_optional(&self.readers)
                .await?;
        row.map(ThreadRow::read).transpose()
    }

    /// The threads that are held in the thread of others at `place`, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn threads_held_in(&self, place: &Place) -> Result<Vec<Thread>, StoreError> {
        let Some(held_in) = &place.thread else { return Ok(Vec::new()) };
        let rows: Vec<ThreadRow> = sqlx::query_as(
            "SELECT * FROM threads WHERE platform = $1 AND workspace = $2 AND channel = $3 AND held_in = $4
             ORDER BY opened_at DESC, rowid DESC",
        )
        .bind(place.platform.id())
        .bind(&place.workspace)
        .bind(&place.channel)
        .bind(held_in)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(ThreadRow::read).collect()
    }
}

pub(super) async fn insert(tx: &mut Tx, thread: &NewThread, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO threads
             (id, platform, workspace, channel, opened_at, touched_at, held_in)
         VALUES ($1, $2, $3, $4, $5, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(thread.id.as_str())
    .bind(thread.place.platform.id())
    .bind(&thread.place.workspace)
    .bind(&thread.place.channel)
    .bind(now.as_millisecond())
    .bind(&thread.place.thread)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
