//! Times and spans as scenario files write them.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeMap;

/// A point in time, relative to the simulated now.
///
/// `[base] [+|- span] [@HH:MM]`, where the base is `now` (also when left out), a name of `[times]`, or an
/// RFC 3339 timestamp; a trailing `@HH:MM` moves to that time of the same UTC day, `@:MM` to that minute of the same hour.
///
/// `@HH:MM` lets the distance to now vary by a day; a story that has to be the same at any time of day uses `@:MM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct When {
    base: Base,
    offset: SignedDuration,
    time_of_day: Option<(Option<i8>, i8)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Base {
    Now,
    Named(String),
    At(Timestamp),
}

/// A length of time: `3d 2h`, `90s`, `812ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length(pub(super) SignedDuration);

/// What the names in times stand for.
#[derive(Debug)]
pub(super) struct Times {
    now: Timestamp,
    named: BTreeMap<String, When>,
}

impl When {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no time; write `-3d 2h`, `now`, `failing_since - 15m`, `-2d @05:00`, `-50h @:00` or an RFC 3339 timestamp"
            )
        };
        let (rest, time_of_day) = match text.split_once('@') {
            Some((rest, clock)) => {
                let (hour, minute) = clock.trim().split_once(':').ok_or_else(wrong)?;
                let hour = if hour.is_empty() { None } else { Some(hour.parse().map_err(|_| wrong())?) };
                let minute = minute.parse().map_err(|_| wrong())?;
                (rest.trim(), Some((hour, minute)))
            }
            None => (text.trim(), None),
        };
        if let Ok(at) = rest.parse::<Timestamp>() {
            return Ok(When { base: Base::At(at), offset: SignedDuration::ZERO, time_of_day });
        }
        let (base, offset) = match rest.find(['+', '-']) {
            Some(sign) => {
                let (base, span) = rest.split_at(sign);
                let negative = span.starts_with('-');
                let Length(span) = Length::parse(span.trim_start_matches(['+', '-'])).map_err(|_| wrong())?;
                (base.trim(), if negative { -span } else { span })
            }
            None => (rest, SignedDuration::ZERO),
        };
        let base = match base {
            "" | "now" => Base::Now,
            name if name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') => {
                Base::Named(name.to_owned())
            }
            _ => return Err(wrong()),
        };
        Ok(When { base, offset, time_of_day })
    }
}

impl Length {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no length of time; write `3d 2h`, `15m`, `90s` or `812ms`");
        let mut total = SignedDuration::ZERO;
        let mut parts = text.split_whitespace().peekable();
        if parts.peek().is_none() {
            return Err(wrong());
        }
        for part in parts {
            let digits = part.chars().take_while(char::is_ascii_digit).count();
            let (number, unit) = part.split_at(digits);
            let number: i64 = number.parse().map_err(|_| wrong())?;
            let millis = match unit {
                "d" => 86_400_000,
                "h" => 3_600_000,
                "m" => 60_000,
                "s" => 1_000,
                "ms" => 1,
                _ => return Err(wrong()),
            };
            total += SignedDuration::from_millis(number.checked_mul(millis).ok_or_else(wrong)?);
        }
        Ok(Length(total))
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        When::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Length::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Times {
    pub(super) fn new(now: Timestamp, named: BTreeMap<String, When>) -> Self {
        Times { now, named }
    }

    /// # Errors
    /// A name that `[times]` lacks, or that leads back to itself.
    pub(super) fn resolve(&self, when: &When) -> Result<Timestamp, String> {
        self.resolve_below(when, self.named.len())
    }

    fn resolve_below(&self, when: &When, names_left: usize) -> Result<Timestamp, String> {
        let base = match &when.base {
            Base::Now => self.now,
            Base::At(at) => *at,
            Base::Named(name) => {
                let named = self.named.get(name).ok_or_else(|| format!("[times] has no `{name}`"))?;
                let names_left = names_left.checked_sub(1).ok_or_else(|| format!("the time `{name}` leads back to itself"))?;
                self.resolve_below(named, names_left)?
            }
        };
        let at = base.checked_add(when.offset).map_err(|error| error.to_string())?;
        match when.time_of_day {
            None => Ok(at),
            Some((hour, minute)) => {
                let at = at.to_zoned_datetime(TimeZone::UTC);
                at.with()
                    .hour(hour.unwrap_or(at.hour()))
                    .minute(minute)
                    .second(0)
                    .subsec_nanosecond(0)
                    .build()
                    .map(|zoned| zoned.timestamp())
                    .map_err(|error| error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<String, String> {
        let named = BTreeMap::from([
            ("failing_since".to_owned(), When::parse("-2d @05:00")?),
            ("circle".to_owned(), When::parse("circle - 1h")?),
        ]);
        let times = Times::new("2026-11-24T09:30:00Z".parse().unwrap(), named);
        Ok(times.resolve(&When::parse(text)?)?.to_string())
    }

    #[test]
    fn times_are_relative_to_now_to_a_name_or_absolute() {
        assert_eq!(resolve("now").unwrap(), "2026-11-24T09:30:00Z");
        assert_eq!(resolve("-3d 2h").unwrap(), "2026-11-21T07:30:00Z");
        assert_eq!(resolve("+4d").unwrap(), "2026-11-28T09:30:00Z");
        assert_eq!(resolve("failing_since - 15m").unwrap(), "2026-11-22T04:45:00Z");
        assert_eq!(resolve("-1d @23:59").unwrap(), "2026-11-23T23:59:00Z");
        assert_eq!(resolve("-50h @:15").unwrap(), "2026-11-22T07:15:00Z");
        assert_eq!(resolve("2026-01-01T00:00:00Z").unwrap(), "2026-01-01T00:00:00Z");
    }

    #[test]
    fn a_time_that_cannot_be_read_says_how_to_write_one() {
        for wrong in ["yesterday!", "-3 days", "- ", "@25", "@:", "nobody"] {
            assert!(resolve(wrong).is_err(), "{wrong}");
        }
        assert_eq!(resolve("circle").unwrap_err(), "the time `circle` leads back to itself");
    }
}
