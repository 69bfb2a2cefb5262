//! Whether the function ran when rotation was attempted or due. Metrics count the function, not the secret.

use super::context::DiagnosisContext;
use crate::model::spans::ATTEMPT_SPAN;
use crate::model::{MetricPoint, Proof, StepName, Window};
use jiff::SignedDuration;

const METRICS_CALL: &str = "cloudwatch:GetMetricData";

/// Whether the function ran.
pub(super) enum Ran {
    Yes,
    /// It did not, and this shows it.
    No(Vec<Proof>),
    /// Nothing that would show it was seen.
    Unseen(String),
}

/// The spans of the failed attempts of the current row, or of the window that closed without an attempt.
pub(super) fn attempt_windows(context: &DiagnosisContext<'_>) -> Vec<Window> {
    let period = context.evidence.metrics.found().map_or(0, |metrics| i64::from(metrics.period_s));
    let margin = SignedDuration::from_secs(period.max(120));
    let attempts = context.failed_attempts().filter_map(|attempt| {
        let to = attempt.at()?;
        let from = attempt.started_at.or_else(|| to.checked_sub(ATTEMPT_SPAN).ok()).unwrap_or(to);
        Some(Window { from, to })
    });
    let failures = context.failures.iter().map(|failure| {
        let from = failure.invocation.started_at;
        Window { from, to: failure.invocation.ended_at.unwrap_or(from) }
    });
    let mut windows: Vec<Window> = attempts.chain(failures).collect();
    if windows.is_empty()
        && let Some(due) = context.config().map(|config| &config.due)
        && let Some(closed) = due.overdue_since
    {
        let day_before = closed.checked_sub(SignedDuration::from_hours(24)).unwrap_or(closed);
        windows.push(Window { from: due.previous.unwrap_or(day_before), to: closed });
    }
    let widened = |window: Window| Window {
        from: window.from.checked_sub(margin).unwrap_or(window.from),
        to: window.to.checked_add(margin).unwrap_or(window.to),
    };
    windows.into_iter().map(widened).collect()
}

/// The sum of one metric over the attempts; an error names what is missing.
pub(super) fn measured(context: &DiagnosisContext<'_>, value: fn(&MetricPoint) -> f64) -> Result<f64, String> {
    let observation = &context.evidence.metrics.observation;
    if let Some(missing) = observation.missing() {
        return Err(missing);
    }
    let windows = attempt_windows(context);
    let points = observation.found().map(|metrics| metrics.points.as_slice()).unwrap_or_default();
    let total = points.iter().filter(|point| windows.iter().any(|window| window.contains(point.at)));
    // The sum of no floats is -0, and would be written so.
    let total = total.map(value).fold(0.0, |total, value| total + value);
    let complete = observation.found().is_none_or(|metrics| metrics.complete);
    if total == 0.0 && !complete { Err("the rest of the metrics: reading them was cut short".to_owned()) } else { Ok(total) }
}

/// Whether the function ran in the attempts.
pub(super) fn ran(context: &DiagnosisContext<'_>) -> Ran {
    if !context.failures.is_empty() {
        return Ran::Yes;
    }
    if attempt_windows(context).is_empty() {
        return Ran::Unseen("a rotation attempt".to_owned());
    }
    match (measured(context, |point| point.invocations), measured(context, |point| point.throttles)) {
        (Ok(invocations), _) if invocations > 0.0 => Ran::Yes,
        (Ok(_), Ok(throttles)) => Ran::No(vec![Proof::of(
            StepName::FunctionMetrics,
            METRICS_CALL,
            format!("Invocations 0, Throttles {throttles:.0} when rotation was attempted"),
        )]),
        (Err(missing), _) | (_, Err(missing)) => Ran::Unseen(missing),
    }
}

/// How often the function was throttled in the attempts, as proof.
pub(super) fn throttles_proof(throttles: f64) -> Proof {
    Proof::of(StepName::FunctionMetrics, METRICS_CALL, format!("Throttles {throttles:.0} when rotation was attempted"))
}
