//! The newest state of every alarm, by its own time: notifications arrive late, twice and out of order.

use super::{Store, StoreError, at};
use crate::model::AlarmState;
use jiff::Timestamp;

/// How a notification compares with what is known of its alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newness {
    /// The alarm was not known, or went to another state since.
    Changed,
    /// The alarm was in this state already; this is a later word of it.
    Repeated,
    /// A newer state is known: nothing follows from this one.
    Outdated,
}

/// The word for a state.
pub(super) const fn word(state: AlarmState) -> &'static str {
    match state {
        AlarmState::Alarm => "alarm",
        AlarmState::Ok => "ok",
        AlarmState::InsufficientData => "insufficient_data",
    }
}

/// The state of a word.
pub(super) fn state_of(word: &str) -> Option<AlarmState> {
    [AlarmState::Alarm, AlarmState::Ok, AlarmState::InsufficientData].into_iter().find(|state| self::word(*state) == word)
}

impl Store {
    /// Notes that the alarm `key` went to `state` at `state_at`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_alarm(&self, key: &str, state: AlarmState, state_at: Timestamp) -> Result<Newness, StoreError> {
        let mut tx = self.write().await?;
        let known: Option<(String, i64)> =
            sqlx::query_as("SELECT state, state_at FROM alarms WHERE key = $1").bind(key).fetch_optional(&mut *tx).await?;
        let newness = match &known {
            Some((_, at)) if *at > state_at.as_millisecond() => return Ok(Newness::Outdated),
            Some((before, _)) if before == word(state) => Newness::Repeated,
            _ => Newness::Changed,
        };
        sqlx::query(
            "INSERT INTO alarms (key, state, state_at, seen_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (key) DO UPDATE SET state = excluded.state, state_at = excluded.state_at, seen_at = excluded.seen_at",
        )
        .bind(key)
        .bind(word(state))
        .bind(state_at.as_millisecond())
        .bind(self.now().as_millisecond())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(newness)
    }

    /// The state the alarm `key` is known to be in, and since when by its own time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alarm_state(&self, key: &str) -> Result<Option<(AlarmState, Timestamp)>, StoreError> {
        let known: Option<(String, i64)> =
            sqlx::query_as("SELECT state, state_at FROM alarms WHERE key = $1").bind(key).fetch_optional(&self.readers).await?;
        Ok(known.and_then(|(word, state_at)| Some((state_of(&word)?, at(state_at)))))
    }
}
