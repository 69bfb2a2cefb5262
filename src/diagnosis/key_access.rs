//! What lets the function's role use a key: its own policies, and the key's.

use super::DiagnosisContext;
use super::iam::{Caller, Context, Decision, Policy, Request, evaluate_resource};
use super::need::{Need, NeedState, Stop, Target};
use super::permissions::needs;
use super::policy_edit::{ON_PURPOSE, PolicyKind, allow_all, allowing_needs, sparing, with};
use super::remedy::aws_in;
use super::signatures::RefusingLayer;
use crate::model::{KeyFacts, Remediation};
use serde_json::{Value, json};

/// The commands that let the role use the key `id` of `target`, as far as the policies that are in the way were seen.
pub(super) fn key_access(context: &DiagnosisContext<'_>, target: Target, id: &str) -> Remediation {
    let wanted: Vec<Need> = needs(context).into_iter().filter(|need| need.target == target).collect();
    let is_owners = target == Target::SecretKey && key_policy(context, target).is_none() && role_allows(context, &wanted);
    if let Some(owner) = owner_elsewhere(context, id).filter(|_| is_owners) {
        return asked_of_owner(context, owner, &wanted);
    }
    let stops: Vec<&Stop> = (context.standings().iter())
        .filter(|(need, _)| need.target == target)
        .filter_map(|(_, standing)| match standing {
            NeedState::Stopped(stop) => Some(&**stop),
            _ => None,
        })
        .collect();
    let in_layer = |layer: RefusingLayer, explicit: bool| {
        stops.iter().any(|stop| stop.denied.layer == layer && stop.denied.explicit == explicit)
    };
    let actions = wanted.iter().map(|need| need.action).collect::<Vec<_>>().join(" and ");
    let by_key = in_layer(RefusingLayer::ResourcePolicy, false) || in_layer(RefusingLayer::ResourcePolicy, true);
    let by_role = in_layer(RefusingLayer::IdentityPolicy, false);
    let is_denied = in_layer(RefusingLayer::IdentityPolicy, true) || in_layer(RefusingLayer::ResourcePolicy, true);
    let mut fix = Remediation::new(match (by_role, by_key, is_denied) {
        (true, false, false) => format!("Allow {actions} in the role's policies, and rotate."),
        (false, true, false) => format!("Let the key policy allow the role {actions}, and rotate."),
        (false, _, true) => format!("Narrow the Deny statement so that it spares {actions} by this role, and rotate."),
        _ => format!(
            "Allow {actions} in the role's policies, and let the key policy allow the role too, or delegate to the account's \
             policies."
        ),
    });
    if is_denied {
        fix = fix.warn(ON_PURPOSE);
    }
    fix = match by_role && !by_key && !in_layer(RefusingLayer::IdentityPolicy, true) {
        true => fix.give_back(context, "UseKeyOf", &allowing_needs(&wanted)),
        false if stops.is_empty() || by_role => fix.allow_role(context, "UseKeyOf", &allowing_needs(&wanted)),
        false => fix,
    };
    if in_layer(RefusingLayer::IdentityPolicy, true)
        && let Some(policies) = context.evidence.role.found().and_then(|facts| facts.policies.found())
    {
        for policy in &policies.identity {
            if let Some(document) = sparing(context, &policy.document, &wanted, PolicyKind::Identity) {
                fix = fix.set_policy(context, &policy.name, &document);
            }
        }
    }
    if !by_key && !stops.is_empty() {
        return fix;
    }
    match key_policy(context, target).filter(|_| by_key) {
        Some(document) => {
            let spared = sparing(context, document, &wanted, PolicyKind::Resource);
            let document = spared.as_ref().unwrap_or(document);
            let document = if in_layer(RefusingLayer::ResourcePolicy, false) {
                with(document, statement(context, &wanted))
            } else {
                document.clone()
            };
            put(fix, context, id, &document.to_string())
        }
        None => edit_policy(fix, context, id),
    }
}

/// The account that the key belongs to, where it is another one.
fn owner_elsewhere<'i>(context: &DiagnosisContext<'_>, id: &'i str) -> Option<&'i str> {
    let own = context.evidence.account_id.as_deref();
    id.split(':').nth(4).filter(|owner| own.is_some_and(|own| own != *owner))
}

