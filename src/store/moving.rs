//! Moves a store from its file into a database on a server: all of it, or nothing.

use super::engine::{WRITING, take_turn};
use super::{OpenError, Store, StoreError, Tx, server};
use crate::clock::Clock;
use crate::config::StoreServer;
use aws_lc_rs::digest;
use futures::TryStreamExt as _;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, AssertSqlSafe, Executor, Row as _};
use std::path::{Path, PathBuf};

/// The tables, each behind those it refers to.
const TABLES: [&str; 13] = [
    "inbox",
    "lanes",
    "threads",
    "investigations",
    "messages",
    "watches",
    "audit",
    "alarms",
    "stories",
    "story_keys",
    "rechecks",
    "storm_secrets",
    "certificates",
];

/// What the server has by other means, or no other process knows of yet.
const NOT_MOVED: [&str; 2] = ["_sqlx_migrations", "leaders"];

/// Where numbers are given out that are never given again.
const NUMBERED: [(&str, &str); 5] =
    [("inbox", "id"), ("messages", "id"), ("audit", "id"), ("threads", "rowid"), ("investigations", "rowid")];

/// The next turn of a lane is after those that were moved.
const TURNS_GO_ON: &str = "SELECT setval('lane_turns', coalesce(max(served), 0) + 1000) FROM lanes";

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// One of the two cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is something already.
    #[error("the database {server} holds something already (in {table}): name an empty one")]
    NotEmpty { server: String, table: &'static str },
    /// Reading or writing failed.
    #[error("nothing was moved: {0}")]
    Failed(#[from] StoreError),
    /// The file has what this program does not know to move.
    #[error("nothing was moved: the store {} has a table {table} that this program does not know", path.display())]
    UnknownTable { path: PathBuf, table: String },
    /// What arrived is not what was sent.
    #[error("nothing was moved: {table} arrived with {arrived} rows of {sent}, or with other contents")]
    NotTheSame { table: &'static str, sent: u64, arrived: u64 },
}

impl From<sqlx::Error> for MoveError {
    fn from(error: sqlx::Error) -> MoveError {
        MoveError::Failed(StoreError::Broken(error))
    }
}

/// A column, and what is in it.
struct Column {
    name: String,
    kind: CellKind,
}

#[derive(Clone, Copy)]
enum CellKind {
    Number,
    Text,
    Bytes,
}

/// How many rows a table has, and a sum of what is in them that does not depend on their order.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct RowTally {
    rows: u64,
    sum: u128,
}

impl Store {
    /// Moves what is in the file `path`, which nobody may have meanwhile, into an empty database; the file stays as it is, and
    /// how many rows of each table were moved is told. What arrived is counted and compared before it is kept.
    ///
    /// # Errors
    /// [`MoveError`]; nothing is in the database then.
    pub async fn move_to_server(path: &Path, to: &StoreServer, clock: Clock) -> Result<Vec<(&'static str, u64)>, MoveError> {
        if !path.is_file() {
            let why = "there is no such file".to_owned();
            return Err(OpenError::Unusable { path: path.to_owned(), why }.into());
        }
        // As a start would: at its newest form, and with nothing half begun.
        let from = Store::open(path, clock).await?;
        let moved = move_all(&from, path, to, clock).await;
        from.close().await;
        moved
    }
}

async fn move_all(from: &Store, path: &Path, to: &StoreServer, clock: Clock) -> Result<Vec<(&'static str, u64)>, MoveError> {
    let all: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .fetch_all(&from.readers)
        .await?;
    let is_known = |name: &String| TABLES.contains(&name.as_str()) || NOT_MOVED.contains(&name.as_str());
    if let Some(table) = all.into_iter().find(|name| !is_known(name)) {
        return Err(MoveError::UnknownTable { path: path.to_owned(), table });
    }
    // Opening makes the tables.
    Store::open_on_server(to, clock).await?.close().await;
    let pool = server::connect(to, 1).await?;
    let moved = async {
        let mut tx = pool.begin().await?;
        take_turn(&mut tx, WRITING).await?;
        // A large store takes longer than any single write may.
        tx.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0").await?;
        for table in TABLES {
            let found: Option<i64> =
                sqlx::query_scalar(AssertSqlSafe(format!("SELECT 1 FROM {table} LIMIT 1"))).fetch_optional(&mut *tx).await?;
            if found.is_some() {
                return Err(MoveError::NotEmpty { server: to.to_string(), table });
            }
        }
        let mut moved = Vec::new();
        for table in TABLES {
            moved.push((table, move_table(&from.readers, &mut tx, table).await?));
        }
        for (table, column) in NUMBERED {
            go_on_counting(&from.readers, &mut tx, table, column).await?;
        }
        tx.execute(TURNS_GO_ON).await?;
        tx.commit().await?;
        Ok(moved)
    };
    let moved = moved.await;
    pool.close().await;
    moved
}

async fn move_table(from: &AnyPool, tx: &mut Tx, table: &'static str) -> Result<u64, MoveError> {
    let columns = columns(from, table).await?;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("${place}")).collect();
    let insert = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "));
    let select = format!("SELECT {} FROM {table}", names.join(", "));
    let mut sent = RowTally::default();
    let mut rows = sqlx::query(AssertSqlSafe(select.clone())).fetch(from);
    while let Some(row) = rows.try_next().await? {
        let mut into = sqlx::query(AssertSqlSafe(insert.clone()));
        for (at, column) in columns.iter().enumerate() {
            into = match column.kind {
                CellKind::Number => into.bind(row.try_get::<Option<i64>, _>(at)?),
                CellKind::Text => into.bind(text_of(&row, at)?),
                CellKind::Bytes => into.bind(row.try_get::<Option<Vec<u8>>, _>(at)?),
            };
        }
        into.execute(&mut **tx).await?;
        sent.count(&row, &columns)?;
    }
    drop(rows);
    let arrived = tally(&mut **tx, select, &columns).await?;
    if arrived != sent {
        return Err(MoveError::NotTheSame { table, sent: sent.rows, arrived: arrived.rows });
    }
    Ok(sent.rows)
}

