//! What storms of alarms were about, secret by secret.

use super::audit::{self, Audited};
use super::{Store, StoreError, from_json, to_json};
use crate::model::{Alarm, ThreadId};
use crate::redact::SafeText;

/// A secret that an alarm of a storm is about.
#[derive(Debug, Clone, PartialEq)]
pub struct StormSecret {
    /// What it is known by; the alarm's own, where no secret is known.
    pub secret: String,
    /// As people read it.
    pub name: SafeText,
    pub alarm: Alarm,
}

impl Store {
    /// Lists the secrets that are not listed yet, and writes each into the audit trail with it. What was done with is left to
    /// be looked at again. The places in the list that are new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_in_storm(&self, thread: &ThreadId, secrets: &[StormSecret]) -> Result<Vec<u32>, StoreError> {
        let mut tx = self.write().await?;
        let mut new = Vec::new();
        for listed in secrets {
            let place: Option<i64> = sqlx::query_scalar(
                "INSERT INTO storm_secrets (thread, place, secret, name, alarm)
                 VALUES ($1, (SELECT coalesce(max(place) + 1, 0) FROM storm_secrets WHERE thread = $1), $2, $3, $4)
                 ON CONFLICT (thread, secret) DO NOTHING RETURNING place",
            )
            .bind(thread.as_str())
            .bind(&listed.secret)
            .bind(listed.name.as_str())
            .bind(to_json("alarm", &listed.alarm)?)
            .fetch_optional(&mut *tx)
            .await?;
            match place {
                Some(place) => {
                    new.push(u32::try_from(place).unwrap_or(u32::MAX));
                    let line = Audited::system("listed in a storm of alarms", listed.name.as_str(), &listed.alarm.title);
                    audit::insert(&mut tx, &line, self.now()).await?;
                }
                None => {
                    sqlx::query("UPDATE storm_secrets SET is_left = 1, alarm = $1 WHERE thread = $2 AND secret = $3")
                        .bind(to_json("alarm", &listed.alarm)?)
                        .bind(thread.as_str())
                        .bind(&listed.secret)
                        .execute(&mut *tx)
                        .await?;
                }
            }
        }
        tx.commit().await?;
        Ok(new)
    }

    /// How many secrets a storm lists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn storm_size(&self, thread: &ThreadId) -> Result<u32, StoreError> {
        let size: i64 = sqlx::query_scalar("SELECT count(*) FROM storm_secrets WHERE thread = $1")
            .bind(thread.as_str())
            .fetch_one(&self.readers)
            .await?;
        Ok(u32::try_from(size).unwrap_or(u32::MAX))
    }

    /// The names that a storm lists, in the order they came, from the place `from` on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn storm_names(&self, thread: &ThreadId, from: u32, limit: u32) -> Result<Vec<SafeText>, StoreError> {
        let names: Vec<String> =
            sqlx::query_scalar("SELECT name FROM storm_secrets WHERE thread = $1 AND place >= $2 ORDER BY place LIMIT $3")
                .bind(thread.as_str())
                .bind(i64::from(from))
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
        Ok(names.iter().map(|name| SafeText::redact(name)).collect())
    }

    /// The first secrets of a storm of which it is not known yet whether they still fail.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn left_by_storm(&self, thread: &ThreadId, limit: u32) -> Result<Vec<StormSecret>, StoreError> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT secret, name, alarm FROM storm_secrets WHERE thread = $1 AND is_left = 1 ORDER BY place LIMIT $2",
        )
        .bind(thread.as_str())
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        let read = |(secret, name, alarm): (String, String, String)| {
            Ok(StormSecret { secret, name: SafeText::redact(&name), alarm: from_json("alarm", &alarm)? })
        };
        rows.into_iter().map(read).collect()
    }

    /// Notes that it is known of a secret whether it still fails.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn done_with_in_storm(&self, thread: &ThreadId, secret: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE storm_secrets SET is_left = 0 WHERE thread = $1 AND secret = $2")
            .bind(thread.as_str())
            .bind(secret)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}
