//! The durable list of accepted triggers: each is done once, however often it comes and whoever dies doing it.

use super::lanes::LaneStatements;
use super::{Changed, Store, StoreError, Tx, at, from_json, millis, parsed, to_json};
use crate::backoff::Backoff;
use crate::model::{InvestigationId, ThreadId, Trigger};
use crate::redact::SafeText;
use jiff::Timestamp;
use sqlx::{Any, Executor, FromRow};
use std::collections::HashSet;
use std::time::Duration;

/// How often a trigger may fail before it is given up. Only ends of its own count: one that was cut short by the end of the
/// process is begun again.
pub const MAX_ATTEMPTS: u32 = 5;

/// From this beginning on a trigger is suspected of ending the process: it was begun this often less one, and each time the
/// process was gone before it came to an end. It is begun only while no other suspect is worked on, so that those that merely
/// ran beside it are cleared, instead of dying with it.
pub(super) const SUSPECT: u32 = 3;

/// Up to this many ends of the process in a row may be chance, such as a machine that is restarted again and again: the trigger
/// is begun again within [`SHORTEST_PAUSE`]. Beyond, the pauses double: one that ends the process each time leaves it to all
/// others for most of the time.
const CHANCE: u32 = 30;

/// See [`CHANCE`].
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause of a suspect.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Triggers that wait at most; more are turned away, and whoever can send them again does.
pub(super) const MAX_WAITING: i64 = 10_000;

/// How many triggers whose time has come are lined up in one claim.
const LINED_UP_AT_ONCE: u32 = 500;

// The column `queue` says what keeps a trigger from being taken, so that a claim reads an index and no finished row:
//   0  nothing does: it is worked on, or ended
//   1  nothing does: it is lined up in its lane
//   2  its time has not come; it is the next one of its subject
//   3  an older trigger of its subject comes first
//   4  another suspect comes first, which is lined up or worked on
// Lining up looks at many rows, and whoever does it has the turn to write: it reopens what lost its lease (to 3 or 2), and lines
// up what is due (2 to 1 or 4) and one suspect when there is no other (4 to 1). Taking looks at one row, and takes the oldest
// trigger of the lane whose turn it is: on a server as many do so at once as like.

/// Whether something is to be lined up at the time $1, before anything is taken.
pub(super) const UNLINED: &str = "SELECT iif(EXISTS (SELECT 1 FROM inbox WHERE queue = 2 AND not_before <= $1)
        OR EXISTS (SELECT 1 FROM inbox WHERE state = 'running' AND lease_until <= $1)
        OR EXISTS (SELECT 1 FROM inbox WHERE queue = 4), 1, 0)";

/// Those whose lease ran out at the time $1.
pub(super) const EXPIRED: &str = "SELECT id, subject, attempts FROM inbox WHERE state = 'running' AND lease_until <= $1";

/// Lets one go that nobody holds; it may be taken from $2 on.
pub(super) const REOPEN: &str = "UPDATE inbox SET state = 'waiting', queue = 3, lease_until = 0, not_before = $2 WHERE id = $1";

/// The oldest of the subject $1 that waits is the next of it, while none of it is worked on.
pub(super) const NEXT_OF_SUBJECT: &str = "UPDATE inbox SET queue = 2
     WHERE id = (SELECT min(id) FROM inbox WHERE subject = $1 AND state = 'waiting') AND queue = 3
       AND NOT EXISTS (SELECT 1 FROM inbox WHERE subject = $1 AND state = 'running')";

/// Those whose time has come at $1, at most $2.
pub(super) const DUE: &str = "SELECT id, lane FROM inbox WHERE queue = 2 AND not_before <= $1 ORDER BY not_before, id LIMIT $2";

/// The triggers $1 may be taken; those that were begun $2 times without coming to an end, one at a time.
pub(super) const LINE_UP: &str = "UPDATE inbox SET queue = iif(attempts >= $2, 4, 1) WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each($1)) AND queue = 2";

/// Where no suspect is worked on, which was begun $1 times, and none is lined up, which was begun once less, the oldest one is.
/// Without the sign SQLite would look for the lowest number in the whole table, and not among the suspects.
pub(super) const LINE_UP_SUSPECT: &str = "UPDATE inbox SET queue = 1 WHERE id = (SELECT min(+id) FROM inbox WHERE queue = 4)
       AND NOT EXISTS (SELECT 1 FROM inbox o WHERE o.state = 'running' AND o.attempts >= $1 AND o.id <> inbox.id)
       AND NOT EXISTS (SELECT 1 FROM inbox o WHERE o.queue = 1 AND o.attempts >= $1 - 1 AND o.id <> inbox.id)";

