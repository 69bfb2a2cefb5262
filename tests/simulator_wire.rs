//! The real AWS SDK for Rust against the simulator, over every protocol.

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
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

#[tokio::test]
async fn secrets_manager_describes_lists_and_pages() {
    let simulator = embedded("resource_policy_deny");
    let client = aws_sdk_secretsmanager::Client::new(&config(&simulator, REGION, 1));

    let secret = client.describe_secret().secret_id("prod/payments-db").send().await.unwrap();
    let arn = secret.arn().unwrap();
    assert!(arn.starts_with("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/payments-db-"));
    assert_eq!(secret.rotation_enabled(), Some(true));
    assert_eq!(secret.rotation_rules().unwrap().automatically_after_days(), Some(30));
    let mut stages: Vec<&String> = secret.version_ids_to_stages().unwrap().values().flatten().collect();
    stages.sort();
    assert_eq!(stages, ["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"]);
    assert_eq!(secret.last_rotated_date().unwrap(), &at(-3 - 30 * 24));
    assert_eq!(secret.replication_status()[0].region(), Some("us-west-2"));

    let mut names = Vec::new();
    let mut pages = client.list_secrets().into_paginator().send();
    let mut page_count = 0;
    while let Some(page) = pages.next().await {
        page_count += 1;
        names.extend(page.unwrap().secret_list().iter().map(|s| s.name().unwrap().to_owned()));
    }
    assert_eq!(page_count, 2);
    assert_eq!(names, ["prod/payments-db", "prod/refunds-db", "prod/ledger"]);

    let filtered = client
        .list_secrets()
        .filters(Filter::builder().key(FilterNameStringType::Name).values("prod/l").build())
        .send()
        .await
        .unwrap();
    assert_eq!(filtered.secret_list()[0].owning_service(), Some("rds"));
    assert_eq!(filtered.secret_list()[0].rotation_lambda_arn(), None);

    let version_pages: Vec<_> =
        client.list_secret_version_ids().secret_id(arn).into_paginator().send().collect::<Result<Vec<_>, _>>().await.unwrap();
    let versions: Vec<_> = version_pages.iter().flat_map(|page| page.versions()).collect();
    assert_eq!(versions.len(), 3);
    let pending = versions.iter().find(|v| v.version_stages() == ["AWSPENDING"]).unwrap();
    assert_eq!(pending.created_date().unwrap(), &at(-3));

    let policy = client.get_resource_policy().secret_id(arn).send().await.unwrap();
    assert!(policy.resource_policy().unwrap().contains("vpce-0aa1"));

    let missing = client.describe_secret().secret_id("prod/none").send().await.unwrap_err();
    assert!(missing.as_service_error().unwrap().is_resource_not_found_exception());
    let token = client.list_secrets().next_token("forged").send().await.unwrap_err();
    assert!(token.as_service_error().unwrap().is_invalid_next_token_exception());

    let elsewhere = aws_sdk_secretsmanager::Client::new(&config(&simulator, "us-east-2", 1));
    assert!(elsewhere.list_secrets().send().await.unwrap().secret_list().is_empty());
    assert_eq!(simulator.calls().last().unwrap().region, "us-east-2");
    assert_eq!(simulator.violations(), []);
}

#[tokio::test]
async fn reading_a_value_and_writing_are_refused_and_recorded() {
    let simulator = embedded("healthy");
    let config = config(&simulator, REGION, 1);
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    let value = secrets.get_secret_value().secret_id("prod/orders-db").send().await.unwrap_err();
    assert_eq!(code(&value), Some("AccessDeniedException"));
    let value = secrets.batch_get_secret_value().secret_id_list("prod/orders-db").send().await;
    assert!(value.is_err());
    assert!(secrets.rotate_secret().secret_id("prod/orders-db").send().await.is_err());
    let lambda = aws_sdk_lambda::Client::new(&config);
    assert!(lambda.invoke().function_name("secrets-rotator").send().await.is_err());
    let iam = aws_sdk_iam::Client::new(&config);
    assert!(iam.delete_role().role_name("secrets-rotator-role").send().await.is_err());
    let refused: Vec<String> = simulator.violations().into_iter().map(|call| call.operation).collect();
    assert_eq!(
        refused,
        [
            "GetSecretValue",
            "BatchGetSecretValue",
            "RotateSecret",
            "POST /2015-03-31/functions/secrets-rotator/invocations",
            "DeleteRole"
        ]
    );
}

#[tokio::test]
async fn lambda_tells_configuration_policy_and_concurrency() {
    let simulator = embedded("no_concurrency");
    let client = aws_sdk_lambda::Client::new(&config(&simulator, REGION, 1));
    let function = client
        .get_function_configuration()
        .function_name("arn:aws:lambda:eu-west-1:123456789012:function:mail-rotator:live")
        .send()
        .await
        .unwrap();
    assert_eq!(function.timeout(), Some(30));
    assert_eq!(function.role(), Some("arn:aws:iam::123456789012:role/mail-rotator-role"));
    assert_eq!(function.logging_config().unwrap().log_group(), Some("/aws/lambda/mail-rotator"));
    let unqualified = client.get_policy().function_name("mail-rotator").send().await.unwrap_err();
    assert!(unqualified.as_service_error().unwrap().is_resource_not_found_exception());
    let policy = client.get_policy().function_name("mail-rotator").qualifier("live").send().await.unwrap();
    assert!(policy.policy().unwrap().contains("secretsmanager.amazonaws.com"));
    let concurrency = client.get_function_concurrency().function_name("mail-rotator").send().await.unwrap();
    assert_eq!(concurrency.reserved_concurrent_executions(), Some(0));
    let missing = client.get_function_configuration().function_name("none").send().await.unwrap_err();
    assert!(missing.as_service_error().unwrap().is_resource_not_found_exception());
}

