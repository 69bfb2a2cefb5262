//! Step 2: does the secret rotate, how, when; is it overdue. It asks nothing of its own: DescribeSecret has told it all.

use super::{StepContext, StepResult, secret};
use crate::aws::AwsCaller;
use crate::model::{RotationConfig, in_largest_unit, moment};
use jiff::{SignedDuration, Timestamp};

pub(super) async fn collect(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    is_described_by_step_1: bool,
) -> StepResult<RotationConfig> {
    if !is_described_by_step_1 {
        let _ = cx.board.subject.set(secret::subject(cx, caller).await);
    }
    let config = cx.board.subject.wait().await.clone().map(|described| described.config.clone());
    let summary = config.found().map(|config| summary(config, cx.now)).unwrap_or_default();
    StepResult { observation: config, window: None, summary }
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
        Some(at) => parts.push(format!("last rotated {} ({} ago)", moment(at, now), age(now.duration_since(at)))),
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
        parts.push(format!("overdue since {}", moment(since, now)));
    } else if let Some(next) = config.due.next {
        parts.push(format!("next due {}", moment(next, now)));
    }
    parts.join(", ")
}

fn age(length: SignedDuration) -> String {
    let (count, unit) = in_largest_unit(length);
    format!("{count} {}", unit.symbol())
}
