//! The audit trail, read.

use super::audit::{Audited, field};
use super::{OpenError, Store, StoreError, at, open};
use jiff::Timestamp;
use sqlx::{FromRow, SqlitePool};
use std::path::Path;

#[derive(FromRow)]
struct AuditRow {
    at: i64,
    platform: String,
    workspace: String,
    channel: String,
    person: String,
    did: String,
    subject: String,
    decision: String,
    reason: String,
}

impl Store {
    /// The audit trail since `since`, the oldest line first, at most `limit` lines; the newest ones where there are more. Out of
    /// a store that another process may have; nothing is changed.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn read_audit_trail(path: &Path, since: Timestamp, limit: u32) -> Result<Vec<Audited>, OpenError> {
        let pool = open::connect_to_read(path).await?;
        let lines = trail(&pool, since, limit).await;
        pool.close().await;
        lines.map_err(|error| OpenError::Unusable { path: path.to_owned(), why: error.to_string() })
    }
}

async fn trail(pool: &SqlitePool, since: Timestamp, limit: u32) -> Result<Vec<Audited>, StoreError> {
    let rows: Vec<AuditRow> = sqlx::query_as(
        "SELECT at, platform, workspace, channel, person, did, subject, decision, reason FROM audit
         WHERE at >= ? ORDER BY id DESC LIMIT ?",
    )
    .bind(since.as_millisecond())
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let lines = rows.into_iter().rev().map(|row| Audited {
        at: at(row.at),
        platform: field(&row.platform),
        workspace: field(&row.workspace),
        channel: field(&row.channel),
        person: field(&row.person),
        did: field(&row.did),
        subject: field(&row.subject),
        decision: field(&row.decision),
        reason: field(&row.reason),
    });
    Ok(lines.collect())
}
