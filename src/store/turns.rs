//! Turns that all who have the store take together: deciding about alarms, and calls that AWS allows all of us only so often.

use super::engine::{DECIDING, take_turn};
use super::{Store, StoreError, Tx, millis};
use std::time::Duration;
use tokio::sync::MutexGuard;

/// The next call $1 may be made $3 after the one before it, and not before the time $2.
const NEXT_CALL: &str = "INSERT INTO turns (name, next_at) VALUES ($1, $2 + $3)
     ON CONFLICT (name) DO UPDATE SET next_at = max(turns.next_at, $2) + $3 RETURNING next_at - $3";

/// The right to decide about alarms, as long as it is kept.
#[derive(Debug)]
pub struct DecidingTurn<'a> {
    _here: MutexGuard<'a, ()>,
    /// Its end lets go of the turn; nothing is written in it.
    _everywhere: Option<Tx>,
}

impl Store {
    /// Waits until nobody else decides about alarms, in this process or another one on the same store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deciding_turn(&self) -> Result<DecidingTurn<'_>, StoreError> {
        let here = self.deciding.lock().await;
        let everywhere = if self.is_shared() {
            let mut tx = self.writer.begin().await?;
            take_turn(&mut tx, DECIDING).await?;
            Some(tx)
        } else {
            None
        };
        Ok(DecidingTurn { _here: here, _everywhere: everywhere })
    }

    /// Takes the next place among the calls `name` that all processes on a shared store make one `every` so often: how long
    /// until it comes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_call(&self, name: &str, every: Duration) -> Result<Duration, StoreError> {
        let at: i64 =
            sqlx::query_scalar(NEXT_CALL).bind(name).bind(self.tick()).bind(millis(every)).fetch_one(&self.writer).await?;
        Ok(self.until(at))
    }
}
