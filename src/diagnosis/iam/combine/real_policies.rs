//! The shapes that policies of roles, secrets, keys and functions have in real accounts.

use super::tests::*;
use crate::diagnosis::iam::{
    Caller, Context, Decision, Effect, Layer, Policies, Policy, Request, ResourcePolicy, evaluate_identity, evaluate_resource,
};
use serde_json::{Value, json};

#[test]
fn resources_match_a_secrets_arn_exactly_as_written() {
    for (resource, expected) in [
        (SECRET, true),
        ("arn:aws:secretsmanager:*:*:secret:prod/*", true),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db*", true),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-??????", true),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-??????????", false),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-?????", false),
        // The mistake that people make: the suffix is missing.
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db", false),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:Prod/db*", false),
        ("arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/db*", false),
        ("arn:aws-cn:secretsmanager:*:*:secret:*", false),
        // "If you use the * wildcard as the last character of a resource ARN segment, it can
        // expand to match beyond the colon boundaries."
        ("arn:aws:secretsmanager:*", true),
        ("arn:aws:secretsmanager:*:secret:prod/*", true),
    ] {
        let identity = policy("inline", json!([{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": resource}]));
        let decision = evaluate_identity([&identity], &request(SECRET, Context::new()));
        assert_eq!(matches!(decision, Decision::Allowed { .. }), expected, "{resource}");
    }
}

#[test]
fn actions_ignore_case_and_not_action_takes_the_rest() {
    for (statement, expected) in [
        (json!({"Action": "SecretsManager:putsecretvalue"}), true),
        (json!({"Action": ["kms:*", "secretsmanager:Put*"]}), true),
        (json!({"Action": "secretsmanager:Get*"}), false),
        (json!({"Action": "secretsmanager:PutSecretValu?"}), true),
        (json!({"NotAction": "iam:*"}), true),
        (json!({"NotAction": ["iam:*", "secretsmanager:*"]}), false),
    ] {
        let mut statement = statement;
        statement["Effect"] = json!("Allow");
        statement["Resource"] = json!("*");
        let identity = policy("inline", statement.clone());
        let decision = evaluate_identity([&identity], &request(SECRET, Context::new()));
        assert_eq!(matches!(decision, Decision::Allowed { .. }), expected, "{statement}");
    }
}

#[test]
fn an_action_without_a_resource_needs_a_star() {
    let random = Request::new(role(), "secretsmanager:GetRandomPassword", "*", Context::new());
    let named =
        policy("named", json!({"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "arn:aws:secretsmanager:*:*:*"}));
    assert_eq!(evaluate_identity([&named], &random), Decision::ImplicitDeny);
    assert!(matches!(evaluate_identity([&allow_all("all")], &random), Decision::Allowed { .. }));
}

#[test]
fn the_deciding_statement_is_named_by_its_policy_its_sid_or_its_place() {
    let first = policy("first", json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    let second = policy(
        "second",
        json!([
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Sid": "Stop", "Effect": "Deny", "Action": PUT, "NotResource": "arn:aws:s3:::*"},
        ]),
    );
    let decision = evaluate_identity([&first, &second], &request(SECRET, Context::new()));
    let stop = by("second", Some("Stop"), 1, Effect::Deny);
    assert_eq!(stop.to_string(), "statement Stop of second");
    assert_eq!(decision, Decision::ExplicitDeny { by: stop });
    assert_eq!(by("first", None, 0, Effect::Allow).to_string(), "statement 0 of first");
}

#[test]
fn statements_without_a_resource_or_a_principal_have_no_effect_where_they_are_needed() {
    let no_resource = json!({"Effect": "Deny", "Action": "*", "Principal": "*"});
    let no_principal = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
    for statement in [no_resource, no_principal] {
        assert_eq!(with_secret_policy(statement, Context::new()), allowed("admin", Layer::IdentityPolicy));
    }
}

#[test]
fn a_key_policy_may_depend_on_the_service_that_asks() {
    let all = allow_all("all");
    let key = policy(
        "key",
        json!({
            "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*",
            "Principal": {"AWS": "*"},
            "Condition": {"StringEquals": {
                "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
                "kms:CallerAccount": "111122223333",
            }},
        }),
    );
    let evaluate = |context| {
        Policies { identity: vec![&all], boundary: None, resource: ResourcePolicy::Key(&key) }.evaluate(&Request::new(
            role(),
            "kms:Decrypt",
            KEY,
            context,
        ))
    };
    let account = || Context::new().known("kms:CallerAccount", "111122223333");
    let via = |region: &str| account().known("kms:ViaService", format!("secretsmanager.{region}.amazonaws.com"));
    assert_eq!(evaluate(via("eu-west-1")), allowed("key", Layer::ResourcePolicy));
    assert_eq!(evaluate(via("us-east-1")), not_allowed(Layer::ResourcePolicy));
    assert_eq!(evaluate(account()), unknown("key", Effect::Allow, Layer::ResourcePolicy, &["kms:viaservice"]));
}

#[test]
fn not_principal_with_deny_exempts_a_role_only_together_with_its_account() {
    let deny_all_but = |principals: Value| {
        json!({"Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*",
               "NotPrincipal": {"AWS": principals}})
    };
    let open = unknown("secret", Effect::Deny, Layer::ResourcePolicy, &["NotPrincipal"]);
    for (principals, expected) in [
        (json!([ROLE, ACCOUNT]), allowed("admin", Layer::IdentityPolicy)),
        (json!([SESSION, ROLE, "111122223333"]), allowed("admin", Layer::IdentityPolicy)),
        (json!([ROLE]), open.clone()),
        (json!([SESSION, ACCOUNT]), open),
        (json!([ACCOUNT]), denied("secret", Layer::ResourcePolicy)),
        (json!("arn:aws:iam::111122223333:role/someone-else"), denied("secret", Layer::ResourcePolicy)),
    ] {
        assert_eq!(with_secret_policy(deny_all_but(principals.clone()), Context::new()), expected, "{principals}");
    }

    let (all, secret) = (allow_all("all"), policy("secret", deny_all_but(json!([ROLE, ACCOUNT]))));
    let with_boundary = Policies { identity: vec![&all], boundary: Some(&all), resource: ResourcePolicy::Attached(&secret) };
    assert_eq!(with_boundary.evaluate(&request(SECRET, Context::new())), denied("secret", Layer::ResourcePolicy));
}

#[test]
fn denies_by_principal_arn_see_the_roles_arn_and_never_the_sessions() {
    let deny_unless = |pattern: &str| {
        json!({"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*",
               "Condition": {"StringNotLike": {"aws:PrincipalArn": pattern}}})
    };
    for (pattern, expected) in [
        ("arn:aws:iam::*:role/rotation/*", allowed("admin", Layer::IdentityPolicy)),
        (ROLE, allowed("admin", Layer::IdentityPolicy)),
        (SESSION, denied("secret", Layer::ResourcePolicy)),
        ("arn:aws:iam::*:role/ci-*", denied("secret", Layer::ResourcePolicy)),
    ] {
        assert_eq!(with_secret_policy(deny_unless(pattern), Context::new()), expected);
    }
}

#[test]
fn denies_on_keys_nobody_knows_cannot_be_ignored() {
    let deny = |condition: Value| {
        json!([{"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*",
                "Condition": condition}])
    };
    let endpoint = json!({"StringNotEquals": {"aws:SourceVpce": "vpce-0abc"}});
    let possibly = |keys: &[&str]| unknown("secret", Effect::Deny, Layer::ResourcePolicy, keys);
    assert_eq!(with_secret_policy(deny(endpoint.clone()), Context::new()), possibly(&["aws:sourcevpce"]));
    assert_eq!(
        with_secret_policy(deny(endpoint.clone()), Context::new().known("aws:SourceVpce", "vpce-0abc")),
        allowed("admin", Layer::IdentityPolicy)
    );
    // A function outside a VPC: the key is not in the request, and the negation holds.
    assert_eq!(
        with_secret_policy(deny(endpoint), Context::new().absent("aws:SourceVpce")),
        denied("secret", Layer::ResourcePolicy)
    );
    assert_eq!(
        with_secret_policy(deny(json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-abc"}})), Context::new()),
        possibly(&["aws:principalorgid"])
    );
    // One condition that fails for certain settles it, whatever the other one says.
    assert_eq!(
        with_secret_policy(
            deny(json!({
                "StringNotEquals": {"aws:PrincipalOrgID": "o-abc"},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "true"},
            })),
            Context::new()
        ),
        allowed("admin", Layer::IdentityPolicy)
    );
}

#[test]
fn an_allow_on_a_key_nobody_knows_is_no_allow_yet() {
    let tagged = policy(
        "inline",
        json!({"Effect": "Allow", "Action": "*", "Resource": "*",
               "Condition": {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}}),
    );
    let decide = |context| evaluate_identity([&tagged], &request(SECRET, context));
    let missing =
        |key: &str| Decision::Unknown { missing_keys: [key.to_owned()].into(), by: by("inline", None, 0, Effect::Allow) };
    assert_eq!(decide(Context::new()), missing("aws:resourcetag/team"));
    let tag = Context::new().known("aws:ResourceTag/team", "db");
    assert_eq!(decide(tag.clone()), missing("aws:principaltag/team"));
    assert!(matches!(decide(tag.known("aws:PrincipalTag/team", "db")), Decision::Allowed { .. }));
}

#[test]
fn a_session_named_by_a_policy_is_open_while_the_sessions_name_is() {
    let secret = policy("secret", json!({"Effect": "Allow", "Principal": {"AWS": SESSION}, "Action": "*", "Resource": "*"}));
    let caller = Caller::role(ROLE, None).unwrap();
    let request = Request::new(caller, PUT, SECRET, Context::new());
    assert_eq!(
        evaluate_resource(&secret, &request),
        Decision::Unknown { missing_keys: ["sts:rolesessionname".to_owned()].into(), by: by("secret", None, 0, Effect::Allow) }
    );
}

#[test]
fn secrets_manager_may_invoke_the_function_as_its_policy_says() {
    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:rotate-db";
    let statement = |resource: &str, principal: Value, condition: Value| {
        policy(
            "default",
            json!({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resource,
                   "Principal": principal, "Condition": condition}),
        )
    };
    let secrets_manager = || json!({"Service": "secretsmanager.amazonaws.com"});
    let from_account = |id: &str| json!({"StringEquals": {"AWS:SourceAccount": id}});
    let from_secret = |arn: &str| json!({"ArnLike": {"AWS:SourceArn": arn}});
    let alias = format!("{FUNCTION}:live");
    let every = allowed("default", Layer::ResourcePolicy);
    let none = not_allowed(Layer::ResourcePolicy);
    for (document, function, expected) in [
        (statement(FUNCTION, secrets_manager(), json!({})), FUNCTION, &every),
        (statement(FUNCTION, secrets_manager(), from_account("111122223333")), FUNCTION, &every),
        (statement(FUNCTION, secrets_manager(), from_account("444455556666")), FUNCTION, &none),
        (statement(FUNCTION, secrets_manager(), from_secret(SECRET)), FUNCTION, &every),
        (statement(FUNCTION, secrets_manager(), from_secret(OTHER_SECRET)), FUNCTION, &none),
        (statement(FUNCTION, json!({"Service": "lambda.amazonaws.com"}), json!({})), FUNCTION, &none),
        (statement(FUNCTION, json!({"AWS": ACCOUNT}), json!({})), FUNCTION, &none),
        (statement(FUNCTION, json!("*"), json!({})), FUNCTION, &every),
        (statement(FUNCTION, json!("*"), json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc"}})), FUNCTION, &none),
        (statement(FUNCTION, secrets_manager(), json!({})), &alias, &none),
        (statement(&alias, secrets_manager(), json!({})), &alias, &every),
    ] {
        let context = Context::new().known("aws:SourceAccount", "111122223333").known("aws:SourceArn", SECRET);
        let invoke = Request::new(Caller::service("secretsmanager.amazonaws.com"), "lambda:InvokeFunction", function, context);
        let policies = Policies { resource: ResourcePolicy::Attached(&document), ..Policies::default() };
        assert_eq!(&policies.evaluate(&invoke), expected, "{document:?}");
        assert_eq!(evaluate_resource(&document, &invoke), expected.decision);
    }
}

#[test]
fn only_the_newer_version_of_the_language_knows_variables() {
    let statement = json!({"Effect": "Allow", "Action": "*",
        "Resource": "arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/stage}/*"});
    let context = Context::new().known("aws:PrincipalTag/stage", "prod");
    for (version, expected) in [(Some("2012-10-17"), true), (Some("2008-10-17"), false), (None, false)] {
        let mut document = json!({"Statement": statement});
        if let Some(version) = version {
            document["Version"] = json!(version);
        }
        let identity = Policy::from_value("inline", &document).unwrap();
        let decision = evaluate_identity([&identity], &request(SECRET, context.clone()));
        assert_eq!(matches!(decision, Decision::Allowed { .. }), expected, "{version:?}");
    }
}
