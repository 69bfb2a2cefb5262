//! What the threads of a platform show, as far as it was stated, for a page that keeps no messages itself; and all threads, the
//! newest first, a few at a time.

use super::channel::place;
use super::messages::ROOT;
use super::{Location, Store, StoreError, at, from_json, parsed};
use crate::chat::document::Tone;
use crate::chat::{Posted, ThreadCursor};
use crate::model::{InvestigationId, InvestigationRequest, Place, PlatformName, SecretRef};
use crate::redact::SafeText;
use jiff::Timestamp;
use sqlx::FromRow;
use std::collections::HashMap;

#[derive(FromRow)]
struct HistoryRow {
    id: String,
    revision: i64,
    stated_at: i64,
    message: String,
}

impl HistoryRow {
    fn read(self) -> Result<Posted, StoreError> {
        Ok(Posted { id: self.id, revision: self.revision, at: at(self.stated_at), message: from_json("message", &self.message)? })
    }
}

/// A thread in the list of all.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedRow {
    pub cursor: ThreadCursor,
    pub place: Place,
    /// The thread of others that it must not leave, where it is held in one.
    pub held_in: Option<String>,
    pub opened_at: Timestamp,
    /// The id of the message it hangs on, and how that begins; `None` while there is none.
    pub root: Option<(String, Headline)>,
    pub investigations: Vec<ListedInvestigation>,
}

/// An investigation of a listed thread.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedInvestigation {
    pub id: InvestigationId,
    pub secret: SecretRef,
    /// Where it is looked for; `None` until that is decided.
    pub location: Option<Location>,
    /// How the message begins that shows it.
    pub headline: Option<Headline>,
    /// True where something was asked or done by those who are looked for.
    pub is_theirs: bool,
}

/// How a message begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Headline {
    pub tone: Tone,
    pub title: SafeText,
    pub stated_at: Timestamp,
}

#[derive(FromRow)]
struct ThreadLine {
    number: i64,
    id: String,
    platform: String,
    workspace: String,
    channel: String,
    root: Option<String>,
    held_in: Option<String>,
    opened_at: i64,
    shown_as: Option<String>,
    tone: Option<String>,
    title: Option<String>,
    stated_at: Option<i64>,
}

#[derive(FromRow)]
struct InvestigationLine {
    thread: String,
    id: String,
    question: String,
    account: Option<String>,
    region: Option<String>,
    tone: Option<String>,
    title: Option<String>,
    stated_at: Option<i64>,
    is_theirs: i64,
}

/// A tone this version does not know says nothing.
fn headline(tone: Option<String>, title: Option<String>, stated_at: Option<i64>) -> Option<Headline> {
    let tone = serde_json::from_value(serde_json::Value::String(tone?)).unwrap_or(Tone::Neutral);
    Some(Headline { tone, title: SafeText::redact(&title?), stated_at: at(stated_at?) })
}

impl ThreadLine {
    fn read(self, investigations: Vec<ListedInvestigation>) -> Result<ListedRow, StoreError> {
        Ok(ListedRow {
            cursor: ThreadCursor { opened_at: self.opened_at, number: self.number },
            place: place(&self.platform, self.workspace, self.channel, self.root)?,
            held_in: self.held_in,
            opened_at: at(self.opened_at),
            root: self.shown_as.zip(headline(self.tone, self.title, self.stated_at)),
            investigations,
        })
    }
}

impl InvestigationLine {
    fn read(self) -> Result<ListedInvestigation, StoreError> {
        let question: InvestigationRequest = from_json("question", &self.question)?;
        Ok(ListedInvestigation {
            id: parsed("id of an investigation", &self.id)?,
            secret: question.secret,
            location: match self.region {
                Some(region) => Some(Location { account: self.account, region: parsed("region", &region)? }),
                None => None,
            },
            headline: headline(self.tone, self.title, self.stated_at),
            is_theirs: self.is_theirs != 0,
        })
    }
}

