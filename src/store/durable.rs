//! Waits until what was written is on the disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;

/// Puts SQLite's write-ahead log on the disk. Those who ask while one is at it share the next one.
///
/// SQLite would do this in every transaction (`synchronous = FULL`), one after the other; on a slow disk, a few hundred
/// commands at once would then wait for seconds. With `NORMAL` it does so only at checkpoints, and we add what acceptance
/// needs. Source: SQLite's documentation of `PRAGMA synchronous`, and of the write-ahead log.
#[derive(Debug)]
pub(super) struct Durable {
    log: PathBuf,
    asked: AtomicU64,
    done: AtomicU64,
    turn: Mutex<()>,
}

impl Durable {
    pub(super) fn new(log: PathBuf) -> Durable {
        Durable { log, asked: AtomicU64::new(0), done: AtomicU64::new(0), turn: Mutex::new(()) }
    }

    /// Returns when everything committed before the call is on the disk.
    pub(super) async fn settle(&self) -> std::io::Result<()> {
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let _turn = self.turn.lock().await;
        if self.done.load(Ordering::SeqCst) >= mine {
            return Ok(());
        }
        let all = self.asked.load(Ordering::SeqCst);
        let log = self.log.clone();
        // The log is no file SQLite locks, so opening and closing it here disturbs nothing.
        let written = tokio::task::spawn_blocking(move || std::fs::File::open(log)?.sync_data()).await;
        match written.map_err(std::io::Error::other)? {
            // Without a log everything is in the file itself, put there by a checkpoint.
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => self.done.store(all, Ordering::SeqCst),
        }
        Ok(())
    }
}
