//! Secrets Manager: reading about secrets works, reading or changing them does not.

use crate::{REGION, at, code, config, embedded};
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};

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
