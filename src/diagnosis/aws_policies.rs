//! Managed policies of AWS, as far as rotation rests on them.

use serde_json::{Value, json};

/// Policies of AWS by the end of their ARN, with those of their actions that a rotation may need, on every resource.
///
/// Source: AWS Managed Policy Reference Guide.
const OF_AWS: &[(&str, &[&str])] = &[
    (
        "service-role/AWSLambdaVPCAccessExecutionRole",
        &[
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ],
    ),
    ("service-role/AWSLambdaBasicExecutionRole", &["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]),
    ("SecretsManagerReadWrite", &["secretsmanager:*", "rds:DescribeDBClusters", "rds:DescribeDBInstances"]),
    ("AdministratorAccess", &["*"]),
    ("PowerUserAccess", &["secretsmanager:*", "kms:*", "rds:*", "ec2:*", "logs:*"]),
];

/// True for a policy that AWS owns: it cannot be changed, and what is not known of it here gives rotation nothing.
pub(super) fn is_of_aws(arn: &str) -> bool {
    arn.contains(":iam::aws:policy/")
}

/// What a policy of AWS allows of what rotation needs, where it is known.
pub(super) fn aws_policy(arn: &str) -> Option<Value> {
    let (_, name) = arn.split_once(":iam::aws:policy/")?;
    let (_, actions) = OF_AWS.iter().find(|(known, _)| *known == name)?;
    Some(json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] }))
}
