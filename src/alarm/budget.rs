//! How often something may be done that strangers can ask for.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::time::Instant;

/// How often at once, after a pause: a process that just started serves topics in several regions.
const BURST: u32 = 8;

/// Time between on average.
const INTERVAL: Duration = Duration::from_secs(10);

/// Texts that are counted at most, twice over: some tens of seconds of a flood, and so longer than SNS waits before it sends
/// again what was not taken.
///
/// Source: SNS Developer Guide, "Creating an HTTP/S delivery policy": 20 seconds between retries unless a topic says otherwise.
const MAX_COUNTED: usize = 1 << 16;

/// A bucket that fills evenly.
#[derive(Debug)]
pub(super) struct Budget {
    left: u32,
    /// When the last one was added.
    filled: Instant,
}

impl Budget {
    pub(super) fn full(now: Instant) -> Budget {
        Budget { left: BURST, filled: now }
    }

    pub(super) fn take(&mut self, now: Instant) -> bool {
        while self.left < BURST && now.duration_since(self.filled) >= INTERVAL {
            self.left += 1;
            self.filled += INTERVAL;
        }
        if self.left == BURST {
            self.filled = now;
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

/// How often each of many texts was asked for, lately. The texts themselves are not kept.
#[derive(Debug, Default)]
pub(super) struct Asked {
    keys: RandomState,
    newer: HashMap<u64, NonZeroU32>,
    older: HashMap<u64, NonZeroU32>,
}

impl Asked {
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
    use crate::clock;

    #[test]
    fn a_burst_passes_and_then_one_every_ten_seconds() {
        let start = clock::this_instant();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut budget = Budget::full(start);
        assert_eq!((0..100).filter(|_| budget.take(at(0))).count(), 8);
        assert_eq!((1..=60).filter(|second| budget.take(at(*second))).count(), 6);
        assert_eq!((0..100).filter(|_| budget.take(at(100_000))).count(), 8);
    }

    #[test]
    fn what_was_asked_for_is_counted_through_a_flood_of_others_and_takes_bounded_room() {
        let mut asked = Asked::default();
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
