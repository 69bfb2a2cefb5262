use jiff::{SignedDuration, Timestamp};

use super::{Schedule, ScheduleError};

fn at(text: &str) -> Timestamp {
    let text = if text.len() == 10 { format!("{text}T00:00Z") } else { format!("{text}Z") };
    text.parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn parsed(expression: &str) -> Schedule {
    Schedule::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
}

/// The examples of the User Guide's page on rotation schedules: after Wednesday 1 January 2025, half past midnight.
#[test]
fn the_documented_cron_examples_are_due_when_they_say() {
    for (expression, window, due) in [
        ("cron(0 /8 * * ? *)", 1, ["2025-01-01T08:00", "2025-01-01T16:00", "2025-01-02T00:00"]),
        ("cron(0 8/8 * * ? *)", 1, ["2025-01-01T08:00", "2025-01-01T16:00", "2025-01-02T08:00"]),
        ("cron(0 2/10 * * ? *)", 1, ["2025-01-01T02:00", "2025-01-01T12:00", "2025-01-01T22:00"]),
        ("cron(0 4/12 * * ? *)", 1, ["2025-01-01T04:00", "2025-01-01T16:00", "2025-01-02T04:00"]),
        ("cron(0 10 * * ? *)", 14, ["2025-01-01T10:00", "2025-01-02T10:00", "2025-01-03T10:00"]),
        ("cron(0 18 ? * SAT *)", 6, ["2025-01-04T18:00", "2025-01-11T18:00", "2025-01-18T18:00"]),
        ("cron(0 8 1 * ? *)", 16, ["2025-01-01T08:00", "2025-02-01T08:00", "2025-03-01T08:00"]),
        ("cron(0 1 ? 1/3 SUN#1 *)", 23, ["2025-01-05T01:00", "2025-04-06T01:00", "2025-07-06T01:00"]),
        ("cron(0 17 L * ? *)", 7, ["2025-01-31T17:00", "2025-02-28T17:00", "2025-03-31T17:00"]),
        ("cron(0 8 ? * MON-FRI *)", 16, ["2025-01-01T08:00", "2025-01-02T08:00", "2025-01-03T08:00"]),
        ("cron(0 16 1,15 * ? *)", 8, ["2025-01-01T16:00", "2025-01-15T16:00", "2025-02-01T16:00"]),
        ("cron(0 0 ? * SUN#1 *)", 24, ["2025-01-05", "2025-02-02", "2025-03-02"]),
        ("cron(0 0 1/2 * ? *)", 24, ["2025-01-03", "2025-01-05", "2025-01-07"]),
        ("cron(0 0 ? * 1/2 *)", 24, ["2025-01-02", "2025-01-04", "2025-01-05"]),
        ("cron(0 0 ? * TUE#3 *)", 24, ["2025-01-21", "2025-02-18", "2025-03-18"]),
        ("cron(0 0 SUNL * ? *)", 24, ["2025-01-26", "2025-02-23", "2025-03-30"]),
        ("cron(0 0 ? * 1,4 *)", 24, ["2025-01-05", "2025-01-08", "2025-01-12"]),
        ("cron(0 0 ? * 1-4 *)", 24, ["2025-01-05", "2025-01-06", "2025-01-07"]),
        ("cron(0 0 ? * L *)", 24, ["2025-01-04", "2025-01-11", "2025-01-18"]),
        ("cron(0 0 1 JAN,APR,JUL,OCT ? *)", 24, ["2025-04-01", "2025-07-01", "2025-10-01"]),
        ("cron(0 0 15W * ? *)", 24, ["2025-01-15", "2025-02-14", "2025-03-14"]),
        ("cron(0 0 LW * ? *)", 24, ["2025-01-31", "2025-02-28", "2025-03-31"]),
        ("cron(0 0 ? * fri-mon *)", 24, ["2025-01-03", "2025-01-04", "2025-01-05"]),
        ("  cron(0  0  29  2  ?  *)  ", 24, ["2028-02-29", "2032-02-29", "2036-02-29"]),
    ] {
        let schedule = parsed(expression);
        assert_eq!(schedule.window_length(), hours(window), "{expression}");
        let mut now = at("2025-01-01T00:30");
        for due in due {
            now = schedule.next_due(now).unwrap_or_else(|| panic!("{expression} stops"));
            assert_eq!(now, at(due), "{expression}");
        }
    }
}

/// Reference values in `tests/data/cron-occurrences.txt`: an expression, an instant, and the four occurrences after
/// it, computed by PyPI `pyawscron` 1.0.7 for random fields with
/// `AWSCron.get_next_n_schedule(4, instant + timedelta(minutes=1), expression)`.
#[test]
fn occurrences_agree_with_an_independent_implementation() {
    let mut compared = 0;
    for line in include_str!("../../../tests/data/cron-occurrences.txt").lines() {
        let [expression, after, expected] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let schedule = parsed(&format!("cron({expression})"));
        let mut now: Timestamp = after.parse().unwrap();
        let start = now;
        for expected in expected.split(' ') {
            let expected: Timestamp = expected.parse().unwrap();
            now = schedule.next_due(now).unwrap();
            assert_eq!(now, expected, "{line}");
            compared += 1;
        }
        let mut back = now;
        for _ in 0..3 {
            back = schedule.previous_due(back).unwrap();
            assert!(schedule.next_due(back).unwrap() <= now, "{line}");
        }
        assert!(schedule.previous_due(back).unwrap() <= start, "{line}");
    }
    assert!(compared > 500);
}

#[test]
fn rates_count_from_the_last_rotation() {
    for (expression, window, interval, last, due) in [
        ("rate(1 day)", 24, 24, "2025-03-01T13:45", "2025-03-02"),
        ("rate(10 days)", 24, 240, "2025-03-01T13:45", "2025-03-11"),
        ("rate(999 days)", 24, 999 * 24, "2025-03-01", "2027-11-25"),
        ("rate(4 hours)", 1, 4, "2025-03-01T13:45", "2025-03-01T17:00"),
        ("rate(12 hours)", 1, 12, "2025-03-01T13:00", "2025-03-02T01:00"),
        ("rate(36 hours)", 1, 36, "2024-02-28T13:00", "2024-03-01T01:00"),
    ] {
        let schedule = parsed(expression);
        assert_eq!(schedule.next_due(at(last)), Some(at(due)), "{expression}");
        assert_eq!(schedule.window_length(), hours(window), "{expression}");
        assert_eq!(schedule.interval_hint(at(last)), Some(hours(interval)), "{expression}");
        let before = schedule.previous_due(at(due)).unwrap();
        assert_eq!(schedule.next_due(before), Some(at(due)), "{expression}");
    }
    let yearly = Schedule::every_days(365).unwrap();
    assert_eq!(yearly.next_due(at("2025-03-01T09:00")), Some(at("2026-03-01")));
    assert_eq!(yearly.window_length(), hours(24));
}

#[test]
fn the_previous_window_is_found() {
    for (expression, before, due) in [
        ("cron(0 8 1 * ? *)", "2025-01-01T08:00", "2024-12-01T08:00"),
        ("cron(0 8 1 * ? *)", "2025-01-01T08:01", "2025-01-01T08:00"),
        ("cron(0 8/8 * * ? *)", "2025-01-01T12:00", "2025-01-01T08:00"),
        ("cron(0 8/8 * * ? *)", "2025-01-01T08:00", "2024-12-31T16:00"),
        ("cron(0 5 ? * SUN *)", "2025-11-26T12:00", "2025-11-23T05:00"),
        ("cron(0 0 29 2 ? *)", "2025-01-01", "2024-02-29"),
    ] {
        assert_eq!(parsed(expression).previous_due(at(before)), Some(at(due)), "{expression}");
    }
}

#[test]
fn a_schedule_that_never_fires_is_recognised() {
    for expression in ["cron(0 0 31 2 ? *)", "cron(0 0 30 FEB ? *)", "cron(0 0 31 4,6,9,11 ? *)", "cron(0 0 31W 2 ? *)"] {
        let schedule = parsed(expression);
        assert!(!schedule.fires_ever(at("2025-01-01")), "{expression}");
        assert_eq!(schedule.previous_due(at("2025-01-01")), None, "{expression}");
        assert_eq!(schedule.interval_hint(at("2025-01-01")), None, "{expression}");
    }
    // The fifth Friday of February: a leap year whose 29 February is one.
    let rare = parsed("cron(0 0 ? 2 FRI#5 *)");
    assert_eq!(rare.next_due(at("2025-01-01")), Some(at("2036-02-29")));
    assert_eq!(rare.previous_due(at("2036-02-29")), Some(at("2008-02-29")));
    // The longest time there is without one.
    let rarest = parsed("cron(0 0 ? 2 MON#5 *)");
    assert_eq!(rarest.next_due(at("2072-03-01")), Some(at("2112-02-29")));
}

#[test]
fn the_typical_interval_of_a_cron_expression_is_known() {
    for (expression, least, most) in [
        ("cron(0 10 * * ? *)", 24, 24),
        ("cron(0 8/8 * * ? *)", 11, 13),
        ("cron(0 18 ? * SAT *)", 168, 168),
        ("cron(0 8 1 * ? *)", 28 * 24, 31 * 24),
        ("cron(0 8 ? * MON-FRI *)", 24, 48),
    ] {
        let hint = parsed(expression).interval_hint(at("2025-01-01")).unwrap();
        assert!(hours(least) <= hint && hint <= hours(most), "{expression}: {hint}");
    }
}

#[test]
fn a_duration_sets_the_window_within_its_limits() {
    for (expression, duration, accepted) in [
        ("rate(10 days)", "3h", true),
        ("rate(10 days)", "24h", true),
        ("rate(10 days)", "25h", false),
        ("rate(4 hours)", "4h", true),
        ("rate(4 hours)", "5h", false),
        ("cron(0 22 * * ? *)", "2h", true),
        ("cron(0 22 * * ? *)", "3h", false),
        ("cron(0 2/10 * * ? *)", "2h", true),
        ("cron(0 2/10 * * ? *)", "3h", false),
        ("cron(0 /8 * * ? *)", "8h", true),
        ("cron(0 /8 * * ? *)", "9h", false),
    ] {
        let window = parsed(expression).with_duration(duration).map(|schedule| schedule.window_length());
        let expected = duration.trim_end_matches('h').parse().unwrap();
        match accepted {
            true => assert_eq!(window, Ok(hours(expected)), "{expression} {duration}"),
            false => assert_eq!(window, Err(ScheduleError::WindowTooLong), "{expression} {duration}"),
        }
    }
    for duration in ["", "h", "3", "0h", "-1h", "+1h", "3 h", "3H", "100h", "PT3H"] {
        let refused = parsed("rate(10 days)").with_duration(duration).unwrap_err();
        assert_eq!(refused, ScheduleError::DurationMalformed, "{duration}");
    }
}

#[test]
fn what_secrets_manager_refuses_is_refused() {
    let malformed = ScheduleError::Malformed { reason: String::new() };
    for (expression, error) in [
        ("rate(3 hours)", ScheduleError::TooOften),
        ("rate(0 days)", ScheduleError::TooOften),
        ("rate(1001 days)", ScheduleError::TooRare),
        ("cron(0 0/2 * * ? *)", ScheduleError::TooOften),
        ("cron(0 * * * ? *)", ScheduleError::TooOften),
        ("cron(0 2,23 * * ? *)", ScheduleError::TooOften),
        ("cron(0 2,23 ? * FRI,SAT *)", ScheduleError::TooOften),
        ("cron(0 1,2 29 2 ? *)", ScheduleError::TooOften),
        ("cron(15 0 * * ? *)", ScheduleError::MinutesNotZero),
        ("cron(* 0 * * ? *)", ScheduleError::MinutesNotZero),
        ("cron(0 0 1 1 ? 2030)", ScheduleError::YearNotEvery),
        ("", malformed.clone()),
        ("daily", malformed.clone()),
        ("rate()", malformed.clone()),
        ("rate(ten days)", malformed.clone()),
        ("rate(10)", malformed.clone()),
        ("rate(10 weeks)", malformed.clone()),
        ("rate(10 days", malformed.clone()),
        ("cron(0 0 * * *)", malformed.clone()),
        ("cron(0 0 * * * *)", malformed.clone()),
        ("cron(0 0 ? * ? *)", malformed.clone()),
        ("cron(0 0 1 * MON *)", malformed.clone()),
        ("cron(0 24 * * ? *)", malformed.clone()),
        ("cron(0 0 32 * ? *)", malformed.clone()),
        ("cron(0 0 0 * ? *)", malformed.clone()),
        ("cron(0 0 1 13 ? *)", malformed.clone()),
        ("cron(0 0 1 MON ? *)", malformed.clone()),
        ("cron(0 0 ? * JAN *)", malformed.clone()),
        ("cron(0 0 ? * 0 *)", malformed.clone()),
        ("cron(0 0 ? * 8 *)", malformed.clone()),
        ("cron(0 0 ? * MON#6 *)", malformed.clone()),
        ("cron(0 0 1,,2 * ? *)", malformed.clone()),
        ("cron(0 0 1/0 * ? *)", malformed.clone()),
        ("cron(0 0 1#2 * ? *)", malformed.clone()),
        ("cron(0 \u{e4} L * ? *)", malformed.clone()),
        ("cron(@yearly 0 1 1 ? *)", ScheduleError::MinutesNotZero),
    ] {
        let refused = Schedule::parse(expression).unwrap_err();
        let same = std::mem::discriminant(&refused) == std::mem::discriminant(&error);
        assert!(same, "{expression}: {refused:?}");
        assert!(!refused.to_string().is_empty());
    }
    assert_eq!(Schedule::every_days(0).unwrap_err(), ScheduleError::TooOften);
    assert_eq!(Schedule::every_days(1001).unwrap_err(), ScheduleError::TooRare);
    // Two windows in three hours, but never in two days that follow each other.
    assert!(Schedule::parse("cron(0 2,23 ? * MON *)").is_ok());
}

#[test]
fn no_expression_breaks_the_parser() {
    let pieces = [
        "rate(", "cron(", "0", "*", "?", "L", "W", "#", "/", "-", ",", "1", "31", "SUN", "FEB", " ", "255", "65536", ")",
        "\u{e4}", "2-1", "/4",
    ];
    for seed in 0..40_000_usize {
        let text: String =
            (0_u32..9).map(|step| pieces[(seed.wrapping_mul(2_654_435_761) >> (step * 3)) % pieces.len()]).collect();
        for expression in [text.clone(), format!("cron(0 {text} * ? *)"), format!("cron(0 4 ? * {text} *)")] {
            if let Ok(schedule) = Schedule::parse(&expression) {
                assert!(schedule.window_length() >= hours(1), "{expression}");
            }
        }
    }
}
