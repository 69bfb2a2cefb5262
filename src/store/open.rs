//! Opens the store, or says in one sentence why not and what to do. Nothing is ever overwritten.

use super::accepting::Accepting;
use super::durable::Durable;
use super::engine::Engine;
use super::leaders::Offices;
use super::signals::Hearers;
use super::ticks::Ticks;
use super::{BETWEEN, Store, StoreError, inbox, millis};
use crate::clock::Clock;
use crate::config::StoreFile;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{AnyPool, ConnectOptions as _, Connection as _, Executor as _};
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");

/// Marks the file as ours, in SQLite's `application_id`: "RotD".
pub(super) const OURS: i64 = 0x526f_7444;

/// How long to wait for a turn on a connection before the caller is told that we are overloaded.
pub(super) const TURN: Duration = Duration::from_secs(5);

/// Connections that only read.
const READERS: u32 = 4;

/// Files up to this size are checked whole at the start, in bytes: the check reads them at some 400 MiB a second, and the bot
/// is to be ready within one.
const CHECKED: u64 = 64 << 20;

/// The longest a stored wait may still last after a restart: the clock may have been wrong when it was written.
const MAX_WAIT: Duration = inbox::MAX_PAUSE;

/// What the process before this one held.
const HELD: &str = "SELECT id, attempts FROM inbox WHERE state = 'running'";

/// Everything that waits stands where it belongs: the oldest of each subject before all others of it.
const LINE_UP_AGAIN: &str = "UPDATE inbox SET not_before = min(not_before, $1),
     queue = iif(id = (SELECT min(o.id) FROM inbox o WHERE o.subject = inbox.subject AND o.state = 'waiting'), 2, 3)
     WHERE state = 'waiting'";