/// A text as it is moved: PostgreSQL keeps no NUL in one, and SQLite does.
fn text_of(row: &AnyRow, at: usize) -> Result<Option<String>, sqlx::Error> {
    Ok(row.try_get::<Option<String>, _>(at)?.map(|text| text.replace('\0', "\u{fffd}")))
}

/// The columns of a table in the file, with the hidden one that tells the order of those that have no number.
async fn columns(from: &AnyPool, table: &str) -> Result<Vec<Column>, sqlx::Error> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT name, type FROM pragma_table_info($1) ORDER BY cid").bind(table).fetch_all(from).await?;
    let hidden = NUMBERED.contains(&(table, "rowid")).then(|| ("rowid".to_owned(), "INTEGER".to_owned()));
    let known = hidden.into_iter().chain(rows).map(|(name, kind)| Column {
        name,
        kind: match kind.as_str() {
            "INTEGER" => CellKind::Number,
            "BLOB" => CellKind::Bytes,
            _ => CellKind::Text,
        },
    });
    Ok(known.collect())
}

async fn tally<'c>(
    from: impl Executor<'c, Database = sqlx::Any>,
    select: String,
    columns: &[Column],
) -> Result<RowTally, sqlx::Error> {
    let mut tally = RowTally::default();
    let mut rows = sqlx::query(AssertSqlSafe(select)).fetch(from);
    while let Some(row) = rows.try_next().await? {
        tally.count(&row, columns)?;
    }
    Ok(tally)
}

impl RowTally {
    fn count(&mut self, row: &AnyRow, columns: &[Column]) -> Result<(), sqlx::Error> {
        let mut content = digest::Context::new(&digest::SHA256);
        for (at, column) in columns.iter().enumerate() {
            let field: Option<Vec<u8>> = match column.kind {
                CellKind::Number => row.try_get::<Option<i64>, _>(at)?.map(|number| number.to_be_bytes().to_vec()),
                CellKind::Text => text_of(row, at)?.map(String::into_bytes),
                CellKind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?,
            };
            // With its length, so that nothing moves from one field into the next.
            content.update(&field.as_ref().map_or(-1, |field| i64::try_from(field.len()).unwrap_or(i64::MAX)).to_be_bytes());
            content.update(&field.unwrap_or_default());
        }
        let digest = content.finish();
        let half: [u8; 16] = digest.as_ref().first_chunk().copied().unwrap_or_default();
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(half));
        Ok(())
    }
}

/// The next number is one that was never given: others know things by it that are gone.
async fn go_on_counting(from: &AnyPool, tx: &mut Tx, table: &str, column: &str) -> Result<(), sqlx::Error> {
    let known: Option<i64> =
        sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = $1").bind(table).fetch_optional(from).await?;
    let highest: Option<i64> =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT max({column}) FROM {table}"))).fetch_one(&mut **tx).await?;
    let next = known.max(highest).unwrap_or_default().saturating_add(1);
    sqlx::query("SELECT setval(pg_get_serial_sequence($1, $2), $3, false)")
        .bind(table)
        .bind(column)
        .bind(next)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