#[tokio::test]
async fn iam_pages_encodes_documents_and_simulates() {
    let simulator = embedded("resource_policy_deny");
    let client = aws_sdk_iam::Client::new(&config(&simulator, REGION, 1));
    let role = client.get_role().role_name("payments-rotator-role").send().await.unwrap();
    let role = role.role().unwrap();
    assert_eq!(
        role.permissions_boundary().unwrap().permissions_boundary_arn(),
        Some("arn:aws:iam::123456789012:policy/team-boundary")
    );
    let inline: Vec<String> = client
        .list_role_policies()
        .role_name("payments-rotator-role")
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    assert_eq!(inline, ["SecretsManagerRotation", "telemetry"]);
    let document =
        client.get_role_policy().role_name("payments-rotator-role").policy_name("SecretsManagerRotation").send().await.unwrap();
    let document = percent_encoding::percent_decode_str(document.policy_document()).decode_utf8().unwrap().into_owned();
    assert!(document.contains("kms:GenerateDataKey"), "{document}");
    let attached: Vec<String> = client
        .list_attached_role_policies()
        .role_name("payments-rotator-role")
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap()
        .into_iter()
        .map(|policy| policy.policy_arn().unwrap().to_owned())
        .collect();
    assert_eq!(
        attached,
        ["arn:aws:iam::123456789012:policy/deploy-guard", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
    );
    let policy = client.get_policy().policy_arn(&attached[0]).send().await.unwrap();
    let version = policy.policy().unwrap().default_version_id().unwrap().to_owned();
    let version = client.get_policy_version().policy_arn(&attached[0]).version_id(version).send().await.unwrap();
    assert!(version.policy_version().unwrap().document().unwrap().starts_with("%7B%22Version%22"));

    let secret = aws_sdk_secretsmanager::Client::new(&config(&simulator, REGION, 1))
        .describe_secret()
        .secret_id("prod/payments-db")
        .send()
        .await
        .unwrap();
    let results: Vec<(String, String)> = client
        .simulate_principal_policy()
        .policy_source_arn(role.arn())
        .action_names("secretsmanager:PutSecretValue")
        .action_names("lambda:DeleteFunction")
        .action_names("s3:GetObject")
        .resource_arns(secret.arn().unwrap())
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap()
        .into_iter()
        .map(|result| (result.eval_action_name().to_owned(), result.eval_decision().as_str().to_owned()))
        .collect();
    assert_eq!(
        results,
        [
            ("secretsmanager:PutSecretValue".to_owned(), "allowed".to_owned()),
            ("lambda:DeleteFunction".to_owned(), "explicitDeny".to_owned()),
            ("s3:GetObject".to_owned(), "implicitDeny".to_owned()),
        ]
    );
    let missing = client.get_role().role_name("none").send().await.unwrap_err();
    assert!(missing.as_service_error().unwrap().is_no_such_entity_exception());
}

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
async fn kms_health_and_sts_answer() {
    let simulator = embedded("resource_policy_deny");
    let config = config(&simulator, REGION, 1);
    let secret =
        aws_sdk_secretsmanager::Client::new(&config).describe_secret().secret_id("prod/payments-db").send().await.unwrap();
    let kms = aws_sdk_kms::Client::new(&config);
    let key = kms.describe_key().key_id(secret.kms_key_id().unwrap()).send().await.unwrap();
    assert_eq!(key.key_metadata().unwrap().key_state().unwrap().as_str(), "Enabled");
    let policy = kms.get_key_policy().key_id(secret.kms_key_id().unwrap()).send().await.unwrap();
    assert!(policy.policy().unwrap().contains("kms:*"));
    let missing = kms.describe_key().key_id("none").send().await.unwrap_err();
    assert!(missing.as_service_error().unwrap().is_not_found_exception());

    let health = aws_sdk_health::Client::new(&config).describe_events().send().await.unwrap_err();
    assert_eq!(code(&health), Some("SubscriptionRequiredException"));

    let sts = aws_sdk_sts::Client::new(&config);
    let me = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(me.arn(), Some("arn:aws:sts::123456789012:assumed-role/rotation-diag/investigation"));
    let assumed =
        sts.assume_role().role_arn("arn:aws:iam::210987654321:role/reader").role_session_name("diag").send().await.unwrap();
    assert_eq!(assumed.assumed_role_user().unwrap().arn(), "arn:aws:sts::210987654321:assumed-role/reader/diag");
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
async fn every_embedded_scenario_can_be_played() {
    let mut count = 0;
    for (name, text) in Scenario::embedded() {
        let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(scenario.expect.is_some(), "{name} says what to expect");
        let now = scenario.now().unwrap_or_else(now);
        if let Err(error) = Simulator::start(scenario, now) {
            panic!("{name}: {error}");
        }
        count += 1;
    }
    assert!(count >= 7, "{count}");
}

#[test]
fn an_unknown_key_is_named() {
    let error = Scenario::parse("title = \"t\"\nstory = \"s\"\n[[secret]]\nname = \"a\"\nrotaton = {}\n").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("unknown field `rotaton`") && text.contains("line 5"), "{text}");
}
