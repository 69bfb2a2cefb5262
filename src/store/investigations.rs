//! Investigations: what was asked, where it is looked for, and what was found.

use super::audit::{self, Audited};
use super::channel::place;
use super::messages::{self, DesiredMessage};
use super::threads::{self, NewThread};
use super::watches::{self, Watch};
use super::{Changed, Lease, Store, StoreError, Tx, at, from_json, inbox, parsed, to_json};
use crate::model::{Investigation, InvestigationId, InvestigationRequest, Place, Region, ThreadId};
use crate::redact::SafeText;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

/// How an investigation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvestigationStage {
    /// A person is asked in which of several places to look.
    Asking,
    /// It is being looked into.
    Running,
    /// There is a verdict.
    Done,
    /// It could not be looked into.
    Failed,
}

impl InvestigationStage {
    const ALL: [InvestigationStage; 4] =
        [InvestigationStage::Asking, InvestigationStage::Running, InvestigationStage::Done, InvestigationStage::Failed];

    const fn word(self) -> &'static str {
        match self {
            InvestigationStage::Asking => "asking",
            InvestigationStage::Running => "running",
            InvestigationStage::Done => "done",
            InvestigationStage::Failed => "failed",
        }
    }
}

/// A place a secret may be in: a configured account, and a region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The account's name in the configuration; `None` where none is configured.
    pub account: Option<String>,
    pub region: Region,
}

/// An investigation, without its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct InvestigationRow {
    pub id: InvestigationId,
    pub thread: ThreadId,
    pub place: Place,
    /// The thread of others that it must not leave, where it is held in one.
    pub held_in: Option<String>,
    /// The message of the thread that shows it.
    pub message_key: String,
    /// Buttons of an older one have expired.
    pub revision: u32,
    pub question: InvestigationRequest,
    /// Where it is looked for; `None` until that is decided.
    pub location: Option<Location>,
    /// The places to choose from while a person is asked.
    pub locations: Vec<Location>,
    pub stage: InvestigationStage,
    /// The verdict in one line; empty before the first.
    pub headline: SafeText,
    /// When the last run began.
    pub started_at: Timestamp,
    /// When the last run ended.
    pub finished_at: Option<Timestamp>,
    /// Who closed it, and when.
    pub resolved: Option<(SafeText, Timestamp)>,
    /// Since when it is watched.
    pub watched_since: Option<Timestamp>,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct RunResult {
    pub id: InvestigationId,
    /// How it stands now.
    pub stage: InvestigationStage,
    /// What was seen and concluded; `None` keeps what was there.
    pub record: Option<Investigation>,
    /// The verdict in one line.
    pub headline: SafeText,
    /// The places to choose from, where a person is asked.
    pub locations: Vec<Location>,
}

/// What the end of a trigger changes, all at once.
#[derive(Debug, Clone, Default)]
pub struct Completion {
    /// What a run came to.
    pub concluded: Vec<RunResult>,
    /// Investigations that were closed, and by whom: a person, or the alarm that recovered.
    pub resolved: Vec<(InvestigationId, SafeText)>,
    /// An investigation to be watched from now on.
    pub watch: Option<Watch>,
    /// Investigations that are watched no longer.
    pub unwatch: Vec<InvestigationId>,
    /// Investigations that are open again.
    pub reopened: Vec<InvestigationId>,
    /// What threads are to show.
    pub messages: Vec<DesiredMessage>,
    /// The thread of those messages, where nothing opened it before; while it has no root, nobody sees it.
    pub opens: Option<NewThread>,
    /// What the audit trail is to say.
    pub audit: Vec<Audited>,
}

#[derive(FromRow)]
struct Row {
    id: String,
    thread: String,
    platform: String,
    workspace: String,
    channel: String,
    root: Option<String>,
    held_in: Option<String>,
    #[sqlx(rename = "slot")]
    message_key: String,
    #[sqlx(try_from = "i64")]
    revision: u32,
    question: String,
    account: Option<String>,
    region: Option<String>,
    #[sqlx(rename = "choices")]
    locations: String,
    state: String,
    headline: String,
    started_at: i64,
    finished_at: Option<i64>,
    resolved_by: Option<String>,
    resolved_at: Option<i64>,
    watched_since: Option<i64>,
}

