//! A thousand evaluations of a policy set of fifty statements, and the same number of parses.
//!
//! `cargo bench --bench iam_evaluation`. Fails where the evaluations take longer than the budget.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and stops at a mistake of its own")]

use rotation_diag::diagnosis::iam::{Caller, Context, Decision, LayerDecision, Policies, Policy, Request, ResourcePolicy};
use serde_json::{Value, json};
use std::{
    hint::black_box,
    process::ExitCode,
    time::{Duration, Instant},
};

const EVALUATIONS: u32 = 1_000;
const BUDGET: Duration = Duration::from_millis(50);
const ROUNDS: usize = 7;

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/orders/db-AbCdEf";

/// Forty statements of identity policies; the one that allows is the last.
fn identity() -> [Value; 4] {
    [0, 1, 2, 3].map(|policy| {
        let statements: Vec<Value> = (0..10)
            .map(|index| match (index, policy) {
                (9, 3) => json!({
                    "Effect": "Allow",
                    "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
                               "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"],
                    "Resource": "arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/stage}/*/db-??????",
                }),
                (0 | 1, _) => json!({
                    "Effect": "Deny",
                    "Action": "secretsmanager:*",
                    "NotResource": [format!("arn:aws:s3:::bucket-{index}/*"), "arn:aws:secretsmanager:*"],
                    "Condition": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci-*"}},
                }),
                (2..5, _) => json!({
                    "Effect": "Allow",
                    "Action": ["secretsmanager:Put*", "secretsmanager:*Value"],
                    "Resource": [format!("arn:aws:secretsmanager:*:*:secret:*/team-{index}*/db*-*"),
                                 format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:dev/{index}-??????")],
                }),
                (5..7, _) => json!({
                    "Effect": "Allow",
                    "Action": "*",
                    "Resource": "*",
                    "Condition": {
                        "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.168.0.0/16", "2001:db8::/32"]},
                        "ForAllValues:StringLike": {"aws:TagKeys": ["team-*", "stage"]},
                    },
                }),
                _ => json!({
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "ec2:*NetworkInterface*", "kms:*"],
                    "Resource": "*",
                }),
            })
            .collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    })
}

/// Ten statements of the secret's own policy, none of which denies.
fn resource() -> Value {
    let statements: Vec<Value> = (0..10)
        .map(|index| {
            json!({
                "Effect": "Deny",
                "Principal": "*",
                "Action": "secretsmanager:*",
                "Resource": "*",
                "Condition": {
                    "StringNotEquals": {"aws:SourceVpce": [format!("vpce-{index}"), "vpce-0a1b2c3d"]},
                    "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/breakglass-*"},
                },
            })
        })
        .collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn fastest(mut round: impl FnMut()) -> Duration {
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn main() -> ExitCode {
    let documents = identity().map(|document| document.to_string());
    let identity = documents.each_ref().map(|document| Policy::parse("identity", document).unwrap());
    let resource = Policy::from_value("secret", &resource()).unwrap();
    let policies =
        Policies { identity: identity.iter().collect(), boundary: None, resource: ResourcePolicy::Attached(&resource) };
    let context = Context::new()
        .known("aws:PrincipalTag/stage", "prod")
        .known("aws:SourceIp", "203.0.113.7")
        .known("aws:SourceVpce", "vpce-0a1b2c3d")
        .absent("aws:TagKeys");
    let caller = Caller::role("arn:aws:iam::111122223333:role/rotator", Some("rotate-orders")).unwrap();
    let request = Request::new(caller, "secretsmanager:PutSecretValue", SECRET, context);

    let access = policies.evaluate(&request);
    assert!(
        matches!(&access, LayerDecision { decision: Decision::Allowed { by }, .. } if by.index == 9),
        "the last statement decides: {access:?}"
    );

    let evaluating = fastest(|| {
        for _ in 0..EVALUATIONS {
            black_box(policies.evaluate(black_box(&request)));
        }
    });
    let parsing = fastest(|| {
        for _ in 0..EVALUATIONS {
            for document in &documents {
                black_box(Policy::parse("identity", black_box(document)).unwrap());
            }
        }
    });
    println!("{EVALUATIONS} evaluations of 50 statements: {evaluating:?} (budget {BUDGET:?})");
    println!("{EVALUATIONS} parses of the 40 identity statements: {parsing:?}");
    println!("parsing them once costs as much as {:.1} evaluations", parsing.as_secs_f64() / evaluating.as_secs_f64());
    if evaluating > BUDGET {
        println!("over budget");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
