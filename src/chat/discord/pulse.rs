//! Whether the gateway is alive: by its heartbeats, never by how long nothing was said.

use crate::clock::this_instant;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How many answers to heartbeats may be missing.
const MISSED: u32 = 2;
/// Room for the way and for connecting again.
const SLACK: Duration = Duration::from_secs(30);

/// When the gateway last answered.
#[derive(Default)]
pub(super) struct Pulse {
    alive_until: Mutex<Option<Instant>>,
}

impl Pulse {
    /// The gateway answered a heartbeat; the next follows after `interval`.
    pub(super) fn felt(&self, interval: Duration) {
        self.set(this_instant() + interval * MISSED + SLACK);
    }

    /// The connection ended; it may be resumed at once.
    pub(super) fn lost(&self) {
        let soon = this_instant() + SLACK;
        let mut alive_until = self.alive_until.lock().unwrap_or_else(PoisonError::into_inner);
        *alive_until = alive_until.map(|until| until.min(soon));
    }

    fn set(&self, until: Instant) {
        *self.alive_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    pub(super) fn is_felt(&self) -> bool {
        self.alive_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| this_instant() < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_quiet_connection_lives_and_one_without_heartbeats_does_not() {
        let pulse = Pulse::default();
        assert!(!pulse.is_felt());
        for _ in 0..100 {
            pulse.felt(Duration::from_secs(40));
            tokio::time::advance(Duration::from_secs(40)).await;
            assert!(pulse.is_felt());
        }
        tokio::time::advance(Duration::from_secs(71)).await;
        assert!(!pulse.is_felt());
        pulse.felt(Duration::from_secs(40));
        pulse.lost();
        assert!(pulse.is_felt());
        tokio::time::advance(SLACK).await;
        assert!(!pulse.is_felt());
    }
}
