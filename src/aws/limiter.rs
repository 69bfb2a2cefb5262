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

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_two_passes_and_then_two_a_second() {
        let limiter = Limiter::lookup_events();
        let start = Instant::now();
        let mut passed = Vec::new();
        for _ in 0..6 {
            limiter.acquire().await;
            passed.push(start.elapsed().as_millis());
        }
        assert_eq!(passed, [0, 0, 500, 1000, 1500, 2000]);
    }

    #[tokio::test(start_paused = true)]
    async fn five_investigations_at_once_share_the_limit() {
        let limiter = Limiter::lookup_events();
        let start = Instant::now();
        futures::future::join_all((0..10).map(|_| limiter.acquire())).await;
        assert_eq!(start.elapsed().as_millis(), 4000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_gives_one_burst_back_and_no_more() {
        let limiter = Limiter::lookup_events();
        limiter.acquire().await;
        tokio::time::advance(Duration::from_secs(60)).await;
        let start = Instant::now();
        for _ in 0..3 {
            limiter.acquire().await;
        }
        assert_eq!(start.elapsed().as_millis(), 500);
    }
}
