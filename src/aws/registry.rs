//! What all investigations of one process share, by account and region.

use super::cache::ResponseCache;
use super::limiter::Limiter;
use crate::metrics::EngineMetrics;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The limits and answers of one account in one region.
#[derive(Debug)]
pub(crate) struct Shared {
    /// For `LookupEvents`.
    pub(crate) lookup_events: Limiter,
    /// Answers kept for a short while.
    pub(crate) answers: ResponseCache,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AccountRegion {
    identity: String,
    region: String,
    endpoint: String,
}

/// Hands out what investigations of the same account and region share. One per process; clones are the same registry.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    places: Arc<Mutex<HashMap<AccountRegion, Arc<Shared>>>>,
    metrics: EngineMetrics,
}

impl Registry {
    /// One whose calls, steps and waits are counted in `metrics`.
    #[must_use]
    pub fn counting(metrics: EngineMetrics) -> Registry {
        Registry { metrics, ..Registry::default() }
    }

    /// Where it is counted what is asked, and what it comes to.
    pub(crate) fn metrics(&self) -> &EngineMetrics {
        &self.metrics
    }

    pub(crate) fn shared(&self, identity: &str, region: &str, endpoint: &str) -> Arc<Shared> {
        let place = AccountRegion { identity: identity.to_owned(), region: region.to_owned(), endpoint: endpoint.to_owned() };
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let lookup_events = || Limiter::lookup_events(self.metrics.waits.clone());
        let shared = places
            .entry(place)
            .or_insert_with(|| Arc::new(Shared { lookup_events: lookup_events(), answers: ResponseCache::new() }));
        Arc::clone(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_account_and_region_share_and_others_do_not() {
        let registry = Registry::default();
        let first = registry.shared("123456789012", "eu-west-1", "");
        assert!(Arc::ptr_eq(&first, &registry.clone().shared("123456789012", "eu-west-1", "")));
        assert!(!Arc::ptr_eq(&first, &registry.shared("123456789012", "us-east-1", "")));
        assert!(!Arc::ptr_eq(&first, &registry.shared("210987654321", "eu-west-1", "")));
    }
}
