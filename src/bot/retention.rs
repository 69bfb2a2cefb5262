//! Forgets what is old, an hour at a time.

use crate::store::{Store, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often old things are looked for; the first time soon after the start.
const EVERY: Duration = Duration::from_secs(3_600);
const FIRST: Duration = Duration::from_secs(60);

/// Between two bites, so that others get at the store.
const PAUSE: Duration = Duration::from_millis(50);

/// How long the address of an answer is of use. Source: Discord's interaction tokens last 15 minutes, Slack's response
/// addresses 30.
const ANSWERS: Duration = Duration::from_secs(30 * 60);

/// Removes what ended longer than `retention` ago, until `stop`.
pub async fn keep_tidy(store: &Store, retention: Duration, stop: CancellationToken) {
    let mut wait = FIRST;
    while stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
        wait = EVERY;
        if let Err(error) = tidy(store, retention, &stop).await {
            tracing::error!(%error, "old things could not be removed");
        }
    }
}

async fn tidy(store: &Store, retention: Duration, stop: &CancellationToken) -> Result<(), StoreError> {
    let before = |age: Duration| store.now().checked_sub(age).unwrap_or(jiff::Timestamp::MIN);
    store.forget_answers(before(ANSWERS)).await?;
    while !store.remove_before(before(retention)).await?.is_nothing() && !stop.is_cancelled() {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
