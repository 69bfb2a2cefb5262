//! When a rotation is due, and since when it is overdue.

use crate::model::{DueDates, RotationRules, Schedule, ScheduleError};
use jiff::{SignedDuration, Timestamp};

/// What decides when a rotation is due.
pub(super) struct Basis<'a> {
    pub(super) enabled: bool,
    pub(super) rules: Option<&'a RotationRules>,
    pub(super) last_rotated_at: Option<Timestamp>,
    pub(super) next_rotation_at: Option<Timestamp>,
    pub(super) created_at: Option<Timestamp>,
}

/// What the schedule means at `now`.
///
/// Whether a rotation is overdue is read off the date Secrets Manager gives, not computed: a value put by hand moves it,
/// and so does enabling rotation between two windows. The schedule tells when the window of that date opened and closes.
pub(super) fn due(basis: &Basis<'_>, now: Timestamp) -> DueDates {
    let mut due = DueDates::default();
    let (true, Some(rules)) = (basis.enabled, basis.rules) else { return due };
    let schedule = match schedule(rules) {
        Some(Ok(schedule)) => Some(schedule),
        Some(Err(error)) => {
            due.invalid = Some(error.to_string());
            None
        }
        None => None,
    };
    due.never_fires = schedule.as_ref().is_some_and(|schedule| !schedule.fires_ever(now));
    let due_after_last = || schedule.as_ref()?.next_due(basis.last_rotated_at?);
    let length = schedule.as_ref().map_or(SignedDuration::from_hours(24), Schedule::window_length);
    let Some(end) = basis.next_rotation_at.or_else(|| due_after_last()?.checked_add(length).ok()) else { return due };
    let start = match &schedule {
        // Where the date is the window's beginning, that window is meant.
        Some(schedule) if is_cron(rules) => {
            end.checked_add(SignedDuration::from_secs(1)).ok().and_then(|after| schedule.previous_due(after))
        }
        _ => end.checked_sub(length).ok(),
    }
    .unwrap_or(end);
    if start > now {
        due.next = Some(start);
        due.previous = schedule.as_ref().and_then(|schedule| schedule.previous_due(start));
        return due;
    }
    due.previous = Some(start);
    let is_rotated = basis.last_rotated_at.or(basis.created_at).is_some_and(|at| at >= start);
    due.overdue_since = closes(end, start, rules, length).filter(|closed| *closed < now && !is_rotated);
    due
}

/// When the window closes that `named`, the date Secrets Manager gives, lies in.
///
/// That date may be the window's end or its beginning, so a whole window is waited for: one too early is a false alarm.
/// Source: Secrets Manager API reference, `DescribeSecret` ("on or before this date"); User Guide, "Rotation schedules" (a
/// schedule in days without a duration has the UTC day as its window).
fn closes(named: Timestamp, opened: Timestamp, rules: &RotationRules, length: SignedDuration) -> Option<Timestamp> {
    const DAY: i64 = 86_400;
    if is_cron(rules) {
        return opened.checked_add(length).ok().map(|closed| closed.max(named));
    }
    if rules.duration.is_some() || length < SignedDuration::from_secs(DAY) {
        return named.checked_add(length).ok();
    }
    Timestamp::from_second(named.as_second().div_euclid(DAY).saturating_mul(DAY).saturating_add(DAY - 1)).ok()
}

fn schedule(rules: &RotationRules) -> Option<Result<Schedule, ScheduleError>> {
    let schedule = match (&rules.schedule_expression, rules.automatically_after_days) {
        (Some(expression), _) => Schedule::parse(expression),
        (None, Some(days)) => Schedule::every_days(u32::try_from(days).unwrap_or_default()),
        (None, None) => return None,
    };
    Some(match &rules.duration {
        Some(duration) => schedule.and_then(|schedule| schedule.with_duration(duration)),
        None => schedule,
    })
}

