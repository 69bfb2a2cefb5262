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
    if !basis.enabled {
        return due;
    }
    due.next = basis.next_rotation_at.filter(|at| *at > now);
    // Secrets Manager gives the end of the window's day, so once it has passed the window has closed.
    due.overdue_since = basis.next_rotation_at.filter(|end| *end < now && is_unrotated_since(basis, *end));
    due
}

/// True when no rotation finished in the day that ends at `end`, or later.
fn is_unrotated_since(basis: &Basis<'_>, end: Timestamp) -> bool {
    let day_before = end.checked_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    basis.last_rotated_at.or(basis.created_at).is_none_or(|at| at < day_before)
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
