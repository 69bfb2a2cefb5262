use crate::diagnosis::iam::{
    Caller, Context, Decision, Effect, Layer, LayerDecision, Policies, Policy, Request, ResourcePolicy, StatementRef,
};
use serde_json::{Value, json};

pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/rotation/rotator-role";
pub(super) const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/rotator-role/rotate-db";
pub(super) const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
pub(super) const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
pub(super) const OTHER_SECRET: &str = "arn:aws:secretsmanager:eu-west-1:444455556666:secret:prod/db-AbCdEf";
pub(super) const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
pub(super) const PUT: &str = "secretsmanager:PutSecretValue";

pub(super) fn policy(name: &str, statements: Value) -> Policy {
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    Policy::from_value(name, &document).unwrap()
}

pub(super) fn allow_all(name: &str) -> Policy {
    policy(name, json!({"Effect": "Allow", "Action": "*", "Resource": "*"}))
}

pub(super) fn allow_nothing(name: &str) -> Policy {
    policy(name, json!([]))
}

pub(super) fn role() -> Caller {
    Caller::role(ROLE, Some("rotate-db")).unwrap()
}

pub(super) fn request(resource: &str, context: Context) -> Request {
    Request::new(role(), PUT, resource, context)
}

pub(super) fn by(policy: &str, sid: Option<&str>, index: usize, effect: Effect) -> StatementRef {
    StatementRef { policy: policy.to_owned(), sid: sid.map(str::to_owned), index, effect }
}

pub(super) fn allowed(policy: &str, layer: Layer) -> LayerDecision {
    let by = by(policy, None, 0, Effect::Allow);
    LayerDecision { decision: Decision::Allowed { by }, layer }
}

pub(super) fn denied(policy: &str, layer: Layer) -> LayerDecision {
    let by = by(policy, None, 0, Effect::Deny);
    LayerDecision { decision: Decision::ExplicitDeny { by }, layer }
}

pub(super) fn not_allowed(layer: Layer) -> LayerDecision {
    LayerDecision { decision: Decision::ImplicitDeny, layer }
}

pub(super) fn unknown(policy: &str, effect: Effect, layer: Layer, keys: &[&str]) -> LayerDecision {
    LayerDecision {
        decision: Decision::Unknown {
            missing_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            by: by(policy, None, 0, effect),
        },
        layer,
    }
}

/// What an identity that allows everything, beside this statement on the secret, comes to.
pub(super) fn with_secret_policy(statement: Value, context: Context) -> LayerDecision {
    let (identity, secret) = (allow_all("admin"), policy("secret", statement));
    Policies { identity: vec![&identity], boundary: None, resource: ResourcePolicy::Attached(&secret) }
        .evaluate(&request(SECRET, context))
}

