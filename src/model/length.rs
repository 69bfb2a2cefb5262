//! A length of time in the one unit that says enough of it. Every text of a report rounds in this way, so that no two places tell
//! another age of the same moment.

use jiff::SignedDuration;

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    Second,
    Minute,
    Hour,
    Day,
}

impl TimeUnit {
    /// As it stands behind a number: `s`, `min`, `h`, `d`.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            TimeUnit::Second => "s",
            TimeUnit::Minute => "min",
            TimeUnit::Hour => "h",
            TimeUnit::Day => "d",
        }
    }

    /// As it stands in a sentence, for one of it.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            TimeUnit::Second => "second",
            TimeUnit::Minute => "minute",
            TimeUnit::Hour => "hour",
            TimeUnit::Day => "day",
        }
    }
}

/// How many of the largest unit that says enough are in `length`, rounded down: nothing is older than it is. A negative length is
/// none.
#[must_use]
pub const fn in_largest_unit(length: SignedDuration) -> (i64, TimeUnit) {
    match length.as_secs() {
        ..0 => (0, TimeUnit::Second),
        seconds @ 0..60 => (seconds, TimeUnit::Second),
        seconds @ 60..7_200 => (seconds / 60, TimeUnit::Minute),
        seconds @ 7_200..172_800 => (seconds / 3_600, TimeUnit::Hour),
        seconds => (seconds / 86_400, TimeUnit::Day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_told_in_the_largest_unit_that_says_enough_and_never_as_more_than_it_is() {
        for (seconds, count, unit) in [
            (-5, 0, TimeUnit::Second),
            (59, 59, TimeUnit::Second),
            (60, 1, TimeUnit::Minute),
            (7_199, 119, TimeUnit::Minute),
            (7_200, 2, TimeUnit::Hour),
            (172_799, 47, TimeUnit::Hour),
            (172_800, 2, TimeUnit::Day),
        ] {
            assert_eq!(in_largest_unit(SignedDuration::from_secs(seconds)), (count, unit), "{seconds} s");
        }
    }
}
