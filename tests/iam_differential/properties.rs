//! Properties of the combined evaluation that hold whatever the policies say.

use super::{
    generate::{ROLE, call, context, document, hidden_keys, parsed, statement},
    runner,
};
use proptest::{prelude::*, sample::select};
use rotation_diag::diagnosis::iam::{Caller, Context, Decision, Policies, Policy, Request, ResourcePolicy, evaluate_resource};
use serde_json::{Value, json};
use std::{cell::Cell, collections::BTreeSet};

/// All layers of one case, as documents.
#[derive(Debug, Clone)]
struct Layers {
    identity: Vec<Value>,
    boundary: Option<Value>,
    resource: Option<Value>,
    resource_is_key: bool,
}

fn layers() -> impl Strategy<Value = Layers> {
    (
        prop::collection::vec(document(false), 1..3),
        prop::option::of(document(false)),
        prop::option::of(document(true)),
        any::<bool>(),
    )
        .prop_map(|(identity, boundary, resource, resource_is_key)| Layers { identity, boundary, resource, resource_is_key })
}

impl Layers {
    fn decide(&self, request: &Request) -> Decision {
        let identity = parsed(&self.identity);
        let boundary = self.boundary.as_ref().map(|document| Policy::from_value("boundary", document).unwrap());
        let resource = self.resource.as_ref().map(|document| Policy::from_value("resource", document).unwrap());
        let attach = if self.resource_is_key { ResourcePolicy::Key } else { ResourcePolicy::Attached };
        Policies {
            identity: identity.iter().collect(),
            boundary: boundary.as_ref(),
            resource: resource.as_ref().map_or(ResourcePolicy::None, attach),
        }
        .evaluate(request)
        .decision
    }
}

fn kind(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allowed { .. } => "allowed",
        Decision::ExplicitDeny { .. } => "denied",
        Decision::ImplicitDeny => "not allowed",
        Decision::Unknown { .. } => "unknown",
    }
}

fn as_role((action, resource, keys): &(&str, &str, super::Keys), hidden: &BTreeSet<&'static str>) -> Request {
    let caller = Caller::role(ROLE, Some("rotate-db")).unwrap();
    Request::new(caller, action, resource, context(keys, hidden))
}

#[test]
fn hiding_keys_may_leave_the_answer_open_but_never_turns_it_around() {
    let open = Cell::new(0);
    runner(1_000)
        .run(&(layers(), call(), hidden_keys()), |(layers, call, hidden)| {
            let whole = layers.decide(&as_role(&call, &BTreeSet::new()));
            let partial = layers.decide(&as_role(&call, &hidden));
            if let Decision::Unknown { missing_keys, .. } = &partial {
                open.set(open.get() + 1);
                let hidden: BTreeSet<_> = hidden.iter().map(|key| key.to_ascii_lowercase()).collect();
                prop_assert!(!missing_keys.is_empty());
                prop_assert!(missing_keys.is_subset(&hidden), "{missing_keys:?}");
            } else if kind(&whole) != kind(&partial) {
                // A deny that is only possible does not make what nothing allows an explicit one.
                prop_assert_eq!((kind(&whole), kind(&partial)), ("denied", "not allowed"));
            }
            Ok(())
        })
        .unwrap();
    assert!(open.get() > 100, "only {} cases were open", open.get());
}

#[test]
fn another_deny_never_gives_permission_and_another_allow_never_takes_it() {
    let cases = (layers(), call(), hidden_keys(), statement(true), 0..3_u8);
    runner(1_000)
        .run(&cases, |(before, call, hidden, mut extra, place)| {
            let request = as_role(&call, &hidden);
            let mut after = before.clone();
            let document = match place {
                0 => after.identity.first_mut(),
                1 => after.boundary.as_mut(),
                _ => after.resource.as_mut(),
            };
            let Some(document) = document else {
                return Ok(());
            };
            let statements = document["Statement"].as_array_mut().unwrap();
            extra["Effect"] = json!("Deny");
            statements.push(extra.clone());
            let rank = |decision: &Decision| match decision {
                Decision::ExplicitDeny { .. } | Decision::ImplicitDeny => 0,
                Decision::Unknown { .. } => 1,
                Decision::Allowed { .. } => 2,
            };
            let first = rank(&before.decide(&request));
            prop_assert!(rank(&after.decide(&request)) <= first);

            let statements = match place {
                0 => after.identity.first_mut(),
                1 => after.boundary.as_mut(),
                _ => after.resource.as_mut(),
            }
            .unwrap()["Statement"]
                .as_array_mut()
                .unwrap();
            statements.pop();
            extra["Effect"] = json!("Allow");
            statements.push(extra);
            prop_assert!(rank(&after.decide(&request)) >= first);
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_order_of_statements_and_policies_does_not_matter() {
    runner(500)
        .run(&(layers(), call(), hidden_keys()), |(layers, call, hidden)| {
            let request = as_role(&call, &hidden);
            let mut reversed = layers.clone();
            reversed.identity.reverse();
            for document in reversed.identity.iter_mut().chain(&mut reversed.resource) {
                document["Statement"].as_array_mut().unwrap().reverse();
            }
            prop_assert_eq!(kind(&layers.decide(&request)), kind(&reversed.decide(&request)));
            Ok(())
        })
        .unwrap();
}

#[test]
fn no_text_makes_the_parser_panic() {
    let tokens = select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"Statement\"",
        "\"Effect\"",
        "\"Allow\"",
        "\"Action\"",
        "\"Principal\"",
        "\"*\"",
        "\"${\"",
        "\"${é, '\"",
        "\"Condition\"",
        "\"IpAddress\"",
        "null",
        "1",
    ]);
    let soup = prop::collection::vec(tokens, 0..40).prop_map(|tokens| tokens.concat());
    let noise = "\\PC{0,40}";
    runner(500)
        .run(&(soup, noise), |(soup, noise)| {
            let _ = Policy::parse("soup", &soup);
            for element in ["Resource", "Action", "Principal"] {
                let mut statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"});
                statement[element] = json!(noise);
                let document = json!({"Version": "2012-10-17", "Statement": statement});
                if let Ok(policy) = Policy::from_value("noise", &document) {
                    let caller = Caller::role(ROLE, None).unwrap();
                    let request = Request::new(caller, "a:b", &noise, Context::new());
                    let _ = evaluate_resource(&policy, &request);
                }
            }
            Ok(())
        })
        .unwrap();
}
