//! What a chart shows: which span of time, which bars, which markers.

use crate::model::{Attempt, AttemptOutcome, CorrelatedChange, Investigation, MetricPoint, Window};
use crate::redact::SafeText;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// About how many bars a chart has at most.
const BARS: i64 = 96;
/// Spans of time a bar may stand for, in seconds: CloudWatch's periods, then parts of a day and days.
const BAR_SPANS: [i64; 11] = [60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];
/// As far back as any step looks.
const MAX_SPAN: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How much of a name a label repeats.
const NAME: usize = 28;
/// How many markers are drawn; the newest are kept.
const MAX_MARKS: usize = 200;

/// What a chart shows.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    pub(super) secret: SafeText,
    /// The function's name, where there is one.
    pub(super) function: Option<SafeText>,
    pub(super) window: Window,
    /// How many seconds a bar stands for.
    pub(super) bar_s: i64,
    pub(super) bars: Vec<Bar>,
    /// Oldest first.
    pub(super) marks: Vec<EventMark>,
}

/// The function's metrics in one span of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bar {
    pub(super) at: Timestamp,
    pub(super) invocations: f64,
    pub(super) errors: f64,
    pub(super) throttles: f64,
}

/// Something that happened at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EventMark {
    pub(super) at: Timestamp,
    pub(super) kind: EventKind,
    /// What to write beside it, where it tells more than its shape.
    pub(super) label: Option<String>,
    /// Lower ones get their labels first.
    pub(super) rank: usize,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventKind {
    /// A rotation attempt failed, or was abandoned.
    Failed,
    /// A rotation attempt succeeded.
    Succeeded,
    /// A rotation attempt began, and no end was seen.
    Started,
    Change,
}

impl Timeline {
    /// `None` where nothing has a time.
    pub(super) fn of(investigation: &Investigation) -> Option<Timeline> {
        let evidence = &investigation.evidence;
        let window = window(investigation);
        let metrics = evidence.metrics.found();
        let period = metrics.map_or(60, |metrics| i64::from(metrics.period_s).max(1));
        let bar_s = bar_span(&window, period);
        let bars = bars(metrics.map_or(&[], |metrics| &metrics.points), &window, bar_s);
        let marks = marks(investigation, &window);
        if bars.is_empty() && marks.is_empty() {
            return None;
        }
        let name = evidence.secret.found().map_or(evidence.asked.as_str(), |secret| secret.name.as_str());
        Some(Timeline {
            secret: plain(name),
            function: evidence.function_arn().map(|arn| plain(arn.name())),
            window,
            bar_s,
            bars,
            marks,
        })
    }

    pub(super) fn total(&self, value: impl Fn(&Bar) -> f64) -> f64 {
        self.bars.iter().map(value).sum()
    }

    pub(super) fn count(&self, kind: EventKind) -> usize {
        self.marks.iter().filter(|mark| mark.kind == kind).count()
    }
}

/// The span of the metrics, the current row of failures and the success before it, with a little room at its ends.
fn window(investigation: &Investigation) -> Window {
    let evidence = &investigation.evidence;
    let base = evidence.metrics.window.unwrap_or_else(|| evidence.lookback.window(evidence.now));
    let row = investigation.diagnosis.failing.as_ref();
    let moments = row.into_iter().flat_map(|row| [Some(row.first_at), Some(row.last_at), row.last_success_at]).flatten();
    let hull = moments.fold(base, |hull, at| hull.hull(&Window { from: at, to: at }));
    let room = SignedDuration::from_secs(hull.length().as_secs() / 50);
    let to = hull.to.checked_add(room).unwrap_or(hull.to).min(evidence.now.max(hull.to));
    let from = hull.from.checked_sub(room).unwrap_or(hull.from);
    Window { from: from.max(Window::ending_at(to, MAX_SPAN).from), to }
}

fn bar_span(window: &Window, period: i64) -> i64 {
    let least = (window.length().as_secs() / BARS).max(period);
    BAR_SPANS.into_iter().find(|span| *span >= least && span % period == 0).unwrap_or(604_800)
}

