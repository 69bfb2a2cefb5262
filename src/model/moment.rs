//! A moment as people on call read it: in UTC, with the weekday.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The form of `strftime` of a moment whose year goes without saying: `Sun 22 Nov 05:00 UTC`.
pub const MOMENT: &str = "%a %-d %b %H:%M UTC";

/// The form of `strftime` in which `at` is told: [`MOMENT`], with the year where it is not the year of `now`.
#[must_use]
pub fn moment_form(at: Timestamp, now: Timestamp) -> &'static str {
    let year = |at: Timestamp| at.to_zoned_datetime(TimeZone::UTC).year();
    if year(at) == year(now) { MOMENT } else { "%a %-d %b %Y %H:%M UTC" }
}

/// `Sun 22 Nov 05:00 UTC`; with the year where it is not the year of `now`.
#[must_use]
pub fn moment(at: Timestamp, now: Timestamp) -> String {
    at.strftime(moment_form(at, now)).to_string()
}
