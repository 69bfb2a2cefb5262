//! What alarms told of, thread by thread: how the next one about the same cause finds its thread.

use super::channel::place;
use super::{Changed, Lease, Store, StoreError, from_json, inbox, parsed, to_json};
use crate::model::{Place, ThreadId};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A group of alarms, or a storm of them, in its thread.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredGroup<T> {
    pub thread: ThreadId,
    pub place: Place,
    pub group: T,
}

/// Stories that one alarm may concern at most.
const MAX_GROUPS: u32 = 100;

fn read<T: DeserializeOwned>((thread, platform, workspace, channel, root, body): GroupRow) -> Result<StoredGroup<T>, StoreError> {
    let place = place(&platform, workspace, channel, root)?;
    Ok(StoredGroup { thread: parsed("id of a thread", &thread)?, place, group: from_json("group of alarms", &body)? })
}

type GroupRow = (String, String, String, String, Option<String>, String);

impl Store {
    /// The newest group in the channel of `of` that is known by one of `keys`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn group_of<T: DeserializeOwned>(&self, of: &Place, keys: &[String]) -> Result<Option<StoredGroup<T>>, StoreError> {
        Ok(self.newest_groups(of, keys, 1).await?.pop())
    }

    /// The groups in the channel of `of` that are known by one of `keys`, the newest first; a hundred at most.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn groups_of<T: DeserializeOwned>(&self, of: &Place, keys: &[String]) -> Result<Vec<StoredGroup<T>>, StoreError> {
        self.newest_groups(of, keys, MAX_GROUPS).await
    }

    async fn newest_groups<T: DeserializeOwned>(
        &self,
        of: &Place,
        keys: &[String],
        limit: u32,
    ) -> Result<Vec<StoredGroup<T>>, StoreError> {
        let rows: Vec<GroupRow> = sqlx::query_as(
            "SELECT t.id, t.platform, t.workspace, t.channel, t.root, s.body
             FROM stories s JOIN threads t ON t.id = s.thread
             WHERE s.thread IN (SELECT k.thread FROM story_keys k WHERE k.key IN (SELECT value FROM json_each($1)))
               AND t.platform = $2 AND t.workspace = $3 AND t.channel = $4
             ORDER BY t.opened_at DESC, t.rowid DESC LIMIT $5",
        )
        .bind(to_json("list of keys", &keys)?)
        .bind(of.platform.id())
        .bind(&of.workspace)
        .bind(&of.channel)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// The group of a thread.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn group_in<T: DeserializeOwned>(&self, thread: &ThreadId) -> Result<Option<StoredGroup<T>>, StoreError> {
        let row: Option<GroupRow> = sqlx::query_as(
            "SELECT t.id, t.platform, t.workspace, t.channel, t.root, s.body
             FROM stories s JOIN threads t ON t.id = s.thread WHERE s.thread = $1",
        )
        .bind(thread.as_str())
        .fetch_optional(&self.readers)
        .await?;
        row.map(read).transpose()
    }

    /// Keeps what is known of a thread's cause, to be found by `keys` as well as by those it had.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_group<T: Serialize>(&self, thread: &ThreadId, keys: &[String], group: &T) -> Result<(), StoreError> {
        let body = to_json("group of alarms", group)?;
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO stories (thread, body) VALUES ($1, $2) ON CONFLICT (thread) DO UPDATE SET body = excluded.body")
            .bind(thread.as_str())
            .bind(body)
            .execute(&mut *tx)
            .await?;
        sqlx::query("INSERT INTO story_keys (key, thread) SELECT value, $1 FROM json_each($2) WHERE true ON CONFLICT DO NOTHING")
            .bind(thread.as_str())
            .bind(to_json("list of keys", &keys)?)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE threads SET touched_at = $1 WHERE id = $2")
            .bind(self.now().as_millisecond())
            .bind(thread.as_str())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// How many threads with groups were opened in the channel of `of` since `since`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn groups_since(&self, of: &Place, since: Timestamp) -> Result<usize, StoreError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM threads t JOIN stories s ON s.thread = t.id
             WHERE t.opened_at >= $1 AND t.platform = $2 AND t.workspace = $3 AND t.channel = $4",
        )
        .bind(since.as_millisecond())
        .bind(of.platform.id())
        .bind(&of.workspace)
        .bind(&of.channel)
        .fetch_one(&self.readers)
        .await?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Puts a trigger off by `wait`; this attempt does not count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn postpone(&self, lease: Lease, wait: Duration) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        inbox::put_back(&mut tx, lease, self.tick_after(wait)).await?;
        tx.commit().await?;
        self.changed(Changed::Inbox);
        Ok(())
    }
}