/// A message has the platform's id, or the key it is or will be delivered with: the page's ids are those keys.
impl Store {
    /// The messages of the thread of `platform` that hangs on message `root`: that one first, then the newest `limit` others in
    /// their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn posted(&self, platform: PlatformName, root: &str, limit: usize) -> Result<Vec<Posted>, StoreError> {
        let rows: Vec<HistoryRow> = sqlx::query_as(
            "SELECT * FROM (
                 SELECT coalesce(m.posted_id, m.thread || '.' || m.slot || '.' || m.posts) AS id, m.revision, m.stated_at,
                        m.message, m.slot <> $1 AS is_reply, m.id AS number
                 FROM threads t JOIN messages m ON m.thread = t.id
                 JOIN messages r ON r.thread = t.id AND r.slot = $1
                 WHERE t.platform = $2 AND coalesce(t.root, r.thread || '.' || r.slot || '.' || r.posts) = $3
                   AND m.alone = 0 AND m.state <> 'given_up'
                 ORDER BY is_reply, number DESC LIMIT $4) AS newest
             ORDER BY is_reply, number",
        )
        .bind(ROOT)
        .bind(platform.id())
        .bind(root)
        .bind(i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(HistoryRow::read).collect()
    }

    /// At most `limit` threads that stand behind `behind`, the newest first, with their investigations. Those are looked for
    /// whose triggers come from something that begins with `origin`; nobody where it is empty.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn threads_behind(
        &self,
        behind: Option<ThreadCursor>,
        limit: u32,
        origin: &str,
    ) -> Result<Vec<ListedRow>, StoreError> {
        let behind = behind.unwrap_or(ThreadCursor { opened_at: i64::MAX, number: i64::MAX });
        let lines: Vec<ThreadLine> = sqlx::query_as(
            "SELECT t.number, t.id, t.platform, t.workspace, t.channel, t.root, t.held_in, t.opened_at,
                    coalesce(t.root, m.thread || '.' || m.slot || '.' || m.posts) AS shown_as,
                    json_extract(m.message, '$.tone') AS tone, json_extract(m.message, '$.title') AS title, m.stated_at
             FROM (SELECT rowid AS number, * FROM threads WHERE (opened_at, rowid) < ($1, $2)
                   ORDER BY opened_at DESC, rowid DESC LIMIT $3) t
             LEFT JOIN messages m ON m.thread = t.id AND m.slot = $4 AND m.state <> 'given_up'
             ORDER BY t.opened_at DESC, t.number DESC",
        )
        .bind(behind.opened_at)
        .bind(behind.number)
        .bind(i64::from(limit))
        .bind(ROOT)
        .fetch_all(&self.readers)
        .await?;
        let ids: Vec<&str> = lines.iter().map(|line| line.id.as_str()).collect();
        let investigations: Vec<InvestigationLine> = sqlx::query_as(
            "SELECT i.thread, i.id, i.question, i.account, i.region, json_extract(m.message, '$.tone') AS tone,
                    json_extract(m.message, '$.title') AS title, m.stated_at,
                    iif($2 <> '' AND EXISTS (SELECT 1 FROM inbox o WHERE o.subject = i.id AND substr(o.origin, 1, length($2)) = $2), 1, 0)
                        AS is_theirs
             FROM investigations i
             LEFT JOIN messages m ON m.thread = i.thread AND m.slot = i.slot AND m.state <> 'given_up'
             WHERE i.thread IN (SELECT value FROM json_each($1)) ORDER BY i.started_at, i.rowid",
        )
        .bind(serde_json::json!(ids).to_string())
        .bind(origin)
        .fetch_all(&self.readers)
        .await?;
        let mut of_threads: HashMap<String, Vec<ListedInvestigation>> = HashMap::new();
        for line in investigations {
            let thread = line.thread.clone();
            // What another version wrote hides nothing else.
            if let Ok(investigation) = line.read() {
                of_threads.entry(thread).or_default().push(investigation);
            }
        }
        let read = |line: ThreadLine| {
            let investigations = of_threads.remove(&line.id).unwrap_or_default();
            line.read(investigations)
        };
        lines.into_iter().map(read).collect()
    }
}
