//! The layers together, decided by our evaluator and by `awsim-iam-policy`, which knows identity policies, the permissions
//! boundary and the resource's policy at once (`iam-rs` sees one layer at a time). Statements have no conditions here: what one
//! statement means is compared elsewhere. Service control and session policies are left out, because no evidence holds them.
//!
//! Where it departs from AWS's documentation the generator stays away, and the last test shows that it still does:
//!
//! | not generated | because AWS documents | `awsim-iam-policy` 0.8.0 |
//! |---|---|---|
//! | a grant to the role beside a boundary | a boundary limits what a resource's policy gives the role, not what it gives the session | not limited |
//! | an account as principal | its own policies must allow as well | enough in the resource's account |
//! | a boundary, and a resource of another account | both accounts must allow, and the boundary limits the caller's | not limited |
//! | another account's resource without a policy | both accounts must allow | the caller's is enough |
//! | a KMS key's policy | identity policies count only where it allows the account | they always count |
//!
//! Source: IAM User Guide, "Permissions boundaries for IAM entities" and "Cross-account policy evaluation logic"; KMS Developer
//! Guide, "Default key policy".

use super::{ROLE, Tally, runner};
use awsim_iam_policy::{AuthzRequest, EvalContext, PolicyDocument, evaluate, parse_value};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rotation_diag::diagnosis::iam::{Caller, Context, Decision, LayerDecision, Policies, Policy, Request, ResourcePolicy};
use serde_json::{Value, json};
use std::collections::HashMap;

const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/rotator/rotate-db";
const OTHER_ROLE: &str = "arn:aws:iam::111122223333:role/reader";
const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
const OTHERS_SECRET: &str = "arn:aws:secretsmanager:eu-west-1:444455556666:secret:prod/db-AbCdEf";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ACTIONS: [&str; 2] = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"];

/// The policies that bear on a call, as they are written.
#[derive(Debug, Clone)]
struct World {
    identity: Vec<Value>,
    boundary: Option<Value>,
    resource: Option<Value>,
    /// As whom the resource's policy may name the caller.
    named: &'static str,
    action: &'static str,
    on: &'static str,
}

impl World {
    /// `of_key`: the resource's policy is that of a KMS key.
    fn ours(&self, of_key: bool) -> LayerDecision {
        let read = |name: &str, document: &Value| Policy::from_value(name, document).unwrap();
        let identity: Vec<Policy> = self.identity.iter().map(|document| read("identity", document)).collect();
        let boundary = self.boundary.as_ref().map(|document| read("boundary", document));
        let resource = self.resource.as_ref().map(|document| read("resource", document));
        let policies = Policies {
            identity: identity.iter().collect(),
            boundary: boundary.as_ref(),
            resource: match &resource {
                None => ResourcePolicy::None,
                Some(policy) if of_key => ResourcePolicy::Key(policy),
                Some(policy) => ResourcePolicy::Attached(policy),
            },
        };
        let caller = Caller::role(ROLE, Some("rotate-db")).unwrap();
        policies.evaluate(&Request::new(caller, self.action, self.on, Context::new()))
    }

    fn theirs(&self) -> awsim_iam_policy::Decision {
        let read = |document: &Value| parse_value(document).unwrap();
        let identity: Vec<PolicyDocument> = self.identity.iter().map(read).collect();
        let (boundary, resource) = (self.boundary.as_ref().map(read), self.resource.as_ref().map(read));
        let context = HashMap::new();
        let request = AuthzRequest {
            principal_arn: self.named,
            principal_account: "111122223333",
            action: self.action,
            resource_arn: self.on,
            context: &context,
        };
        let policies = EvalContext {
            identity_policies: &identity,
            permissions_boundary: boundary.as_ref(),
            resource_policy: resource.as_ref(),
            ..EvalContext::default()
        };
        evaluate(&request, &policies)
    }
}

fn expected(decision: &Decision) -> awsim_iam_policy::Decision {
    match decision {
        Decision::Allowed { .. } => awsim_iam_policy::Decision::Allow,
        Decision::ExplicitDeny { .. } => awsim_iam_policy::Decision::ExplicitDeny,
        Decision::ImplicitDeny | Decision::Unknown { .. } => awsim_iam_policy::Decision::ImplicitDeny,
    }
}

