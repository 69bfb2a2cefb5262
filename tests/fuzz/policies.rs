//! Policy documents as they come from AWS, damaged: refused, or evaluated without permission out of nothing.

use crate::{found, mutation::mutated};
use proptest::prelude::*;
use rotation_diag::diagnosis::iam::{
    Caller, Context, Decision, Policy, Request, evaluate_identity, evaluate_resource, evaluate_trust,
};

const ROLE: &str = "arn:aws:iam::123456789012:role/orders-rotator-role";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";

fn seeds() -> Vec<String> {
    let documents = [
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:Put*"],"Resource":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/*"}]}"#,
        r#"{"Version":"2012-10-17","Statement":{"Sid":"a","Effect":"Allow","NotAction":"iam:*","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:PrincipalTag/team":["a","${aws:username}"]},"Bool":{"aws:SecureTransport":"true"}}}}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root","123456789012"]},"Action":"*","Resource":"*"},{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::123456789012:role/x"},"Action":"secretsmanager:*","Resource":"*","Condition":{"ForAllValues:StringNotLike":{"aws:TagKeys":["a*","?"]},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"NumericLessThan":{"aws:MultiFactorAuthAge":"300"},"DateGreaterThan":{"aws:CurrentTime":"2026-11-22T05:00:00Z"}}}]}"#,
        r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
    ];
    documents.map(str::to_owned).into_iter().chain(found("policies")).collect()
}

fn decisions(policy: &Policy) -> [Decision; 3] {
    let caller = || Caller::role(ROLE, Some("rotation")).unwrap();
    let request = |action: &str, resource: &str| Request::new(caller(), action, resource, Context::default());
    [
        evaluate_identity([policy], &request("secretsmanager:PutSecretValue", SECRET)),
        evaluate_resource(policy, &request("secretsmanager:GetSecretValue", SECRET)),
        evaluate_trust(policy, &request("sts:AssumeRole", ROLE)),
    ]
}

proptest! {
    #[test]
    fn a_damaged_document_is_refused_or_allows_only_by_a_statement_that_does(text in mutated(seeds())) {
        let Ok(policy) = Policy::parse("damaged", &text) else { return Ok(()) };
        for decision in decisions(&policy) {
            if matches!(decision, Decision::Allowed { .. }) {
                prop_assert!(text.contains("Allow"), "{text}");
            }
        }
    }

    #[test]
    fn another_deny_of_everything_is_never_outweighed(text in mutated(seeds())) {
        let Ok(mut document) = serde_json::from_str::<serde_json::Value>(&text) else { return Ok(()) };
        if Policy::from_value("damaged", &document).is_err() {
            return Ok(());
        }
        let deny = serde_json::json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
        match &mut document["Statement"] {
            serde_json::Value::Array(statements) => statements.push(deny),
            one => *one = serde_json::json!([one.clone(), deny]),
        }
        let policy = Policy::from_value("denying", &document).unwrap();
        let [identity, ..] = decisions(&policy);
        prop_assert!(matches!(identity, Decision::ExplicitDeny { .. }), "{identity:?}: {document}");
    }
}
