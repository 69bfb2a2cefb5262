//! What threads are to show, and how far that has got: one row per message, reconciled with the platform.

mod sending;
mod waiting;

use super::channel::place;
use super::{Changed, Lease, Store, StoreError, Tx, from_json, inbox, millis, parsed, to_json};
use crate::chat::Message;
use crate::model::{Place, ReplyTo, ThreadId};
use jiff::Timestamp;
use sqlx::FromRow;
use std::time::Duration;

/// The slot of the message a thread hangs on.
pub const ROOT: &str = "root";

/// How long a message may be undelivered before it is given up; a longer outage of a platform is not bridged.
pub(super) const DEADLINE: Duration = Duration::from_secs(4 * 3_600);

/// How long what waits for a closed channel is kept: over a weekend and what follows it.
const CLOSED_FOR: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How many other messages of a channel are known when one is looked for.
const MAX_OTHERS: u32 = 1_000;

/// How often a message is said again after an edit whose answer was lost.
pub(super) const REPEATS: u8 = 4;

/// What may be sent at the time $1 on the platform $2, but for the threads $3 and the channels $4; $5 at most. Messages are
/// large: which are due is found in the indexes alone, and only those are read.
///
/// A message may be sent when it goes to one person alone, when it is there already and only edited, or when it is the next new
/// one of its thread: the root first, and a reply only once the root has an id and no older reply waits. The first signs of life
/// go before answers, so that nobody waits without a word, and edits that tell of progress last.
pub(super) const DUE: &str =
    "SELECT m.id, m.thread, t.platform, t.workspace, t.channel, t.root, t.held_in, m.slot, m.reason, m.message, m.passing,
            m.revision, m.posted, m.posted_id, m.posts, m.uncertain, m.reply_to, m.alone, m.attempts, m.due_by, m.stated_at,
            m.repeats, m.files, m.tried, m.tried_at
     FROM messages m JOIN threads t ON t.id = m.thread
     WHERE m.id IN (
         SELECT p.id FROM messages p JOIN threads o ON o.id = p.thread
         WHERE p.state = 'pending' AND p.not_before <= $1 AND o.platform = $2
           AND p.thread NOT IN (SELECT value FROM json_each($3)) AND o.channel NOT IN (SELECT value FROM json_each($4))
           AND (p.alone = 1 OR p.posted > 0 OR ((p.slot = 'root' OR o.root IS NOT NULL) AND NOT EXISTS (
                   SELECT 1 FROM messages e
                   WHERE e.thread = p.thread AND e.state = 'pending' AND e.posted = 0 AND e.alone = 0 AND e.id < p.id)))
         ORDER BY CASE WHEN p.passing = 0 THEN 1 WHEN p.posted > 0 THEN 2 ELSE 0 END, p.id LIMIT $5)
     ORDER BY CASE WHEN m.passing = 0 THEN 1 WHEN m.posted > 0 THEN 2 ELSE 0 END, m.id";

/// When the first message of the platform $2 may be sent that may not at the time $1.
pub(super) const NEXT: &str = "SELECT p.not_before FROM messages p JOIN threads o ON o.id = p.thread
     WHERE p.state = 'pending' AND p.not_before > $1 AND o.platform = $2 ORDER BY p.not_before LIMIT 1";

/// A message as it is to be. Stating another one for the same slot replaces it: the platform's message is edited.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredMessage {
    pub thread: ThreadId,
    /// Which of its messages: [`ROOT`], or a name unique in the thread. Replies are posted in the order they were stated.
    pub message_key: String,
    pub message: Message,
    /// Why it is sent, for the operator.
    pub reason: &'static str,
    /// True while a newer one is on its way: it may be skipped.
    pub is_progress: bool,
    /// Whoever asked for it, to be pointed here; or to be answered alone.
    pub reply_to: Option<ReplyTo>,
    /// True when only the person of `reply_to` is to see it.
    pub ephemeral: bool,
    /// True where it is stated only in the place of an earlier one.
    pub only_replaces: bool,
}

impl DesiredMessage {
    /// A reply in a thread.
    #[must_use]
    pub fn reply(thread: &ThreadId, message_key: impl Into<String>, message: Message, reason: &'static str) -> DesiredMessage {
        DesiredMessage {
            thread: thread.clone(),
            message_key: message_key.into(),
            message,
            reason,
            is_progress: false,
            reply_to: None,
            ephemeral: false,
            only_replaces: false,
        }
    }

    /// The message a thread hangs on.
    #[must_use]
    pub fn root(thread: &ThreadId, message: Message, reason: &'static str) -> DesiredMessage {
        DesiredMessage::reply(thread, ROOT, message, reason)
    }

    /// Something one person alone is told.
    #[must_use]
    pub fn ephemeral(
        thread: &ThreadId,
        message_key: impl Into<String>,
        to: ReplyTo,
        message: Message,
        reason: &'static str,
    ) -> DesiredMessage {
        DesiredMessage { reply_to: Some(to), ephemeral: true, ..DesiredMessage::reply(thread, message_key, message, reason) }
    }