/// A document of one or two statements; with principals, for a resource.
fn document(principals: Vec<Value>) -> impl Strategy<Value = Value> {
    let statement = (
        prop_oneof![5 => Just("Allow"), 1 => Just("Deny")],
        prop_oneof![1 => Just(json!("*")), 3 => subsequence(&ACTIONS[..], 1..=2).prop_map(|actions| json!(actions))],
        select(vec!["*", SECRET, OTHERS_SECRET, "arn:aws:secretsmanager:*:*:secret:prod/*"]),
        if principals.is_empty() {
            Just(None).boxed()
        } else {
            select([principals, vec![json!("*")]].concat()).prop_map(Some).boxed()
        },
    );
    let statement = statement.prop_map(|(effect, action, resource, principal)| {
        let mut statement = json!({"Effect": effect, "Action": action, "Resource": resource});
        if let Some(principal) = principal {
            statement["Principal"] = principal;
        }
        statement
    });
    prop::collection::vec(statement, 1..=2).prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

fn world() -> impl Strategy<Value = World> {
    let by_role = (Just(ROLE), Just(None), select(vec![SECRET, OTHERS_SECRET]));
    let by_session = (Just(SESSION), prop::option::weighted(0.7, document(Vec::new())), Just(SECRET));
    let abroad = (Just(SESSION), Just(None), Just(OTHERS_SECRET));
    let caller = prop_oneof![2 => by_role.boxed(), 4 => by_session.boxed(), 1 => abroad.boxed()];
    (caller, select(&ACTIONS[..])).prop_flat_map(|((named, boundary, on), action)| {
        let principals = vec![json!({"AWS": named}), json!({"AWS": OTHER_ROLE}), json!({"AWS": [OTHER_ROLE, named]})];
        let identity = prop::collection::vec(document(Vec::new()), 0..=2);
        let policy = document(principals);
        let resource = if on == SECRET { prop::option::weighted(0.7, policy).boxed() } else { policy.prop_map(Some).boxed() };
        (identity, resource).prop_map(move |(identity, resource)| World {
            identity,
            boundary: boundary.clone(),
            resource,
            named,
            action,
            on,
        })
    })
}

#[test]
fn the_layers_together_are_decided_as_by_the_independent_evaluator() {
    let tally = Tally::default();
    runner(4_000)
        .run(&world(), |world| {
            let access = world.ours(false);
            prop_assert!(!matches!(access.decision, Decision::Unknown { .. }), "nothing is unknown here");
            tally.count(&access.decision);
            prop_assert_eq!(expected(&access.decision), world.theirs());
            Ok(())
        })
        .unwrap();
    tally.assert_each_is_at_least_one_in_ten();
}

#[test]
fn what_is_not_generated_is_where_the_independent_evaluator_departs() {
    let all = || json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    let nothing = || json!({"Version": "2012-10-17", "Statement": []});
    let to = |principal: &str| {
        let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": principal}});
        Some(json!({"Version": "2012-10-17", "Statement": statement}))
    };
    let world = |identity: Value, boundary: Option<Value>, resource: Option<Value>, named, on| World {
        identity: vec![identity],
        boundary,
        resource,
        named,
        action: ACTIONS[0],
        on,
    };
    for (name, world, of_key) in [
        ("a grant to the role beside a boundary", world(nothing(), Some(nothing()), to(ROLE), ROLE, SECRET), false),
        ("an account as principal", world(nothing(), None, to(ACCOUNT), ROLE, SECRET), false),
        ("a boundary, and another account", world(all(), Some(nothing()), to(ROLE), ROLE, OTHERS_SECRET), false),
        ("another account's resource without a policy", world(all(), None, None, ROLE, OTHERS_SECRET), false),
        ("a key's policy", World { action: "kms:Decrypt", ..world(all(), None, to(OTHER_ROLE), ROLE, KEY) }, true),
    ] {
        assert_eq!(world.ours(of_key).decision, Decision::ImplicitDeny, "{name}");
        assert_eq!(world.theirs(), awsim_iam_policy::Decision::Allow, "no longer departs: {name}");
    }
}
