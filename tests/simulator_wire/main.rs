//! The real AWS SDK for Rust, and boto3, against the simulator, over every protocol.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod faults;
mod observations;
mod permissions;
mod scenarios;
mod secrets;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_smithy_types::DateTime;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::{SignedDuration, Timestamp};
use rotation_diag::simulator::{Scenario, Simulator};
use std::time::Duration;

const REGION: &str = "eu-west-1";

fn now() -> Timestamp {
    "2026-11-24T09:30:00Z".parse().unwrap()
}

fn at(offset_hours: i64) -> DateTime {
    DateTime::from_secs((now() + SignedDuration::from_hours(offset_hours)).as_second())
}

fn start(text: &str) -> Simulator {
    Simulator::start(Scenario::parse(text).unwrap(), now()).unwrap()
}

fn embedded(name: &str) -> Simulator {
    let (_, text) = Scenario::embedded().find(|(own, _)| *own == name).unwrap();
    start(text)
}

fn config(simulator: &Simulator, region: &'static str, attempts: u32) -> SdkConfig {
    let credentials = aws_sdk_sts::config::Credentials::new("AKIATEST", "not-a-real-key", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(aws_sdk_sts::config::SharedCredentialsProvider::new(credentials))
        .region(Region::new(region))
        .endpoint_url(simulator.endpoint_url())
        .retry_config(RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(Duration::from_millis(1)))
        .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(20)).build())
        .build()
}

fn code<E: ProvideErrorMetadata, R>(error: &aws_smithy_runtime_api::client::result::SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn function_metric(id: &str, metric: &str, stat: &str) -> MetricDataQuery {
    let dimension = Dimension::builder().name("FunctionName").value("payments-rotator").build();
    let metric = Metric::builder().namespace("AWS/Lambda").metric_name(metric).dimensions(dimension).build();
    MetricDataQuery::builder().id(id).metric_stat(MetricStat::builder().metric(metric).period(3600).stat(stat).build()).build()
}
