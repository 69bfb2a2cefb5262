//! When Secrets Manager rotates a secret.
//!
//! Source of the rules: Secrets Manager User Guide, "Rotation schedules", and API Reference, `RotationRulesType`.
//! All times are UTC. A rotation happens at some moment within a window, so nothing is late before its window closes.

mod cron;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use cron::CronDays;

/// The shortest interval between two rotations, in hours.
const LEAST_HOURS: i64 = 4;
/// The longest interval, in days: the API's limit for `AutomaticallyAfterDays`, one more than the User Guide says of rates.
const MAX_DAYS: i64 = 1000;
const HOURS_PER_DAY: i64 = 24;

/// Why an expression is no rotation schedule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// It is neither a valid `rate(…)` nor a valid `cron(…)`.
    #[error("the schedule expression is malformed: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// Rotations would follow each other in less than four hours.
    #[error("the schedule rotates more often than every four hours")]
    TooOften,
    /// Rotations would be more than 1000 days apart.
    #[error("the schedule rotates less often than every 1000 days")]
    TooRare,
    /// A cron expression's minutes are not `0`: windows open on the hour.
    #[error("the minutes of the schedule's cron expression must be 0")]
    MinutesNotZero,
    /// A cron expression's year is not `*`.
    #[error("the year of the schedule's cron expression must be *")]
    YearNotEvery,
    /// The `Duration` is not a number of hours such as `3h`.
    #[error("the rotation window's duration is malformed, it should read like 3h")]
    DurationMalformed,
    /// The window would reach into the next UTC day or into the next window.
    #[error("the rotation window reaches into the next day or the next window")]
    WindowTooLong,
}

/// A rotation schedule: when windows open, and for how long.
#[derive(Debug, Clone)]
pub struct Schedule {
    rhythm: ScheduleKind,
    duration: Option<SignedDuration>,
}

#[derive(Debug, Clone)]
enum ScheduleKind {
    /// A number of days after the last rotation, at midnight.
    Days(i64),
    /// A number of hours after the last rotation's window.
    Hours(i64),
    /// Fixed hours of fixed days.
    Cron { days: Box<CronDays>, hours: Vec<i8> },
}

impl Schedule {
    /// Reads a `ScheduleExpression`: `rate(10 days)`, `rate(4 hours)`, `cron(0 8 1 * ? *)`.
    ///
    /// # Errors
    /// [`ScheduleError`] for whatever Secrets Manager documents as not allowed.
    pub fn parse(expression: &str) -> Result<Schedule, ScheduleError> {
        let expression = expression.trim();
        let rhythm = if let Some(rate) = enclosed(expression, "rate(") {
            parse_rate(rate)?
        } else if let Some(fields) = enclosed(expression, "cron(") {
            parse_cron(fields)?
        } else {
            return Err(malformed("it must be rate(…) or cron(…)"));
        };
        Ok(Schedule { rhythm, duration: None })
    }

    /// The schedule of `AutomaticallyAfterDays`, which Secrets Manager treats as a rate in days.
    ///
    /// # Errors
    /// [`ScheduleError::TooOften`] for zero, [`ScheduleError::TooRare`] for more than 1000 days.
    pub fn every_days(days: u32) -> Result<Schedule, ScheduleError> {
        Ok(Schedule { rhythm: days_rhythm(days.into())?, duration: None })
    }