/// Why the store is not open. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the store {} is in use by another process: stop that one first, or give this one a [store] path of its own", .0.display())]
    InUse(PathBuf),
    /// There is something else.
    #[error("the store {} is {what}: name a file that does not exist yet in [store] path", path.display())]
    NotAFile { path: PathBuf, what: &'static str },
    /// It cannot be written or read.
    #[error("the store {} cannot be used: {why}; the file and its folder must be readable and writable by this user", path.display())]
    Unusable {
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    #[error("the store {} is damaged ({why}): move it and its -wal file away and put a backup in place, or start without one and lose what was in it", path.display())]
    Damaged { path: PathBuf, why: String },
    /// It was made by a newer version.
    #[error("the store {} was written by another version of this program ({why}): run that version", path.display())]
    OtherVersion { path: PathBuf, why: String },
    /// The database on a server cannot be used.
    #[error("the database {server} cannot be used: {why}")]
    Server { server: String, why: String },
}

impl Store {
    /// Opens the store that the configuration names.
    ///
    /// # Errors
    /// [`OpenError`]; what is there is left as it is.
    pub async fn open_configured(configured: &StoreFile, clock: Clock) -> Result<Store, OpenError> {
        match &configured.server {
            Some(server) => Store::open_on_server(server, clock).await,
            None => Store::open(&configured.path, clock).await,
        }
    }

    /// A store on these connections, of which nothing is known yet.
    pub(super) fn on(writer: AnyPool, readers: AnyPool, engine: Engine, clock: Clock, ticks: Ticks, waiting: Hearers) -> Store {
        Store {
            writer,
            readers,
            engine,
            accepting: Accepting::default(),
            patient: Semaphore::new(BETWEEN),
            deciding: Mutex::default(),
            offices: Offices::default(),
            clock,
            ticks,
            waiting,
        }
    }

    /// Opens the store at `path`, and makes it where there is none. What another process had left undone may be claimed.
    ///
    /// # Errors
    /// [`OpenError`]; what is there is left as it is.
    pub async fn open(path: &Path, clock: Clock) -> Result<Store, OpenError> {
        let unusable = |why: String| OpenError::Unusable { path: path.to_owned(), why };
        let named = fs::symlink_metadata(path);
        match &named {
            Ok(meta) if meta.is_symlink() => return Err(not_a_file(path, "a symbolic link")),
            Ok(meta) if meta.is_dir() => return Err(not_a_file(path, "a folder")),
            Ok(meta) if !meta.is_file() => return Err(not_a_file(path, "not a regular file")),
            Ok(meta) if meta.permissions().readonly() => return Err(unusable("it is read-only".to_owned())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unusable(error.to_string())),
        }
        let lock = lock(path)?;
        if named.is_ok() {
            check_header(path)?;
        } else {
            create(path).await?;
        }
        check(path, named.map_or(0, |meta| meta.len()), false).await?;
        let writer = connect(path, 1).await.map_err(|error| diagnosed(path, &error))?;
        MIGRATIONS
            .run(&writer)
            .await
            .map_err(|error| OpenError::OtherVersion { path: path.to_owned(), why: error.to_string() })?;
        let readers = connect(path, READERS).await.map_err(|error| diagnosed(path, &error))?;
        let durable = Durable::new(path.to_owned(), beside(path, "-wal"), beside(path, ".trial"));
        let ticks = Ticks::starting_at(clock.now().as_millisecond());
        let store = Store::on(writer, readers, Engine::File { durable, _lock: lock }, clock, ticks, Hearers::nobody());
        store.take_over().await.map_err(|error| unusable(error.to_string()))?;
        Ok(store)
    }

    /// The process before this one is gone, so nobody holds its leases.
    async fn take_over(&self) -> Result<(), StoreError> {
        let latest = self.tick().saturating_add(millis(MAX_WAIT));
        let mut tx = self.write().await?;
        let now = self.tick();
        let held: Vec<(i64, i64)> = sqlx::query_as(HELD).fetch_all(&mut *tx).await?;
        for (id, begun) in held {
            sqlx::query(inbox::REOPEN).bind(id).bind(now.saturating_add(millis(inbox::pause(begun)))).execute(&mut *tx).await?;
        }
        sqlx::query(LINE_UP_AGAIN).bind(latest).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM lanes").execute(&mut *tx).await?;
        sqlx::query("UPDATE messages SET not_before = min(not_before, $1) WHERE state = 'pending'")
            .bind(latest)
            .execute(&mut *tx)
            .await?;
        // An edit that was under way then may still be carried out, after the next one.
        sqlx::query(
            "UPDATE messages SET repeats = max(repeats, $1) WHERE state = 'pending' AND posted > 0 AND posted < revision",
        )
        .bind(i64::from(super::messages::REPEATS))
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}

fn not_a_file(path: &Path, what: &'static str) -> OpenError {
    OpenError::NotAFile { path: path.to_owned(), what }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let unusable = |error: io::Error| OpenError::Unusable { path: path.to_owned(), why: error.to_string() };
    let name = beside(path, ".lock");
    let file = File::options().create(true).truncate(false).write(true).open(name).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Makes a store under another name and gives it its own when it is complete: one that is there is whole.
async fn create(path: &Path) -> Result<(), OpenError> {
    let unusable = |why: String| OpenError::Unusable { path: path.to_owned(), why };
    let new = beside(path, ".new");
    for leftover in [new.clone(), beside(&new, "-wal"), beside(&new, "-shm")] {
        match fs::remove_file(leftover) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(error.to_string())),
            _ => {}
        }
    }
    make_private(&new).map_err(|error| unusable(error.to_string()))?;
    let made = async {
        let marked = SqliteConnectOptions::new().filename(&new).pragma("application_id", OURS.to_string());
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(marked).await?;
        MIGRATIONS.run(&pool).await?;
        pool.close().await;
        Ok::<(), sqlx::Error>(())
    };
    made.await.map_err(|error| unusable(error.to_string()))?;
    let durable = || {
        File::open(&new)?.sync_all()?;
        fs::rename(&new, path)?;
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    };
    durable().map_err(|error| unusable(error.to_string()))
}

/// The store holds evidence and answers' addresses: others on this machine have no business in it.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

/// The file begins as SQLite's do. Source: SQLite's file format, "The database header".
fn check_header(path: &Path) -> Result<(), OpenError> {
    let damaged = |why: &str| OpenError::Damaged { path: path.to_owned(), why: why.to_owned() };
    let mut header = [0; 100];
    let mut file = File::open(path).map_err(|error| OpenError::Unusable { path: path.to_owned(), why: error.to_string() })?;
    file.read_exact(&mut header).map_err(|_| damaged("it is empty or cut off"))?;
    if header.starts_with(b"SQLite format 3\0") { Ok(()) } else { Err(damaged("it is no SQLite file")) }
}

/// Sees on a connection of its own whether it is ours and whole: a pool would try again and again what fails at once.
async fn check(path: &Path, length: u64, only_reading: bool) -> Result<(), OpenError> {
    let broken = |error: sqlx::Error| diagnosed(path, &error);
    let options = SqliteConnectOptions::new().filename(path).read_only(only_reading).journal_mode(SqliteJournalMode::Wal);
    let mut file = options.disable_statement_logging().connect().await.map_err(broken)?;
    let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut file).await.map_err(broken)?;
    if id != OURS {
        return Err(not_a_file(path, "another program's database"));
    }
    if length <= CHECKED {
        let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut file).await.map_err(broken)?;
        if found != "ok" {
            return Err(OpenError::Damaged { path: path.to_owned(), why: found });
        }
    }
    file.close().await.map_err(broken)
}

