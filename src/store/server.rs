//! Opens the store in a PostgreSQL database that other processes may have, too. Nobody's work is taken over: what a process that
//! is gone held is free when its leases end.

use super::engine::Engine;
use super::open::TURN;
use super::signals::{Hearers, Signals};
use super::ticks::Ticks;
use super::{OpenError, Store};
use crate::clock::Clock;
use crate::config::StoreServer;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AnyPool, ConnectOptions as _, Executor as _};
use std::borrow::Cow;
use url::Url;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/postgres");

/// Connections of one process at most, beside the two on which it hears of the others.
const CONNECTIONS: u32 = 8;

/// The oldest version whose functions know compatible types (`anycompatible`), as PostgreSQL counts them.
const OLDEST: i64 = 130_000;

/// A process that vanishes in the middle of a transaction, or whose network does, keeps the others waiting for as long as its
/// connection is taken for alive: not longer than this. What waits for a turn is told that we are overloaded, as with a file.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '5s'; SET statement_timeout = '30s';
     SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";

impl Store {
    /// Opens the store on a server, and makes its tables where there are none.
    ///
    /// # Errors
    /// [`OpenError::Server`].
    pub async fn open_on_server(server: &StoreServer, clock: Clock) -> Result<Store, OpenError> {
        if !server.is_encrypted() && !server.is_local() {
            tracing::warn!(%server, "the connection to the database is not encrypted, as [store] url says");
        }
        let pool = connect(server, CONNECTIONS).await?;
        let cannot = |error: sqlx::Error| refused(server, &error);
        migrate(&pool).await.map_err(|why| OpenError::Server { server: server.to_string(), why })?;
        let (now, replica): (i64, String) = sqlx::query_as(
            "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT), CAST(gen_random_uuid() AS TEXT)",
        )
        .fetch_one(&pool)
        .await
        .map_err(cannot)?;
        let waiting = Hearers::nobody();
        let options = PgConnectOptions::from_url(&address(server)?).map_err(cannot)?.disable_statement_logging();
        let signals = Signals::start(options, &replica, &waiting);
        let engine = Engine::Server { signals, replica, server: server.clone() };
        Ok(Store::on(pool.clone(), pool, engine, clock, Ticks::starting_at(now), waiting))
    }

    /// Sees whether a store could be opened on a server, and made where there is none. Nothing is changed.
    ///
    /// # Errors
    /// [`OpenError::Server`].
    pub async fn look_at_server(server: &StoreServer) -> Result<(), OpenError> {
        let pool = connect(server, 1).await?;
        let tried = async {
            let mut tx = pool.begin().await?;
            // Tables could be made, and written to.
            sqlx::query("CREATE TABLE rotation_diag_check (id BIGINT)").execute(&mut *tx).await?;
            sqlx::query("INSERT INTO rotation_diag_check (id) VALUES (1)").execute(&mut *tx).await?;
            tx.rollback().await
        };
        let tried = tried.await;
        pool.close().await;
        tried.map_err(|error| refused(server, &error))
    }

    /// From now on connections are made with the password as it is now: it may have been changed while we ran.
    pub(super) fn read_password_again(&self) {
        if let Engine::Server { server, .. } = &self.engine
            && let Ok(options) = options(server)
        {
            self.writer.set_connect_options(options);
        }
    }
}

/// Makes the tables, one process after the other, however long that takes.
async fn migrate(pool: &AnyPool) -> Result<(), String> {
    let cannot = |error: sqlx::Error| error.to_string();
    let mut patient = pool.acquire().await.map_err(cannot)?;
    patient.execute("SET lock_timeout = 0; SET statement_timeout = 0").await.map_err(cannot)?;
    let migrated = migrations().run(&mut *patient).await;
    patient.close().await.map_err(cannot)?;
    migrated
        .map_err(|error| format!("its tables are not those of this program ({error}): name a database of its own in [store] url"))
}

/// Programs of the version before still run, or come back, while newer tables are there: they do not mind.
fn migrations() -> Migrator {
    Migrator { migrations: Cow::Borrowed(&MIGRATIONS.migrations), ignore_missing: true, ..Migrator::DEFAULT }
}

/// Connects, and sees that the server is one that can be used.
pub(super) async fn connect(server: &StoreServer, connections: u32) -> Result<AnyPool, OpenError> {
    sqlx::any::install_default_drivers();
    let cannot = |error: sqlx::Error| refused(server, &error);
    let pool = AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(TURN)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(SETTINGS).await?;
                Ok(())
            })
        })
        .connect_with(options(server)?)
        .await;
    let pool = match pool {
        Ok(pool) => pool,
        Err(error) => return Err(unconnected(server, &error).await),
    };
    let (version, encoding): (i64, String) = sqlx::query_as(
        "SELECT CAST(current_setting('server_version_num') AS BIGINT), CAST(current_setting('server_encoding') AS TEXT)",
    )
    .fetch_one(&pool)
    .await
    .map_err(cannot)?;
    let unfit = if version < OLDEST {
        Some("PostgreSQL 13 or a newer one is needed")
    } else if encoding != "UTF8" {
        Some("its encoding is not UTF8: create the database with ENCODING 'UTF8'")
    } else {
        None
    };
    match unfit {
        Some(why) => Err(OpenError::Server { server: server.to_string(), why: why.to_owned() }),
        None => Ok(pool),
    }
}

fn options(server: &StoreServer) -> Result<AnyConnectOptions, OpenError> {
    let options = AnyConnectOptions::from_url(&address(server)?).map_err(|error| refused(server, &error))?;
    Ok(options.disable_statement_logging())
}

/// Why no connection came about: a pool that waited in vain does not say what for.
async fn unconnected(server: &StoreServer, error: &sqlx::Error) -> OpenError {
    if matches!(error, sqlx::Error::PoolTimedOut)
        && let Ok(options) = options(server)
        && let Ok(Err(cause)) = tokio::time::timeout(TURN, options.connect()).await
    {
        return refused(server, &cause);
    }
    refused(server, error)
}

/// The address with all that belongs to it, the password too.
fn address(server: &StoreServer) -> Result<Url, OpenError> {
    server.connection_url().map_err(|why| OpenError::Server { server: server.to_string(), why })
}

fn refused(server: &StoreServer, error: &sqlx::Error) -> OpenError {
    let why = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
    OpenError::Server { server: server.to_string(), why }
}