#[test]
fn a_boundary_caps_what_identity_and_role_grants_give_but_not_grants_to_the_session() {
    let (none, all) = (allow_nothing("none"), allow_all("all"));
    let grant =
        |principal: Value| policy("secret", json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": principal}));
    let evaluate = |identity, boundary, secret: Option<&Policy>| {
        Policies { identity: vec![identity], boundary, resource: secret.map_or(ResourcePolicy::None, ResourcePolicy::Attached) }
            .evaluate(&request(SECRET, Context::new()))
    };
    let by_role = grant(json!({"AWS": ROLE}));
    let by_session = grant(json!({"AWS": SESSION}));
    let by_account = grant(json!({"AWS": ["111122223333"]}));
    let by_everyone = grant(json!("*"));

    use Layer::{IdentityPolicy, PermissionsBoundary, ResourcePolicy as OfResource};
    assert_eq!(evaluate(&all, None, None), allowed("all", IdentityPolicy));
    assert_eq!(evaluate(&none, None, None), not_allowed(IdentityPolicy));
    assert_eq!(evaluate(&all, Some(&none), None), not_allowed(PermissionsBoundary));
    assert_eq!(evaluate(&none, Some(&all), None), not_allowed(IdentityPolicy));
    assert_eq!(evaluate(&none, None, Some(&by_role)), allowed("secret", OfResource));
    assert_eq!(evaluate(&none, Some(&none), Some(&by_role)), not_allowed(PermissionsBoundary));
    for direct in [&by_session, &by_everyone] {
        assert_eq!(evaluate(&none, Some(&none), Some(direct)), allowed("secret", OfResource));
    }
    // Allowing the account leaves it to the account's own policies.
    assert_eq!(evaluate(&none, None, Some(&by_account)), not_allowed(IdentityPolicy));
}

#[test]
fn an_explicit_deny_wins_in_every_layer() {
    let all = allow_all("all");
    let deny = policy("deny", json!([{"Effect": "Deny", "Action": PUT, "Resource": "*", "Principal": "*"}]));
    for (identity, boundary, secret, layer) in [
        (vec![&all, &deny], None, None, Layer::IdentityPolicy),
        (vec![&all], Some(&deny), None, Layer::PermissionsBoundary),
        (vec![&all], None, Some(&deny), Layer::ResourcePolicy),
    ] {
        let policies = Policies { identity, boundary, resource: secret.map_or(ResourcePolicy::None, ResourcePolicy::Attached) };
        assert_eq!(policies.evaluate(&request(SECRET, Context::new())), denied("deny", layer));
    }
}

#[test]
fn across_accounts_both_sides_must_allow() {
    let (none, all) = (allow_nothing("none"), allow_all("all"));
    for (identity, boundary, principal, expected) in [
        (&all, None, Some(json!({"AWS": ACCOUNT})), allowed("all", Layer::IdentityPolicy)),
        (&all, None, Some(json!({"AWS": ROLE})), allowed("all", Layer::IdentityPolicy)),
        (&none, None, Some(json!({"AWS": SESSION})), not_allowed(Layer::IdentityPolicy)),
        (&all, Some(&none), Some(json!("*")), not_allowed(Layer::PermissionsBoundary)),
        (&all, None, None, not_allowed(Layer::ResourcePolicy)),
        (&all, None, Some(json!({"AWS": "arn:aws:iam::444455556666:root"})), not_allowed(Layer::ResourcePolicy)),
    ] {
        let secret = principal.map(|principal| {
            policy("secret", json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": principal}))
        });
        let policies = Policies {
            identity: vec![identity],
            boundary,
            resource: secret.as_ref().map_or(ResourcePolicy::None, ResourcePolicy::Attached),
        };
        assert_eq!(policies.evaluate(&request(OTHER_SECRET, Context::new())), expected);
    }
}

#[test]
fn partitions_are_worlds_of_their_own() {
    let all = allow_all("all");
    let policies = Policies { identity: vec![&all], ..Policies::default() };
    for partition in ["aws-cn", "aws-us-gov"] {
        let secret = SECRET.replacen("aws", partition, 1);
        assert_eq!(policies.evaluate(&request(&secret, Context::new())), not_allowed(Layer::ResourcePolicy));
        let caller = Caller::role(&ROLE.replacen("aws", partition, 1), None).unwrap();
        assert_eq!(
            policies.evaluate(&Request::new(caller.clone(), PUT, &secret, Context::new())),
            allowed("all", Layer::IdentityPolicy)
        );
        let key = KEY.replacen("aws", partition, 1);
        let root = ACCOUNT.replacen("aws", partition, 1);
        for (principal, expected) in
            [(root.as_str(), allowed("all", Layer::ResourcePolicy)), (ACCOUNT, not_allowed(Layer::ResourcePolicy))]
        {
            let document =
                policy("all", json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": principal}}));
            let policies = Policies { identity: vec![&all], boundary: None, resource: ResourcePolicy::Key(&document) };
            let decrypt = Request::new(caller.clone(), "kms:Decrypt", &key, Context::new());
            assert_eq!(policies.evaluate(&decrypt), expected);
        }
    }
}

#[test]
fn a_key_policy_must_let_identity_policies_count() {
    let (none, all) = (allow_nothing("none"), allow_all("all"));
    let key_policy = |principal: &str| {
        policy("key", json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": principal}}))
    };
    for (identity, boundary, principal, expected) in [
        (&all, None, ACCOUNT, allowed("key", Layer::ResourcePolicy)),
        (&none, None, ACCOUNT, not_allowed(Layer::IdentityPolicy)),
        (&none, None, ROLE, allowed("key", Layer::ResourcePolicy)),
        (&none, Some(&none), ROLE, not_allowed(Layer::PermissionsBoundary)),
        (&none, Some(&none), SESSION, allowed("key", Layer::ResourcePolicy)),
        (&all, None, "arn:aws:iam::111122223333:role/key-admin", not_allowed(Layer::ResourcePolicy)),
    ] {
        let key = key_policy(principal);
        let policies = Policies { identity: vec![identity], boundary, resource: ResourcePolicy::Key(&key) };
        let decrypt = Request::new(role(), "kms:Decrypt", KEY, Context::new());
        assert_eq!(policies.evaluate(&decrypt), expected, "{principal}");
    }
}

#[test]
fn what_is_not_allowed_stays_so_whatever_a_deny_depends_on() {
    let secret = policy(
        "secret",
        json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
               "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}),
    );
    let policies = Policies { resource: ResourcePolicy::Attached(&secret), ..Policies::default() };
    assert_eq!(policies.evaluate(&request(SECRET, Context::new())), not_allowed(Layer::IdentityPolicy));
}

#[test]
fn only_the_arn_of_a_role_makes_a_role() {
    for arn in [
        "",
        "rotator-role",
        SESSION,
        "arn:aws:iam::111122223333:user/bob",
        "arn:aws:iam:::role/rotator-role",
        "arn:aws:iam::111122223333:role/",
    ] {
        assert!(Caller::role(arn, None).is_err(), "{arn}");
    }
}
