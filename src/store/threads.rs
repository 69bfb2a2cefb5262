//! Threads: where an investigation, or all that an alarm touches, is told.

use super::messages::{self, DesiredMessage};
use super::{Store, StoreError, alarms, at};
use crate::model::{AlarmState, Place};
use jiff::Timestamp;
use sqlx::{FromRow, Sqlite, Transaction};

/// How a thread stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadState {
    /// Something is wrong, or is looked at.
    Open,
    /// The alarm went back to OK.
    Recovered,
    /// A person closed it.
    Resolved,
}

impl ThreadState {
    const ALL: [ThreadState; 3] = [ThreadState::Open, ThreadState::Recovered, ThreadState::Resolved];

    const fn word(self) -> &'static str {
        match self {
            ThreadState::Open => "open",
            ThreadState::Recovered => "recovered",
            ThreadState::Resolved => "resolved",
        }
    }
}

/// The alarm a thread is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmMark {
    /// What alarms of one thread share.
    pub key: String,
    /// The state it is known to be in.
    pub state: AlarmState,
    /// Since when, by the alarm's own time.
    pub state_at: Timestamp,
}

/// A thread to be opened.
#[derive(Debug, Clone, PartialEq)]
pub struct NewThread {
    /// Its id, nobody can guess.
    pub id: String,
    /// The channel; with a thread, where it is held in one that is not ours and must not leave it.
    pub place: Place,
    /// The alarm it is about.
    pub alarm: Option<AlarmMark>,
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Its id here.
    pub id: String,
    /// Where it is; with the thread, once its root is posted.
    pub place: Place,
    /// The thread of others that it must not leave, where it is held in one.
    pub held_in: Option<String>,
    /// How it stands.
    pub state: ThreadState,
    /// The alarm it is about.
    pub alarm: Option<AlarmMark>,
    /// When it was opened.
    pub opened_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: String,
    platform: String,
    workspace: String,
    channel: String,
    root: Option<String>,
    held_in: Option<String>,
    state: String,
    alarm_key: Option<String>,
    alarm_state: Option<String>,
    alarm_at: Option<i64>,
    opened_at: i64,
}

impl Row {
    fn read(self) -> Result<Thread, StoreError> {
        let state = ThreadState::ALL.into_iter().find(|state| state.word() == self.state);
        let alarm = match (self.alarm_key, self.alarm_state.as_deref().and_then(alarms::state_of), self.alarm_at) {
            (Some(key), Some(state), Some(state_at)) => Some(AlarmMark { key, state, state_at: at(state_at) }),
            _ => None,
        };
        Ok(Thread {
            place: place(&self.platform, self.workspace, self.channel, self.root)?,
            held_in: self.held_in,
            id: self.id,
            state: state.ok_or_else(|| unreadable("its state is none"))?,
            alarm,
            opened_at: at(self.opened_at),
        })
    }
}

fn unreadable(why: &str) -> StoreError {
    StoreError::Unreadable { what: "thread", why: why.to_owned() }
}

pub(super) fn place(platform: &str, workspace: String, channel: String, thread: Option<String>) -> Result<Place, StoreError> {
    let platform = platform.parse().map_err(|_| unreadable("its platform is none"))?;
    Ok(Place { platform, workspace, channel, thread })
}

impl Store {
    /// Opens a thread with what it is to show; a thread of that id that is there already is kept as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_thread(&self, thread: &NewThread, messages: &[DesiredMessage]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        insert(&mut tx, thread, self.now()).await?;
        messages::upsert_messages(&mut tx, messages, self.tick(), self.now()).await?;
        tx.commit().await?;
        self.messages_changed.send_replace(());
        Ok(())
    }

    /// The thread with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn thread(&self, id: &str) -> Result<Option<Thread>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT * FROM threads WHERE id = ?").bind(id).fetch_optional(&self.readers).await?;
        row.map(Row::read).transpose()
    }

    /// The thread at `place`, which names one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn thread_at(&self, place: &Place) -> Result<Option<Thread>, StoreError> {
        let Some(root) = &place.thread else { return Ok(None) };
        let row: Option<Row> =
            sqlx::query_as("SELECT * FROM threads WHERE platform = ? AND workspace = ? AND channel = ? AND root = ?")
                .bind(place.platform.id())
                .bind(&place.workspace)
                .bind(&place.channel)
                .bind(root)
                .fetch_optional(&self.readers)
                .await?;
        row.map(Row::read).transpose()
    }

    /// The threads that are held in the thread of others at `place`, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn threads_held_in(&self, place: &Place) -> Result<Vec<Thread>, StoreError> {
        let Some(held_in) = &place.thread else { return Ok(Vec::new()) };
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM threads WHERE platform = ? AND workspace = ? AND channel = ? AND held_in = ?
             ORDER BY opened_at DESC, rowid DESC",
        )
        .bind(place.platform.id())
        .bind(&place.workspace)
        .bind(&place.channel)
        .bind(held_in)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The newest thread in the channel of `place` about an alarm with this key, whatever became of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn thread_of_alarm(&self, place: &Place, key: &str) -> Result<Option<Thread>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT * FROM threads WHERE alarm_key = ? AND platform = ? AND workspace = ? AND channel = ?
             ORDER BY opened_at DESC LIMIT 1",
        )
        .bind(key)
        .bind(place.platform.id())
        .bind(&place.workspace)
        .bind(&place.channel)
        .fetch_optional(&self.readers)
        .await?;
        row.map(Row::read).transpose()
    }

    /// Marks how a thread stands, and what its alarm went to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_thread(&self, id: &str, state: ThreadState, alarm: Option<&AlarmMark>) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE threads SET state = ?, touched_at = ?, alarm_key = coalesce(?, alarm_key),
                    alarm_state = coalesce(?, alarm_state), alarm_at = coalesce(?, alarm_at) WHERE id = ?",
        )
        .bind(state.word())
        .bind(self.now().as_millisecond())
        .bind(alarm.map(|alarm| alarm.key.as_str()))
        .bind(alarm.map(|alarm| alarms::word(alarm.state)))
        .bind(alarm.map(|alarm| alarm.state_at.as_millisecond()))
        .bind(id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}

pub(super) async fn insert(tx: &mut Transaction<'static, Sqlite>, thread: &NewThread, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO threads
             (id, platform, workspace, channel, state, alarm_key, alarm_state, alarm_at, opened_at, touched_at, held_in)
         VALUES (?1, ?2, ?3, ?4, 'open', ?5, ?6, ?7, ?8, ?8, ?9) ON CONFLICT DO NOTHING",
    )
    .bind(&thread.id)
    .bind(thread.place.platform.id())
    .bind(&thread.place.workspace)
    .bind(&thread.place.channel)
    .bind(thread.alarm.as_ref().map(|alarm| alarm.key.as_str()))
    .bind(thread.alarm.as_ref().map(|alarm| alarms::word(alarm.state)))
    .bind(thread.alarm.as_ref().map(|alarm| alarm.state_at.as_millisecond()))
    .bind(now.as_millisecond())
    .bind(&thread.place.thread)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
