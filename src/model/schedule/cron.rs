//! Days and hours of an AWS cron expression.
//!
//! The crate `croner` knows which days a pattern means; its own search is not used, because it walks to the year 5000
//! before it gives up on a day that does not exist.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use croner::time::Weekday;
use jiff::civil::Date;

/// How far a search goes, in days. The rarest day a pattern can mean, the fifth occurrence of a given weekday in
/// February, comes every 28 years, or after 40 where a century's leap year is left out.
const SEARCHED_DAYS: usize = 41 * 366;

/// Names of the days of the week, in AWS's order: `SUN` is 1.
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// The days on which a cron expression fires.
#[derive(Debug, Clone)]
pub(super) struct CronDays(Cron);

impl CronDays {
    /// The days, and the hours (0 to 23, ascending) of each; or what is wrong with the fields.
    pub(super) fn parse(hours: &str, day_of_month: &str, month: &str, day_of_week: &str) -> Result<(CronDays, Vec<i8>), String> {
        let (day_of_month, day_of_week) = (day_of_month.to_ascii_uppercase(), day_of_week.to_ascii_uppercase());
        // AWS documents `SUNL`, the last Sunday of the month, for the day of the month.
        let (day_of_month, day_of_week) = match (day_of_month.strip_suffix('L'), day_of_week.as_str()) {
            (Some(weekday), "?") if WEEKDAYS.contains(&weekday) => ("?".to_owned(), day_of_month),
            _ => (day_of_month, day_of_week),
        };
        if (day_of_month == "?") == (day_of_week == "?") {
            return Err("exactly one of day of month and day of week must be ?".to_owned());
        }
        let fields = [
            "0".to_owned(),
            "0".to_owned(),
            canonical(hours, 0, 23, &[], "")?,
            canonical(&day_of_month, 1, 31, &[], "LW?")?,
            canonical(&month.to_ascii_uppercase(), 1, 12, &MONTHS, "")?,
            canonical(&day_of_week, 1, 7, &WEEKDAYS, "L#?")?,
            "*".to_owned(),
        ];
        let cron = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .alternative_weekdays(true)
            .build()
            .parse(&fields.join(" "))
            .map_err(|error| error.to_string())?;
        let hours = cron.pattern.hours.values();
        let hours = hours.into_iter().filter_map(|hour| i8::try_from(hour).ok()).collect();
        Ok((CronDays(cron), hours))
    }

    /// The days from `first` on, as far as is searched.
    pub(super) fn from(&self, first: Date) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(SEARCHED_DAYS).filter(|day| self.contains(*day))
    }

    /// The days from `last` back, as far as is searched.
    pub(super) fn back_from(&self, last: Date) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(last), |day| day.yesterday().ok()).take(SEARCHED_DAYS).filter(|day| self.contains(*day))
    }

    /// Whether it ever fires on two days in a row. The four years that are looked at hold every month at every length.
    pub(super) fn has_neighbours(&self) -> bool {
        let days: Vec<Date> = self.from(jiff::civil::date(2024, 1, 1)).take_while(|day| day.year() < 2028).collect();
        days.iter().zip(days.iter().skip(1)).any(|(day, next)| day.tomorrow().ok() == Some(*next))
    }

    fn contains(&self, day: Date) -> bool {
        let weekday = u32::from(day.weekday().to_sunday_zero_offset().unsigned_abs());
        let month = u32::from(day.month().unsigned_abs());
        let day_of_month = u32::from(day.day().unsigned_abs());
        self.0.pattern.month_match(month).unwrap_or(false)
            && self
                .0
                .pattern
                .day_match(day.year().into(), month, day_of_month, Weekday::from_days_from_sunday(weekday))
                .unwrap_or(false)
    }
}

/// A field in the form that `croner` reads: names as numbers, every range within its limits and spelled out. AWS also
/// allows `/8` and `2/10`, and a range over the end, `FRI-MON`.
fn canonical(field: &str, least: u8, most: u8, names: &[&str], special: &str) -> Result<String, String> {
    let wrong = || format!("{field} is no value between {least} and {most}");
    let number = |text: &str| -> Result<u8, String> {
        let named = names.iter().position(|name| *name == text);
        let number = match named {
            Some(index) => u8::try_from(index + 1).ok(),
            None => text.parse().ok(),
        };
        number.filter(|number| (least..=most).contains(number)).ok_or_else(wrong)
    };
    let item = |item: &str| -> Result<String, String> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u8>().ok().filter(|step| *step > 0).ok_or_else(wrong)?)),
            None => (item, None),
        };
        let last = most.to_string();
        match (range, range.split_once('-'), step) {
            ("*", _, None) => Ok("*".to_owned()),
            ("*" | "", _, Some(step)) => Ok(format!("{least}-{last}/{step}")),
            (_, Some((from, to)), step) => {
                let (from, to) = (number(from)?, number(to)?);
                let step = step.unwrap_or(1);
                if from <= to {
                    Ok(format!("{from}-{to}/{step}"))
                } else {
                    // Counted on over the end: 22-4/3 is 22, 1, 4.
                    let span = u16::from(most - least) + 1;
                    let over = (u16::from(from)..=u16::from(to) + span).step_by(step.into());
                    let values = over.map(|value| if value > u16::from(most) { value - span } else { value });
                    Ok(values.map(|value| value.to_string()).collect::<Vec<_>>().join(","))
                }
            }
            (from, None, Some(step)) => Ok(format!("{}-{last}/{step}", number(from)?)),
            (value, None, None) => match value.split_once('#') {
                Some((day, nth)) if special.contains('#') && matches!(nth, "1" | "2" | "3" | "4" | "5") => {
                    Ok(format!("{}#{nth}", number(day)?))
                }
                _ => match value.chars().last().filter(|last| special.contains(*last)) {
                    Some('?') if value == "?" => Ok("*".to_owned()),
                    // The last day of the week, or of the month.
                    Some('L') if value == "L" && special.contains('#') => Ok(last),
                    Some('L') if value == "L" => Ok("L".to_owned()),
                    Some('W') if value == "LW" => Ok("LW".to_owned()),
                    Some('L') if special.contains('#') => Ok(format!("{}L", number(value.trim_end_matches('L'))?)),
                    Some('W') => Ok(format!("{}W", number(value.trim_end_matches('W'))?)),
                    _ => Ok(number(value)?.to_string()),
                },
            },
        }
    };
    let items = field.split(',').map(item).collect::<Result<Vec<_>, _>>()?;
    Ok(items.join(","))
}
