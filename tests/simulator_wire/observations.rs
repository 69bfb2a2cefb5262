//! Metrics, logs, event history and AWS Health: what happened.

use crate::{REGION, at, config, embedded, function_metric, now};
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_sdk_cloudwatch::types::ScanBy;
use jiff::SignedDuration;

#[tokio::test]
async fn metrics_follow_from_the_attempts_in_bins_and_pages() {
    let simulator = embedded("resource_policy_deny");
    let client = aws_sdk_cloudwatch::Client::new(&config(&simulator, REGION, 1));
    let results: Vec<_> = client
        .get_metric_data()
        .metric_data_queries(function_metric("invocations", "Invocations", "Sum"))
        .metric_data_queries(function_metric("errors", "Errors", "Sum"))
        .metric_data_queries(function_metric("iterator", "IteratorAge", "Maximum"))
        .start_time(at(-24))
        .end_time(at(0))
        .scan_by(ScanBy::TimestampAscending)
        .into_paginator()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    assert_eq!(results.len(), 2, "two series on a page");
    let series: Vec<_> = results.iter().flat_map(|page| page.metric_data_results()).collect();
    assert_eq!(series[0].values(), [1.0, 1.0]);
    assert_eq!(series[1].values(), [1.0, 1.0]);
    assert_eq!(series[0].timestamps()[0].secs() % 3600, 0);
    assert!(series[2].values().is_empty());
    let forged = client
        .get_metric_data()
        .metric_data_queries(function_metric("errors", "Errors", "Sum"))
        .start_time(at(-24))
        .end_time(at(0))
        .next_token("forged")
        .send()
        .await
        .unwrap_err();
    assert!(forged.as_service_error().unwrap().is_invalid_next_token());
}

#[tokio::test]
async fn logs_come_in_pages_that_may_be_empty() {
    let simulator = embedded("resource_policy_deny");
    let client = aws_sdk_cloudwatchlogs::Client::new(&config(&simulator, REGION, 1));
    let group = "/aws/lambda/payments-rotator";
    let pages: Vec<_> = client
        .filter_log_events()
        .log_group_name(group)
        .start_time((now() - SignedDuration::from_hours(24)).as_millisecond())
        .into_paginator()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    assert!(pages[0].events().is_empty(), "the first page is empty, but has a token");
    let lines: Vec<&str> = pages.iter().flat_map(|page| page.events()).map(|event| event.message().unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line.starts_with("START")).count(), 2);
    assert_eq!(lines.iter().filter(|line| line.starts_with("REPORT")).count(), 2);
    let denied = client
        .filter_log_events()
        .log_group_name(group)
        .filter_pattern("?\"explicit deny in a resource-based policy\" ?Timeout")
        .limit(100)
        .into_paginator()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    assert_eq!(denied.iter().flat_map(|page| page.events()).count(), 2);
    let groups = client.describe_log_groups().send().await.unwrap();
    assert_eq!(groups.log_groups()[0].log_group_name(), Some(group));
    let refused = client.filter_log_events().log_group_name(group).filter_pattern("%regular%").send().await.unwrap_err();
    assert!(refused.as_service_error().unwrap().is_invalid_parameter_exception());
    let missing = client.filter_log_events().log_group_name("none").send().await.unwrap_err();
    assert!(missing.as_service_error().unwrap().is_resource_not_found_exception());
}

#[tokio::test]
async fn event_history_is_regional_paged_and_newest_first() {
    let simulator = embedded("resource_policy_deny");
    let client = aws_sdk_cloudtrail::Client::new(&config(&simulator, REGION, 1));
    let by_name = |name: &str| {
        LookupAttribute::builder().attribute_key(LookupAttributeKey::EventName).attribute_value(name).build().unwrap()
    };
    let failed = client.lookup_events().lookup_attributes(by_name("RotationFailed")).send().await.unwrap();
    assert_eq!(failed.events().len(), 2);
    assert!(failed.events()[0].event_time() > failed.events()[1].event_time());
    let record: serde_json::Value = serde_json::from_str(failed.events()[0].cloud_trail_event().unwrap()).unwrap();
    assert!(record["errorMessage"].as_str().unwrap().ends_with("function:payments-rotator during createSecret step"));
    assert!(record.get("errorCode").is_none());
    let reads = client
        .lookup_events()
        .lookup_attributes(by_name("GetSecretValue"))
        .start_time(at(-1))
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    assert_eq!(reads.len(), 40);
    let role_change = client.lookup_events().lookup_attributes(by_name("PutRolePolicy"));
    assert!(role_change.clone().send().await.unwrap().events().is_empty());
    let global = aws_sdk_cloudtrail::Client::new(&config(&simulator, "us-east-1", 1));
    let events = global.lookup_events().lookup_attributes(by_name("PutRolePolicy")).send().await.unwrap();
    assert_eq!(events.events()[0].username(), Some("dave"));
    let two = client
        .lookup_events()
        .lookup_attributes(by_name("RotationFailed"))
        .lookup_attributes(by_name("RotationStarted"))
        .send()
        .await
        .unwrap_err();
    assert!(two.as_service_error().unwrap().is_invalid_lookup_attributes_exception());
    assert!(client.describe_trails().send().await.unwrap().trail_list().is_empty());
}

#[tokio::test]
async fn a_trail_with_a_log_group_carries_the_same_events_of_every_region() {
    let simulator = embedded("role_detached_policy");
    let config = config(&simulator, REGION, 1);
    let trails = aws_sdk_cloudtrail::Client::new(&config).describe_trails().send().await.unwrap();
    assert_eq!(
        trails.trail_list()[0].cloud_watch_logs_log_group_arn(),
        Some("arn:aws:logs:eu-west-1:123456789012:log-group:cloudtrail:*")
    );
    let events = aws_sdk_cloudwatchlogs::Client::new(&config)
        .filter_log_events()
        .log_group_name("cloudtrail")
        .start_time((now() - SignedDuration::from_hours(72)).as_millisecond())
        .filter_pattern(r#"{ ($.eventName = "RotationF*") || ($.eventName = "DetachRolePolicy" && $.errorCode NOT EXISTS) }"#)
        .send()
        .await
        .unwrap();
    let names: Vec<String> = events
        .events()
        .iter()
        .map(|event| {
            let record: serde_json::Value = serde_json::from_str(event.message().unwrap()).unwrap();
            format!("{} {}", record["eventName"].as_str().unwrap(), record["awsRegion"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        names,
        ["DetachRolePolicy us-east-1", "RotationFailed eu-west-1", "RotationFailed eu-west-1", "RotationFailed eu-west-1"]
    );
}

#[tokio::test]
async fn health_events_are_filtered_where_the_account_has_a_support_plan() {
    let simulator = embedded("no_concurrency");
    let client = aws_sdk_health::Client::new(&config(&simulator, "us-east-1", 1));
    let filter = |of: &str| {
        aws_sdk_health::types::EventFilter::builder()
            .services(of)
            .event_status_codes(aws_sdk_health::types::EventStatusCode::Open)
            .build()
    };
    let events = client.describe_events().filter(filter("EC2")).send().await.unwrap();
    assert_eq!(events.events()[0].event_type_code(), Some("AWS_EC2_OPERATIONAL_ISSUE"));
    let none = client.describe_events().filter(filter("LAMBDA")).send().await.unwrap();
    assert!(none.events().is_empty());
}