    /// The same, while a newer one is on its way.
    #[must_use]
    pub fn as_progress(self) -> DesiredMessage {
        DesiredMessage { is_progress: true, ..self }
    }

    /// The same, only where there is an earlier one to replace.
    #[must_use]
    pub fn only_replacing(self) -> DesiredMessage {
        DesiredMessage { only_replaces: true, ..self }
    }

    /// The same, and whoever asked for it is pointed to it.
    #[must_use]
    pub fn asked_by(self, reply_to: Option<ReplyTo>) -> DesiredMessage {
        DesiredMessage { reply_to, ..self }
    }
}

/// How fast messages go out.
#[derive(Debug, Clone, Copy)]
pub struct EditInterval {
    /// Between two edits of progress in one thread.
    pub between_edits: Duration,
}

/// A message to be sent now.
#[derive(Debug, Clone)]
pub struct DueMessage {
    id: i64,
    pub thread: ThreadId,
    /// Where the thread is; without a thread while its root is not posted.
    pub place: Place,
    /// The thread of others that it must not leave, where it is held in one.
    pub held_in: Option<String>,
    pub message_key: String,
    /// Why it is sent.
    pub reason: String,
    pub message: Message,
    /// True while a newer one is on its way.
    pub is_progress: bool,
    /// The revision this is.
    pub revision: i64,
    /// The platform's id, when it is posted and to be edited.
    pub posted_id: Option<String>,
    pub key: String,
    /// What was posted and may have arrived; its answer is unknown.
    pub lost: Option<LostAnswer>,
    /// True when the platform had lost it before.
    pub was_lost: bool,
    /// True where its platform shows it from here, so that its files stay here too; whoever delivers it knows.
    pub files_stay: bool,
    /// As in [`DesiredMessage`].
    pub reply_to: Option<ReplyTo>,
    /// As in [`DesiredMessage`].
    pub ephemeral: bool,
    /// How often sending it failed.
    pub attempts: u32,
    /// How often it is still to be said again, because an edit whose answer was lost may be carried out late.
    pub repeats: u8,
    /// Whether files are still to follow it.
    pub files: Files,
    /// The revision the platform has.
    posted: i64,
    due_by: i64,
    stated_at: i64,
    /// The term of whoever delivers it.
    term: i64,
    /// The office of whoever delivers it.
    office: String,
}

/// A message that may have arrived. Until that is known, only the same is posted, so that it is known again.
#[derive(Debug, Clone)]
pub struct LostAnswer {
    /// What was posted; by now something else may be stated.
    pub message: Message,
    /// When it was posted first.
    pub since: Timestamp,
}

/// How it stands with the files that follow a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// There are none, or they are there.
    None,
    /// They are to follow.
    Owed,
    /// They are to follow, and may be there already.
    PerhapsThere,
}

/// What is to be sent at one moment.
#[derive(Debug)]
pub struct Look {
    /// What may be sent now.
    pub due: Vec<DueMessage>,
    /// How long until something may be sent that may not yet; `None` when nothing waits.
    pub next: Option<Duration>,
}

impl DueMessage {
    /// True where the platform has the message as it is to be, and only its files are missing.
    #[must_use]
    pub fn is_for_files(&self) -> bool {
        self.posted_id.is_some() && self.posted == self.revision && self.files != Files::None
    }

    /// True where the platform has the message as it is to be, as far as is known, and it is said once more to be sure.
    #[must_use]
    pub fn is_repeat(&self) -> bool {
        self.posted_id.is_some() && self.posted == self.revision && self.files == Files::None
    }

    /// True for the message a thread hangs on.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.message_key == ROOT
    }
}

#[derive(FromRow)]
struct MessageRow {
    id: i64,
    thread: String,
    platform: String,
    workspace: String,
    channel: String,
    root: Option<String>,
    held_in: Option<String>,
    #[sqlx(rename = "slot")]
    message_key: String,
    reason: String,
    message: String,
    #[sqlx(rename = "passing")]
    is_progress: i64,
    revision: i64,
    posted: i64,
    posted_id: Option<String>,
    posts: i64,
    uncertain: i64,
    reply_to: Option<String>,
    #[sqlx(rename = "alone")]
    ephemeral: i64,
    #[sqlx(try_from = "i64")]
    attempts: u32,
    due_by: i64,
    stated_at: i64,
    #[sqlx(try_from = "i64")]
    repeats: u8,
    files: i64,
    tried: Option<String>,
    tried_at: Option<i64>,
}

