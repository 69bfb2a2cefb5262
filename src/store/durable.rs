//! Waits until what was written is on the disk, and sees whether the disk takes more.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

/// What a disk must take to count as one that is not full, in bytes. An alarm as large as they come needs it in the log.
const ROOM: usize = 256 << 10;

/// Puts SQLite's write-ahead log on the disk.
///
/// SQLite would do this in every transaction (`synchronous = FULL`). With `NORMAL` it does so only at checkpoints, and we add
/// what acceptance needs. Source: SQLite's documentation of `PRAGMA synchronous`, and of the write-ahead log.
#[derive(Debug)]
pub(super) struct Durable {
    file: PathBuf,
    log: PathBuf,
    trial: PathBuf,
    /// Device and number of the file that SQLite has open.
    opened: Option<(u64, u64)>,
}

impl Durable {
    /// For the store in `file`, which is open; `log` is its write-ahead log. `trial` is written to see whether there is room.
    pub(super) fn new(file: PathBuf, log: PathBuf, trial: PathBuf) -> Durable {
        let opened = fs::metadata(&file).ok().map(|meta| identity(&meta));
        Durable { file, log, trial, opened }
    }

    /// Returns when everything committed before the call is on the disk.
    pub(super) async fn settle(&self) -> io::Result<()> {
        let log = self.log.clone();
        // The log is no file SQLite locks, so opening and closing it here disturbs nothing. It is there as long as the store is
        // open; without it, what was committed would be in no file that a next start could find.
        tokio::task::spawn_blocking(move || File::open(log)?.sync_data()).await.map_err(io::Error::other)?
    }

    /// Returns when a trial was written beside the store and is on the disk, and the store's own files are where they were.
    pub(super) async fn try_out(&self) -> io::Result<()> {
        let (file, log, trial, opened) = (self.file.clone(), self.log.clone(), self.trial.clone(), self.opened);
        let tried = tokio::task::spawn_blocking(move || {
            let meta = fs::metadata(file)?;
            if opened.is_some_and(|opened| opened != identity(&meta)) {
                return Err(io::Error::other("the file was replaced"));
            }
            if meta.permissions().readonly() {
                return Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "the file was made read-only"));
            }
            fs::metadata(log)?;
            let written = write(&trial);
            // A full disk is not to be kept full by this.
            let removed = fs::remove_file(&trial);
            written.and(removed)
        });
        tried.await.map_err(io::Error::other)?
    }
}

fn identity(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

/// Really written, block by block: a file system may promise room that it has not.
fn write(trial: &PathBuf) -> io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(trial)?;
    file.write_all(&vec![0x5a; ROOM])?;
    file.sync_data()
}
