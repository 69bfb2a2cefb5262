//! More alarms at once than anyone reads: when a storm goes on, and when it is over.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Threads that alarms open in one channel within [`STORM_WITHIN`]; more alarms are counted in one.
pub const MAX_THREADS: usize = 5;

/// See [`MAX_THREADS`].
pub const STORM_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// How long after its last new secret a storm is over; the next one gets a message of its own.
const OVER_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// What is known of a storm, beside its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storm {
    pub began_at: Timestamp,
    /// When the last secret came that was not listed yet.
    pub last_at: Timestamp,
    /// How many secrets the last file lists.
    #[serde(default)]
    pub filed: u32,
    /// How many of its secrets still failed afterwards.
    #[serde(default)]
    pub still_failing: u32,
    /// True when it is known of all of them.
    #[serde(default)]
    pub is_over: bool,
}

impl Storm {
    /// One that begins.
    #[must_use]
    pub const fn beginning_at(now: Timestamp) -> Storm {
        Storm { began_at: now, last_at: now, filed: 0, still_failing: 0, is_over: false }
    }

    /// A secret came that was not listed yet.
    pub const fn hears_of_more(&mut self, now: Timestamp) {
        self.last_at = now;
        self.is_over = false;
    }

    /// True while so much comes that no thread is opened.
    #[must_use]
    pub fn is_raging(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_at) <= STORM_WITHIN
    }

    /// True while what comes belongs to it.
    #[must_use]
    pub fn goes_on(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_at) <= OVER_AFTER
    }

    /// How long until it is over, if nothing comes; `None` when it is.
    #[must_use]
    pub fn over_in(&self, now: Timestamp) -> Option<SignedDuration> {
        let calm = now.duration_since(self.last_at);
        (calm < OVER_AFTER).then(|| OVER_AFTER.saturating_sub(calm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_rages_for_a_minute_and_is_over_ten_after_its_last_secret() {
        let start: Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        let at = |minutes| start.checked_add(SignedDuration::from_mins(minutes)).unwrap();
        let mut storm = Storm::beginning_at(start);
        let seen =
            |storm: &Storm, minutes| (storm.is_raging(at(minutes)), storm.goes_on(at(minutes)), storm.over_in(at(minutes)));
        assert_eq!(seen(&storm, 1), (true, true, Some(SignedDuration::from_mins(9))));
        assert_eq!(seen(&storm, 2), (false, true, Some(SignedDuration::from_mins(8))));
        assert_eq!(seen(&storm, 11), (false, false, None));
        storm.is_over = true;
        storm.hears_of_more(at(11));
        assert_eq!((seen(&storm, 12), storm.is_over), ((true, true, Some(SignedDuration::from_mins(9))), false));
    }
}
