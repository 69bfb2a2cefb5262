//! What only one of several processes on one store may do, by whoever leads.

use crate::clock::Stopwatch;
use crate::store::Store;
use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long an office is held without being renewed: a process that is gone is replaced within it.
const OFFICE: Duration = Duration::from_secs(15);

/// How often it is renewed, and how often the others try to get it.
const RENEW: Duration = Duration::from_secs(4);

/// How long before its end an office that could not be renewed counts as lost: what was begun must not be going on when another
/// process has it.
const MARGIN: Duration = Duration::from_secs(3);

/// Does `work` whenever this process has the office, until `stop`; each time until it is lost.
pub(super) async fn while_leading<F: Future<Output = ()>>(
    store: &Store,
    office: &str,
    stop: &CancellationToken,
    work: impl Fn(CancellationToken) -> F,
) {
    if !store.is_shared() {
        return work(stop.clone()).await;
    }
    while !stop.is_cancelled() {
        match store.lead(office, OFFICE).await {
            Ok(true) => {
                let term = stop.child_token();
                tracing::info!(office, "this process leads");
                let mut working = std::pin::pin!(work(term.clone()));
                tokio::select! {
                    () = &mut working => {}
                    () = keep(store, office) => {
                        tracing::warn!(office, "another process leads, or the database cannot be reached");
                        store.step_back(office);
                        term.cancel();
                        working.await;
                    }
                }
            }
            Ok(false) => {}
            Err(error) => tracing::debug!(%error, office, "it is not known who leads"),
        }
        let _ = stop.run_until_cancelled(tokio::time::sleep(RENEW)).await;
    }
    if let Err(error) = store.resign(office).await {
        tracing::warn!(%error, office, "the others lead only when our time is over");
    }
}

/// Keeps an office; returns when it is lost.
async fn keep(store: &Store, office: &str) {
    let mut since = Stopwatch::start();
    loop {
        tokio::time::sleep(RENEW).await;
        let asked = Stopwatch::start();
        let left = OFFICE.saturating_sub(MARGIN).saturating_sub(since.elapsed());
        match tokio::time::timeout(left, store.lead(office, OFFICE)).await {
            Ok(Ok(true)) => since = asked,
            Ok(Ok(false)) => return,
            Ok(Err(_)) if since.elapsed() + RENEW + MARGIN < OFFICE => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