fn bars(points: &[MetricPoint], window: &Window, span: i64) -> Vec<Bar> {
    let mut bars: BTreeMap<i64, Bar> = BTreeMap::new();
    for point in points.iter().filter(|point| window.contains(point.at)) {
        let start = point.at.as_second().div_euclid(span) * span;
        let Ok(at) = Timestamp::from_second(start) else { continue };
        let bar = bars.entry(start).or_insert(Bar { at, invocations: 0.0, errors: 0.0, throttles: 0.0 });
        bar.invocations += point.invocations;
        bar.errors += point.errors;
        bar.throttles += point.throttles;
    }
    bars.into_values().collect()
}

fn marks(investigation: &Investigation, window: &Window) -> Vec<EventMark> {
    let history = investigation.evidence.history.found();
    let attempts = history.into_iter().flat_map(|history| &history.attempts);
    let mut marks: Vec<EventMark> = attempts.filter_map(|attempt| attempted(attempt, investigation)).collect();
    let last_success = marks.iter().rposition(|mark| mark.kind == EventKind::Succeeded);
    if let Some(success) = last_success.and_then(|at| marks.get_mut(at)) {
        (success.label, success.rank) = (Some("last success".to_owned()), 2);
    }
    marks.extend(investigation.diagnosis.changes.iter().map(changed));
    marks.retain(|mark| window.contains(mark.at));
    marks.sort_by_key(|mark| mark.at);
    marks.split_off(marks.len().saturating_sub(MAX_MARKS))
}

fn attempted(attempt: &Attempt, investigation: &Investigation) -> Option<EventMark> {
    let at = attempt.at()?;
    let kind = match attempt.outcome {
        AttemptOutcome::Succeeded => EventKind::Succeeded,
        AttemptOutcome::Failed | AttemptOutcome::Abandoned => EventKind::Failed,
        AttemptOutcome::Started => EventKind::Started,
    };
    let first = investigation.diagnosis.failing.as_ref().filter(|row| row.first_at == at && kind == EventKind::Failed);
    let step = attempt.step.map(|step| format!(" in {}", step.name())).unwrap_or_default();
    let label = first.map(|row| match row.count {
        1 => format!("failed{step}"),
        count => format!("first of {count} failures{step}"),
    });
    Some(EventMark { at, kind, label, rank: 0 })
}

fn changed(change: &CorrelatedChange) -> EventMark {
    let label = format!("{} by {}", plain(&change.event).cut(NAME), plain(&change.actor).cut(NAME));
    EventMark { at: change.at, kind: EventKind::Change, label: Some(label), rank: if change.explains.is_empty() { 3 } else { 1 } }
}

fn plain(text: &str) -> SafeText {
    SafeText::redact(text).single_line()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(hours: i64) -> Window {
        Window::ending_at("2026-11-24T03:00:00Z".parse().unwrap(), SignedDuration::from_hours(hours))
    }

    #[test]
    fn a_bar_stands_for_a_round_span_of_whole_periods() {
        for (hours, period, expected) in
            [(24, 60, 900), (24, 300, 900), (168, 60, 10_800), (744, 300, 43_200), (2160, 3600, 86_400)]
        {
            assert_eq!(bar_span(&window(hours), period), expected, "{hours} h");
        }
    }

    #[test]
    fn points_are_summed_into_bars_and_none_is_lost() {
        let point = |at: &str, errors| MetricPoint {
            at: at.parse().unwrap(),
            invocations: 1.0,
            errors,
            throttles: 0.0,
            duration_max_ms: None,
        };
        let points = [point("2026-11-24T01:00:00Z", 1.0), point("2026-11-24T01:14:00Z", 0.0), point("2026-11-24T01:15:00Z", 1.0)];
        let bars = bars(&points, &window(24), 900);
        let shown: Vec<(String, f64, f64)> = bars.iter().map(|bar| (bar.at.to_string(), bar.invocations, bar.errors)).collect();
        assert_eq!(shown, [("2026-11-24T01:00:00Z".to_owned(), 2.0, 1.0), ("2026-11-24T01:15:00Z".to_owned(), 1.0, 1.0)]);
    }
}
