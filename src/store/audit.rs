//! Who did what, and what was decided.

use super::{Store, StoreError, Tx, to_json};
use crate::model::{Actor, Place, SecretRef};
use crate::redact::SafeText;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashSet;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditDecision {
    /// It was allowed, and is done.
    Allowed,
    /// It was not allowed.
    Refused,
    /// It made no sense, had expired or had been done.
    Rejected,
    /// The program itself did it, or gave it up.
    System,
}

impl AuditDecision {
    /// As it is stored and shown.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            AuditDecision::Allowed => "allowed",
            AuditDecision::Refused => "refused",
            AuditDecision::Rejected => "rejected",
            AuditDecision::System => "system",
        }
    }
}

/// A line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audited {
    /// When; filled in when it is written.
    pub at: Timestamp,
    pub platform: SafeText,
    /// The workspace or server.
    pub workspace: SafeText,
    pub channel: SafeText,
    /// The person's id, or what acted instead.
    pub person: SafeText,
    /// What was done or attempted.
    pub did: SafeText,
    pub subject: SafeText,
    /// [`AuditDecision::id`].
    pub decision: SafeText,
    pub reason: SafeText,
}

impl Audited {
    /// What a person did.
    #[must_use]
    pub fn person(actor: &Actor, place: &Place, did: &str, subject: &str, decision: AuditDecision, reason: &str) -> Audited {
        Audited {
            at: Timestamp::UNIX_EPOCH,
            platform: field(actor.platform.id()),
            workspace: field(&actor.workspace),
            channel: field(&place.channel),
            person: field(&actor.user),
            did: field(did),
            subject: field(subject),
            decision: decision.id().into(),
            reason: field(reason),
        }
    }

    /// What the program did by itself.
    #[must_use]
    pub fn system(did: &str, subject: &str, reason: &str) -> Audited {
        Audited {
            at: Timestamp::UNIX_EPOCH,
            platform: SafeText::default(),
            workspace: SafeText::default(),
            channel: SafeText::default(),
            person: "rotation-diag".into(),
            did: field(did),
            subject: field(subject),
            decision: AuditDecision::System.id().into(),
            reason: field(reason),
        }
    }
}

/// A field of a line, as it is kept and as it is read.
pub(super) fn field(text: &str) -> SafeText {
    SafeText::redact(text).cut(MAX_CHARS)
}

/// The most characters kept of one field.
const MAX_CHARS: usize = 600;

impl Store {
    /// Writes a line of the audit trail.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit(&self, line: &Audited) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        insert(&mut tx, line, self.now()).await?;
        Ok(tx.commit().await?)
    }

    /// What a person asked about or went on with, and was allowed to: the channels and the secrets, as [`audited`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn asked_by(&self, actor: &Actor) -> Result<HashSet<(String, String)>, StoreError> {
        let asked: Vec<(String, String)> = sqlx::query_as(
            "SELECT DISTINCT channel, subject FROM audit WHERE platform = $1 AND workspace = $2 AND person = $3 AND decision = $4",
        )
        .bind(actor.platform.id())
        .bind(&actor.workspace)
        .bind(&actor.user)
        .bind(AuditDecision::Allowed.id())
        .fetch_all(&self.readers)
        .await?;
        Ok(asked.into_iter().collect())
    }

    /// The people who asked about one of `secrets` in the channel of `place` since `since`, or did something with what was found,
    /// and were allowed to; whoever did so first comes first, and at most ten.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn who_asked(&self, place: &Place, secrets: &[&SecretRef], since: Timestamp) -> Result<Vec<String>, StoreError> {
        let subjects: Vec<SafeText> = secrets.iter().map(|secret| field(secret.as_str())).collect();
        let people: Vec<(String,)> = sqlx::query_as(
            "SELECT person FROM audit
             WHERE at >= $1 AND platform = $2 AND workspace = $3 AND channel = $4 AND decision = $5
               AND subject IN (SELECT value FROM json_each($6))
             GROUP BY person ORDER BY min(id) LIMIT $7",
        )
        .bind(since.as_millisecond())
        .bind(place.platform.id())
        .bind(&place.workspace)
        .bind(&place.channel)
        .bind(AuditDecision::Allowed.id())
        .bind(to_json("list of secrets", &subjects)?)
        .bind(MAX_PEOPLE)
        .fetch_all(&self.readers)
        .await?;
        Ok(people.into_iter().map(|(person,)| person).collect())
    }
}

/// A subject as the audit trail keeps it.
#[must_use]
pub fn audited(subject: &str) -> String {
    field(subject).as_str().to_owned()
}

/// How many people are called at once at most.
const MAX_PEOPLE: i64 = 10;

pub(super) async fn insert(tx: &mut Tx, line: &Audited, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (at, platform, workspace, channel, person, did, subject, decision, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(now.as_millisecond())
    .bind(line.platform.as_str())
    .bind(line.workspace.as_str())
    .bind(line.channel.as_str())
    .bind(line.person.as_str())
    .bind(line.did.as_str())
    .bind(line.subject.as_str())
    .bind(line.decision.as_str())
    .bind(line.reason.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}
