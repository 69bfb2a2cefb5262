//! What only one of the processes that share a store may do: deliver to a platform, hold a gateway. Whoever does it has an
//! office, for a while that is renewed; each new holder begins a new term, and what an earlier one still writes changes nothing.

use super::{Store, StoreError};
use crate::model::PlatformName;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Takes the office $1 for $2 until $4, or keeps it, where nobody else has it at the time $3.
const LEAD: &str = "INSERT INTO leaders (name, holder, term, until) VALUES ($1, $2, 1, $4)
     ON CONFLICT (name) DO UPDATE SET
         term = leaders.term + iif(leaders.holder = excluded.holder AND leaders.until > $3, 0, 1),
         holder = excluded.holder, until = excluded.until
     WHERE leaders.holder = excluded.holder OR leaders.until <= $3 RETURNING term";

/// A statement that changes something only in the term it was begun in: behind what it changes, with the parameters of term and
/// office.
macro_rules! in_term {
    ($statement:literal, $term:literal, $office:literal) => {
        concat!($statement, " AND ", $term, " = coalesce((SELECT term FROM leaders WHERE name = ", $office, "), 0)")
    };
}
pub(super) use in_term;

/// The offices this process knows, with the term in which it has each.
#[derive(Debug, Default)]
pub(super) struct Offices(Mutex<HashMap<String, watch::Sender<Option<i64>>>>);

impl Offices {
    fn with<T>(&self, office: &str, is_alone: bool, act: impl FnOnce(&watch::Sender<Option<i64>>) -> T) -> T {
        let mut offices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Who is alone has every office, in the term before the first.
        act(offices.entry(office.to_owned()).or_insert_with(|| watch::Sender::new(is_alone.then_some(0))))
    }
}

/// The office of whoever delivers to a platform, and hears what it tells one listener alone.
#[must_use]
pub fn courier(platform: PlatformName) -> String {
    format!("delivery/{platform}")
}

impl Store {
    /// True where other processes may have the store, too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.engine.replica().is_some()
    }

    /// Takes an office for `lasts`, or keeps it for longer; false where another process has it.
    ///
    /// # Errors
    /// [`StoreError`]; whether it is ours is unknown then.
    pub async fn lead(&self, office: &str, lasts: Duration) -> Result<bool, StoreError> {
        let Some(replica) = self.engine.replica() else { return Ok(true) };
        let now = self.tick();
        let term: Option<i64> = sqlx::query_scalar(LEAD)
            .bind(office)
            .bind(replica)
            .bind(now)
            .bind(now.saturating_add(super::millis(lasts)))
            .fetch_optional(&self.writer)
            .await?;
        self.offices.with(office, false, |known| known.send_if_modified(|held| std::mem::replace(held, term) != term));
        Ok(term.is_some())
    }

    /// This process no longer does what the office is about, whoever has it.
    pub fn step_back(&self, office: &str) {
        self.offices.with(office, !self.is_shared(), |known| {
            known.send_if_modified(|held| self.is_shared() && held.take().is_some());
        });
    }

    /// Leaves an office to the others at once.
    ///
    /// # Errors
    /// [`StoreError`]; they have to wait then.
    pub async fn resign(&self, office: &str) -> Result<(), StoreError> {
        self.step_back(office);
        if let Some(replica) = self.engine.replica() {
            sqlx::query("UPDATE leaders SET until = 0 WHERE name = $1 AND holder = $2")
                .bind(office)
                .bind(replica)
                .execute(&self.writer)
                .await?;
        }
        Ok(())
    }

    /// In which term this process has an office, and when that changes; `None` while it has not.
    #[must_use]
    pub fn term_of(&self, office: &str) -> watch::Receiver<Option<i64>> {
        self.offices.with(office, !self.is_shared(), watch::Sender::subscribe)
    }

    /// True while this process delivers to a platform.
    #[must_use]
    pub fn delivers(&self, platform: PlatformName) -> bool {
        self.offices.with(&courier(platform), !self.is_shared(), |known| known.borrow().is_some())
    }

    /// The term to write in; nobody's where it is not ours.
    pub(super) fn term(&self, office: &str) -> i64 {
        self.offices.with(office, !self.is_shared(), |known| known.borrow().unwrap_or_default())
    }
}