/// A lane in which nothing is lined up has no turn. A few at a time: as many as become empty are looked at again and again.
pub(super) const FORGET_LANES: &str = "DELETE FROM lanes WHERE lane IN (SELECT lane FROM lanes ORDER BY served LIMIT 16)
       AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.queue = 1 AND i.lane = lanes.lane)
       AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.queue = 4 AND i.lane = lanes.lane)";

/// Takes the oldest trigger of the lane $1 until $2.
pub(super) const TAKE: &str =
    "UPDATE inbox SET state = 'running', queue = 0, attempts = attempts + 1, fence = fence + 1, lease_until = $2
     WHERE id = (SELECT id FROM inbox WHERE queue = 1 AND lane = $1 ORDER BY id LIMIT 1)
     RETURNING id, fence, subject, job, what, attempts, failures, received_at";

/// When something may be claimed next that may not now.
pub(super) const NEXT_CLAIM: &str = "SELECT min(at) FROM (
     SELECT min(not_before) AS at FROM inbox WHERE queue = 2
     UNION ALL SELECT min(lease_until) FROM inbox WHERE state = 'running') AS moments";

/// The open trigger that asks the same.
pub(super) const SAME: &str = "SELECT subject FROM inbox WHERE same = $1 AND state IN ('waiting', 'running') LIMIT 1";

/// How many wait, counted up to a bound.
pub(super) const WAITING: &str = "SELECT count(*) FROM (SELECT 1 FROM inbox WHERE state = 'waiting' LIMIT $1) AS counted";

/// A trigger to be accepted.
#[derive(Debug, Clone)]
pub struct NewTrigger {
    /// Unique: the same effect is not had twice.
    pub key: String,
    /// The platform's id of what brought it; a redelivery has the same.
    pub origin: String,
    /// Lanes are served in turn: the channel, or the alarms' topic.
    pub lane: String,
    /// The investigation, or whatever may not be worked on twice at a time.
    pub subject: String,
    /// Who asks what; one that is open already is joined.
    pub same: Option<String>,
    pub trigger: Trigger,
    /// One line for the operator.
    pub what: SafeText,
}

/// What became of a trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is stored, and on the disk.
    New,
    /// It was delivered again; nothing more happens.
    Redelivered,
    /// Another delivery has the same effect.
    AlreadyDone,
    /// The same question by the same person is open: its subject.
    Joined(String),
}

/// Why a trigger was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("{MAX_WAITING} triggers wait already")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The right to work on a trigger; a later claim voids it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    id: i64,
    fence: i64,
}

impl Lease {
    /// The trigger's number; it never changes.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.id
    }

    pub(super) const fn fence(self) -> i64 {
        self.fence
    }
}

/// A trigger to work on.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub lease: Lease,
    pub trigger: Trigger,
    /// As in [`NewTrigger`].
    pub subject: String,
    /// As in [`NewTrigger`].
    pub what: SafeText,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How often it came to an end, and failed.
    pub failures: u32,
    /// When it was accepted.
    pub received_at: Timestamp,
}

impl Claimed {
    /// The investigation that its subject names.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] where it names none.
    pub fn investigation(&self) -> Result<InvestigationId, StoreError> {
        parsed("id of an investigation", &self.subject)
    }

    /// The thread that its subject names.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] where it names none.
    pub fn thread(&self) -> Result<ThreadId, StoreError> {
        parsed("id of a thread", &self.subject)
    }

    /// True when it failed [`MAX_ATTEMPTS`] times before: it is to be given up.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.failures >= MAX_ATTEMPTS
    }

    /// True when the process ended so often while this was worked on that it may be the reason.
    #[must_use]
    pub const fn is_suspect(&self) -> bool {
        self.attempt.saturating_sub(self.failures) >= SUSPECT
    }
}

#[derive(FromRow)]
struct InboxRow {
    id: i64,
    fence: i64,
    subject: String,
    job: String,
    what: String,
    #[sqlx(try_from = "i64")]
    attempts: u32,
    #[sqlx(try_from = "i64")]
    failures: u32,
    received_at: i64,
}

/// How long after its last beginning a trigger waits that was begun so often without coming to an end.
pub(super) fn pause(begun: i64) -> Duration {
    match u32::try_from(begun).unwrap_or(u32::MAX) {
        0..SUSPECT => Duration::ZERO,
        SUSPECT..=CHANCE => SHORTEST_PAUSE,
        begun => Backoff::new(SHORTEST_PAUSE, MAX_PAUSE).after(begun.saturating_sub(CHANCE)),
    }
}