/// True where the role's own policies allow all of `wanted`, as AWS simulated them or as they were read.
fn role_allows(context: &DiagnosisContext<'_>, wanted: &[Need]) -> bool {
    let Some(role) = context.evidence.role.found() else { return false };
    let simulations = role.simulations.found().map(Vec::as_slice).unwrap_or_default();
    let is_simulated = |need: &Need| {
        simulations
            .iter()
            .any(|one| one.is_allowed() && one.action.eq_ignore_ascii_case(need.action) && one.resource == need.resource)
    };
    let is_read = || {
        let policies = role.policies.found().filter(|policies| policies.complete && policies.boundary.is_none());
        policies.is_some_and(|policies| {
            let documents: Vec<&Value> = policies.identity.iter().map(|policy| &policy.document).collect();
            allow_all(context, &documents, &allowing_needs(wanted))
        })
    };
    !wanted.is_empty() && (wanted.iter().all(is_simulated) || is_read())
}

/// What only the key's owner can do: a key of another account needs both the role's policies and its own.
///
/// Source: KMS Developer Guide, "Allowing users in other accounts to use a KMS key".
fn asked_of_owner(context: &DiagnosisContext<'_>, owner: &str, wanted: &[Need]) -> Remediation {
    Remediation::new(format!(
        "The role's own policies allow the use of the key. Ask the account {owner}, which owns the key, to enable it if it is not, \
         and to give its policy this statement: {} Then rotate.",
        statement(context, wanted)
    ))
    .link("https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html")
}

/// Saves the key's policy to `key-policy.json`, where a person corrects it, and sets it from there.
pub(super) fn edit_policy(fix: Remediation, context: &DiagnosisContext<'_>, id: &str) -> Remediation {
    let look = ["kms", "get-key-policy", "--key-id", id, "--policy-name", "default", "--query", "Policy", "--output", "text"];
    let look = aws_in(context, &look);
    let look = format!("(umask 077; {look} > key-policy.before.json; cp key-policy.before.json key-policy.json)");
    put(fix.run(look).needs("kms:GetKeyPolicy"), context, id, "file://key-policy.json")
}

/// Lets `principal`, a role of another account, use the secret's key `id` by the key's policy, where that does not let it in.
pub(super) fn let_use(fix: Remediation, context: &DiagnosisContext<'_>, id: &str, principal: &str) -> Remediation {
    let Some(document) = key_policy(context, Target::SecretKey) else { return edit_policy(fix, context, id) };
    let parsed = Policy::from_value("the key policy", document).ok().zip(Caller::role(principal, None).ok());
    let is_let_in = parsed.is_some_and(|(policy, caller)| {
        USES.iter().all(|action| {
            let request = Request::new(caller.clone(), action, id, Context::new());
            matches!(evaluate_resource(&policy, &request), Decision::Allowed { .. })
        })
    });
    if is_let_in {
        return fix;
    }
    let allow = json!({
        "Sid": "RotationFromAnotherAccount", "Effect": "Allow", "Principal": { "AWS": principal }, "Action": USES, "Resource": "*"
    });
    put(fix, context, id, &with(document, allow).to_string())
}

/// What whoever reads and writes a secret does with its key.
const USES: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];

/// Enables a key.
pub(super) fn enable(fix: Remediation, context: &DiagnosisContext<'_>, id: &str) -> Remediation {
    fix.run(aws_in(context, &["kms", "enable-key", "--key-id", id]))
        .needs("kms:EnableKey")
        .warn("A key is seldom disabled by accident: first ask who did it, and why.")
}

fn put(fix: Remediation, context: &DiagnosisContext<'_>, id: &str, policy: &str) -> Remediation {
    let fix = match owner_elsewhere(context, id) {
        // Source: KMS Developer Guide, "Permissions reference": GetKeyPolicy and PutKeyPolicy work in the key's account alone.
        Some(owner) => fix.warn(format!(
            "The key belongs to the account {owner}: only with credentials of that account can its policy be read and set."
        )),
        None => fix,
    };
    fix.run(aws_in(context, &["kms", "put-key-policy", "--key-id", id, "--policy-name", "default", "--policy", policy]))
        .needs("kms:PutKeyPolicy")
        .warn(
            "The new key policy replaces the whole old one: without a statement for administrators the key can no longer be \
               managed.",
        )
}

fn statement(context: &DiagnosisContext<'_>, wanted: &[Need]) -> Value {
    let role = context.function().map(|function| function.role.arn().as_str());
    let actions: Vec<&str> = wanted.iter().map(|need| need.action).collect();
    json!({ "Sid": "RotationFunction", "Effect": "Allow", "Principal": { "AWS": role }, "Action": actions, "Resource": "*" })
}

fn key_policy<'a>(context: &DiagnosisContext<'a>, target: Target) -> Option<&'a Value> {
    let access = context.evidence.access.found()?;
    let key = if target == Target::EnvironmentKey { &access.environment_key } else { &access.secret_key };
    key.found().and_then(|facts: &KeyFacts| facts.policy.found())
}
