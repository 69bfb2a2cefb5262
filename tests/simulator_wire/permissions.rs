//! Lambda, IAM, KMS and STS: what may be done, and by whom.

use crate::{REGION, code, config, embedded, start};

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
async fn a_key_of_another_account_tells_nothing() {
    let simulator = start(
        "title = \"t\"\nstory = \"s\"\n[[key]]\nname = \"shared\"\naccount = \"444455556666\"\n\
         [[secret]]\nname = \"a\"\nkms_key = \"shared\"\n",
    );
    let config = config(&simulator, REGION, 1);
    let secret = aws_sdk_secretsmanager::Client::new(&config).describe_secret().secret_id("a").send().await.unwrap();
    let key = secret.kms_key_id().unwrap();
    assert!(key.starts_with("arn:aws:kms:eu-west-1:444455556666:key/"), "{key}");
    let refused = aws_sdk_kms::Client::new(&config).describe_key().key_id(key).send().await.unwrap_err();
    assert_eq!(code(&refused), Some("AccessDeniedException"));
}
