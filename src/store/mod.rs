//! What must survive a crash, in one SQLite file or in a PostgreSQL database: accepted triggers, threads and what they are to
//! show, investigations, the audit trail. The only module that knows SQL.
//!
//! Every method is one short transaction. Writes take turns, so that none waits on a lock of another; a write that must outlive
//! a power cut waits for the disk ([`Store::accept`]). A file belongs to one process; a database may be shared by any number of
//! them, which take turns all together, except where they take work ([`Store::claim`]): each passes over what another one takes.

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
mod engine;
mod groups;
mod inbox;
mod investigations;
mod lanes;
mod leaders;
mod messages;
mod moving;
mod open;
mod rechecks;
mod retention;
mod server;
mod signals;
mod storms;
mod threads;
mod ticks;
mod turns;
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
pub use leaders::courier;
pub use messages::{DesiredMessage, DueMessage, EditInterval, Files, Look, LostAnswer, ROOT};
pub use moving::MoveError;
pub use open::OpenError;
pub use rechecks::DueRecheck;
pub use retention::Removed;
pub use storms::StormSecret;
pub use threads::{NewThread, Thread};
pub use turns::DecidingTurn;
pub use version::StoreVersion;
pub use watches::Watch;

use crate::clock::Clock;
use accepting::Accepting;
use engine::Engine;
use jiff::Timestamp;
use leaders::Offices;
use signals::Hearers;
use sqlx::{Any, AnyPool, Transaction};
use std::time::Duration;
use ticks::Ticks;
use tokio::sync::{Semaphore, watch};

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file, the disk or the database fails; it may work later.
    #[error("the store does not work: {0}")]
    Broken(#[from] sqlx::Error),
    /// A row holds what this version cannot read.
    #[error("the store holds a {what} that cannot be read: {why}")]
    Unreadable { what: &'static str, why: String },
}

/// How many other transactions go between accepting some triggers and accepting the next, when there are always more: enough
/// that what was accepted is worked on meanwhile, and so few that nobody who sends some waits for long.
const BETWEEN: usize = 4;

/// How long a server may take for what workers, couriers and people wait for.
const ANSWER: Duration = Duration::from_secs(15);

/// What the engine must take beside what it has, in bytes: some pages.
const TRIAL: usize = 16 << 10;

/// A transaction; what it did is undone unless it is committed.
type Tx = Transaction<'static, Any>;

/// What others may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    /// Something may be claimed that was not there before.
    Inbox,
    /// There may be something to deliver.
    Messages,
}

impl Changed {
    const fn word(self) -> &'static str {
        match self {
            Changed::Inbox => "inbox",
            Changed::Messages => "messages",
        }
    }

    fn of_word(word: &str) -> Option<Changed> {
        [Changed::Inbox, Changed::Messages].into_iter().find(|one| one.word() == word)
    }
}

/// The store.
#[derive(Debug)]
pub struct Store {
    /// In a file one connection: SQLite has one writer anyway, and those who wait are served in the order they came.
    writer: AnyPool,
    readers: AnyPool,
    engine: Engine,
    accepting: Accepting,
    /// The right to wait for a turn to write: acceptance, for which somebody outside waits, passes all who wait for this.
    patient: Semaphore,
    /// The turn to decide about alarms, in this process.
    deciding: tokio::sync::Mutex<()>,
    offices: Offices,
    clock: Clock,
    ticks: Ticks,
    waiting: Hearers,
}

impl Store {
    /// Becomes ready when something may be claimed that was not there before.
    #[must_use]
    pub fn inbox_changes(&self) -> watch::Receiver<()> {
        self.waiting.inbox.subscribe()
    }

    /// Becomes ready when there may be something to deliver.
    #[must_use]
    pub fn message_changes(&self) -> watch::Receiver<()> {
        self.waiting.messages.subscribe()
    }

    /// Tells whoever waits for it, here and in other processes.
    fn changed(&self, changed: Changed) {
        self.waiting.tell(changed);
        self.engine.tell_others(changed);
    }

    /// The wall clock, for what people read.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock of leases and waits, in milliseconds: see [`Ticks`].
    fn tick(&self) -> i64 {
        self.ticks.now()
    }

    fn tick_after(&self, wait: Duration) -> i64 {
        self.tick().saturating_add(millis(wait))
    }

    /// How long until the moment `at` of [`Store::tick`].
    fn until(&self, at: i64) -> Duration {
        Duration::from_millis(u64::try_from(at.saturating_sub(self.tick())).unwrap_or_default())
    }

    /// Does `work`, but not for longer than a server may take: a connection whose network is gone would be waited for until the
    /// system gives it up, a quarter of an hour later.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        if !self.is_shared() {
            return work.await;
        }
        let late = || StoreError::Broken(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
        tokio::time::timeout(ANSWER, work).await.unwrap_or_else(|_| Err(late()))
    }

    /// A transaction that writes. While triggers are accepted, a few of these go between one time and the next.
    async fn write(&self) -> Result<Tx, StoreError> {
        // It is never closed.
        let _few = self.patient.acquire().await;
        let _turn = self.accepting.turn().await;
        self.write_at_once().await
    }

    /// The same, for what must not wait behind all of the others.
    async fn write_at_once(&self) -> Result<Tx, StoreError> {
        Ok(self.engine.begin(&self.writer, &self.ticks).await?)
    }

    /// Sees whether the store would take something: its files are where they were, the disk takes a trial, and SQLite takes a
    /// page more. A small write alone would tell nothing: there is room for one in the log of a full disk.
    ///
    /// # Errors
    /// Why not, in the system's words.
    pub async fn try_out(&self) -> Result<(), String> {
        self.engine.try_out().await?;
        self.try_a_page().await.map_err(|error| {
            self.read_password_again();
            match error.as_database_error() {
                Some(error) => error.message().to_owned(),
                None => error.to_string(),
            }
        })
    }

    async fn try_a_page(&self) -> Result<(), sqlx::Error> {
        let mut tx = self.writer.begin_with(if self.is_shared() { "BEGIN" } else { "BEGIN IMMEDIATE" }).await?;
        sqlx::query("INSERT INTO certificates (address, der, fetched_at) VALUES ('', $1, 0)")
            .bind(vec![0; TRIAL])
            .execute(&mut *tx)
            .await?;
        tx.rollback().await
    }

    /// True when the store would take something; see [`Store::try_out`].
    pub async fn is_healthy(&self) -> bool {
        self.try_out().await.is_ok()
    }

    /// Lets go of the store; of a file, with everything in it and nothing beside it.
    pub async fn close(&self) {
        self.readers.close().await;
        if !self.is_shared() {
            // Where this fails, the next start does it.
            let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await;
        }
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
