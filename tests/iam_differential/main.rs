//! Generated policies and requests, decided by our evaluator and by `iam-rs`, and properties that need
//! no second opinion.
//!
//! The two evaluators are written independently. Where `iam-rs` departs from AWS's documentation the
//! generator stays out of that corner, and the tests in `src/diagnosis/iam` cover it. What one Allow to
//! a role can show of this list is asserted at the end of this file, so that no line outlives its reason:
//!
//! | not generated for the comparison | because AWS documents | `iam-rs` 0.8.0 |
//! |---|---|---|
//! | wildcards under `ArnEquals` | "ArnEquals and ArnLike behave identically" | compares text |
//! | `Arn*` wildcards across a colon | "each of the six colon-delimited components is checked separately" | compares the whole text |
//! | variables in conditions | they are supported with String, Arn and Bool operators | not replaced |
//! | unresolved variables, `${*}`, `${?}`, `${$}` | unresolved "might cause the entire statement to be invalid"; the three stand for themselves | empty text |
//! | resources with fewer than six parts, or a wildcard service | a final `*` of a segment "can expand to match beyond the colon boundaries" | an error, or no match |
//! | wildcards in a principal's name | "you cannot use a wildcard to match part of a principal name or ARN" | match |
//! | an account as principal | it names everyone in the account | only its root user |
//! | `{"AWS": "*"}` for a service | it is equivalent to `"*"` | no match |
//! | `NotPrincipal` with a role but not its account | it "might deny access to the entire account" | exempts |
//! | several values of a key under an operator without a set form | multivalued keys need a set operator | differs with negation |
//! | set forms of Numeric, Date, IpAddress and with IfExists | they are defined for every operator | refused, or false |
//! | `BinaryEquals` on values that differ in case | Base64 is compared byte for byte | ignores case |
//! | dates without a time | the W3C forms of ISO 8601 include them | an error |
//! | `ForAllValues` on an empty text | "an empty data set, such as an empty string" gives true | compares |
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole file is a test; clippy exempts only the functions marked #[test]"
)]

mod combined;
mod generate;
mod properties;

use generate::{Held, Keys, ROLE, SERVICE, call, context, document, parsed};
use iam_rs::{ContextValue, IAMPolicy, IAMRequest, Principal, PrincipalId, evaluate_policies};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner},
};
use rotation_diag::diagnosis::iam::{
    Caller, Context, Decision, Effect, Policy, Request, StatementRef, evaluate_identity, evaluate_resource,
};
use serde_json::{Value, json};
use std::{cell::Cell, collections::BTreeSet};

/// What `iam-rs` says of the same documents and the same request.
fn second_opinion(documents: &[Value], principal: Principal, (action, resource, keys): &(&str, &str, Keys)) -> iam_rs::Decision {
    let policies: Vec<IAMPolicy> =
        documents.iter().map(|document| IAMPolicy::from_json(&document.to_string()).unwrap()).collect();
    let mut request = IAMRequest::new(principal, *action, resource.parse().unwrap());
    for (key, held) in keys {
        let value = match held {
            None => continue,
            Some(Held::One(text)) => ContextValue::String((*text).to_owned()),
            Some(Held::Many(texts)) => ContextValue::StringList(texts.iter().map(|text| (*text).to_owned()).collect()),
            Some(Held::Number(number)) => ContextValue::Number(f64::from(*number)),
            Some(Held::Bool(value)) => ContextValue::Boolean(*value),
        };
        request.context.insert((*key).to_owned(), value);
    }
    evaluate_policies(&policies, &request).unwrap()
}

/// Asserts that both came to the same, and that the statement named is one that decides alone.
fn agree(documents: &[Value], decision: &Decision, opinion: impl Fn(&[Value]) -> iam_rs::Decision) -> TestCaseResult {
    let expected = opinion(documents);
    let (kind, by) = match decision {
        Decision::Allowed { by } => (iam_rs::Decision::Allow, Some(by)),
        Decision::ExplicitDeny { by } => (iam_rs::Decision::Deny, Some(by)),
        Decision::ImplicitDeny => (iam_rs::Decision::NotApplicable, None),
        Decision::Unknown { .. } => {
            return Err(TestCaseError::fail("unknown, though every key is known"));
        }
    };
    prop_assert_eq!(kind, expected);
    if let Some(StatementRef { policy, index, effect, .. }) = by {
        let statement = &documents[policy.parse::<usize>().unwrap()]["Statement"][index];
        let alone = json!({"Version": "2012-10-17", "Statement": [statement]});
        prop_assert_eq!(opinion(&[alone]), kind);
        prop_assert_eq!(*effect == Effect::Allow, kind == iam_rs::Decision::Allow);
    }
    Ok(())
}

