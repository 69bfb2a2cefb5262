//! What must survive a crash, in one SQLite file: accepted triggers, threads and what they are to show, investigations,
//! the audit trail. The only module that knows SQL.
//!
//! Every method is one short transaction. Writes take turns on one connection, so that none waits on a lock of another;
//! a write that must outlive a power cut waits for the disk ([`Store::accept`]).

mod accepting;
mod alarms;
mod audit;
mod audit_trail;
mod backlog;
mod board;
mod certificates;
mod channel;
mod copy;
mod disk;
mod durable;
mod groups;
mod inbox;
mod investigations;
mod messages;
mod open;
mod rechecks;
mod retention;
mod storms;
mod threads;
mod version;
mod watches;

pub use alarms::Newness;
pub use audit::{AuditDecision, Audited, audited};
pub use backlog::Backlog;
pub use board::{Headline, ListedInvestigation, ListedRow};
pub use certificates::KeptCertificate;
pub use copy::CopyError;
pub use disk::network_disk;
pub use groups::StoredGroup;
pub use inbox::{Accepted, Claimed, Lease, MAX_ATTEMPTS, NewTrigger, Refused};
pub use investigations::{Completion, InvestigationRow, InvestigationStage, Location, RunResult};
pub use messages::{DesiredMessage, DueMessage, EditInterval, Files, Look, LostAnswer, ROOT};
pub use open::OpenError;
pub use rechecks::DueRecheck;
pub use retention::Removed;
pub use storms::StormSecret;
pub use threads::{NewThread, Thread};
pub use version::StoreVersion;
pub use watches::Watch;

use crate::clock::{Clock, Stopwatch};
use accepting::Accepting;
use durable::Durable;
use jiff::Timestamp;
use sqlx::{Sqlite, SqlitePool, Transaction};
use std::fs::File;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or the disk fails; it may work later.
    #[error("the store does not work: {0}")]
    Broken(#[from] sqlx::Error),
    /// A row holds what this version cannot read.
    #[error("the store holds a {what} that cannot be read: {why}")]
    Unreadable { what: &'static str, why: String },
}

/// How many other transactions go between accepting some triggers and accepting the next, when there are always more: enough
/// that what was accepted is worked on meanwhile, and so few that nobody who sends some waits for long.
const BETWEEN: usize = 4;

/// What SQLite must take beside what it has, in bytes: some pages.
const TRIAL: usize = 16 << 10;

/// The store. One process has it at a time.
#[derive(Debug)]
pub struct Store {
    /// One connection: SQLite has one writer anyway, and those who wait are served in the order they came.
    writer: SqlitePool,
    readers: SqlitePool,
    durable: Durable,
    accepting: Accepting,
    /// The right to wait for a turn to write: acceptance, for which somebody outside waits, passes all who wait for this.
    patient: Semaphore,
    clock: Clock,
    /// Leases and waits are measured from here, so that a change of the machine's date expires none of them.
    opened: (i64, Stopwatch),
    inbox_changed: watch::Sender<()>,
    messages_changed: watch::Sender<()>,
    /// Held as long as the store is open; the system lets go of it when the process ends, however that happens.
    _lock: File,
}

impl Store {
    /// Becomes ready when something may be claimed that was not there before.
    #[must_use]
    pub fn inbox_changes(&self) -> watch::Receiver<()> {
        self.inbox_changed.subscribe()
    }

    /// Becomes ready when there may be something to deliver.
    #[must_use]
    pub fn message_changes(&self) -> watch::Receiver<()> {
        self.messages_changed.subscribe()
    }

    /// The wall clock, for what people read.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock of leases and waits, in milliseconds; it never jumps while the store is open.
    fn tick(&self) -> i64 {
        let (opened_at, since) = self.opened;
        opened_at.saturating_add(since.elapsed().as_millis().try_into().unwrap_or(i64::MAX))
    }

    fn tick_after(&self, wait: Duration) -> i64 {
        self.tick().saturating_add(millis(wait))
    }

    /// How long until the moment `at` of [`Store::tick`].
    fn until(&self, at: i64) -> Duration {
        Duration::from_millis(u64::try_from(at.saturating_sub(self.tick())).unwrap_or_default())
    }

    /// A transaction that writes. While triggers are accepted, a few of these go between one time and the next.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        // It is never closed.
        let _few = self.patient.acquire().await;
        let _turn = self.accepting.turn().await;
        self.write_at_once().await
    }

    /// The same, for what must not wait behind all of the others.
    async fn write_at_once(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Sees whether the store would take something: its files are where they were, the disk takes a trial, and SQLite takes a
    /// page more. A small write alone would tell nothing: there is room for one in the log of a full disk.
    ///
    /// # Errors
    /// Why not, in the system's words.
    pub async fn try_out(&self) -> Result<(), String> {
        self.durable.try_out().await.map_err(|error| error.to_string())?;
        self.try_a_page().await.map_err(|error| match error.as_database_error() {
            Some(error) => error.message().to_owned(),
            None => error.to_string(),
        })
    }

    async fn try_a_page(&self) -> Result<(), sqlx::Error> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO certificates (address, der, fetched_at) VALUES ('', ?, 0)")
            .bind(vec![0; TRIAL])
            .execute(&mut *tx)
            .await?;
        tx.rollback().await
    }

    /// True when the store would take something; see [`Store::try_out`].
    pub async fn is_healthy(&self) -> bool {
        self.try_out().await.is_ok()
    }

    /// Puts everything into the one file, and lets go of it.
    pub async fn close(&self) {
        self.readers.close().await;
        // Where this fails, the next start does it.
        let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await;
        self.writer.close().await;
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable { what, why: error.to_string() })
}

/// A text of the store as the type it was written from.
fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(what: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error: T::Err| StoreError::Unreadable { what, why: error.to_string() })
}

fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    // The error would repeat the text.
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable {
        what,
        why: format!("{:?} error in column {}", error.classify(), error.column()),
    })
}

#[cfg(test)]
mod tests;
