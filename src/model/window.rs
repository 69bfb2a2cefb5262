//! The span of time a step looks at, and how far it widens.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A span of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Window {
    /// The window of `length` that ends at `to`; a start before the representable range is clamped.
    #[must_use]
    pub fn ending_at(to: Timestamp, length: SignedDuration) -> Window {
        Window { from: to.checked_sub(length).unwrap_or(Timestamp::MIN), to }
    }

    /// From `before` earlier than `at` to `after` later than it.
    #[must_use]
    pub fn around(at: Timestamp, before: SignedDuration, after: SignedDuration) -> Window {
        Window { from: at.checked_sub(before).unwrap_or(Timestamp::MIN), to: at.checked_add(after).unwrap_or(Timestamp::MAX) }
    }

    /// True when `at` lies inside.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }

    /// True when both share a moment.
    #[must_use]
    pub fn overlaps(&self, other: &Window) -> bool {
        self.from <= other.to && other.from <= self.to
    }

    /// How long it is.
    #[must_use]
    pub fn length(&self) -> SignedDuration {
        self.to.duration_since(self.from)
    }

    /// The smallest window that holds both.
    #[must_use]
    pub fn hull(&self, other: &Window) -> Window {
        Window { from: self.from.min(other.from), to: self.to.max(other.to) }
    }
}

/// How far back an investigation looks: the four widths it widens through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Lookback {
    /// 24 hours.
    #[default]
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 90 days: as far as CloudTrail's event history goes.
    Quarter,
}

impl Lookback {
    /// All widths, narrow to wide.
    pub const ALL: [Lookback; 4] = [Lookback::Day, Lookback::Week, Lookback::Month, Lookback::Quarter];

    /// How they are typed.
    pub const WORDS: [&str; 4] = ["24h", "7d", "30d", "90d"];

    /// The next wider one.
    #[must_use]
    pub const fn wider(self) -> Option<Lookback> {
        match self {
            Lookback::Day => Some(Lookback::Week),
            Lookback::Week => Some(Lookback::Month),
            Lookback::Month => Some(Lookback::Quarter),
            Lookback::Quarter => None,
        }
    }

    /// How many hours it spans.
    #[must_use]
    pub const fn hours(self) -> i64 {
        match self {
            Lookback::Day => 24,
            Lookback::Week => 7 * 24,
            Lookback::Month => 30 * 24,
            Lookback::Quarter => 90 * 24,
        }
    }

    /// As a duration.
    #[must_use]
    pub const fn length(self) -> SignedDuration {
        SignedDuration::from_hours(self.hours())
    }

    /// The window of this width that ends at `to`.
    #[must_use]
    pub fn window(self, to: Timestamp) -> Window {
        Window::ending_at(to, self.length())
    }
}

impl fmt::Display for Lookback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lookback::Day => "24 h",
            Lookback::Week => "7 d",
            Lookback::Month => "30 d",
            Lookback::Quarter => "90 d",
        })
    }
}

/// A text is none of the four widths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a window is 24h, 7d, 30d or 90d")]
pub struct LookbackError;

impl FromStr for Lookback {
    type Err = LookbackError;

    fn from_str(text: &str) -> Result<Lookback, LookbackError> {
        match text.trim().to_ascii_lowercase().replace(' ', "").as_str() {
            "24h" | "1d" => Ok(Lookback::Day),
            "7d" | "1w" => Ok(Lookback::Week),
            "30d" => Ok(Lookback::Month),
            "90d" => Ok(Lookback::Quarter),
            _ => Err(LookbackError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_goes_from_a_day_to_ninety_days_and_stops() {
        let mut seen = vec![Lookback::Day];
        while let Some(next) = seen.last().and_then(|lookback| lookback.wider()) {
            seen.push(next);
        }
        assert_eq!(seen, Lookback::ALL);
        assert_eq!(Lookback::WORDS.map(|word| word.parse::<Lookback>().unwrap()), Lookback::ALL);
    }

    #[test]
    fn a_window_reads_as_people_write_it_and_nothing_else() {
        assert_eq!("7d".parse(), Ok(Lookback::Week));
        assert_eq!("24 h".parse(), Ok(Lookback::Day));
        for text in ["0", "-1", "99999999d", "1e9h", "", "8d"] {
            assert_eq!(text.parse::<Lookback>(), Err(LookbackError), "{text:?}");
        }
    }
}
