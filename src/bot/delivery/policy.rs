//! How fast, how often, how long.

use crate::backoff::{self, Backoff};
use crate::chat::Limits;
use std::time::Duration;

/// The tempo of delivery.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryPolicy {
    /// The wait after a first failure; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait, also where the platform asks for a longer one.
    pub longest_wait: Duration,
    /// Between two edits of progress in one thread.
    pub between_edits: Duration,
    /// Messages under way to one platform at once; most of them wait for their channel's turn.
    pub at_once: usize,
    /// The longest one call to a platform may take; it has a shorter deadline of its own.
    pub call: Duration,
    /// How long a platform that no longer takes our token is left alone.
    pub locked_out: Duration,
}

impl Default for DeliveryPolicy {
    fn default() -> DeliveryPolicy {
        DeliveryPolicy {
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            between_edits: Duration::from_secs(2),
            at_once: 64,
            call: Duration::from_secs(60),
            locked_out: Duration::from_secs(300),
        }
    }
}

impl DeliveryPolicy {
    /// The policy for one platform, which may take edits faster than is usual.
    #[must_use]
    pub fn on(self, platform: Limits) -> DeliveryPolicy {
        DeliveryPolicy { between_edits: platform.between_edits.unwrap_or(self.between_edits), ..self }
    }

    /// The wait after the failure number `attempts`, counted from zero: between three quarters and all of the doubled first
    /// one. `roll` chooses within that, so that those who failed together do not come back together.
    #[must_use]
    pub fn wait(&self, attempts: u32, roll: u16) -> Duration {
        backoff::spread(Backoff::new(self.first_wait, self.longest_wait).after(attempts), roll)
    }

    /// How long a place that takes nothing is left alone: an hour.
    #[must_use]
    pub const fn closed(&self) -> Duration {
        self.longest_wait.saturating_mul(60)
    }

    /// How long after a message it is said again, with `left` repeats to go: soon, and then ever later, because nobody knows
    /// when a platform in trouble carries out what it did not answer.
    #[must_use]
    pub const fn again(&self, left: u8) -> Duration {
        self.first_wait.saturating_mul(match left {
            0 | 1 => 600,
            2 => 120,
            3 => 30,
            _ => 5,
        })
    }

    /// The wait a platform asked for, within reason.
    #[must_use]
    pub fn asked(&self, after: Duration) -> Duration {
        after.min(self.longest_wait.max(Duration::from_secs(3_600)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_with_jitter_and_never_past_the_longest() {
        let policy = DeliveryPolicy::default();
        for attempts in 0..40 {
            let (least, most) = (policy.wait(attempts, 0), policy.wait(attempts, u16::MAX));
            assert!(least < most && most <= policy.longest_wait);
            if most < policy.longest_wait {
                assert!(policy.wait(attempts + 1, 0) > most, "{attempts}");
            }
        }
    }
}
