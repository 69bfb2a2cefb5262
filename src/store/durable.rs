//! Waits until what was written is on the disk.

use std::path::PathBuf;

/// Puts SQLite's write-ahead log on the disk.
///
/// SQLite would do this in every transaction (`synchronous = FULL`). With `NORMAL` it does so only at checkpoints, and we add
/// what acceptance needs. Source: SQLite's documentation of `PRAGMA synchronous`, and of the write-ahead log.
#[derive(Debug)]
pub(super) struct Durable {
    log: PathBuf,
}

impl Durable {
    pub(super) const fn new(log: PathBuf) -> Durable {
        Durable { log }
    }

    /// Returns when everything committed before the call is on the disk.
    pub(super) async fn settle(&self) -> std::io::Result<()> {
        let log = self.log.clone();
        // The log is no file SQLite locks, so opening and closing it here disturbs nothing.
        let written = tokio::task::spawn_blocking(move || std::fs::File::open(log)?.sync_data()).await;
        match written.map_err(std::io::Error::other)? {
            // Without a log everything is in the file itself, put there by a checkpoint.
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
