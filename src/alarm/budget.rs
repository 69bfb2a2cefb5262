//! How often something may be done that strangers can ask for.

use crate::clock::LimitClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

/// How often at once, after a pause: a process that just started serves topics in several regions.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(7);

/// Time between on average.
const INTERVAL: Duration = Duration::from_secs(10);

/// Texts that are counted at most, twice over: some tens of seconds of a flood, and so longer than SNS waits before it sends
/// again what was not taken.
///
/// Source: SNS Developer Guide, "Creating an HTTP/S delivery policy": 20 seconds between retries unless a topic says otherwise.
const MAX_COUNTED: usize = 1 << 16;

/// So many at once, and then one each [`INTERVAL`].
#[derive(Debug)]
pub(super) struct FetchBudget(Option<RateLimiter<NotKeyed, InMemoryState, LimitClock, NoOpMiddleware<Duration>>>);

impl FetchBudget {
    pub(super) fn full() -> FetchBudget {
        let quota = Quota::with_period(INTERVAL).map(|quota| quota.allow_burst(BURST));
        FetchBudget(quota.map(|quota| RateLimiter::direct_with_clock(quota, LimitClock::start())))
    }

    /// True when it may be done now, which is then counted.
    pub(super) fn take(&self) -> bool {
        self.0.as_ref().is_some_and(|limit| limit.check().is_ok())
    }
}

/// How often each of many texts was asked for, lately. The texts themselves are not kept.
#[derive(Debug, Default)]
pub(super) struct AskCounts {
    keys: RandomState,
    newer: HashMap<u64, NonZeroU32>,
    older: HashMap<u64, NonZeroU32>,
}

impl AskCounts {
    /// Counts one more time; how often it was, with this one.
    pub(super) fn again(&mut self, text: &str) -> NonZeroU32 {
        let key = self.keys.hash_one(text);
        let before = self.newer.get(&key).or_else(|| self.older.get(&key));
        let count = before.map_or(NonZeroU32::MIN, |before| before.saturating_add(1));
        if self.newer.len() >= MAX_COUNTED {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, count);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_one_every_ten_seconds() {
        let budget = FetchBudget::full();
        assert_eq!((0..100).filter(|_| budget.take()).count(), 8);
        let mut taken = 0;
        for _ in 0..60 {
            tokio::time::advance(Duration::from_secs(1)).await;
            taken += u32::from(budget.take());
        }
        assert_eq!(taken, 6);
        tokio::time::advance(Duration::from_secs(100_000)).await;
        assert_eq!((0..100).filter(|_| budget.take()).count(), 8);
    }

    #[test]
    fn what_was_asked_for_is_counted_through_a_flood_of_others_and_takes_bounded_room() {
        let mut asked = AskCounts::default();
        assert_eq!(asked.again("genuine").get(), 1);
        for number in 0..MAX_COUNTED {
            assert_eq!(asked.again(&number.to_string()).get(), 1);
        }
        assert_eq!(asked.again("genuine").get(), 2);
        for number in 0..10 * MAX_COUNTED {
            asked.again(&format!("forged {number}"));
        }
        assert!(asked.newer.len() + asked.older.len() <= 2 * MAX_COUNTED);
    }
}
