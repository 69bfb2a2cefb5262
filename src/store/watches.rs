//! Investigations that are looked at again until the next rotation succeeds or fails.

use super::{Store, StoreError, Tx, at, parsed};
use crate::model::InvestigationId;
use crate::redact::SafeText;
use jiff::Timestamp;

/// A watched investigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    pub investigation: InvestigationId,
    /// Who asked for it.
    pub by: SafeText,
    /// Only rotations after this count.
    pub since: Timestamp,
    /// When to look again.
    pub next_look: Timestamp,
    pub until: Timestamp,
}

type WatchRow = (String, String, i64, i64, i64);

impl Store {
    /// The watches that are due at `now`, the most overdue first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_watches(&self, now: Timestamp, limit: u32) -> Result<Vec<Watch>, StoreError> {
        let rows: Vec<WatchRow> = sqlx::query_as(
            "SELECT investigation, by, since, next_look, until FROM watches WHERE next_look <= $1 ORDER BY next_look LIMIT $2",
        )
        .bind(now.as_millisecond())
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// The watch of an investigation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn watch(&self, investigation: &InvestigationId) -> Result<Option<Watch>, StoreError> {
        let row: Option<WatchRow> =
            sqlx::query_as("SELECT investigation, by, since, next_look, until FROM watches WHERE investigation = $1")
                .bind(investigation.as_str())
                .fetch_optional(&self.readers)
                .await?;
        row.map(read).transpose()
    }
}

fn read((investigation, by, since, next_look, until): WatchRow) -> Result<Watch, StoreError> {
    let investigation = parsed("id of an investigation", &investigation)?;
    Ok(Watch { investigation, by: SafeText::redact(&by), since: at(since), next_look: at(next_look), until: at(until) })
}

pub(super) async fn insert(tx: &mut Tx, watch: &Watch) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO watches (investigation, by, since, next_look, until) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (investigation) DO UPDATE SET next_look = excluded.next_look, until = excluded.until",
    )
    .bind(watch.investigation.as_str())
    .bind(watch.by.as_str())
    .bind(watch.since.as_millisecond())
    .bind(watch.next_look.as_millisecond())
    .bind(watch.until.as_millisecond())
    .execute(&mut **tx)
    .await?;
    Ok(())
}
