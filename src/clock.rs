//! The only place that asks the time.

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A running wall clock; simulated worlds shift it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    ahead_by: SignedDuration,
}

impl Clock {
    /// The clock of the machine.
    #[must_use]
    pub fn system() -> Clock {
        Clock::default()
    }

    /// A clock that shows `at` now and runs on from there.
    #[must_use]
    pub fn starting_at(at: Timestamp) -> Clock {
        Clock { ahead_by: at.duration_since(Timestamp::now()) }
    }

    /// The time it shows; a shift beyond the representable range shows the machine's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let machine = Timestamp::now();
        machine.checked_add(self.ahead_by).unwrap_or(machine)
    }
}

/// The moment `after` from now, on the clock that deadlines are kept by.
#[must_use]
pub fn deadline(after: Duration) -> Instant {
    Instant::now() + after
}

/// This moment, on the clock that deadlines are kept by.
#[must_use]
pub fn this_instant() -> Instant {
    Instant::now()
}

/// What a pause comes to.
type Pause = dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync;

/// How the pauses of a connection pass: asleep. Who plays the other side in the same process has them pass otherwise, so that no
/// time runs but in them.
#[derive(Clone, Default)]
pub struct Pauses {
    otherwise: Option<Arc<Pause>>,
}

impl Pauses {
    /// Pauses that pass as `pass` has them.
    #[must_use]
    pub fn with(pass: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Pauses {
        Pauses { otherwise: Some(Arc::new(pass)) }
    }

    /// Waits for so long.
    pub async fn wait(&self, time: Duration) {
        match &self.otherwise {
            None => sleep(time).await,
            Some(pass) => pass(time).await,
        }
    }

    /// Waits until `at`.
    pub async fn until(&self, at: Instant) {
        self.wait(at.saturating_duration_since(this_instant())).await;
    }
}

impl fmt::Debug for Pauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.otherwise.is_some() { "Pauses(otherwise)" } else { "Pauses(asleep)" })
    }
}

/// The clock that deadlines are kept by, for limits on how often something may be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LimitClock {
    started: Instant,
}

impl LimitClock {
    pub(crate) fn start() -> LimitClock {
        LimitClock { started: Instant::now() }
    }
}

impl governor::clock::Clock for LimitClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Measures how long something takes; a change of the machine's date does not disturb it.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    started: Instant,
}

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    pub fn start() -> Stopwatch {
        Stopwatch { started: Instant::now() }
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The time since the start, in milliseconds.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_clock_starts_where_it_was_set_and_never_runs_back() {
        let set: Timestamp = "2024-02-29T12:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(set);
        let first = clock.now();
        assert!(first >= set && first.duration_since(set) < SignedDuration::from_mins(1));
        assert!(clock.now() >= first);
    }
}
