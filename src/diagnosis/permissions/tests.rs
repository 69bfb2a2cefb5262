//! What conditions on the way, the account and the organization make of a need, in the policies of the secret and of its key.

use super::{NeedState, Target};
use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::network::testing::world;
use crate::diagnosis::testing::*;
use crate::model::{Evidence, MetadataItem, Network, Observation};
use serde_json::{Value, json};

/// Where the function's calls go.
#[derive(Debug, Clone, Copy)]
enum CallWay {
    NoVpc,
    Endpoint,
    Nat,
    NotSeen,
}

fn account(way: CallWay) -> Evidence {
    let mut evidence = healthy();
    match way {
        CallWay::NoVpc => facts(&mut evidence.function).vpc = None,
        CallWay::Endpoint => evidence.network = world(),
        CallWay::Nat => {
            let mut network: Network = world();
            network.endpoints = Observation::Found(Vec::new());
            evidence.network = network;
        }
        CallWay::NotSeen => {}
    }
    evidence
}

/// What the policies say of the first need of the kind: allowed, stopped, or what is missing.
fn standing(evidence: &Evidence, target: Target) -> Result<&'static str, String> {
    let context = DiagnosisContext::new(evidence);
    let (_, state) = context.standings().iter().find(|(need, _)| need.target == target).unwrap();
    match state {
        NeedState::Allowed => Ok("allowed"),
        NeedState::Stopped(_) => Ok("stopped"),
        NeedState::Open(missing) => Err(missing.clone()),
    }
}

fn denies(condition: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*", "Condition": condition }
    ] })
}

#[test]
fn a_condition_on_the_secrets_tags_is_decided_by_them_and_open_where_they_were_not_read() {
    let mut evidence = account(CallWay::NoVpc);
    let condition = json!({ "StringNotEquals": { "aws:ResourceTag/rotate": "yes" } });
    facts(&mut evidence.access).secret_policy = Observation::Found(denies(&condition));
    assert_eq!(standing(&evidence, Target::Secret), Ok("stopped"));
    facts(&mut evidence.secret).tags = Some(vec![MetadataItem { key: "rotate".to_owned(), value: "yes".to_owned() }]);
    assert_eq!(standing(&evidence, Target::Secret), Ok("allowed"));
    facts(&mut evidence.secret).tags = None;
    assert!(standing(&evidence, Target::Secret).unwrap_err().contains("aws:ResourceTag/rotate"));
}

#[test]
fn a_deny_in_the_secrets_policy_is_decided_where_the_condition_is_about_what_is_known() {
    let vpce = |id: &str| json!({ "StringNotEquals": { "aws:SourceVpce": id } });
    let vpc = |id: &str| json!({ "StringNotEquals": { "aws:SourceVpc": id } });
    let account_is = |id: &str| json!({ "StringNotEquals": { "aws:PrincipalAccount": id } });
    let org = json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } });
    let resource_org = json!({ "StringNotEquals": { "aws:ResourceOrgID": "${aws:PrincipalOrgID}" } });
    use CallWay::{Endpoint, Nat, NoVpc, NotSeen};
    for (condition, way, expected) in [
        (vpce("vpce-0a1b2c3d"), Endpoint, Ok("allowed")),
        (vpce("vpce-0other"), Endpoint, Ok("stopped")),
        (vpce("vpce-0a1b2c3d"), Nat, Ok("stopped")),
        (vpce("vpce-0a1b2c3d"), NoVpc, Ok("stopped")),
        (vpce("vpce-0a1b2c3d"), NotSeen, Err("aws:SourceVpce")),
        (json!({ "StringNotEqualsIfExists": { "aws:SourceVpce": "vpce-0a1b2c3d" } }), NoVpc, Ok("stopped")),
        (vpc("vpc-0a1b2c3d"), Endpoint, Ok("allowed")),
        (vpc("vpc-0other"), Endpoint, Ok("stopped")),
        (vpc("vpc-0a1b2c3d"), Nat, Ok("stopped")),
        (vpc("vpc-0a1b2c3d"), NotSeen, Err("aws:SourceVpc")),
        (account_is(ACCOUNT), NotSeen, Ok("allowed")),
        (account_is("999988887777"), NotSeen, Ok("stopped")),
        (org, Endpoint, Err("aws:PrincipalOrgID")),
        (resource_org, Endpoint, Err("aws:ResourceOrgID")),
        // Two conditions hold together, and one that does not hold decides.
        (
            json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:PrincipalAccount": ACCOUNT } }),
            NotSeen,
            Ok("allowed"),
        ),
    ] {
        let mut evidence = account(way);
        facts(&mut evidence.access).secret_policy = Observation::Found(denies(&condition));
        let found = standing(&evidence, Target::Secret);
        match (expected, &found) {
            (Ok(expected), Ok(found)) => assert_eq!(expected, *found, "{way:?}: {condition}"),
            (Err(missing), Err(found)) => assert!(found.contains(missing), "{way:?}: {condition}: {found}"),
            _ => panic!("{way:?}: {condition}: {found:?}"),
        }
    }
}

#[test]
fn a_keys_policy_is_asked_by_secrets_manager_in_the_roles_name() {
    let with = |condition: &Value| {
        let mut evidence = account(CallWay::Endpoint);
        let Observation::Found(key) = &mut facts(&mut evidence.access).secret_key else { panic!() };
        let mut policy = key.policy.found().unwrap().clone();
        policy["Statement"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": condition }));
        key.policy = Observation::Found(policy);
        standing(&evidence, Target::SecretKey)
    };
    // As guides for data perimeters write it: what a service asks in a principal's name is let through.
    let perimeter = json!({
        "StringNotEqualsIfExists": { "aws:SourceVpce": "vpce-0other" },
        "BoolIfExists": { "aws:ViaAWSService": "false" }
    });
    assert_eq!(with(&perimeter), Ok("allowed"));
    let vpce = with(&json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-0other" } }));
    assert!(vpce.as_ref().is_err_and(|missing| missing.contains("aws:SourceVpce")), "{vpce:?}");
    assert_eq!(with(&json!({ "StringNotEquals": { "aws:PrincipalAccount": "999988887777" } })), Ok("stopped"));
    assert_eq!(with(&json!({ "StringNotEquals": { "aws:PrincipalAccount": ACCOUNT } })), Ok("allowed"));
    let org = with(&json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } }));
    assert!(org.as_ref().is_err_and(|missing| missing.contains("aws:PrincipalOrgID")), "{org:?}");
}