    /// The same schedule with the window of a `Duration` such as `3h`.
    ///
    /// # Errors
    /// When the duration is malformed, or the window would reach into the next UTC day or the next window.
    pub fn with_duration(self, duration: &str) -> Result<Schedule, ScheduleError> {
        let hours: i64 = duration
            .strip_suffix('h')
            .filter(|digits| digits.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .filter(|hours| *hours > 0)
            .ok_or(ScheduleError::DurationMalformed)?;
        if hours > self.hours_until_next() {
            return Err(ScheduleError::WindowTooLong);
        }
        Ok(Schedule { duration: Some(SignedDuration::from_hours(hours)), ..self })
    }

    /// When the first window after `after` opens; `None` for a schedule that never fires.
    ///
    /// For a rate, `after` is the last rotation: what is due is counted from it, so the answer may lie days ahead. For
    /// a cron expression, it is any instant.
    #[must_use]
    pub fn next_due(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.rhythm {
            ScheduleKind::Days(days) => midnight(after)?.checked_add(SignedDuration::from_hours(days * HOURS_PER_DAY)).ok(),
            ScheduleKind::Hours(hours) => full_hour(after)?.checked_add(SignedDuration::from_hours(*hours)).ok(),
            ScheduleKind::Cron { days, hours } => days
                .from(date(after))
                .flat_map(|day| hours.iter().map(move |hour| (day, *hour)))
                .filter_map(|(day, hour)| instant(day, hour))
                .find(|due| *due > after),
        }
    }

    /// When the last window before `before` opened; `None` for a schedule that never fires.
    ///
    /// For a rate, `before` is a rotation or its due time, and the answer lies one interval earlier.
    #[must_use]
    pub fn previous_due(&self, before: Timestamp) -> Option<Timestamp> {
        match &self.rhythm {
            ScheduleKind::Days(days) => midnight(before)?.checked_sub(SignedDuration::from_hours(days * HOURS_PER_DAY)).ok(),
            ScheduleKind::Hours(hours) => full_hour(before)?.checked_sub(SignedDuration::from_hours(*hours)).ok(),
            ScheduleKind::Cron { days, hours } => days
                .back_from(date(before))
                .flat_map(|day| hours.iter().rev().map(move |hour| (day, *hour)))
                .filter_map(|(day, hour)| instant(day, hour))
                .find(|due| *due < before),
        }
    }

    /// How long a window stays open: the `Duration`, else one hour for a schedule in hours, and the rest of the UTC day
    /// for a schedule in days.
    #[must_use]
    pub fn window_length(&self) -> SignedDuration {
        let default = match &self.rhythm {
            ScheduleKind::Days(_) => HOURS_PER_DAY,
            ScheduleKind::Hours(_) => 1,
            ScheduleKind::Cron { hours, .. } => match hours.as_slice() {
                [hour] => HOURS_PER_DAY - i64::from(*hour),
                _ => 1,
            },
        };
        self.duration.unwrap_or(SignedDuration::from_hours(default))
    }

    /// Whether a window will ever open after `after`.
    #[must_use]
    pub fn fires_ever(&self, after: Timestamp) -> bool {
        self.next_due(after).is_some()
    }

    /// The typical span between two windows, seen from `from`: exact for a rate, the mean of the next ones for a cron
    /// expression. `None` where it does not fire twice.
    #[must_use]
    pub fn interval_hint(&self, from: Timestamp) -> Option<SignedDuration> {
        /// Two years of a schedule in months, a month of one in days.
        const WINDOWS: i32 = 24;
        match &self.rhythm {
            ScheduleKind::Days(days) => Some(SignedDuration::from_hours(days * HOURS_PER_DAY)),
            ScheduleKind::Hours(hours) => Some(SignedDuration::from_hours(*hours)),
            ScheduleKind::Cron { .. } => {
                let first = self.next_due(from)?;
                let (last, spans) = std::iter::successors(Some(first), |due| self.next_due(*due)).zip(0..WINDOWS).last()?;
                (spans > 0).then(|| last.duration_since(first) / spans)
            }
        }
    }

    /// The longest window Secrets Manager accepts, in hours: to the next window, or to the end of the day.
    fn hours_until_next(&self) -> i64 {
        match &self.rhythm {
            ScheduleKind::Days(_) => HOURS_PER_DAY,
            ScheduleKind::Hours(hours) => (*hours).min(HOURS_PER_DAY),
            ScheduleKind::Cron { hours, .. } => {
                let last = hours.last().map_or(0, |hour| i64::from(*hour));
                let to_midnight = HOURS_PER_DAY - last;
                gaps(hours).min().map_or(to_midnight, |gap| gap.min(to_midnight))
            }
        }
    }
}

fn malformed(reason: impl Into<String>) -> ScheduleError {
    ScheduleError::Malformed { reason: reason.into() }
}

fn enclosed<'e>(expression: &'e str, opening: &str) -> Option<&'e str> {
    expression.strip_prefix(opening)?.strip_suffix(')')
}

fn days_rhythm(days: i64) -> Result<ScheduleKind, ScheduleError> {
    match days {
        ..=0 => Err(ScheduleError::TooOften),
        1..=MAX_DAYS => Ok(ScheduleKind::Days(days)),
        _ => Err(ScheduleError::TooRare),
    }
}

fn parse_rate(rate: &str) -> Result<ScheduleKind, ScheduleError> {
    let mut words = rate.split_ascii_whitespace();
    let (Some(value), Some(unit), None) = (words.next(), words.next(), words.next()) else {
        return Err(malformed("a rate is a number and a unit"));
    };
    let value: i64 = value.parse().map_err(|_| malformed("a rate starts with a whole number"))?;
    match unit {
        "day" | "days" => days_rhythm(value),
        "hour" | "hours" if value < LEAST_HOURS => Err(ScheduleError::TooOften),
        "hour" | "hours" if value > MAX_DAYS * HOURS_PER_DAY => Err(ScheduleError::TooRare),
        "hour" | "hours" => Ok(ScheduleKind::Hours(value)),
        _ => Err(malformed("a rate is in hours or days")),
    }
}

fn parse_cron(fields: &str) -> Result<ScheduleKind, ScheduleError> {
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let [minutes, hours, day_of_month, month, day_of_week, year] = fields.as_slice() else {
        return Err(malformed("a cron expression has six fields"));
    };
    if *minutes != "0" {
        return Err(ScheduleError::MinutesNotZero);
    }
    if *year != "*" {
        return Err(ScheduleError::YearNotEvery);
    }
    let (days, hours) = CronDays::parse(hours, day_of_month, month, day_of_week).map_err(malformed)?;
    let over_midnight = hours.first().zip(hours.last()).map(|(first, last)| HOURS_PER_DAY - i64::from(*last) + i64::from(*first));
    let shortest = gaps(&hours).chain(over_midnight.filter(|gap| *gap < LEAST_HOURS && days.has_neighbours())).min();
    if shortest.is_some_and(|gap| gap < LEAST_HOURS) {
        return Err(ScheduleError::TooOften);
    }
    Ok(ScheduleKind::Cron { days: Box::new(days), hours })
}

/// Hours between the windows of a day.
fn gaps(hours: &[i8]) -> impl Iterator<Item = i64> {
    hours.iter().zip(hours.iter().skip(1)).map(|(earlier, later)| i64::from(later - earlier))
}

fn date(at: Timestamp) -> jiff::civil::Date {
    TimeZone::UTC.to_datetime(at).date()
}

fn instant(day: jiff::civil::Date, hour: i8) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(day.at(hour, 0, 0, 0)).ok()
}

fn midnight(at: Timestamp) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(date(at).to_datetime(Time::midnight())).ok()
}

fn full_hour(at: Timestamp) -> Option<Timestamp> {
    instant(date(at), TimeZone::UTC.to_datetime(at).hour())
}

#[cfg(test)]
mod tests;
