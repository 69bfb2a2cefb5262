//! IAM. Policy documents are percent-encoded, as in the real answers (RFC 3986).

use super::OperationResult;
use crate::simulator::authorize::{CallDecision, ConditionKeys, evaluate};
use crate::simulator::ids;
use crate::simulator::pages::page;
use crate::simulator::wire::{Shape, WireError, WireRequest};
use crate::simulator::world::{ManagedPolicy, SimulatedAccount, SimulatedRole};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn encoded(document: &Value) -> String {
    utf8_percent_encode(&document.to_string(), UNRESERVED).to_string()
}

fn no_such_entity(message: String) -> WireError {
    WireError::new("NoSuchEntity", message).with_status(404)
}

fn role<'w>(world: &'w SimulatedAccount, request: &WireRequest) -> Result<&'w SimulatedRole, WireError> {
    let name = request.parameters().required("RoleName")?;
    world.role(name).ok_or_else(|| no_such_entity(format!("The role with name {name} cannot be found.")))
}

fn policy<'w>(world: &'w SimulatedAccount, request: &WireRequest) -> Result<&'w ManagedPolicy, WireError> {
    let arn = request.parameters().required("PolicyArn")?;
    world.policy(arn).ok_or_else(|| no_such_entity(format!("Policy {arn} does not exist or is not attachable.")))
}

/// A truncated list: the items, `IsTruncated` and `Marker`.
fn list<T>(
    world: &SimulatedAccount,
    request: &WireRequest,
    name: &str,
    all: &[T],
    shape: impl Fn(&T) -> Shape,
) -> OperationResult {
    let (items, next) = page(all, world.pages.iam, request.parameters(), "Marker", "MaxItems")
        .map_err(|_| WireError::new("ValidationError", "Invalid Marker"))?;
    Ok(Shape::structure()
        .with(name, Shape::list(items.iter().map(shape)))
        .with("IsTruncated", next.is_some())
        .with("Marker", next))
}

pub(super) fn get_role(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let role = role(world, request)?;
    let boundary = role
        .boundary
        .as_ref()
        .map(|arn| Shape::structure().with("PermissionsBoundaryType", "Policy").with("PermissionsBoundaryArn", arn));
    Ok(Shape::structure().with(
        "Role",
        Shape::structure()
            .with("Path", "/")
            .with("RoleName", &role.name)
            .with("RoleId", &role.id)
            .with("Arn", &role.arn)
            .with("CreateDate", role.created)
            .with("AssumeRolePolicyDocument", encoded(&role.trust))
            .with("MaxSessionDuration", 3600_i64)
            .with("PermissionsBoundary", boundary),
    ))
}

pub(super) fn list_role_policies(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let names: Vec<&String> = role(world, request)?.inline.keys().collect();
    list(world, request, "PolicyNames", &names, |name| Shape::from(*name))
}

pub(super) fn get_role_policy(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let role = role(world, request)?;
    let name = request.parameters().required("PolicyName")?;
    let policy =
        role.inline.get(name).ok_or_else(|| no_such_entity(format!("The role policy with name {name} cannot be found.")))?;
    Ok(Shape::structure().with("RoleName", &role.name).with("PolicyName", name).with("PolicyDocument", encoded(policy)))
}

pub(super) fn list_attached_role_policies(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let attached = &role(world, request)?.attached;
    list(world, request, "AttachedPolicies", attached, |arn| {
        Shape::structure().with("PolicyName", arn.rsplit('/').next()).with("PolicyArn", arn)
    })
}

pub(super) fn get_policy(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let policy = policy(world, request)?;
    let roles = || world.roles.iter().filter(|role| role.exists);
    let attached = roles().filter(|role| role.attached.contains(&policy.arn)).count();
    let boundaries = roles().filter(|role| role.boundary.as_ref() == Some(&policy.arn)).count();
    Ok(Shape::structure().with(
        "Policy",
        Shape::structure()
            .with("PolicyName", &policy.name)
            .with("PolicyId", ids::iam_id("ANPA", &policy.name))
            .with("Arn", &policy.arn)
            .with("Path", &policy.path)
            .with("DefaultVersionId", "v1")
            .with("AttachmentCount", i64::try_from(attached).ok())
            .with("PermissionsBoundaryUsageCount", i64::try_from(boundaries).ok())
            .with("IsAttachable", true),
    ))
}

pub(super) fn get_policy_version(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let policy = policy(world, request)?;
    let version = request.parameters().required("VersionId")?;
    if version != "v1" {
        return Err(no_such_entity(format!("Policy {} version {version} does not exist or is not attachable.", policy.arn)));
    }
    Ok(Shape::structure().with(
        "PolicyVersion",
        Shape::structure().with("Document", encoded(&policy.document)).with("VersionId", "v1").with("IsDefaultVersion", true),
    ))
}

