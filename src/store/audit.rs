//! Who did what, and what was decided.

use super::{OpenError, Store, StoreError, at, open};
use crate::model::{Actor, Place};
use crate::redact::SafeText;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{FromRow, Sqlite, SqlitePool, Transaction};
use std::path::Path;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was allowed, and is done.
    Allowed,
    /// It was not allowed.
    Refused,
    /// It made no sense, had expired or had been done.
    Rejected,
    /// The program itself did it, or gave it up.
    System,
}

impl Decision {
    /// As it is stored and shown.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Decision::Allowed => "allowed",
            Decision::Refused => "refused",
            Decision::Rejected => "rejected",
            Decision::System => "system",
        }
    }
}

/// A line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audited {
    /// When; filled in when it is written.
    pub at: Timestamp,
    /// The platform.
    pub platform: SafeText,
    /// The workspace or server.
    pub workspace: SafeText,
    /// The channel.
    pub channel: SafeText,
    /// The person's id, or what acted instead.
    pub person: SafeText,
    /// What was done or attempted.
    pub did: SafeText,
    /// On what.
    pub subject: SafeText,
    /// [`Decision::id`].
    pub decision: SafeText,
    /// Why.
    pub reason: SafeText,
}

impl Audited {
    /// What a person did.
    #[must_use]
    pub fn person(actor: &Actor, place: &Place, did: &str, subject: &str, decision: Decision, reason: &str) -> Audited {
        Audited {
            at: Timestamp::UNIX_EPOCH,
            platform: safe(actor.platform.id()),
            workspace: safe(&actor.workspace),
            channel: safe(&place.channel),
            person: safe(&actor.user),
            did: safe(did),
            subject: safe(subject),
            decision: safe(decision.id()),
            reason: safe(reason),
        }
    }

    /// What the program did by itself.
    #[must_use]
    pub fn system(did: &str, subject: &str, reason: &str) -> Audited {
        Audited {
            at: Timestamp::UNIX_EPOCH,
            platform: safe(""),
            workspace: safe(""),
            channel: safe(""),
            person: safe("rotation-diag"),
            did: safe(did),
            subject: safe(subject),
            decision: safe(Decision::System.id()),
            reason: safe(reason),
        }
    }
}

fn safe(text: &str) -> SafeText {
    SafeText::redact(text).cut(MAX_CHARS)
}

/// The most characters kept of one field.
const MAX_CHARS: usize = 600;

#[derive(FromRow)]
struct Row {
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
    /// Writes a line of the audit trail.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit(&self, line: &Audited) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        insert(&mut tx, line, self.now()).await?;
        Ok(tx.commit().await?)
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

async fn trail(pool: &SqlitePool, since: Timestamp, limit: u32) -> Result<Vec<Audited>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT at, platform, workspace, channel, person, did, subject, decision, reason FROM audit
         WHERE at >= ? ORDER BY id DESC LIMIT ?",
    )
    .bind(since.as_millisecond())
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let lines = rows.into_iter().rev().map(|row| Audited {
        at: at(row.at),
        platform: safe(&row.platform),
        workspace: safe(&row.workspace),
        channel: safe(&row.channel),
        person: safe(&row.person),
        did: safe(&row.did),
        subject: safe(&row.subject),
        decision: safe(&row.decision),
        reason: safe(&row.reason),
    });
    Ok(lines.collect())
}

pub(super) async fn insert(tx: &mut Transaction<'static, Sqlite>, line: &Audited, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (at, platform, workspace, channel, person, did, subject, decision, reason)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(now.as_millisecond())
    .bind(line.platform.as_str())
    .bind(line.workspace.as_str())
    .bind(line.channel.as_str())
    .bind(line.person.as_str())
    .bind(line.did.as_str())
    .bind(line.subject.as_str())
    .bind(line.decision.as_str())
    .bind(line.reason.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}
