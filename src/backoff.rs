//! Waits that grow, so that what is in trouble is not asked more.

use backon::{BackoffBuilder, ExponentialBuilder};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// Waits that double from the first to the longest.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    waits: ExponentialBuilder,
    failures: u32,
}

impl Backoff {
    /// Waits from `first` to `longest`, before any failure.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Backoff {
        let waits = ExponentialBuilder::new().with_min_delay(first).with_max_delay(longest).without_max_times();
        Backoff { waits, failures: 0 }
    }

    /// The wait after the failure of this number, counted from zero.
    #[must_use]
    pub fn after(&self, failures: u32) -> Duration {
        // Within 64 steps any first wait doubles to any longest one.
        self.waits.build().nth(failures.min(64) as usize).unwrap_or_default()
    }

    /// The next wait, a little shorter than it might be, so that many do not come at once.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self.after(self.failures);
        self.failures = self.failures.saturating_add(1);
        // A fresh state is keyed at random.
        let roll = u16::try_from(RandomState::new().build_hasher().finish() & 0xffff).unwrap_or_default();
        spread(wait, roll)
    }

    /// What came before is forgotten.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Between three quarters and all of `wait`; `roll` chooses, so that those who failed together do not come back together.
#[must_use]
pub fn spread(wait: Duration, roll: u16) -> Duration {
    wait.mul_f64(0.75 + 0.25 * f64::from(roll) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(1);
    const MAX_WAIT: Duration = Duration::from_secs(60);

    #[test]
    fn waits_double_up_to_the_longest_and_start_again() {
        let mut backoff = Backoff::new(FIRST, MAX_WAIT);
        for failures in 0..200 {
            let whole = FIRST.saturating_mul(1 << failures.min(10)).min(MAX_WAIT);
            assert_eq!(backoff.after(failures), whole, "{failures}");
            let wait = backoff.next_wait();
            assert!(wait >= whole * 3 / 4 && wait <= whole, "{failures}: {wait:?}");
        }
        backoff.reset();
        assert!(backoff.next_wait() <= FIRST);
    }

    #[test]
    fn a_wait_is_spread_below_itself_and_never_above() {
        assert_eq!((spread(MAX_WAIT, 0), spread(MAX_WAIT, u16::MAX)), (MAX_WAIT * 3 / 4, MAX_WAIT));
        assert!(spread(MAX_WAIT, 1) > spread(MAX_WAIT, 0));
    }
}
