//! The workers: they take triggers, each until its end is stored. How many investigations run of them is the queue's to say.

use super::error::HandlerError;
use super::handlers::Handlers;
use super::health::Pulse;
use super::run_queue::RunQueue;
use super::runner::Runner;
use crate::alarm::OnceAMinute;
use crate::backoff::Backoff;
use crate::config::Work;
use crate::metrics::BotMetrics;
use crate::redact::SafeText;
use crate::store::{Audited, Claimed, Completion, Lease, Store, StoreError};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a claim lasts without being renewed, in thirds of which it is renewed.
const LEASE: Duration = Duration::from_secs(60);

/// The same where other processes may have the store: they wait for no longer when one is gone. A process that has the store
/// alone takes over at its start.
const SHARED_LEASE: Duration = Duration::from_secs(20);

/// The waits between failures. Whoever fails longest is given up before the waits reach their end.
const WAITS: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(3_600));

/// The wait after which the store is asked again, when it failed.
const STORE_WAIT: Duration = Duration::from_secs(1);

/// Triggers that are taken beyond the investigations that run: people are judged, threads opened and clicks answered while all
/// places to run in are taken, so that nobody waits without a word until others are done. A storm of sixty commands fits. Other
/// processes on the store take none of them; more would leave these idle.
const AHEAD: usize = 64;

/// How long no trigger may be claimed beyond what the longest work takes.
const STALLED: Duration = Duration::from_secs(60);

/// Takes triggers out of the inbox, and hands them to whoever does what they ask for.
pub struct Workers {
    store: Arc<Store>,
    handlers: Handlers,
    work: Work,
    runs: RunQueue,
    /// Whether triggers are claimed.
    pulse: Pulse,
    /// How long triggers may stay unclaimed.
    longest: Duration,
    metrics: BotMetrics,
    lease: Duration,
}

impl Workers {
    /// Workers as `work` says; what one trigger takes, depends on the runs of `runner`. How it ended is counted in `metrics`.
    #[must_use]
    pub fn new(store: Arc<Store>, handlers: Handlers, work: Work, runner: &Runner, metrics: BotMetrics) -> Arc<Workers> {
        // One trigger may be the work of several investigations, one after the other.
        let longest = runner.longest().saturating_mul(3) + STALLED;
        let lease = if store.is_shared() { SHARED_LEASE } else { LEASE };
        Arc::new(Workers { store, handlers, work, runs: runner.queue(), pulse: Pulse::default(), longest, metrics, lease })
    }