impl Row {
    fn read(self) -> Result<InvestigationRow, StoreError> {
        let stage = InvestigationStage::ALL.into_iter().find(|stage| stage.word() == self.state);
        let by = self.resolved_by.as_deref().map(SafeText::redact);
        Ok(InvestigationRow {
            place: place(&self.platform, self.workspace, self.channel, self.root)?,
            held_in: self.held_in,
            id: parsed("id of an investigation", &self.id)?,
            thread: parsed("id of a thread", &self.thread)?,
            message_key: self.message_key,
            revision: self.revision,
            question: from_json("question", &self.question)?,
            location: match self.region {
                Some(region) => Some(Location { account: self.account, region: parsed("region", &region)? }),
                None => None,
            },
            locations: from_json("list of places", &self.locations)?,
            stage: stage.ok_or_else(|| StoreError::Unreadable { what: "investigation", why: "its state is none".to_owned() })?,
            headline: SafeText::redact(&self.headline),
            started_at: at(self.started_at),
            finished_at: self.finished_at.map(at),
            resolved: by.zip(self.resolved_at.map(at)),
            watched_since: self.watched_since.map(at),
        })
    }
}

/// The columns of [`Row`], for the queries below.
macro_rules! investigations {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.thread, t.platform, t.workspace, t.channel, t.root, t.held_in, i.slot, i.revision, i.question, i.account, ",
            "i.region, i.choices, i.state, i.headline, i.started_at, i.finished_at, i.resolved_by, i.resolved_at, ",
            "w.since AS watched_since FROM investigations i JOIN threads t ON t.id = i.thread ",
            "LEFT JOIN watches w ON w.investigation = i.id ",
            $rest
        )
    };
}

