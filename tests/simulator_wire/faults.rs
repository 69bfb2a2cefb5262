//! Answers that go wrong arrive as the SDK knows them from AWS.

use crate::{REGION, at, code, config, function_metric, start};
use aws_config::timeout::TimeoutConfig;
use std::time::Duration;

const FAULTS: &str = r#"
title = "Faults"
story = "Everything goes wrong once."
[[secret]]
name = "a"
[caller]
deny = ["iam:Get*", "lambda:GetPolicy", "kms:*"]
[[fault]]
operation = "cloudtrail:LookupEvents"
throttle = 2
[[fault]]
operation = "secretsmanager:ListSecrets"
throttle = "always"
[[fault]]
operation = "cloudwatch:GetMetricData"
throttle = "always"
[[fault]]
operation = "lambda:GetFunctionConfiguration"
fail = 503
[[fault]]
operation = "cloudtrail:DescribeTrails"
truncate_body = true
[[fault]]
operation = "logs:*"
hang = true
"#;

#[tokio::test]
async fn throttling_ends_after_the_declared_number_of_requests() {
    let simulator = start(FAULTS);
    let patient = aws_sdk_cloudtrail::Client::new(&config(&simulator, REGION, 3));
    patient.lookup_events().send().await.unwrap();
    assert_eq!(simulator.calls().len(), 3);
    let config = config(&simulator, REGION, 1);
    let secrets = aws_sdk_secretsmanager::Client::new(&config).list_secrets().send().await.unwrap_err();
    assert_eq!(code(&secrets), Some("ThrottlingException"));
    let metrics = aws_sdk_cloudwatch::Client::new(&config)
        .get_metric_data()
        .metric_data_queries(function_metric("errors", "Errors", "Sum"))
        .start_time(at(-1))
        .end_time(at(0))
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&metrics), Some("Throttling"));
}

#[tokio::test]
async fn a_denied_call_names_who_what_and_on_which_resource() {
    let simulator = start(FAULTS);
    let config = config(&simulator, REGION, 1);
    let role = aws_sdk_iam::Client::new(&config).get_role().role_name("r").send().await.unwrap_err();
    assert_eq!(code(&role), Some("AccessDenied"));
    assert_eq!(
        role.as_service_error().unwrap().meta().message(),
        Some(
            "User: arn:aws:sts::123456789012:assumed-role/rotation-diag/investigation is not authorized to perform: \
             iam:GetRole on resource: arn:aws:iam::123456789012:role/r because no identity-based policy allows the \
             iam:GetRole action"
        )
    );
    let policy = aws_sdk_lambda::Client::new(&config).get_policy().function_name("secrets-rotator").send().await.unwrap_err();
    assert_eq!(code(&policy), Some("AccessDeniedException"));
    assert_eq!(policy.raw_response().unwrap().status().as_u16(), 403);
    let key = aws_sdk_kms::Client::new(&config).describe_key().key_id("k").send().await.unwrap_err();
    assert_eq!(code(&key), Some("AccessDeniedException"));
}

#[tokio::test]
async fn broken_answers_reach_the_client_as_broken() {
    let simulator = start(FAULTS);
    let config = config(&simulator, REGION, 1);
    let function = aws_sdk_lambda::Client::new(&config)
        .get_function_configuration()
        .function_name("secrets-rotator")
        .send()
        .await
        .unwrap_err();
    assert_eq!(function.raw_response().unwrap().status().as_u16(), 503);
    let trails = aws_sdk_cloudtrail::Client::new(&config).describe_trails().send().await.unwrap_err();
    assert!(trails.as_service_error().is_none(), "{trails:?}");
    let hurried = config
        .to_builder()
        .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_millis(150)).build())
        .build();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&hurried).describe_log_groups().send().await.unwrap_err();
    assert!(matches!(logs, aws_smithy_runtime_api::client::result::SdkError::TimeoutError(_)), "{logs:?}");
}

#[tokio::test]
async fn a_dropped_simulator_lets_go_of_requests_that_hang() {
    let simulator = start(FAULTS);
    let client = aws_sdk_cloudwatchlogs::Client::new(&config(&simulator, REGION, 1));
    let request = tokio::spawn(async move { client.describe_log_groups().send().await.is_ok() });
    while simulator.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(simulator);
    assert!(request.await.unwrap(), "it was answered before the connection closed");
}