/// Identity policies, boundary and organization policies; like the real one, no resource policies of roles.
pub(super) fn simulate_principal_policy(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let parameters = request.parameters();
    let source = parameters.required("PolicySourceArn")?;
    let role = world
        .roles
        .iter()
        .find(|role| role.arn == source && role.exists)
        .ok_or_else(|| no_such_entity(format!("The role {source} cannot be found.")))?;
    let keys: ConditionKeys = parameters
        .structures("ContextEntries")
        .into_iter()
        .filter_map(|entry| {
            let values = entry.texts("ContextKeyValues");
            Some((entry.text("ContextKeyName")?.to_ascii_lowercase(), values.into_iter().map(str::to_owned).collect()))
        })
        .collect();
    let actions = parameters.texts("ActionNames");
    if actions.is_empty() {
        return Err(WireError::new("ValidationError", "ActionNames is required"));
    }
    let resources = match parameters.texts("ResourceArns") {
        none if none.is_empty() => vec!["*"],
        resources => resources,
    };
    let simulation = SimulationAnswer::of(world, role, parameters.texts("PermissionsBoundaryPolicyInputList"))?;
    let pairs: Vec<(&str, &str)> =
        actions.iter().flat_map(|action| resources.iter().map(move |resource| (*action, *resource))).collect();
    list(world, request, "EvaluationResults", &pairs, |(action, resource)| simulation.result(action, resource, &keys))
}

/// The policies that decide about a role.
struct SimulationAnswer<'w> {
    /// With the ids the simulation gives them: `role_<role>_<policy>` for inline ones, the name for others.
    identity: Vec<(String, &'w Value)>,
    boundary: Option<Vec<Value>>,
    organization: &'w [Value],
}

impl<'w> SimulationAnswer<'w> {
    fn of(world: &'w SimulatedAccount, role: &'w SimulatedRole, boundary: Vec<&str>) -> Result<Self, WireError> {
        let attached = role.attached.iter().filter_map(|arn| world.policy(arn));
        let given = boundary
            .into_iter()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Value>, _>>()
            .map_err(|error| WireError::new("InvalidInput", error.to_string()))?;
        let own = role.boundary.as_ref().and_then(|arn| world.policy(arn));
        Ok(SimulationAnswer {
            identity: role
                .inline
                .iter()
                .map(|(name, policy)| (format!("role_{}_{name}", role.name), policy))
                .chain(attached.map(|policy| (policy.name.clone(), &policy.document)))
                .collect(),
            boundary: if given.is_empty() { own.map(|policy| vec![policy.document.clone()]) } else { Some(given) },
            organization: &world.scps,
        })
    }

    fn result(&self, action: &str, resource: &str, keys: &ConditionKeys) -> Shape {
        let identity = evaluate(self.identity.iter().map(|(id, policy)| (id.as_str(), *policy)), action, resource, keys);
        let mut decision = identity.decision;
        let mut missing = identity.missing;
        let mut limit = |policies: &[Value], decision: &mut CallDecision| {
            let named = policies.iter().map(|policy| ("limit", policy));
            let verdict = evaluate(named, action, resource, keys);
            missing.extend(verdict.missing);
            *decision = match (verdict.decision, *decision) {
                (CallDecision::ExplicitDeny, _) | (_, CallDecision::ExplicitDeny) => CallDecision::ExplicitDeny,
                (CallDecision::Allowed, decision) => decision,
                (CallDecision::ImplicitDeny, _) => CallDecision::ImplicitDeny,
            };
            verdict.decision == CallDecision::Allowed
        };
        let boundary = self.boundary.as_ref().map(|policies| limit(policies, &mut decision));
        let organization = (!self.organization.is_empty()).then(|| self.organization_allows(action, resource, keys));
        if organization == Some(false) && decision == CallDecision::Allowed {
            decision = CallDecision::ImplicitDeny;
        }
        let matched = identity.matched.iter().map(|name| {
            let position = |line: i64| Shape::structure().with("Line", line).with("Column", 1_i64);
            Shape::structure()
                .with("SourcePolicyId", *name)
                .with("SourcePolicyType", "IAM Policy")
                .with("StartPosition", position(1))
                .with("EndPosition", position(2))
        });
        Shape::structure()
            .with("EvalActionName", action)
            .with("EvalResourceName", resource)
            .with(
                "EvalDecision",
                match decision {
                    CallDecision::Allowed => "allowed",
                    CallDecision::ExplicitDeny => "explicitDeny",
                    CallDecision::ImplicitDeny => "implicitDeny",
                },
            )
            .with("MatchedStatements", Shape::list(matched))
            .with("MissingContextValues", Shape::list(&missing))
            .with(
                "OrganizationsDecisionDetail",
                organization.map(|allowed| Shape::structure().with("AllowedByOrganizations", allowed)),
            )
            .with(
                "PermissionsBoundaryDecisionDetail",
                boundary.map(|allowed| Shape::structure().with("AllowedByPermissionsBoundary", allowed)),
            )
    }

    /// Every service control policy has to allow: each stands for one level of the organization.
    fn organization_allows(&self, action: &str, resource: &str, keys: &ConditionKeys) -> bool {
        self.organization
            .iter()
            .all(|policy| evaluate([("scp", policy)], action, resource, keys).decision == CallDecision::Allowed)
    }
}