impl Store {
    /// Takes the next trigger: of the lane whose turn it is, the oldest.
    ///
    /// What may be taken is lined up lane by lane beforehand, so that however many wait, a claim reads a few.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim(&self, lasts: Duration) -> Result<Option<Claimed>, StoreError> {
        self.in_time(self.claim_next(lasts)).await
    }

    async fn claim_next(&self, lasts: Duration) -> Result<Option<Claimed>, StoreError> {
        let lanes = self.engine.lanes();
        let row = loop {
            let mut tx = self.begin_claim().await?;
            let Some(lane) = next_lane(&mut tx, lanes).await? else {
                tx.commit().await?;
                return Ok(None);
            };
            let until = self.tick_after(lasts);
            let taken: Option<InboxRow> = sqlx::query_as(TAKE).bind(&lane).bind(until).fetch_optional(&mut *tx).await?;
            sqlx::query(lanes.served).bind(lane).execute(&mut *tx).await?;
            tx.commit().await?;
            // Whoever was waited for may have taken the last one of that lane.
            if let Some(row) = taken {
                break row;
            }
        };
        let lease = Lease { id: row.id, fence: row.fence };
        match from_json("trigger", &row.job) {
            Ok(trigger) => Ok(Some(Claimed {
                lease,
                trigger,
                subject: row.subject,
                what: SafeText::redact(&row.what),
                attempt: row.attempts.saturating_add(row.failures),
                failures: row.failures,
                received_at: at(row.received_at),
            })),
            // Another version wrote it; the next one is not to wait for it.
            Err(error) => {
                tracing::error!(%error, what = row.what, "a trigger is given up");
                self.bury(lease, &SafeText::redact(&error.to_string())).await?;
                Ok(None)
            }
        }
    }

    /// A transaction in which everything is lined up that may be taken, and which locks the rows it changes and no others; on a
    /// server it waits for no turn.
    pub(super) async fn begin_claim(&self) -> Result<Tx, StoreError> {
        if !self.is_shared() {
            let mut tx = self.write().await?;
            if is_unlined(&mut *tx, self.tick()).await? {
                self.line_up_again(&mut tx).await?;
            }
            return Ok(tx);
        }
        if is_unlined(&self.readers, self.tick()).await? {
            let mut tx = self.write().await?;
            self.line_up_again(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(self.writer.begin().await?)
    }

    async fn line_up_again(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let now = self.tick();
        reopen_expired(tx, now).await?;
        line_up(tx, self.engine.lanes(), now).await
    }

    /// Keeps the claim for longer; false when it was lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew(&self, lease: Lease, lasts: Duration) -> Result<bool, StoreError> {
        let renewing = async {
            let renewed = sqlx::query("UPDATE inbox SET lease_until = $1 WHERE id = $2 AND fence = $3 AND state = 'running'")
                .bind(self.tick_after(lasts))
                .bind(lease.id)
                .bind(lease.fence)
                .execute(&self.writer)
                .await?;
            Ok(renewed.rows_affected() == 1)
        };
        self.in_time(renewing).await
    }

    /// The trigger failed by itself: it is tried again after `wait`, or given up after [`MAX_ATTEMPTS`]. True when it was given
    /// up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn fail(&self, lease: Lease, why: &SafeText, wait: Duration) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let failed: Option<(String, String)> = sqlx::query_as(
            "UPDATE inbox SET failures = failures + 1, attempts = 0, state = iif(failures + 1 >= $1, 'dead', 'waiting'),
                    queue = iif(failures + 1 >= $1, 0, 3), job = iif(failures + 1 >= $1, '', job),
                    ended_at = iif(failures + 1 >= $1, $2, NULL), not_before = $3, why = $4
             WHERE id = $5 AND fence = $6 AND state = 'running' RETURNING state, subject",
        )
        .bind(i64::from(MAX_ATTEMPTS))
        .bind(self.now().as_millisecond())
        .bind(self.tick_after(wait))
        .bind(why.as_str())
        .bind(lease.id)
        .bind(lease.fence)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some((_, subject)) = &failed {
            next_of(&mut tx, subject).await?;
        }
        tx.commit().await?;
        self.changed(Changed::Inbox);
        Ok(failed.is_some_and(|(state, _)| state == "dead"))
    }

    /// Gives a trigger up at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bury(&self, lease: Lease, why: &SafeText) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let mine = end(&mut tx, lease, "dead", why.as_str(), self.now()).await?;
        tx.commit().await?;
        self.changed(Changed::Inbox);
        Ok(mine)
    }

    /// Lets go of a trigger that is to be done by the next process; this attempt does not count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        put_back(&mut tx, lease, 0).await?;
        Ok(tx.commit().await?)
    }

    /// How long until something that waits, or whose lease expires, may be claimed; `None` when nothing is open.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_claim(&self) -> Result<Option<Duration>, StoreError> {
        let next: Option<i64> = sqlx::query_scalar(NEXT_CLAIM).fetch_one(&self.readers).await?;
        Ok(next.map(|next| self.until(next)))
    }
}