fn diagnosed(path: &Path, error: &sqlx::Error) -> OpenError {
    let why = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
    // SQLITE_CORRUPT and SQLITE_NOTADB.
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        Some(11 | 26) => OpenError::Damaged { path: path.to_owned(), why },
        _ => OpenError::Unusable { path: path.to_owned(), why },
    }
}

/// What a connection needs beside what sqlx sets by itself (foreign keys, and five seconds' patience with a process that looks
/// into the file, such as a backup).
///
/// Secure deletion, because what was deleted, such as the address of an answer, is not to be found in the file. The checkpoints
/// in pages: a storm changes the same ones again and again, and each checkpoint waits for the disk twice.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;
     PRAGMA wal_autocheckpoint = 4000";

/// The file as an address, as sqlx wants it.
fn address(path: &Path, mode: &str) -> Result<AnyConnectOptions, sqlx::Error> {
    let whole = std::path::absolute(path)?;
    let file = url::Url::from_file_path(whole).map_err(|()| sqlx::Error::Configuration("its name is no text".into()))?;
    let options: AnyConnectOptions = format!("sqlite://{}?mode={mode}", file.path()).parse()?;
    Ok(options.disable_statement_logging())
}

fn pool(connections: u32) -> AnyPoolOptions {
    sqlx::any::install_default_drivers();
    AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(TURN)
        .idle_timeout(None)
        .max_lifetime(None)
}

async fn connect(path: &Path, connections: u32) -> Result<AnyPool, sqlx::Error> {
    pool(connections)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(SETTINGS).await?;
                Ok(())
            })
        })
        // On a full disk SQLite ends a transaction itself, which sqlx does not notice: it would refuse to begin another one
        // on that connection for ever.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .connect_with(address(path, "rw")?)
        .await
}

/// A connection that only reads, beside whoever has the store.
pub(super) async fn connect_to_read(path: &Path) -> Result<AnyPool, OpenError> {
    if !path.is_file() {
        return Err(OpenError::Unusable { path: path.to_owned(), why: "there is no such file".to_owned() });
    }
    check_header(path)?;
    check(path, u64::MAX, true).await?;
    let connected = async { pool(1).connect_with(address(path, "ro")?).await };
    let pool = connected.await.map_err(|error| diagnosed(path, &error))?;
    Ok(pool)
}
