//! Which versions the store is made of.

use super::{Store, StoreError};

/// What a store is: of its own schema, and of what keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreVersion {
    /// The newest migration.
    pub schema: i64,
    /// What keeps it, with its version.
    pub engine: String,
}

impl Store {
    /// Its versions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn version(&self) -> Result<StoreVersion, StoreError> {
        let sql = match self.is_shared() {
            true => {
                "SELECT (SELECT max(version) FROM _sqlx_migrations WHERE success), 'PostgreSQL ' || current_setting('server_version')"
            }
            false => "SELECT (SELECT max(version) FROM _sqlx_migrations WHERE success), 'SQLite ' || sqlite_version()",
        };
        let (schema, engine) = sqlx::query_as(sql).fetch_one(&self.readers).await?;
        Ok(StoreVersion { schema, engine })
    }
}