    /// Why nothing that is accepted now would be worked on; `None` while it would.
    #[must_use]
    pub fn stalled(&self) -> Option<&'static str> {
        self.pulse.stalled(self.longest)
    }

    /// Works until `stop`, then goes on with what is running for as long as the configuration allows, and lets go of the rest,
    /// at once of what waits for its turn to run.
    pub async fn work(self: Arc<Self>, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.work.concurrency.saturating_add(AHEAD)));
        let held = Held::default();
        let unclaimed = Arc::<OnceAMinute>::default();
        let mut running = JoinSet::new();
        let mut changes = self.store.inbox_changes();
        while let Some(Ok(place)) = stop.run_until_cancelled(Arc::clone(&places).acquire_owned()).await {
            while running.try_join_next().is_some() {}
            changes.mark_unchanged();
            let claimed = self.store.claim(self.lease).await;
            self.pulse.note(claimed.is_ok());
            match claimed {
                Ok(Some(claimed)) => {
                    held.add(claimed.lease);
                    let (this, held) = (Arc::clone(&self), held.clone());
                    running.spawn(async move {
                        let lease = claimed.lease;
                        this.attend(claimed).await;
                        held.remove(lease);
                        drop(place);
                    });
                }
                Ok(None) => {
                    let most = self.lease / 3;
                    let next =
                        self.store.next_claim().await.ok().flatten().unwrap_or(most).clamp(Duration::from_millis(10), most);
                    let _ = stop.run_until_cancelled(tokio::time::timeout(next, changes.changed())).await;
                }
                Err(error) => {
                    let log =
                        |error: &str, more: Option<u64>| tracing::error!(error, more, "the next trigger could not be claimed");
                    Arc::clone(&unclaimed).tell(error.to_string(), log);
                    let _ = stop.run_until_cancelled(tokio::time::sleep(STORE_WAIT)).await;
                }
            }
        }
        self.runs.close();
        let _ = tokio::time::timeout(self.work.drain, async { while running.join_next().await.is_some() {} }).await;
        running.shutdown().await;
        for lease in held.all() {
            if let Err(error) = self.store.release(lease).await {
                tracing::warn!(%error, "a trigger is resumed only when its lease ends");
            }
        }
    }

    /// Does one trigger and stores its end; what fails is tried again later.
    async fn attend(&self, claimed: Claimed) {
        if claimed.is_suspect() {
            let begun = claimed.attempt.saturating_sub(claimed.failures);
            tracing::error!(what = %claimed.what, begun, "the process ended several times while this was running: it is started alone");
        }
        let ended = if claimed.is_spent() { self.abandon(&claimed).await } else { self.try_to_do(&claimed).await };
        if let Err(error) = ended {
            // The claim runs out, and the trigger is taken up again.
            tracing::error!(%error, what = %claimed.what, "the end of a trigger could not be stored");
        }
    }

    async fn try_to_do(&self, claimed: &Claimed) -> Result<(), StoreError> {
        let perform = futures::FutureExt::catch_unwind(AssertUnwindSafe(self.handlers.handle(claimed)));
        let done = tokio::select! {
            done = perform => done,
            () = self.keep(claimed.lease) => {
                tracing::warn!(what = %claimed.what, "the claim was lost to another worker");
                return Ok(());
            }
        };
        let why = match done {
            Ok(Ok(completion)) => {
                self.store.complete(claimed.lease, &completion).await?;
                self.metrics.trigger_ended("completed");
                return Ok(());
            }
            Ok(Err(HandlerError::Obsolete(why))) => {
                tracing::info!(what = %claimed.what, why, "nothing to do");
                self.store.complete(claimed.lease, &Completion::default()).await?;
                self.metrics.trigger_ended("obsolete");
                return Ok(());
            }
            Ok(Err(HandlerError::RetryAfter(wait))) => {
                self.store.postpone(claimed.lease, wait).await?;
                self.metrics.trigger_ended("postponed");
                return Ok(());
            }
            Ok(Err(HandlerError::Store(error))) => error.to_string(),
            Err(_) => "it crashed".to_owned(),
        };
        tracing::error!(what = %claimed.what, failures = claimed.failures, why, "a trigger failed");
        if claimed.failures.saturating_add(1) >= crate::store::MAX_ATTEMPTS {
            return self.abandon(claimed).await;
        }
        self.metrics.trigger_ended("failed");
        let wait = WAITS.after(claimed.failures);
        self.store.fail(claimed.lease, &SafeText::redact(&why), wait).await?;
        Ok(())
    }

    /// Renews the claim; returns when it was lost.
    async fn keep(&self, lease: Lease) {
        loop {
            tokio::time::sleep(self.lease / 3).await;
            match self.store.renew(lease, self.lease).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(%error, "a claim could not be renewed"),
            }
        }
    }

    /// Gives a trigger up, and says so where it would have been answered, in the log and in the audit trail.
    async fn abandon(&self, claimed: &Claimed) -> Result<(), StoreError> {
        const WHY: &str = "it was started several times and never finished; see the log of rotation-diag";
        let completion = self.handlers.give_up(claimed, WHY).await?;
        self.metrics.trigger_ended("given_up");
        tracing::error!(what = %claimed.what, "a trigger is given up");
        self.store.abandon(claimed.lease, &WHY.into(), &completion).await?;
        self.store.audit(&Audited::system("gave up", claimed.what.as_str(), WHY)).await
    }
}

/// What is being worked on.
#[derive(Debug, Clone, Default)]
struct Held(Arc<Mutex<HashMap<i64, Lease>>>);

impl Held {
    fn add(&self, lease: Lease) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(lease.number(), lease);
    }

    fn remove(&self, lease: Lease) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&lease.number());
    }

    fn all(&self) -> Vec<Lease> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }
}
