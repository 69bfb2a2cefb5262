//! Waits that grow, so that a platform in trouble is not asked more.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// Waits that double from the first to the longest, each a little off so that many bots do not come at once.
#[derive(Debug)]
pub(in crate::platforms) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub(in crate::platforms) fn new(first: Duration, longest: Duration) -> Backoff {
        Backoff { first, longest, failures: 0 }
    }

    /// What came before is forgotten.
    pub(in crate::platforms) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next wait.
    pub(in crate::platforms) fn next(&mut self) -> Duration {
        let whole = self.first.saturating_mul(1_u32 << self.failures.min(16)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        // Between three quarters and all of it.
        let share = u32::try_from(RandomState::new().build_hasher().finish() % 256).unwrap_or_default();
        whole * 3 / 4 + whole / 4 * share / 256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_again() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(60));
        let mut backoff = Backoff::new(first, longest);
        for failures in 0..40 {
            let whole = first.saturating_mul(1 << failures.min(10)).min(longest);
            let wait = backoff.next();
            assert!(wait >= whole * 3 / 4 && wait <= whole, "{failures}: {wait:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= first);
    }
}
