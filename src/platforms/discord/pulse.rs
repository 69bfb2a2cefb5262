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
pub(super) struct GatewayPulse {
    alive_until: Mutex<Option<Instant>>,
}

impl GatewayPulse {
    /// The gateway answered a heartbeat; the next follows after `interval`.
    pub(super) fn felt(&self, interval: Duration) {
        self.with(|alive_until| *alive_until = Some(this_instant() + interval * MISSED + SLACK));
    }

    /// The connection ended; it may be resumed at once.
    pub(super) fn lost(&self) {
        let soon = this_instant() + SLACK;
        self.with(|alive_until| *alive_until = alive_until.map(|until| until.min(soon)));
    }

    /// The connection ended for good.
    pub(super) fn stopped(&self) {
        self.with(|alive_until| *alive_until = None);
    }

    pub(super) fn is_felt(&self) -> bool {
        self.is_felt_at(this_instant())
    }

    fn is_felt_at(&self, now: Instant) -> bool {
        self.with(|alive_until| alive_until.is_some_and(|until| now < until))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Option<Instant>) -> T) -> T {
        act(&mut self.alive_until.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_connection_lives_and_one_without_heartbeats_does_not() {
        let pulse = GatewayPulse::default();
        assert!(!pulse.is_felt());
        pulse.felt(Duration::from_secs(40));
        let now = this_instant();
        for (seconds, felt) in [(0, true), (40, true), (109, true), (111, false), (86_400, false)] {
            assert_eq!(pulse.is_felt_at(now + Duration::from_secs(seconds)), felt, "{seconds}");
        }
        pulse.lost();
        let now = this_instant();
        for (seconds, felt) in [(0, true), (29, true), (31, false)] {
            assert_eq!(pulse.is_felt_at(now + Duration::from_secs(seconds)), felt, "{seconds}");
        }
    }
}
