//! The limit AWS sets on event look-ups, kept by us so that AWS need not refuse.

use crate::clock::{LimitClock, Stopwatch};
use crate::metrics::LimiterWaits;
use async_trait::async_trait;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Mutex;

/// `LookupEvents`: so many requests a second per account and region.
///
/// Source: CloudTrail User Guide, "Quotas in AWS CloudTrail".
const LOOKUP_EVENTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

/// The turns of a limit that several processes keep together.
#[async_trait]
pub trait SharedTurns: std::fmt::Debug + Send + Sync {
    /// Takes the next turn of `name`, of which one comes `every` so often: how long until it comes. `None` where that cannot be
    /// told; each process keeps its own limit then.
    async fn take(&self, name: &str, every: Duration) -> Option<Duration>;
}

/// Where the turns are taken that are shared; empty while this process is alone.
pub(crate) type TurnsOfAll = Arc<OnceLock<Arc<dyn SharedTurns>>>;

/// Lets so many requests through a second, the last second's worth of a pause at once; among several processes evenly.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: RateLimiter<NotKeyed, InMemoryState, LimitClock, NoOpMiddleware<Duration>>,
    /// Whose turn it is to wait. The limit itself knows no order, and a storm would starve whoever asked first.
    turn: Mutex<()>,
    /// What it limits, for the processes it is shared with.
    name: String,
    turns_of_all: TurnsOfAll,
    waits: LimiterWaits,
}

impl Limiter {
    /// The limit on `LookupEvents` in the place of this name; how long each request waits is told to `waits`.
    pub(crate) fn lookup_events(place: &str, turns_of_all: TurnsOfAll, waits: LimiterWaits) -> Limiter {
        let limit = RateLimiter::direct_with_clock(Quota::per_second(LOOKUP_EVENTS), LimitClock::start());
        Limiter { limit, turn: Mutex::new(()), name: format!("lookup-events/{place}"), turns_of_all, waits }
    }

    /// Waits until a request may be sent; those who wait are served in the order they came.
    pub(crate) async fn acquire(&self) {
        let waiting = Stopwatch::start();
        let _turn = self.turn.lock().await;
        while let Err(early) = self.limit.check() {
            tokio::time::sleep(early.wait_time_from(self.limit.clock().now())).await;
        }
        if let Some(turns) = self.turns_of_all.get()
            && let Some(wait) = turns.take(&self.name, Duration::from_secs(1) / LOOKUP_EVENTS.get()).await
        {
            tokio::time::sleep(wait).await;
        }
        self.waits.passed("lookup_events", waiting.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::this_instant;

    /// When requests that come `arrivals` ms after the start are sent, in milliseconds after it, in the order they came; to a
    /// tenth of a second, because timers end a little late.
    async fn sent(arrivals: &[u64]) -> Vec<u128> {
        tokio::time::pause();
        let limiter = Limiter::lookup_events("here", TurnsOfAll::default(), LimiterWaits::default());
        let start = this_instant();
        let send = |arrival: &u64| {
            let (limiter, arrival) = (&limiter, start + Duration::from_millis(*arrival));
            async move {
                tokio::time::sleep_until(arrival).await;
                limiter.acquire().await;
                this_instant().duration_since(start).as_millis() / 100 * 100
            }
        };
        futures::future::join_all(arrivals.iter().map(send)).await
    }

    #[tokio::test]
    async fn a_burst_of_two_passes_and_then_two_a_second_in_the_order_they_came() {
        assert_eq!(sent(&[0; 6]).await, [0, 0, 500, 1000, 1500, 2000]);
    }

    #[tokio::test]
    async fn a_pause_gives_one_burst_back_and_no_more() {
        assert_eq!(sent(&[0, 60_000, 60_000, 60_000]).await, [0, 60_000, 60_000, 60_500]);
    }

    #[tokio::test]
    async fn who_comes_slowly_enough_never_waits() {
        assert_eq!(sent(&[0, 500, 1000, 1500]).await, [0, 500, 1000, 1500]);
    }
}