async fn is_unlined<'c>(on: impl Executor<'c, Database = Any>, now: i64) -> Result<bool, StoreError> {
    let unlined: i64 = sqlx::query_scalar(UNLINED).bind(now).fetch_one(on).await?;
    Ok(unlined != 0)
}

/// The lane to take something from.
async fn next_lane(tx: &mut Tx, lanes: &LaneStatements) -> Result<Option<String>, StoreError> {
    let free: Option<String> = sqlx::query_scalar(lanes.next).fetch_optional(&mut **tx).await?;
    match (free, lanes.next_of_served) {
        (None, Some(next)) => Ok(sqlx::query_scalar(next).fetch_optional(&mut **tx).await?),
        (free, _) => Ok(free),
    }
}

/// Triggers whose lease ran out wait again.
async fn reopen_expired(tx: &mut Tx, now: i64) -> Result<(), StoreError> {
    let expired: Vec<(i64, String, i64)> = sqlx::query_as(EXPIRED).bind(now).fetch_all(&mut **tx).await?;
    for (id, subject, begun) in expired {
        sqlx::query(REOPEN).bind(id).bind(now.saturating_add(millis(pause(begun)))).execute(&mut **tx).await?;
        next_of(tx, &subject).await?;
    }
    Ok(())
}

/// Lines up those whose time has come, with their lanes, and a suspect.
pub(super) async fn line_up(tx: &mut Tx, statements: &LaneStatements, now: i64) -> Result<(), StoreError> {
    let due: Vec<(i64, String)> = sqlx::query_as(DUE).bind(now).bind(i64::from(LINED_UP_AT_ONCE)).fetch_all(&mut **tx).await?;
    if !due.is_empty() {
        let ids: Vec<i64> = due.iter().map(|(id, _)| *id).collect();
        let mut seen = HashSet::new();
        let lanes: Vec<&str> = due.iter().map(|(_, lane)| lane.as_str()).filter(|lane| seen.insert(*lane)).collect();
        let alone_from = SUSPECT.saturating_sub(1);
        sqlx::query(FORGET_LANES).execute(&mut **tx).await?;
        sqlx::query(LINE_UP).bind(to_json("list of triggers", &ids)?).bind(i64::from(alone_from)).execute(&mut **tx).await?;
        sqlx::query(statements.last).bind(to_json("list of lanes", &lanes)?).execute(&mut **tx).await?;
    }
    sqlx::query(LINE_UP_SUSPECT).bind(i64::from(SUSPECT)).execute(&mut **tx).await?;
    Ok(())
}

/// The next trigger of a subject gets its turn, where none of it is worked on.
pub(super) async fn next_of(tx: &mut Tx, subject: &str) -> Result<(), StoreError> {
    sqlx::query(NEXT_OF_SUBJECT).bind(subject).execute(&mut **tx).await?;
    Ok(())
}

/// True while the claim is not lost.
pub(super) async fn holds(tx: &mut Tx, lease: Lease) -> Result<bool, StoreError> {
    let held: Option<i64> = sqlx::query_scalar("SELECT id FROM inbox WHERE id = $1 AND fence = $2 AND state = 'running'")
        .bind(lease.id)
        .bind(lease.fence)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(held.is_some())
}

/// A trigger waits again, until `not_before`; this attempt does not count.
pub(super) async fn put_back(tx: &mut Tx, lease: Lease, not_before: i64) -> Result<(), StoreError> {
    let subject: Option<String> = sqlx::query_scalar(
        "UPDATE inbox SET state = 'waiting', queue = 3, attempts = max(attempts - 1, 0), not_before = $1
         WHERE id = $2 AND fence = $3 AND state = 'running' RETURNING subject",
    )
    .bind(not_before)
    .bind(lease.id)
    .bind(lease.fence)
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(subject) = subject {
        next_of(tx, &subject).await?;
    }
    Ok(())
}

/// Ends a trigger; with it goes whatever it held, such as an address for an answer. False when the claim was lost.
pub(super) async fn end(tx: &mut Tx, lease: Lease, state: &'static str, why: &str, now: Timestamp) -> Result<bool, StoreError> {
    let subject: Option<String> = sqlx::query_scalar(
        "UPDATE inbox SET state = $1, queue = 0, job = '', ended_at = $2, why = $3 WHERE id = $4 AND fence = $5 AND state = 'running'
         RETURNING subject",
    )
    .bind(state)
    .bind(now.as_millisecond())
    .bind(why)
    .bind(lease.id)
    .bind(lease.fence)
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(subject) = &subject {
        next_of(tx, subject).await?;
    }
    Ok(subject.is_some())
}
