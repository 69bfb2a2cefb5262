//! Moments and ages, as people on call read them: UTC with the weekday, and the largest unit that says enough.

use crate::model::{in_largest_unit, moment_form};
use crate::redact::SafeText;
use crate::safe_format;
use jiff::{SignedDuration, Timestamp};

/// `Sun 22 Nov 05:00 UTC`; with the year where it is not the year of `now`.
#[must_use]
pub fn moment(at: Timestamp, now: Timestamp) -> SafeText {
    SafeText::moment(at, moment_form(at, now))
}

/// `41 d`, `3 h`, `12 min`, `40 s`: the span from `at` to `now`, rounded down; nothing is older than it is.
#[must_use]
pub fn age(at: Timestamp, now: Timestamp) -> SafeText {
    length(now.duration_since(at))
}

/// The same of a length: `41 d`, `3 h`, `12 min`, `40 s`, rounded down.
#[must_use]
pub fn length(length: SignedDuration) -> SafeText {
    let (count, unit) = in_largest_unit(length);
    safe_format!("{} {}", count, unit.symbol())
}

/// A time after `now` reads `in 3 d`, one before it `3 d ago`.
#[must_use]
pub fn relative(at: Timestamp, now: Timestamp) -> SafeText {
    if at > now { safe_format!("in {}", age(now, at)) } else { safe_format!("{} ago", age(at, now)) }
}

/// `40 ms`, `0.9 s`, `12 s`, `3 min`.
#[must_use]
pub fn duration(milliseconds: u64) -> SafeText {
    match milliseconds {
        0..100 => safe_format!("{} ms", milliseconds),
        100..9_950 => {
            let tenths = (milliseconds + 50) / 100;
            safe_format!("{}.{} s", tenths / 10, tenths % 10)
        }
        9_950..120_000 => safe_format!("{} s", (milliseconds + 500) / 1000),
        _ => safe_format!("{} min", milliseconds / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_has_its_weekday_and_another_year_is_named() {
        let now = at("2026-11-24T03:00:00Z");
        assert_eq!(moment(at("2026-11-22T05:00:59Z"), now).as_str(), "Sun 22 Nov 05:00 UTC");
        assert_eq!(moment(at("2025-12-01T00:00:00Z"), now).as_str(), "Mon 1 Dec 2025 00:00 UTC");
    }

    #[test]
    fn ages_use_the_largest_unit_that_says_enough() {
        let now = at("2026-11-24T03:00:00Z");
        for (then, expected) in [
            ("2026-10-14T02:00:00Z", "41 d ago"),
            ("2026-11-22T05:00:00Z", "46 h ago"),
            ("2026-11-24T02:01:00Z", "59 min ago"),
            ("2026-11-24T02:59:20Z", "40 s ago"),
            ("2026-11-27T03:00:00Z", "in 3 d"),
        ] {
            assert_eq!(relative(at(then), now).as_str(), expected);
        }
    }

    #[test]
    fn durations_round_to_what_matters() {
        let shown = [40, 412, 949, 12_400, 180_000].map(duration);
        assert_eq!(shown.each_ref().map(SafeText::as_str), ["40 ms", "0.4 s", "0.9 s", "12 s", "3 min"]);
    }
}