impl Store {
    /// Opens an investigation in its thread, which is opened too where it is new. One of that id is kept as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_investigation(
        &self,
        thread: &NewThread,
        id: &InvestigationId,
        message_key: &str,
        question: &InvestigationRequest,
        messages: &[DesiredMessage],
    ) -> Result<InvestigationRow, StoreError> {
        let mut tx = self.write().await?;
        threads::insert(&mut tx, thread, self.now()).await?;
        sqlx::query(
            "INSERT INTO investigations (id, thread, slot, revision, question, state, started_at)
             VALUES ($1, $2, $3, 1, $4, 'running', $5) ON CONFLICT DO NOTHING",
        )
        .bind(id.as_str())
        .bind(thread.id.as_str())
        .bind(message_key)
        .bind(to_json("question", question)?)
        .bind(self.now().as_millisecond())
        .execute(&mut *tx)
        .await?;
        messages::upsert_messages(&mut tx, messages, self.tick(), self.now()).await?;
        tx.commit().await?;
        self.changed(Changed::Messages);
        let missing = || StoreError::Unreadable { what: "investigation", why: "it is gone".to_owned() };
        self.investigation(id).await?.ok_or_else(missing)
    }

    /// The investigation with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn investigation(&self, id: &InvestigationId) -> Result<Option<InvestigationRow>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as(investigations!("WHERE i.id = $1")).bind(id.as_str()).fetch_optional(&self.readers).await?;
        row.map(Row::read).transpose()
    }

    /// What an investigation saw and concluded, once it did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record(&self, id: &InvestigationId) -> Result<Option<Investigation>, StoreError> {
        let record: Option<Option<String>> = sqlx::query_scalar("SELECT record FROM investigations WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        record.flatten().map(|record| from_json("record", &record)).transpose()
    }

    /// The investigations of a thread, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn investigations_of(&self, thread: &ThreadId) -> Result<Vec<InvestigationRow>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(investigations!("WHERE i.thread = $1 ORDER BY i.started_at, i.rowid"))
            .bind(thread.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The newest investigations of a workspace.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recent_investigations(&self, of: &Place, limit: u32) -> Result<Vec<InvestigationRow>, StoreError> {
        let rows: Vec<Row> =
            sqlx::query_as(investigations!("WHERE t.platform = $1 AND t.workspace = $2 ORDER BY i.started_at DESC LIMIT $3"))
                .bind(of.platform.id())
                .bind(&of.workspace)
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
        // What another version wrote hides nothing else.
        Ok(rows.into_iter().filter_map(|row| row.read().ok()).collect())
    }

    /// A run of the trigger `lease` begins: buttons older than `revision` expire, and whoever closed it is forgotten. False,
    /// and nothing changes, while another trigger runs it, or when the claim was lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_run(
        &self,
        lease: Lease,
        id: &InvestigationId,
        revision: u32,
        location: &Location,
    ) -> Result<bool, StoreError> {
        let begun = sqlx::query(
            "UPDATE investigations SET state = 'running', revision = max(revision, $1), account = $2, region = $3,
                    started_at = $4, choices = '[]', resolved_by = NULL, resolved_at = NULL, run_by = $5
             WHERE id = $6 AND NOT EXISTS (SELECT 1 FROM inbox o WHERE o.id = run_by AND o.id <> $5 AND o.state = 'running')
               AND EXISTS (SELECT 1 FROM inbox m WHERE m.id = $5 AND m.fence = $7 AND m.state = 'running')",
        )
        .bind(i64::from(revision))
        .bind(location.account.as_deref())
        .bind(location.region.as_str())
        .bind(self.now().as_millisecond())
        .bind(lease.number())
        .bind(id.as_str())
        .bind(lease.fence())
        .execute(&self.writer)
        .await?;
        Ok(begun.rows_affected() == 1)
    }

    /// Ends a trigger and makes all its changes with it; false, and nothing changes, when the claim was lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn complete(&self, lease: Lease, completion: &Completion) -> Result<bool, StoreError> {
        self.in_time(self.end(lease, "done", "", completion)).await
    }

    /// Gives a trigger up and makes these changes with it; false when the claim was lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn abandon(&self, lease: Lease, why: &SafeText, completion: &Completion) -> Result<bool, StoreError> {
        self.in_time(self.end(lease, "dead", why.as_str(), completion)).await
    }

    async fn end(&self, lease: Lease, state: &'static str, why: &str, completion: &Completion) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        if !inbox::end(&mut tx, lease, state, why, self.now()).await? {
            return Ok(false);
        }
        self.make(&mut tx, completion).await?;
        tx.commit().await?;
        self.changed(Changed::Inbox);
        self.changed(Changed::Messages);
        Ok(true)
    }

    async fn make(&self, tx: &mut Tx, completion: &Completion) -> Result<(), StoreError> {
        let now = self.now();
        for concluded in &completion.concluded {
            conclude(tx, concluded, now).await?;
        }
        for (id, by) in &completion.resolved {
            sqlx::query("UPDATE investigations SET resolved_by = $1, resolved_at = $2 WHERE id = $3")
                .bind(by.as_str())
                .bind(now.as_millisecond())
                .bind(id.as_str())
                .execute(&mut **tx)
                .await?;
        }
        for id in &completion.reopened {
            sqlx::query("UPDATE investigations SET resolved_by = NULL, resolved_at = NULL WHERE id = $1")
                .bind(id.as_str())
                .execute(&mut **tx)
                .await?;
        }
        if let Some(watch) = &completion.watch {
            watches::insert(tx, watch).await?;
        }
        for id in &completion.unwatch {
            sqlx::query("DELETE FROM watches WHERE investigation = $1").bind(id.as_str()).execute(&mut **tx).await?;
        }
        if let Some(thread) = &completion.opens {
            threads::insert(tx, thread, now).await?;
        }
        for line in &completion.audit {
            audit::insert(tx, line, now).await?;
        }
        messages::upsert_messages(tx, &completion.messages, self.tick(), now).await
    }
}

async fn conclude(tx: &mut Tx, concluded: &RunResult, now: Timestamp) -> Result<(), StoreError> {
    let record = concluded.record.as_ref().map(|record| to_json("record", record)).transpose()?;
    sqlx::query(
        "UPDATE investigations SET state = $1, record = coalesce($2, record), headline = $3, choices = $4, finished_at = $5
         WHERE id = $6",
    )
    .bind(concluded.stage.word())
    .bind(record)
    .bind(concluded.headline.as_str())
    .bind(to_json("list of places", &concluded.locations)?)
    .bind(now.as_millisecond())
    .bind(concluded.id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}
