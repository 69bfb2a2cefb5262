//! Step 2: does the secret rotate, how, when; is it overdue. It asks nothing of its own: DescribeSecret has told it all.

use super::{Context, Seen, secret, text};
use crate::aws::Asker;
use crate::model::{DueDates, RotationConfig, RotationRules};
use jiff::{SignedDuration, Timestamp};

pub(super) async fn collect(cx: &Context<'_>, asker: &Asker, is_described_by_step_1: bool) -> Seen<RotationConfig> {
    if !is_described_by_step_1 {
        cx.board.subject.fill(secret::subject(cx, asker).await);
    }
    let config = cx.board.subject.get().await.map(|described| described.config.clone());
    let summary = config.found().map(|config| summary(config, cx.now)).unwrap_or_default();
    Seen { observation: config, window: None, summary }
}

/// What decides when a rotation is due.
pub(super) struct Basis<'a> {
    pub(super) enabled: bool,
    pub(super) rules: Option<&'a RotationRules>,
    pub(super) last_rotated_at: Option<Timestamp>,
    pub(super) next_rotation_at: Option<Timestamp>,
    pub(super) created_at: Option<Timestamp>,
}

/// What the schedule means at `now`.
pub(super) fn due(basis: &Basis<'_>, now: Timestamp) -> DueDates {
    let mut due = DueDates::default();
    let (true, Some(rules), Some(end)) = (basis.enabled, basis.rules, basis.next_rotation_at) else { return due };
    let start = end.checked_sub(window_length(rules)).unwrap_or(Timestamp::MIN);
    if end > now {
        due.next = Some(start);
        return due;
    }
    // Secrets Manager gives the end of the window, so once it has passed the window has closed.
    due.previous = Some(start);
    let is_rotated = basis.last_rotated_at.or(basis.created_at).is_some_and(|at| at >= start);
    due.overdue_since = Some(end).filter(|_| !is_rotated);
    due
}

/// How long a rotation window is.
///
/// Source: Secrets Manager User Guide, "Rotation schedules": `Duration`, else an hour for a schedule in hours, else the
/// rest of the UTC day.
fn window_length(rules: &RotationRules) -> SignedDuration {
    let hours = rules.duration.as_deref().and_then(|text| text.trim().trim_end_matches('h').parse::<i64>().ok());
    let is_hourly = rules.schedule_expression.as_deref().is_some_and(|text| text.starts_with("rate(") && text.contains("hour"));
    SignedDuration::from_hours(hours.unwrap_or(if is_hourly { 1 } else { 24 }))
}

fn summary(config: &RotationConfig, now: Timestamp) -> String {
    let mut parts = Vec::new();
    parts.push(match config.enabled {
        Some(true) => "rotation is on".to_owned(),
        Some(false) => "rotation is off".to_owned(),
        None => "rotation was never configured".to_owned(),
    });
    if let Some(rules) = &config.rules {
        match (&rules.schedule_expression, rules.automatically_after_days) {
            (Some(expression), _) => parts.push(expression.clone()),
            (None, Some(1)) => parts.push("every day".to_owned()),
            (None, Some(days)) => parts.push(format!("every {days} days")),
            (None, None) => {}
        }
    }
    match config.last_rotated_at {
        Some(at) => parts.push(format!("last rotated {} ({} ago)", text::moment(at), age(now.duration_since(at)))),
        None if config.enabled.is_some() => parts.push("never rotated".to_owned()),
        None => {}
    }
    if let Some(why) = &config.due.invalid {
        parts.push(format!("the schedule is invalid: {why}"));
    }
    if config.due.never_fires {
        parts.push("the schedule never comes due".to_owned());
    }
    if let Some(since) = config.due.overdue_since {
        parts.push(format!("overdue since {}", text::moment(since)));
    } else if let Some(next) = config.due.next {
        parts.push(format!("next due {}", text::moment(next)));
    }
    parts.join(", ")
}

fn age(length: SignedDuration) -> String {
    match length.as_hours() {
        ..1 => format!("{} min", length.as_mins().max(0)),
        hours @ 1..48 => format!("{hours} h"),
        hours => format!("{} d", hours / 24),
    }
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

    #[test]
    fn a_schedule_in_hours_has_a_window_of_one_hour_unless_it_says_otherwise() {
        let rules = |expression: &str, duration: Option<&str>| RotationRules {
            automatically_after_days: None,
            schedule_expression: Some(expression.to_owned()),
            duration: duration.map(str::to_owned),
        };
        for (expression, duration, hours) in
            [("rate(4 hours)", None, 1), ("rate(10 days)", None, 24), ("cron(0 8 ? * MON *)", Some("3h"), 3)]
        {
            assert_eq!(window_length(&rules(expression, duration)), SignedDuration::from_hours(hours), "{expression}");
        }
    }
}