/// The same cases at every run, so that a red run is red again; `PROPTEST_CASES` asks for more, and
/// `IAM_SEED` for others.
fn runner(cases: u32) -> TestRunner {
    let seed: u8 = std::env::var("IAM_SEED").map_or(0, |seed| seed.parse().unwrap());
    let cases = std::env::var("PROPTEST_CASES").map_or(cases, |cases| cases.parse().unwrap());
    TestRunner::new_with_rng(
        Config { cases, failure_persistence: None, ..Config::default() },
        TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]),
    )
}

/// How often each decision came; a comparison that never saw one of them would prove little.
#[derive(Default)]
struct Tally {
    allowed: Cell<u32>,
    denied: Cell<u32>,
    neither: Cell<u32>,
}

impl Tally {
    fn count(&self, decision: &Decision) {
        let counter = match decision {
            Decision::Allowed { .. } => &self.allowed,
            Decision::ExplicitDeny { .. } => &self.denied,
            Decision::ImplicitDeny | Decision::Unknown { .. } => &self.neither,
        };
        counter.set(counter.get() + 1);
    }

    fn assert_each_is_at_least_one_in_ten(&self) {
        let counts = [&self.allowed, &self.denied, &self.neither].map(Cell::get);
        let all: u32 = counts.iter().sum();
        assert!(counts.iter().all(|count| count * 10 >= all), "{counts:?}");
    }
}

#[test]
fn identity_policies_are_decided_as_by_the_independent_evaluator() {
    let tally = Tally::default();
    let cases = (prop::collection::vec(document(false), 1..4), call());
    runner(2_000)
        .run(&cases, |(documents, call)| {
            let caller = Caller::role(ROLE, None).unwrap();
            let request = Request::new(caller, call.0, call.1, context(&call.2, &BTreeSet::new()));
            let decision = evaluate_identity(&parsed(&documents), &request);
            tally.count(&decision);
            agree(&documents, &decision, |documents| {
                let role = Principal::Aws(PrincipalId::String(ROLE.to_owned()));
                second_opinion(documents, role, &call)
            })
        })
        .unwrap();
    tally.assert_each_is_at_least_one_in_ten();
}

#[test]
fn resource_policies_are_decided_as_by_the_independent_evaluator() {
    let tally = Tally::default();
    let cases = (document(true), call(), any::<bool>());
    runner(2_000)
        .run(&cases, |(document, call, by_service)| {
            let (caller, principal): (_, fn(PrincipalId) -> Principal) = if by_service {
                (Caller::service(SERVICE), Principal::Service)
            } else {
                (Caller::role(ROLE, Some("rotate-db")).unwrap(), Principal::Aws)
            };
            let request = Request::new(caller, call.0, call.1, context(&call.2, &BTreeSet::new()));
            let documents = [document];
            let decision = evaluate_resource(&parsed(&documents)[0], &request);
            tally.count(&decision);
            agree(&documents, &decision, |documents| {
                let name = if by_service { SERVICE } else { ROLE };
                let principal = principal(PrincipalId::String(name.to_owned()));
                second_opinion(documents, principal, &call)
            })
        })
        .unwrap();
    tally.assert_each_is_at_least_one_in_ten();
}

/// One corner of the list above: a statement (without effect), the request's keys, and whether it
/// applies by AWS's documentation.
type Corner = (&'static str, Value, Vec<(&'static str, &'static [&'static str])>, bool);