fn is_cron(rules: &RotationRules) -> bool {
    rules.schedule_expression.as_deref().is_some_and(|text| text.starts_with("cron("))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due_at(now: &str, next: &str, last: &str, rules: &RotationRules) -> DueDates {
        let at = |text: &str| text.parse::<Timestamp>().ok();
        let basis = Basis {
            enabled: true,
            rules: Some(rules),
            last_rotated_at: at(last),
            next_rotation_at: at(next),
            created_at: at("2025-01-01T00:00:00Z"),
        };
        due(&basis, now.parse().unwrap())
    }

    #[test]
    fn a_rotation_is_overdue_only_after_its_window_has_closed_without_one() {
        let days = RotationRules { automatically_after_days: Some(30), schedule_expression: None, duration: None };
        let end = "2026-03-10T23:59:59Z";
        let open = due_at("2026-03-10T12:00:00Z", end, "2026-02-08T03:00:00Z", &days);
        assert_eq!(open.overdue_since, None);
        let closed = due_at("2026-03-11T00:00:00Z", end, "2026-02-08T03:00:00Z", &days);
        assert_eq!(closed.overdue_since, end.parse().ok());
        let rotated = due_at("2026-03-11T00:00:00Z", end, "2026-03-10T03:00:00Z", &days);
        assert_eq!(rotated.overdue_since, None);
    }

    fn rules(expression: &str, duration: Option<&str>) -> RotationRules {
        let duration = duration.map(str::to_owned);
        RotationRules { automatically_after_days: None, schedule_expression: Some(expression.to_owned()), duration }
    }

    #[test]
    fn the_window_of_a_cron_schedule_opens_at_its_hour() {
        let mondays = rules("cron(0 8 ? * MON *)", Some("3h"));
        let due = due_at("2026-03-10T12:00:00Z", "2026-03-09T23:59:59Z", "2026-03-02T08:10:00Z", &mondays);
        assert_eq!(due.previous, "2026-03-09T08:00:00Z".parse().ok());
        assert_eq!(due.overdue_since, "2026-03-09T23:59:59Z".parse().ok());
    }

    #[test]
    fn a_date_that_is_the_beginning_of_a_window_is_overdue_when_that_window_has_closed() {
        let overdue =
            |now: &str, next: &str, rules: &RotationRules| due_at(now, next, "2026-01-02T08:10:00Z", rules).overdue_since;
        let mondays = rules("cron(0 8 ? * MON *)", Some("3h"));
        assert_eq!(overdue("2026-03-09T10:59:00Z", "2026-03-09T08:00:00Z", &mondays), None);
        assert_eq!(overdue("2026-03-09T11:01:00Z", "2026-03-09T08:00:00Z", &mondays), "2026-03-09T11:00:00Z".parse().ok());
        let weekly = rules("rate(7 days)", Some("24h"));
        assert_eq!(overdue("2026-03-10T01:00:00Z", "2026-03-09T02:00:00Z", &weekly), None);
        assert!(overdue("2026-03-10T02:01:00Z", "2026-03-09T02:00:00Z", &weekly).is_some());
        let whole_day = rules("rate(7 days)", None);
        assert_eq!(overdue("2026-03-09T23:00:00Z", "2026-03-09T02:00:00Z", &whole_day), None);
        assert!(overdue("2026-03-10T00:00:00Z", "2026-03-09T02:00:00Z", &whole_day).is_some());
        assert!(overdue("2026-03-09T06:00:00Z", "2026-03-09T04:00:00Z", &rules("rate(8 hours)", None)).is_some());
    }

    #[test]
    fn a_rotation_done_early_and_a_date_moved_by_hand_are_not_overdue() {
        let days = rules("rate(30 days)", None);
        let moved = due_at("2026-03-20T12:00:00Z", "2026-04-10T23:59:59Z", "2026-02-08T03:00:00Z", &days);
        assert_eq!(moved.overdue_since, None);
        assert!(moved.next.is_some_and(|next| next < "2026-04-10T23:59:59Z".parse().unwrap()));
    }

    #[test]
    fn a_schedule_that_is_none_says_why() {
        let due =
            due_at("2026-03-10T12:00:00Z", "2026-03-20T23:59:59Z", "2026-03-02T08:10:00Z", &rules("cron(5 8 ? * MON *)", None));
        assert!(due.invalid.is_some());
    }
}
