//! How many calls a look at the network may cost.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Calls that one look may cost.
const MAX_CALLS: usize = 8;

/// How many calls are left.
#[derive(Debug)]
pub(super) struct CallBudget {
    left: AtomicUsize,
    /// True once the databases of the VPC were asked for; the answer is kept.
    listed: AtomicBool,
}

impl CallBudget {
    pub(super) fn new() -> CallBudget {
        CallBudget { left: AtomicUsize::new(MAX_CALLS), listed: AtomicBool::new(false) }
    }

    /// Takes `calls` out of the budget; false where there are not so many left.
    pub(super) fn take(&self, calls: usize) -> bool {
        self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(calls)).is_ok()
    }

    /// Takes a call the first time alone: the same question again is answered out of the cache.
    pub(super) fn take_listing(&self) -> bool {
        self.listed.load(Ordering::Acquire) || (self.take(1) && !self.listed.swap(true, Ordering::AcqRel))
    }
}
