//! The limit AWS sets on event look-ups, kept by us so that AWS need not refuse.

use crate::clock;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Lets one request through per `interval`, and `burst` at once after a pause.
#[derive(Debug)]
pub(crate) struct Limiter {
    interval: Duration,
    burst: u32,
    /// When the next request would be due if requests came evenly.
    next: Mutex<Option<Instant>>,
}

impl Limiter {
    /// `LookupEvents`: two requests a second per account and region.
    ///
    /// Source: CloudTrail User Guide, "Quotas in AWS CloudTrail".
    pub(crate) fn lookup_events() -> Limiter {
        Limiter { interval: Duration::from_millis(500), burst: 2, next: Mutex::new(None) }
    }

    /// Waits until a request may be sent; those who wait are served in the order they came.
    pub(crate) async fn acquire(&self) {
        tokio::time::sleep_until(self.reserve(clock::this_instant())).await;
    }

    fn reserve(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let due = next.unwrap_or(now).max(now);
        *next = Some(due + self.interval);
        // A bucket of `burst` tokens: a request may run ahead of its even place by `burst - 1` intervals.
        let ahead = self.interval * self.burst.saturating_sub(1);
        due.checked_sub(ahead).map_or(now, |early| early.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When requests that come `arrivals` ms after the start may be sent.
    fn sent(arrivals: &[u64]) -> Vec<u128> {
        let limiter = Limiter::lookup_events();
        let start = clock::this_instant();
        let send = |arrival: &u64| limiter.reserve(start + Duration::from_millis(*arrival)).duration_since(start).as_millis();
        arrivals.iter().map(send).collect()
    }

    #[test]
    fn a_burst_of_two_passes_and_then_two_a_second() {
        assert_eq!(sent(&[0; 6]), [0, 0, 500, 1000, 1500, 2000]);
    }

    #[test]
    fn a_pause_gives_one_burst_back_and_no_more() {
        assert_eq!(sent(&[0, 60_000, 60_000, 60_000]), [0, 60_000, 60_000, 60_500]);
    }

    #[test]
    fn who_comes_slowly_enough_never_waits() {
        assert_eq!(sent(&[0, 500, 1000, 1500]), [0, 500, 1000, 1500]);
    }
}
