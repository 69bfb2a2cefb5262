//! The audit trail, read.

use super::audit::{Audited, field};
use super::{OpenError, Store, StoreError, at, open, server};
use crate::config::StoreFile;
use jiff::Timestamp;
use sqlx::{AnyPool, FromRow};
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
    /// The audit trail of the store that the configuration names: see [`Store::read_audit_trail`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn audit_trail(configured: &StoreFile, since: Timestamp, limit: u32) -> Result<Vec<Audited>, OpenError> {
        let Some(server) = &configured.server else {
            return Store::read_audit_trail(&configured.path, since, limit).await;
        };
        let pool = server::connect(server, 1).await?;
        let lines = trail(&pool, since, limit).await;
        pool.close().await;
        lines.map_err(|error| OpenError::Server { server: server.to_string(), why: error.to_string() })
    }

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

async fn trail(pool: &AnyPool, since: Timestamp, limit: u32) -> Result<Vec<Audited>, StoreError> {
    let rows: Vec<AuditRow> = sqlx::query_as(
        "SELECT at, platform, workspace, channel, person, did, subject, decision, reason FROM audit
         WHERE at >= $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(since.as_millisecond())
    .bind(i64::from(limit))
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
