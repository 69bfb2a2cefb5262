//! A copy of the store, made while another process may have it.

use super::{OpenError, Store, open};
use sqlx::AnyPool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The copy cannot be written; nothing is left of it.
    #[error("{} cannot be written ({why}): name a file that does not exist yet, in a folder of this user", path.display())]
    Unwritable { path: PathBuf, why: String },
}

impl Store {
    /// Copies the store at `path` into the new file `copy`, as it is at one moment; the result is the copy's length in bytes.
    ///
    /// # Errors
    /// [`CopyError`]. A file that is there already is left as it is.
    pub async fn copy(path: &Path, copy: &Path) -> Result<u64, CopyError> {
        let unwritable = |why: String| CopyError::Unwritable { path: copy.to_owned(), why };
        let store = open::connect_to_read(path).await?;
        // SQLite would read `file:…` as something else than a name.
        let whole = std::path::absolute(copy).map_err(|error| unwritable(error.to_string()))?;
        let name = whole.to_str().ok_or_else(|| unwritable("its name is no text".to_owned()))?;
        open::make_private(&whole).map_err(|error| unwritable(error.to_string()))?;
        let made = fill(&store, name).await;
        store.close().await;
        let length = match made {
            Ok(()) => File::open(&whole).and_then(|file| file.sync_all()).and_then(|()| fs::metadata(&whole)),
            Err(why) => Err(std::io::Error::other(why)),
        };
        length.map(|made| made.len()).map_err(|error| {
            // It is ours, and it is not whole.
            let _ = fs::remove_file(&whole);
            unwritable(error.to_string())
        })
    }
}

/// Writes the copy, and reads it once to see that it is whole.
async fn fill(store: &AnyPool, name: &str) -> Result<(), String> {
    let as_text = |error: sqlx::Error| error.to_string();
    sqlx::query("VACUUM INTO $1").bind(name).execute(store).await.map_err(as_text)?;
    let copy = SqlitePool::connect_with(SqliteConnectOptions::new().filename(name).read_only(true)).await.map_err(as_text)?;
    let found: Result<String, sqlx::Error> = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&copy).await;
    copy.close().await;
    match found.map_err(as_text)?.as_str() {
        "ok" => Ok(()),
        damage => Err(damage.to_owned()),
    }
}
