//! The durable list of accepted triggers: each is done once, however often it comes and whoever dies doing it.

use super::{Store, StoreError, at, from_json, millis};
use crate::model::Trigger;
use crate::redact::SafeText;
use jiff::Timestamp;
use sqlx::{FromRow, Sqlite, Transaction};
use std::time::Duration;

/// How often a trigger is begun before it is given up: it crashed the process, or failed, each time.
pub const MOST_ATTEMPTS: u32 = 5;

/// From this attempt on a trigger is suspected of crashing the process, and is begun only while no other suspect is worked
/// on: those that merely ran beside it are cleared, instead of dying with it.
const SUSPECT: u32 = 3;

/// Triggers that wait at most; more are turned away, and whoever can send them again does.
pub(super) const MOST_WAITING: i64 = 10_000;

/// Takes the next trigger at the time ?1, until ?2; ?3 is [`SUSPECT`].
pub(super) const CLAIM: &str = "UPDATE inbox SET state = 'running', attempts = attempts + 1, fence = fence + 1, lease_until = ?2
     WHERE id = (
     SELECT i.id FROM inbox i LEFT JOIN lanes l ON l.lane = i.lane
     WHERE ((i.state = 'waiting' AND i.not_before <= ?1) OR (i.state = 'running' AND i.lease_until <= ?1))
       AND NOT EXISTS (SELECT 1 FROM inbox o WHERE o.subject = i.subject AND o.id <> i.id
                       AND ((o.state = 'running' AND o.lease_until > ?1) OR (o.state = 'waiting' AND o.id < i.id)))
       AND (i.attempts < ?3 - 1 OR NOT EXISTS (SELECT 1 FROM inbox o WHERE o.state = 'running' AND o.lease_until > ?1
                                               AND o.attempts >= ?3 AND o.id <> i.id))
     ORDER BY coalesce(l.served, 0), i.id LIMIT 1)
     RETURNING id, fence, subject, job, what, attempts, received_at";

/// The open trigger that asks the same.
pub(super) const SAME: &str = "SELECT subject FROM inbox WHERE same = ? AND state IN ('waiting', 'running') LIMIT 1";

/// How many wait, counted up to a bound.
pub(super) const WAITING: &str = "SELECT count(*) FROM (SELECT 1 FROM inbox WHERE state = 'waiting' LIMIT ?)";

/// A trigger to be accepted.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Unique: the same effect is not had twice.
    pub key: String,
    /// The platform's id of what brought it; a redelivery has the same.
    pub origin: String,
    /// Lanes are served in turn: the channel, or the alarms' topic.
    pub lane: String,
    /// The investigation, or whatever may not be worked on twice at a time.
    pub subject: String,
    /// Who asks what; one that is open already is joined.
    pub same: Option<String>,
    /// What starts.
    pub trigger: Trigger,
    /// One line for the operator.
    pub what: SafeText,
}

/// What became of a trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is stored, and on the disk.
    New,
    /// It was delivered again; nothing more happens.
    Redelivered,
    /// Another delivery has the same effect.
    AlreadyDone,
    /// The same question by the same person is open: its subject.
    Joined(String),
}

/// Why a trigger was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Too many wait.
    #[error("{MOST_WAITING} triggers wait already")]
    Full,
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The right to work on a trigger; a later claim voids it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    id: i64,
    fence: i64,
}

impl Ticket {
    /// The trigger's number; it never changes.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.id
    }

    pub(super) const fn fence(self) -> i64 {
        self.fence
    }
}

/// A trigger to work on.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// What allows it.
    pub ticket: Ticket,
    /// What started.
    pub trigger: Trigger,
    /// As in [`Entry`].
    pub subject: String,
    /// As in [`Entry`].
    pub what: SafeText,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// When it was accepted.
    pub received_at: Timestamp,
}

impl Claimed {
    /// True when it was begun [`MOST_ATTEMPTS`] times before: it is to be given up.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.attempt > MOST_ATTEMPTS
    }
}

/// A trigger that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// What it was.
    pub what: SafeText,
    /// Why.
    pub why: SafeText,
    /// When.
    pub at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    fence: i64,
    subject: String,
    job: String,
    what: String,
    attempts: u32,
    received_at: i64,
}

