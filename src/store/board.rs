//! What the threads of a platform show, as far as it was stated: for a page that keeps no messages itself.

use super::messages::ROOT;
use super::{Store, StoreError, at, from_json};
use crate::chat::{HistoryError, HistoryThread, MessageHistory, Posted};
use crate::model::PlatformName;
use async_trait::async_trait;
use sqlx::FromRow;

#[derive(FromRow)]
struct HistoryRow {
    id: String,
    revision: i64,
    stated_at: i64,
    message: String,
    replies: i64,
}

impl HistoryRow {
    fn read(self) -> Result<Posted, StoreError> {
        Ok(Posted { id: self.id, revision: self.revision, at: at(self.stated_at), message: from_json("message", &self.message)? })
    }
}

/// A message has the platform's id, or the key it is or will be delivered with: the page's ids are those keys.
#[async_trait]
impl MessageHistory for Store {
    async fn threads(&self, platform: PlatformName, limit: usize) -> Result<Vec<HistoryThread>, HistoryError> {
        self.board_threads(platform, limit).await.map_err(history_error)
    }

    async fn messages(&self, platform: PlatformName, root: &str, limit: usize) -> Result<Vec<Posted>, HistoryError> {
        self.board_messages(platform, root, limit).await.map_err(history_error)
    }
}

fn history_error(error: StoreError) -> HistoryError {
    tracing::error!(%error, "the messages of a page cannot be read");
    HistoryError
}

impl Store {
    async fn board_threads(&self, platform: PlatformName, limit: usize) -> Result<Vec<HistoryThread>, StoreError> {
        let rows: Vec<HistoryRow> = sqlx::query_as(
            "SELECT coalesce(t.root, m.thread || '.' || m.slot || '.' || m.posts) AS id, m.revision, m.stated_at, m.message,
                    (SELECT count(*) FROM messages r
                     WHERE r.thread = t.id AND r.slot <> ?1 AND NOT r.alone AND r.state <> 'given_up') AS replies
             FROM threads t JOIN messages m ON m.thread = t.id AND m.slot = ?1
             WHERE t.platform = ?2 AND m.state <> 'given_up'
             ORDER BY t.opened_at DESC, m.id DESC LIMIT ?3",
        )
        .bind(ROOT)
        .bind(platform.id())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await?;
        let thread = |row: HistoryRow| {
            let replies = usize::try_from(row.replies).unwrap_or_default();
            Ok(HistoryThread { root: row.read()?, replies })
        };
        rows.into_iter().map(thread).collect()
    }

    async fn board_messages(&self, platform: PlatformName, root: &str, limit: usize) -> Result<Vec<Posted>, StoreError> {
        let rows: Vec<HistoryRow> = sqlx::query_as(
            "SELECT * FROM (
                 SELECT coalesce(m.posted_id, m.thread || '.' || m.slot || '.' || m.posts) AS id, m.revision, m.stated_at,
                        m.message, 0 AS replies, m.slot <> ?1 AS is_reply, m.id AS number
                 FROM threads t JOIN messages m ON m.thread = t.id
                 JOIN messages r ON r.thread = t.id AND r.slot = ?1
                 WHERE t.platform = ?2 AND coalesce(t.root, r.thread || '.' || r.slot || '.' || r.posts) = ?3
                   AND NOT m.alone AND m.state <> 'given_up'
                 ORDER BY is_reply, number DESC LIMIT ?4)
             ORDER BY is_reply, number",
        )
        .bind(ROOT)
        .bind(platform.id())
        .bind(root)
        .bind(i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(HistoryRow::read).collect()
    }
}