fn corners() -> Vec<Corner> {
    let only_if = |condition: Value| json!({"Action": "*", "Resource": "*", "Condition": condition});
    let on = |resource: &str| json!({"Action": "*", "Resource": resource});
    let to = |principal: Value| json!({"Action": "*", "Resource": "*", "Principal": principal});
    vec![
        (
            "wildcards under ArnEquals",
            only_if(json!({"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::lo*"}})),
            vec![("aws:SourceArn", &["arn:aws:s3:::logs"])],
            true,
        ),
        (
            "wildcards across a colon",
            only_if(json!({"ArnLike": {"aws:SourceArn": "arn:aws:*:alarms"}})),
            vec![("aws:SourceArn", &["arn:aws:sns:eu-west-1:111122223333:alarms"])],
            false,
        ),
        (
            "variables in conditions",
            only_if(json!({"StringEquals": {"aws:SourceVpc": "${aws:PrincipalTag/vpc}"}})),
            vec![("aws:SourceVpc", &["vpc-1"]), ("aws:PrincipalTag/vpc", &["vpc-1"])],
            true,
        ),
        ("a literal star", on("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab${*}"), vec![], false),
        ("a final star beyond the colons", on("arn:aws:kms:*:key/*"), vec![], true),
        ("a wildcard service", on("arn:aws:k*:eu-west-1:111122223333:key/*"), vec![], true),
        ("a wildcard in a principal", to(json!({"AWS": "arn:aws:iam::111122223333:role/*"})), vec![], false),
        ("an account as principal", to(json!({"AWS": "111122223333"})), vec![], true),
        (
            "several values under a negated operator without a set form",
            only_if(json!({"StringNotEquals": {"aws:TagKeys": "a"}})),
            vec![("aws:TagKeys", &["a", "b"])],
            false,
        ),
        (
            "set forms of numbers",
            only_if(json!({"ForAnyValue:NumericEquals": {"example:Port": "5432"}})),
            vec![("example:Port", &["5432"])],
            true,
        ),
        (
            "set forms with IfExists",
            only_if(json!({"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": "a*"}})),
            vec![("aws:TagKeys", &["b", "ab"])],
            true,
        ),
        (
            "binary values that differ in case",
            only_if(json!({"BinaryEquals": {"example:Blob": "QQ=="}})),
            vec![("example:Blob", &["qq=="])],
            false,
        ),
        (
            "dates without a time",
            only_if(json!({"DateLessThan": {"aws:CurrentTime": "2026-11-23"}})),
            vec![("aws:CurrentTime", &["2026-11-22T12:00:00Z"])],
            true,
        ),
        (
            "ForAllValues on an empty text",
            only_if(json!({"ForAllValues:StringEquals": {"aws:TagKeys": "a"}})),
            vec![("aws:TagKeys", &[""])],
            true,
        ),
    ]
}

#[test]
fn every_corner_left_out_is_one_where_the_second_opinion_departs() {
    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    for (name, mut statement, keys, applies) in corners() {
        statement["Effect"] = json!("Allow");
        let with_principal = statement.get("Principal").is_some();
        let document = json!({"Version": "2012-10-17", "Statement": statement});
        let context = keys.iter().fold(Context::new(), |context, (key, values)| {
            context.known_values(key, values.iter().map(|value| (*value).to_owned()))
        });
        let request = Request::new(Caller::role(ROLE, None).unwrap(), "kms:Decrypt", KEY, context);
        let policy = Policy::from_value("corner", &document).unwrap();
        let ours = if with_principal { evaluate_resource(&policy, &request) } else { evaluate_identity([&policy], &request) };
        assert_eq!(matches!(ours, Decision::Allowed { .. }), applies, "{name}");

        let theirs = IAMPolicy::from_json(&document.to_string()).ok().and_then(|policy| {
            let role = Principal::Aws(PrincipalId::String(ROLE.to_owned()));
            let mut request = IAMRequest::new(role, "kms:Decrypt", KEY.parse().unwrap());
            for (key, values) in keys {
                let value = match values {
                    [value] => ContextValue::String((*value).to_owned()),
                    _ => ContextValue::StringList(values.iter().map(|value| (*value).to_owned()).collect()),
                };
                request.context.insert(key.to_owned(), value);
            }
            evaluate_policies(&[policy], &request).ok()
        });
        let agreed = if applies { iam_rs::Decision::Allow } else { iam_rs::Decision::NotApplicable };
        assert_ne!(theirs, Some(agreed), "no longer a corner: {name}");
    }
}