impl Store {
    /// Takes the next trigger: of the lane that was served longest ago, the oldest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim(&self, lease: Duration) -> Result<Option<Claimed>, StoreError> {
        let now = self.tick();
        let mut tx = self.write().await?;
        let row: Option<Row> = sqlx::query_as(CLAIM)
            .bind(now)
            .bind(now.saturating_add(millis(lease)))
            .bind(SUSPECT)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = row else { return Ok(None) };
        sqlx::query(
            "INSERT INTO lanes (lane, served)
             SELECT lane, (SELECT coalesce(max(served), 0) + 1 FROM lanes) FROM inbox WHERE id = ?
             ON CONFLICT (lane) DO UPDATE SET served = excluded.served",
        )
        .bind(row.id)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        let ticket = Ticket { id: row.id, fence: row.fence };
        match from_json("trigger", &row.job) {
            Ok(trigger) => Ok(Some(Claimed {
                ticket,
                trigger,
                subject: row.subject,
                what: SafeText::redact(&row.what),
                attempt: row.attempts,
                received_at: at(row.received_at),
            })),
            // Another version wrote it; the next one is not to wait for it.
            Err(error) => {
                tracing::error!(%error, what = row.what, "a trigger is given up");
                self.bury(ticket, &SafeText::redact(&error.to_string())).await?;
                Ok(None)
            }
        }
    }

    /// Keeps the claim for longer; false when it was lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew(&self, ticket: Ticket, lease: Duration) -> Result<bool, StoreError> {
        let renewed = sqlx::query("UPDATE inbox SET lease_until = ? WHERE id = ? AND fence = ? AND state = 'running'")
            .bind(self.tick_after(lease))
            .bind(ticket.id)
            .bind(ticket.fence)
            .execute(&self.writer)
            .await?;
        Ok(renewed.rows_affected() == 1)
    }

    /// The trigger failed: it is tried again after `wait`, or given up after [`MOST_ATTEMPTS`]. True when it was given up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn fail(&self, ticket: Ticket, why: &SafeText, wait: Duration) -> Result<bool, StoreError> {
        let state: Option<String> = sqlx::query_scalar(
            "UPDATE inbox SET state = iif(attempts >= ?1, 'dead', 'waiting'), job = iif(attempts >= ?1, '', job),
                    ended_at = iif(attempts >= ?1, ?2, NULL), not_before = ?3, why = ?4
             WHERE id = ?5 AND fence = ?6 AND state = 'running' RETURNING state",
        )
        .bind(MOST_ATTEMPTS)
        .bind(self.now().as_millisecond())
        .bind(self.tick_after(wait))
        .bind(why.as_str())
        .bind(ticket.id)
        .bind(ticket.fence)
        .fetch_optional(&self.writer)
        .await?;
        self.inbox_changed.send_replace(());
        Ok(state.as_deref() == Some("dead"))
    }

    /// Gives a trigger up at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bury(&self, ticket: Ticket, why: &SafeText) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let mine = end(&mut tx, ticket, "dead", why.as_str(), self.now()).await?;
        tx.commit().await?;
        self.inbox_changed.send_replace(());
        Ok(mine)
    }

    /// Lets go of a trigger that is to be done by the next process; this attempt does not count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release(&self, ticket: Ticket) -> Result<(), StoreError> {
        sqlx::query("UPDATE inbox SET state = 'waiting', attempts = attempts - 1, not_before = 0 WHERE id = ? AND fence = ? AND state = 'running'")
            .bind(ticket.id)
            .bind(ticket.fence)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// How long until something that waits, or whose lease expires, may be claimed; `None` when nothing is open.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_claim(&self) -> Result<Option<Duration>, StoreError> {
        let next: Option<i64> = sqlx::query_scalar(
            "SELECT min(iif(state = 'waiting', not_before, lease_until)) FROM inbox WHERE state IN ('waiting', 'running')",
        )
        .fetch_one(&self.readers)
        .await?;
        Ok(next.map(|next| self.until(next)))
    }

    /// How many triggers wait or are worked on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_triggers(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM inbox WHERE state IN ('waiting', 'running')")
            .fetch_one(&self.readers)
            .await?)
    }

    /// The triggers that were given up, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT what, why, coalesce(ended_at, received_at) FROM inbox WHERE state = 'dead' ORDER BY id DESC LIMIT ?",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let letters = rows.into_iter().map(|(what, why, ended)| DeadLetter {
            what: SafeText::redact(&what),
            why: SafeText::redact(&why),
            at: at(ended),
        });
        Ok(letters.collect())
    }
}

/// Ends a trigger; with it goes whatever it held, such as an address for an answer. False when the claim was lost.
pub(super) async fn end(
    tx: &mut Transaction<'static, Sqlite>,
    ticket: Ticket,
    state: &'static str,
    why: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let ended = sqlx::query(
        "UPDATE inbox SET state = ?, job = '', ended_at = ?, why = ? WHERE id = ? AND fence = ? AND state = 'running'",
    )
    .bind(state)
    .bind(now.as_millisecond())
    .bind(why)
    .bind(ticket.id)
    .bind(ticket.fence)
    .execute(&mut **tx)
    .await?;
    Ok(ended.rows_affected() == 1)
}
