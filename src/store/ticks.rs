//! The clock of leases and waits, in milliseconds since 1970.

use crate::clock::Stopwatch;
use std::sync::{Mutex, PoisonError};

/// Runs on by itself from the moment it was set to, so that a change of the machine's date changes nothing.
///
/// Where several processes have the store, each write sets it to the database's clock, which is theirs in common; what it is
/// behind is the way of an answer, and what the machine's clock drifts between two writes.
#[derive(Debug)]
pub(super) struct Ticks(Mutex<(i64, Stopwatch)>);

impl Ticks {
    pub(super) fn starting_at(moment: i64) -> Ticks {
        Ticks(Mutex::new((moment, Stopwatch::start())))
    }

    pub(super) fn set(&self, moment: i64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (moment, Stopwatch::start());
    }

    pub(super) fn now(&self) -> i64 {
        let (moment, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        moment.saturating_add(since.elapsed().as_millis().try_into().unwrap_or(i64::MAX))
    }
}
