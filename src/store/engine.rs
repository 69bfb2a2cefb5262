//! What the engines do differently: SQLite, one file that one process has; PostgreSQL, which any number of processes share.
//! The statements are the same for both, except for those about [`lanes`].

use super::durable::Durable;
use super::lanes::{self, LaneStatements};
use super::signals::Signals;
use super::ticks::Ticks;
use super::{Changed, StoreError, Tx};
use crate::config::StoreServer;
use sqlx::AnyPool;
use std::fs::File;

/// The turns that all processes on one database take, as PostgreSQL's advisory locks: "RotD" and a number.
pub(super) const WRITING: i64 = 0x526f_7444_0000_0001;
pub(super) const DECIDING: i64 = 0x526f_7444_0000_0002;

/// Waits for the turn $1, which the transaction has until its end, and tells the database's time then.
const TURN: &str = "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock($1))
     SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) FROM turn";

#[derive(Debug)]
pub(super) enum Engine {
    /// One file, which one process has at a time.
    File {
        durable: Durable,
        /// Held as long as the store is open; the system lets go of it when the process ends, however that happens.
        _lock: File,
    },
    /// A database on a server, which any number of processes have.
    Server {
        signals: Signals,
        /// Tells this process from all others.
        replica: String,
        server: StoreServer,
    },
}

impl Engine {
    /// Begins a transaction that writes. One at a time does, in all processes: the rules of the inbox (one worker per subject,
    /// what is lined up, suspects alone) and of the alarms look at many rows, and are about what is there when they write.
    pub(super) async fn begin(&self, writer: &AnyPool, ticks: &Ticks) -> Result<Tx, sqlx::Error> {
        match self {
            Engine::File { .. } => writer.begin_with("BEGIN IMMEDIATE").await,
            Engine::Server { .. } => {
                let mut tx = writer.begin().await?;
                ticks.set(take_turn(&mut tx, WRITING).await?);
                Ok(tx)
            }
        }
    }

    /// How lanes are served.
    pub(super) const fn lanes(&self) -> &'static LaneStatements {
        match self {
            Engine::File { .. } => &lanes::IN_FILE,
            Engine::Server { .. } => &lanes::ON_SERVER,
        }
    }

    /// Returns when everything committed before the call is on the disk; PostgreSQL's own commit waits for that.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        match self {
            Engine::File { durable, .. } => durable.settle().await.map_err(|error| StoreError::Broken(error.into())),
            Engine::Server { .. } => Ok(()),
        }
    }

    /// Sees what SQLite itself would not notice.
    pub(super) async fn try_out(&self) -> Result<(), String> {
        match self {
            Engine::File { durable, .. } => durable.try_out().await.map_err(|error| error.to_string()),
            Engine::Server { .. } => Ok(()),
        }
    }

    /// Tells the other processes.
    pub(super) fn tell_others(&self, changed: Changed) {
        if let Engine::Server { signals, .. } = self {
            signals.tell(changed);
        }
    }

    /// The name of this process among those that share the store; `None` where none may.
    pub(super) fn replica(&self) -> Option<&str> {
        match self {
            Engine::File { .. } => None,
            Engine::Server { replica, .. } => Some(replica),
        }
    }
}

/// Waits for a turn, and tells the database's time once it has come, in milliseconds since 1970.
pub(super) async fn take_turn(tx: &mut Tx, which: i64) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(TURN).bind(which).fetch_one(&mut **tx).await
}
