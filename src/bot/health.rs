//! Whether the parts work, for whoever restarts or pages.

use crate::clock::Stopwatch;
use crate::model::PlatformName;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What does not work at the moment. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Health {
    failing_parts: std::sync::Arc<Mutex<BTreeMap<String, String>>>,
}

impl Health {
    /// Notes whether a part works; `why` is for the operator. True when that is news.
    pub fn note(&self, part: &str, why: Option<&str>) -> bool {
        let mut failing_parts = self.failing_parts.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => failing_parts.insert(part.to_owned(), why.to_owned()).as_deref() != Some(why),
            None => failing_parts.remove(part).is_some(),
        }
    }

    /// Notes whether a platform takes messages.
    pub fn note_platform(&self, platform: PlatformName, why: Option<&str>) -> bool {
        self.note(platform.id(), why)
    }

    /// True when everything works.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.failing_parts.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The parts that do not work. No names, accounts or tokens.
    #[must_use]
    pub fn failing_parts(&self) -> Vec<String> {
        self.failing_parts.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

/// Whether the workers look for something to do.
#[derive(Debug, Default)]
pub(super) struct Pulse(Mutex<Option<(Stopwatch, bool)>>);

impl Pulse {
    /// They looked; `worked` is false where the store did not answer.
    pub(super) fn note(&self, worked: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Stopwatch::start(), worked));
    }

    /// Why nothing would be begun: the last look failed, or is longer ago than `longest`. Before the first look, nothing.
    pub(super) fn stalled(&self, longest: Duration) -> Option<&'static str> {
        let (since, worked) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        if !worked {
            return Some("the next trigger could not be claimed");
        }
        (since.elapsed() > longest).then_some("no trigger has been claimed for a long time")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_no_longer_look_are_noticed() {
        let (pulse, minute) = (Pulse::default(), Duration::from_secs(60));
        assert_eq!(pulse.stalled(Duration::ZERO), None, "they have not begun");
        pulse.note(true);
        assert_eq!(pulse.stalled(minute), None);
        assert_eq!(pulse.stalled(Duration::ZERO), Some("no trigger has been claimed for a long time"));
        pulse.note(false);
        assert_eq!(pulse.stalled(minute), Some("the next trigger could not be claimed"));
        pulse.note(true);
        assert_eq!(pulse.stalled(minute), None);
    }
}
