//! Makes the platforms show what the store says they are to show.
//!
//! Each platform has a courier of its own, so that one that is slow or down delays no other. A courier takes what is due,
//! one message per thread at a time, and notes what the platform answered. Of several processes on one store one delivers to a
//! platform, so that none posts what another one is posting, and all limits of the platform are kept by one. Before a message is posted the store notes that
//! it may have arrived; where the answer is lost, the platform is asked for it before it is posted again.

mod outcome;
mod policy;
mod worker;

pub use policy::DeliveryPolicy;

use super::health::Health;
use super::leading::while_leading;
use crate::chat::ChatPlatform;
use crate::metrics::BotMetrics;
use crate::store::{Store, courier};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use worker::DeliveryWorker;

/// Delivers to all platforms.
#[derive(Debug)]
pub struct Delivery {
    store: Arc<Store>,
    health: Health,
    policy: DeliveryPolicy,
    causes: Option<String>,
    metrics: BotMetrics,
}

impl Delivery {
    /// Delivers what `store` states, and notes in `health` what does not work.
    #[must_use]
    pub fn new(store: Arc<Store>, health: Health, policy: DeliveryPolicy) -> Delivery {
        Delivery { store, health, policy, causes: None, metrics: BotMetrics::default() }
    }

    /// Links causes to their pages below this address, such as `https://host/causes/`.
    #[must_use]
    pub fn linking_causes(self, causes: Option<String>) -> Delivery {
        Delivery { causes, ..self }
    }

    /// Counts in `metrics` what becomes of each attempt.
    #[must_use]
    pub fn counting(self, metrics: BotMetrics) -> Delivery {
        Delivery { metrics, ..self }
    }

    /// Delivers until `stop`; what is being sent then is sent to its end.
    pub async fn run(self, platforms: Vec<Arc<dyn ChatPlatform>>, stop: CancellationToken) {
        let mut workers = JoinSet::new();
        for platform in platforms {
            let policy = self.policy.on(platform.limits());
            let (causes, metrics) = (self.causes.clone(), self.metrics.clone());
            let office = courier(platform.name());
            let worker = DeliveryWorker::new(platform, Arc::clone(&self.store), self.health.clone(), policy, causes, metrics);
            let (worker, store, stop) = (Arc::new(worker), Arc::clone(&self.store), stop.clone());
            workers.spawn(async move {
                while_leading(&store, &office, &stop, |term| Arc::clone(&worker).run(term)).await;
            });
        }
        while workers.join_next().await.is_some() {}
        // Without a platform nothing ends before it is told to.
        stop.cancelled().await;
    }
}

/// Waits until nothing is left to deliver, but not longer than `patience`.
pub async fn last_messages(store: &Store, patience: Duration) {
    let nothing_left = async {
        let mut changes = store.message_changes();
        loop {
            changes.mark_unchanged();
            let pending = store.pending_messages().await.unwrap_or_default();
            if pending == 0 || changes.changed().await.is_err() {
                return;
            }
        }
    };
    // What is left goes out after the next start.
    let _ = tokio::time::timeout(patience, nothing_left).await;
}
