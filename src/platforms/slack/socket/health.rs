//! Whether Slack can still be heard.

use crate::clock::this_instant;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long Slack may be silent on all sockets before the bot counts as deaf: a few failed attempts to open one.
const DEAF_AFTER: Duration = Duration::from_secs(120);

/// Whether Slack can still be heard: by heartbeats, not by messages. A workspace may be quiet for days.
#[derive(Debug, Default)]
pub struct SocketHealth {
    open: AtomicUsize,
    heard: Mutex<Option<Instant>>,
}

impl SocketHealth {
    /// How many sockets are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// How long nothing was heard on any socket; `None` before the first one said hello.
    #[must_use]
    pub fn silent_for(&self) -> Option<Duration> {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.map(|at| this_instant().saturating_duration_since(at))
    }

    /// False before the first hello, and once Slack was silent for two minutes.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.silent_for().is_some_and(|silence| silence < DEAF_AFTER)
    }

    pub(super) fn hear(&self, at: Instant) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    /// Counts a socket for as long as it is open.
    pub(super) fn count(self: &Arc<Self>) -> Counted {
        self.open.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(self))
    }
}

/// A socket that is open.
#[derive(Debug)]
pub(super) struct Counted(Arc<SocketHealth>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