impl MessageRow {
    fn read(self, office: &str, term: i64) -> Result<DueMessage, StoreError> {
        let message: Message = from_json("message", &self.message)?;
        let lost = match (self.uncertain > 0, &self.tried) {
            (false, _) => None,
            (true, Some(tried)) => Some(from_json("message", tried)?),
            (true, None) => Some(message.clone()),
        };
        let since = Timestamp::from_millisecond(self.tried_at.unwrap_or(self.stated_at)).unwrap_or(Timestamp::MIN);
        Ok(DueMessage {
            id: self.id,
            place: place(&self.platform, self.workspace, self.channel, self.root)?,
            held_in: self.held_in,
            key: format!("{}.{}.{}", self.thread, self.message_key, self.posts),
            thread: parsed("id of a thread", &self.thread)?,
            message_key: self.message_key,
            reason: self.reason,
            message,
            is_progress: self.is_progress != 0,
            revision: self.revision,
            posted_id: self.posted_id.filter(|_| self.posted > 0),
            lost: lost.map(|message| LostAnswer { message, since }),
            was_lost: self.posts > 0,
            files_stay: false,
            reply_to: self.reply_to.map(ReplyTo),
            ephemeral: self.ephemeral != 0,
            attempts: self.attempts,
            repeats: self.repeats,
            files: match self.files {
                0 => Files::None,
                1 => Files::Owed,
                _ => Files::PerhapsThere,
            },
            posted: self.posted,
            due_by: self.due_by,
            stated_at: self.stated_at,
            term,
            office: office.to_owned(),
        })
    }
}

impl Store {
    /// States how far a trigger has got; false, and nothing changes, when the claim was lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn state_progress(&self, lease: Lease, messages: &[DesiredMessage]) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        if !inbox::holds(&mut tx, lease).await? {
            return Ok(false);
        }
        upsert_messages(&mut tx, messages, self.tick(), self.now()).await?;
        tx.commit().await?;
        self.changed(Changed::Messages);
        Ok(true)
    }

    /// States what threads are to show.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn upsert_messages(&self, messages: &[DesiredMessage]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        upsert_messages(&mut tx, messages, self.tick(), self.now()).await?;
        tx.commit().await?;
        self.changed(Changed::Messages);
        Ok(())
    }

    /// How many messages wait to be sent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pending_messages(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM messages WHERE state = 'pending' AND (posted < revision OR files > 0)")
            .fetch_one(&self.readers)
            .await?)
    }

    /// What a thread is to show in `message_key`, delivered or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stated(&self, thread: &ThreadId, message_key: &str) -> Result<Option<Message>, StoreError> {
        let text: Option<String> = sqlx::query_scalar("SELECT message FROM messages WHERE thread = $1 AND slot = $2")
            .bind(thread.as_str())
            .bind(message_key)
            .fetch_optional(&self.readers)
            .await?;
        text.map(|text| from_json("message", &text)).transpose()
    }
}

/// States messages; one that says what is stated already changes nothing.
pub(super) async fn upsert_messages(
    tx: &mut Tx,
    messages: &[DesiredMessage],
    tick: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    for desired in messages {
        sqlx::query(
            "INSERT INTO messages (thread, slot, reason, message, passing, reply_to, alone, state, not_before, due_by, stated_at)
             SELECT $1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10
             WHERE NOT $11 OR EXISTS (SELECT 1 FROM messages WHERE thread = $1 AND slot = $2)
             ON CONFLICT (thread, slot) DO UPDATE SET
                 tried = iif(messages.uncertain > 0 AND messages.posted = 0, coalesce(messages.tried, messages.message), NULL),
                 message = excluded.message, reason = excluded.reason, passing = excluded.passing,
                 attempts = iif(messages.passing = 1 AND excluded.passing = 0, 0, messages.attempts),
                 reply_to = coalesce(excluded.reply_to, messages.reply_to), revision = messages.revision + 1, state = 'pending',
                 not_before = iif((messages.attempts > 0
                                   AND NOT (messages.closed = 1 AND messages.passing = 1 AND excluded.passing = 0))
                                  OR excluded.passing = 1,
                                  max(messages.not_before, excluded.not_before), excluded.not_before),
                 due_by = excluded.due_by, stated_at = excluded.stated_at
             WHERE messages.message <> excluded.message OR messages.passing <> excluded.passing",
        )
        .bind(desired.thread.as_str())
        .bind(&desired.message_key)
        .bind(desired.reason)
        .bind(to_json("message", &desired.message)?)
        .bind(i64::from(desired.is_progress))
        .bind(desired.reply_to.as_ref().map(|reply_to| reply_to.0.as_str()))
        .bind(i64::from(desired.ephemeral))
        .bind(tick)
        .bind(tick.saturating_add(millis(DEADLINE)))
        .bind(now.as_millisecond())
        .bind(desired.only_replaces)
        .execute(&mut **tx)
        .await?;
        // News of a thread that never began, because its root was given up, is not swallowed: the thread sets out again.
        if !desired.ephemeral {
            sqlx::query(
                "UPDATE messages SET state = 'pending', attempts = 0, not_before = $1, due_by = $2
                 WHERE thread = $3 AND state = 'given_up' AND posted = 0 AND alone = 0
                   AND EXISTS (SELECT 1 FROM messages r WHERE r.thread = $3 AND r.slot = 'root' AND r.posted = 0)",
            )
            .bind(tick)
            .bind(tick.saturating_add(millis(DEADLINE)))
            .bind(desired.thread.as_str())
            .execute(&mut **tx)
            .await?;
        }
    }
    Ok(())
}
