//! CloudWatch metrics.

use super::OperationResult;
use crate::simulator::pages::page;
use crate::simulator::wire::{Parameters, Shape, WireError, WireRequest};
use crate::simulator::world::SimulatedAccount;
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(super) fn get_metric_data(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let parameters = request.parameters();
    let time = |name| parameters.time(name).ok_or_else(|| invalid(format!("The parameter {name} is required.")));
    let (from, to) = (time("StartTime")?, time("EndTime")?);
    if from >= to {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    let ascending = parameters.text("ScanBy") == Some("TimestampAscending");
    let series = parameters
        .structures("MetricDataQueries")
        .into_iter()
        .map(|query| series(world, request, query, (from, to), ascending))
        .collect::<Result<Vec<_>, _>>()?;
    let (series, next) = page(&series, world.pages.metrics, parameters, "NextToken", "MaxDatapoints")
        .map_err(|_| WireError::new("InvalidNextToken", "The next token specified is invalid."))?;
    Ok(Shape::structure()
        .with("MetricDataResults", series.to_vec())
        .with("NextToken", next)
        .with("Messages", Shape::list::<Shape>([])))
}

fn invalid(message: impl Into<String>) -> WireError {
    WireError::new("InvalidParameterCombination", message)
}

fn series(
    world: &SimulatedAccount,
    request: &WireRequest,
    query: Parameters<'_>,
    (from, to): (Timestamp, Timestamp),
    ascending: bool,
) -> OperationResult {
    let id = query.required("Id")?;
    let stat = query
        .structure("MetricStat")
        .ok_or_else(|| WireError::new("ValidationError", "Only MetricStat queries are simulated."))?;
    let metric = stat.structure("Metric").ok_or_else(|| WireError::new("ValidationError", "MetricStat needs a Metric."))?;
    let name = metric.text("MetricName").unwrap_or_default();
    let period = stat.integer("Period").unwrap_or(60);
    if period < 1 || period % 60 != 0 {
        return Err(WireError::new("ValidationError", "Period must be a multiple of 60 seconds."));
    }
    let dimensions: Vec<(&str, &str)> = metric
        .structures("Dimensions")
        .into_iter()
        .filter_map(|dimension| Some((dimension.text("Name")?, dimension.text("Value")?)))
        .collect();
    let mut bins: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    if metric.text("Namespace") == Some("AWS/Lambda") {
        for point in &world.datapoints {
            let measured = point.region == request.region
                && point.metric == name
                && dimensions == [("FunctionName", point.function.as_str())]
                && from <= point.at
                && point.at < to;
            if measured {
                bins.entry(point.at.as_second().div_euclid(period) * period).or_default().push(point.value);
            }
        }
    }
    let statistic = stat.text("Stat").unwrap_or("Average");
    let mut points = bins
        .into_iter()
        .map(|(start, values)| {
            let at = Timestamp::from_second(start).map_err(|error| invalid(error.to_string()))?;
            Ok((at, statistic_of(statistic, values)?))
        })
        .collect::<Result<Vec<(Timestamp, f64)>, WireError>>()?;
    if !ascending {
        points.reverse();
    }
    Ok(Shape::structure()
        .with("Id", id)
        .with("Label", query.text("Label").unwrap_or(name))
        .with("Timestamps", Shape::list(points.iter().map(|(at, _)| *at)))
        .with("Values", Shape::list(points.iter().map(|(_, value)| *value)))
        .with("StatusCode", "Complete"))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of samples and ranks within them are small"
)]
fn statistic_of(statistic: &str, mut values: Vec<f64>) -> Result<f64, WireError> {
    let count = values.len() as f64;
    values.sort_by(f64::total_cmp);
    let sum: f64 = values.iter().sum();
    let percentile = |percent: f64| {
        let rank = (percent / 100.0 * count).ceil().max(1.0) as usize;
        values.get(rank - 1).or(values.last()).copied()
    };
    match statistic {
        "Sum" => Some(sum),
        "Average" => Some(sum / count),
        "SampleCount" => Some(count),
        "Minimum" => values.first().copied(),
        "Maximum" => values.last().copied(),
        other => other.strip_prefix('p').and_then(|percent| percent.parse().ok()).and_then(percentile),
    }
    .ok_or_else(|| WireError::new("ValidationError", format!("Unknown statistic {statistic}")))
}
