//! What is due by the clock: another look at watched secrets, and at what alarms left for later.

use super::alarms::LANE as ALARMS;
use crate::model::Trigger;
use crate::store::{NewTrigger, Refused, Store};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often what is due is looked for.
const TICK: Duration = Duration::from_secs(5);

/// Looks of one kind that are begun in one go; the others follow at the next.
const AT_ONCE: u32 = 50;

/// The lane of looks nobody waits for.
const LANE: &str = "watch";

/// Begins what is due, until `stop`; watches are due `watch_every` so often.
pub async fn keep_schedule(store: &Store, watch_every: Duration, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(TICK.min(watch_every))).await.is_some() {
        if let Err(error) = begin_looks(store).await {
            tracing::error!(%error, "watched secrets could not be checked");
        }
        if let Err(error) = begin_rechecks(store).await {
            tracing::error!(%error, "later checks of alarms could not be started");
        }
    }
}

async fn begin_looks(store: &Store) -> Result<(), Refused> {
    for watch in store.due_watches(store.now(), AT_ONCE).await? {
        let key = format!("watch/{}/{}", watch.investigation, watch.next_look.as_millisecond());
        let entry = NewTrigger {
            origin: key.clone(),
            key,
            lane: LANE.to_owned(),
            subject: watch.investigation.to_string(),
            same: None,
            trigger: Trigger::WatchDue { investigation: watch.investigation },
            what: "another check of a watched secret".into(),
        };
        store.accept(&entry, None).await?;
    }
    Ok(())
}

/// Begins the rechecks that are due.
///
/// # Errors
/// [`Refused`]; what was not begun is due still.
pub async fn begin_rechecks(store: &Store) -> Result<(), Refused> {
    for due in store.due_rechecks(store.now(), AT_ONCE).await? {
        let key = format!("recheck/{}/{}/{}", due.why.id(), due.thread, due.due_at.as_millisecond());
        let entry = NewTrigger {
            origin: key.clone(),
            key,
            lane: ALARMS.to_owned(),
            subject: due.thread.to_string(),
            same: None,
            trigger: Trigger::Recheck { thread: due.thread.clone(), why: due.why },
            what: "another check after an alarm".into(),
        };
        store.accept(&entry, None).await?;
        store.recheck_begun(&due).await?;
    }
    Ok(())
}
