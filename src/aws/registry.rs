//! What all investigations of one process share, by account and region.

use super::cache::ResponseCache;
use super::limiter::{Limiter, SharedTurns, TurnsOfAll};
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
    turns_of_all: TurnsOfAll,
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

    /// From now on limits are kept together with other processes, by `turns`; the first word counts.
    pub fn share_limits(&self, turns: Arc<dyn SharedTurns>) {
        let _ = self.turns_of_all.set(turns);
    }

    pub(crate) fn shared(&self, identity: &str, region: &str, endpoint: &str) -> Arc<Shared> {
        let place = AccountRegion { identity: identity.to_owned(), region: region.to_owned(), endpoint: endpoint.to_owned() };
        let name = format!("{identity}/{region}");
        let limiter = || Limiter::lookup_events(&name, Arc::clone(&self.turns_of_all), self.metrics.waits.clone());
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let shared =
            places.entry(place).or_insert_with(|| Arc::new(Shared { lookup_events: limiter(), answers: ResponseCache::new() }));
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
