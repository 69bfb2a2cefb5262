//! Triggers are accepted: whoever comes while others are put on the disk is put there with the next ones. On a slow disk, a
//! transaction for each would keep the last of a storm waiting for too long.

use super::audit::{self, Audited};
use super::inbox::{self, Accepted, MAX_WAITING, NewTrigger, Refused, SAME, WAITING};
use super::{Changed, Store, StoreError, Tx, to_json};
use crate::model::Trigger;
use crate::redact::Redactor;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Triggers that wait to be accepted.
#[derive(Debug, Default)]
pub(super) struct Accepting {
    waiting: Mutex<Vec<Arc<Candidate>>>,
    turn: tokio::sync::Mutex<()>,
}

/// A trigger that is to be accepted.
#[derive(Debug)]
struct Candidate {
    entry: NewTrigger,
    /// What starts, as it is stored.
    job: String,
    audit: Option<Audited>,
    /// What became of it, once that is on the disk; `None` in it where too many waited.
    outcome: OnceLock<Option<Accepted>>,
}

impl Accepting {
    /// The turn of whoever wants to write, in the order they came.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Arc<Candidate>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those that wait; whoever goes away takes the trigger along.
struct Queued<'a> {
    accepting: &'a Accepting,
    candidate: Arc<Candidate>,
}

impl Queued<'_> {
    fn is_for(&self, other: &Arc<Candidate>) -> bool {
        Arc::ptr_eq(&self.candidate, other)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.accepting.waiting().retain(|other| !self.is_for(other));
    }
}

impl Store {
    /// Accepts a trigger: when this returns, it is on the disk. `audit` is written with it.
    ///
    /// # Errors
    /// [`Refused`]; nothing is stored then, or it is found again by its key.
    pub async fn accept(&self, entry: &NewTrigger, audit: Option<&Audited>) -> Result<Accepted, Refused> {
        let job = to_json("trigger", &redacted(&entry.trigger)?)?;
        let (entry, audit) = (entry.clone(), audit.cloned());
        let candidate = Arc::new(Candidate { entry, job, audit, outcome: OnceLock::new() });
        self.accepting.waiting().push(Arc::clone(&candidate));
        let mine = Queued { accepting: &self.accepting, candidate };
        let _turn = self.accepting.turn().await;
        if mine.candidate.outcome.get().is_none() {
            let mut all = std::mem::take(&mut *self.accepting.waiting());
            // Whoever had the turn before may have taken it along, and have come to no end.
            if !all.iter().any(|other| mine.is_for(other)) {
                all.push(Arc::clone(&mine.candidate));
            }
            self.in_time(self.accept_all(&all)).await?;
        }
        mine.candidate.outcome.get().cloned().flatten().ok_or(Refused::Full)
    }

    async fn accept_all(&self, all: &[Arc<Candidate>]) -> Result<(), StoreError> {
        let (tick, now) = (self.tick(), self.now());
        let mut tx = self.write_at_once().await?;
        let mut waiting: i64 = sqlx::query_scalar(WAITING).bind(MAX_WAITING).fetch_one(&mut *tx).await?;
        let mut outcomes = Vec::with_capacity(all.len());
        for candidate in all {
            let outcome = insert(&mut tx, candidate, waiting < MAX_WAITING, tick, now).await?;
            waiting += i64::from(outcome == Some(Accepted::New));
            if outcome.as_ref().is_some_and(|accepted| *accepted != Accepted::Redelivered)
                && let Some(audit) = &candidate.audit
            {
                audit::insert(&mut tx, audit, now).await?;
            }
            outcomes.push(outcome);
        }
        let is_any_new = outcomes.contains(&Some(Accepted::New));
        if is_any_new {
            inbox::line_up(&mut tx, self.engine.lanes(), tick).await?;
        }
        tx.commit().await?;
        self.engine.settle().await?;
        for (candidate, outcome) in all.iter().zip(outcomes) {
            // One that was taken along twice keeps what it was told first.
            let _ = candidate.outcome.set(outcome);
        }
        if is_any_new {
            self.changed(Changed::Inbox);
        }
        Ok(())
    }
}

/// An alarm's texts are the sender's; of what people said only ids and a secret's name are kept.
fn redacted(trigger: &Trigger) -> Result<Trigger, StoreError> {
    match trigger {
        Trigger::Alarm(_) => Redactor::default()
            .redact_strings(trigger.clone())
            .map(|(trigger, _)| trigger)
            .map_err(|error| StoreError::Unreadable { what: "alarm", why: error.to_string() }),
        other => Ok(other.clone()),
    }
}

/// Stores one; `None` where it is new and there is no room for it.
async fn insert(
    tx: &mut Tx,
    candidate: &Candidate,
    has_room: bool,
    tick: i64,
    now: Timestamp,
) -> Result<Option<Accepted>, StoreError> {
    let entry = &candidate.entry;
    let known: Option<String> =
        sqlx::query_scalar("SELECT origin FROM inbox WHERE key = $1").bind(&entry.key).fetch_optional(&mut **tx).await?;
    if let Some(origin) = known {
        return Ok(Some(if origin == entry.origin { Accepted::Redelivered } else { Accepted::AlreadyDone }));
    }
    if let Some(same) = &entry.same {
        let open: Option<String> = sqlx::query_scalar(SAME).bind(same).fetch_optional(&mut **tx).await?;
        if let Some(subject) = open {
            return Ok(Some(Accepted::Joined(subject)));
        }
    }
    if !has_room {
        return Ok(None);
    }
    sqlx::query(
        "INSERT INTO inbox (key, origin, lane, subject, same, job, what, state, queue, not_before, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', 3, $8, $9)",
    )
    .bind(&entry.key)
    .bind(&entry.origin)
    .bind(&entry.lane)
    .bind(&entry.subject)
    .bind(entry.same.as_deref())
    .bind(&candidate.job)
    .bind(entry.what.as_str())
    .bind(tick)
    .bind(now.as_millisecond())
    .execute(&mut **tx)
    .await?;
    inbox::next_of(tx, &entry.subject).await?;
    Ok(Some(Accepted::New))
}
