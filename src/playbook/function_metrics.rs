//! Step 7: how often the function ran, failed and was throttled.

use super::secret::Described;
use super::{StepContext, StepResult, carried, function_of, text};
use crate::aws::{AwsCaller, CacheKey};
use crate::model::spans::ATTEMPT_SPAN;
use crate::model::{FunctionArn, FunctionMetrics, Lookback, MetricPoint, Observation, Window};
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Pages of `GetMetricData` that are read; a page holds up to 100 800 points.
const MAX_PAGES: usize = 3;

/// The metrics, their statistics and the ids of their queries.
const QUERIES: [(&str, &str, &str); 4] = [
    ("invocations", "Invocations", "Sum"),
    ("errors", "Errors", "Sum"),
    ("throttles", "Throttles", "Sum"),
    ("duration", "Duration", "Maximum"),
];

pub(super) async fn collect(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    subject: Observation<Arc<Described>>,
) -> StepResult<FunctionMetrics> {
    let arn = match function_of(&subject) {
        Observation::Found(arn) => arn,
        unanswered => return carried(unanswered).into(),
    };
    let window = subject.found().map_or_else(|| cx.request.lookback.window(cx.now), |described| window(cx, described));
    let period_s = period_s(cx.now.duration_since(window.from));
    let start = window.from.as_second().div_euclid(i64::from(period_s)) * i64::from(period_s);
    let window = Window { from: Timestamp::from_second(start).unwrap_or(window.from), to: window.to };
    // A shared answer may be a minute old, so windows that end within the same minute are one.
    let thing = CacheKey::Metrics(format!("{}/{start}/{}", arn.name(), window.to.as_second() / 60));
    let ask = async { read(cx, caller, &arn, window, period_s).await };
    let observation = cx.aws.shared().answers.get(thing, caller.fresh(), ask).await;
    let summary = match &observation {
        Observation::Found(metrics) => summary(metrics, &window),
        Observation::NoData { .. } => format!("not invoked, as far as CloudWatch knows, {}", text::span(&window)),
        _ => String::new(),
    };
    StepResult { observation, window: Some(window), summary }
}

/// The window asked for, widened to the last due date and the last rotation: one call covers what step 4 anchors on.
fn window(cx: &StepContext<'_>, described: &Described) -> Window {
    let asked = cx.request.lookback.window(cx.now);
    let furthest = Lookback::Quarter.window(cx.now).from;
    let anchors = [described.config.due.previous, described.config.due.overdue_since, described.config.last_rotated_at];
    let from = anchors.into_iter().flatten().filter_map(|at| at.checked_sub(ATTEMPT_SPAN).ok()).fold(asked.from, Timestamp::min);
    Window { from: from.max(furthest), to: asked.to }
}

/// Seconds per point: what CloudWatch still keeps for points of this age.
///
/// Source: CloudWatch User Guide, "Metrics retention": one minute for 15 days, five for 63, an hour for 455.
fn period_s(age: SignedDuration) -> u32 {
    match age.as_hours() / 24 {
        ..15 => 60,
        15..63 => 300,
        _ => 3600,
    }
}

async fn read(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    arn: &FunctionArn,
    window: Window,
    period_s: u32,
) -> Observation<FunctionMetrics> {
    let mut points = BTreeMap::new();
    let mut complete = true;
    let mut token = None::<String>;
    for page in 0.. {
        if page == MAX_PAGES {
            complete = false;
            break;
        }
        let request = cx
            .aws
            .cloudwatch
            .get_metric_data()
            .set_metric_data_queries(Some(queries(arn, period_s)))
            .start_time(text::date(window.from))
            .end_time(text::date(window.to))
            .scan_by(ScanBy::TimestampAscending)
            .set_next_token(token.take())
            .send();
        let output = match caller.call("cloudwatch:GetMetricData", &format!("metrics of function {}", arn.name()), request).await
        {
            Observation::Found(output) => output,
            _ if page > 0 => {
                complete = false;
                break;
            }
            unanswered => return carried(unanswered),
        };
        for result in output.metric_data_results() {
            // `PartialData` means that the next page goes on; anything but it and `Complete` is a loss.
            complete &= !matches!(result.status_code(), Some(StatusCode::InternalError | StatusCode::Forbidden));
            add(&mut points, result);
        }
        token = output.next_token;
        if token.is_none() {
            break;
        }
    }
    let points: Vec<MetricPoint> = points.into_values().collect();
    if points.is_empty() && complete {
        return Observation::NoData { searched: format!("metrics of {}, {}", arn.name(), text::span(&window)) };
    }
    Observation::Found(FunctionMetrics { period_s, points, complete })
}

fn queries(arn: &FunctionArn, period_s: u32) -> Vec<MetricDataQuery> {
    let dimension = Dimension::builder().name("FunctionName").value(arn.name()).build();
    QUERIES
        .iter()
        .map(|(id, metric, statistic)| {
            let metric = Metric::builder().namespace("AWS/Lambda").metric_name(*metric).dimensions(dimension.clone()).build();
            let stat =
                MetricStat::builder().metric(metric).period(i32::try_from(period_s).unwrap_or(3600)).stat(*statistic).build();
            MetricDataQuery::builder().id(*id).metric_stat(stat).return_data(true).build()
        })
        .collect()
}

fn add(points: &mut BTreeMap<Timestamp, MetricPoint>, result: &MetricDataResult) {
    for (date, value) in result.timestamps().iter().zip(result.values()) {
        let Some(at) = text::timestamp(date) else { continue };
        let point =
            points.entry(at).or_insert(MetricPoint { at, invocations: 0.0, errors: 0.0, throttles: 0.0, duration_max_ms: None });
        match result.id() {
            Some("invocations") => point.invocations = *value,
            Some("errors") => point.errors = *value,
            Some("throttles") => point.throttles = *value,
            Some("duration") => point.duration_max_ms = Some(*value),
            _ => {}
        }
    }
}

fn summary(metrics: &FunctionMetrics, window: &Window) -> String {
    let sum = |value: fn(&MetricPoint) -> f64| metrics.sum(window, value);
    let (invocations, errors, throttles) =
        (sum(|point| point.invocations), sum(|point| point.errors), sum(|point| point.throttles));
    let mut parts = vec![format!("{errors:.0} of {invocations:.0} invocations failed")];
    if let Some(last) = metrics.points.iter().rfind(|point| point.errors > 0.0) {
        parts.push(format!("last {}", text::period(last.at, metrics.period_s)));
    }
    if throttles > 0.0 {
        parts.push(format!("{throttles:.0} throttled"));
    }
    if !metrics.complete {
        parts.push("incomplete".to_owned());
    }
    format!("{} ({})", parts.join(", "), text::span(window))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_period_is_what_cloudwatch_keeps_for_the_windows_age() {
        for (days, expected) in [(1, 60), (14, 60), (15, 300), (62, 300), (63, 3600), (90, 3600)] {
            assert_eq!(period_s(SignedDuration::from_hours(days * 24)), expected, "{days} days");
        }
    }
}
