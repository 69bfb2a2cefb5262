//! What the function's role needs for a rotation, and what its policies say of each need: simulated by AWS where that
//! was answered, evaluated here where it was not, together with the policies of the secret and its key.

use super::context::DiagnosisContext;
use super::iam::{self, Caller, Context, Decision, Policies, Policy, Request, ResourcePolicy, StatementRef, key_names};
use super::need::{Need, NeedState, Stop, Target};
use super::network;
use super::signatures::{AccessDenied, RefusingLayer};
use crate::model::role_actions::{ON_ADMIN_SECRET, ON_KEY, ON_NETWORK, ON_SECRET, RANDOM_PASSWORD, RoleAction};
use crate::model::{
    Cause, FunctionFacts, KeyFacts, MetadataItem, Observation, PolicyDocument, Proof, RotationConfig, RotationStep, SecretFacts,
    SimulatedDecision, Simulation, StepName,
};
use serde_json::{Value, json};

/// Everything the role needs, as far as the secret and the function were seen.
pub(super) fn needs(context: &DiagnosisContext<'_>) -> Vec<Need> {
    let (Some(secret), Some(_)) = (context.secret(), context.rotation_role()) else { return Vec::new() };
    let need =
        |(action, steps): RoleAction, resource: &str, target| Need { action, resource: resource.to_owned(), target, steps };
    let mut needs: Vec<Need> = ON_SECRET.map(|action| need(action, secret.arn.arn().as_str(), Target::Secret)).to_vec();
    needs.push(need(RANDOM_PASSWORD, "*", Target::RandomPassword));
    if let Some(key) = customer_key(context) {
        needs.extend(ON_KEY.map(|action| need(action, &key, Target::SecretKey)));
    }
    let Some(function) = context.function() else {
        let admin = context.config().and_then(RotationConfig::admin_secret);
        let on_admin = |arn| ON_ADMIN_SECRET.map(|action| need(action, arn, Target::AdminSecret));
        needs.extend(admin.into_iter().flat_map(on_admin));
        return needs;
    };
    if let Some(key) = &function.kms_key_arn {
        needs.push(need(("kms:Decrypt", &RotationStep::ALL), key.as_str(), Target::EnvironmentKey));
    }
    if function.vpc.is_some() {
        needs.extend(ON_NETWORK.map(|action| need(action, "*", Target::Network)));
    }
    needs
}

impl RotationConfig {
    /// The administrator's secret that a partner's metadata names, where it is an ARN.
    #[must_use]
    pub fn admin_secret(&self) -> Option<&str> {
        let named = self.external_metadata.iter().find(|item| item.key.eq_ignore_ascii_case("adminSecretArn"))?;
        Some(named.value.as_str()).filter(|arn| arn.starts_with("arn:"))
    }
}

impl DiagnosisContext<'_> {
    /// Everything the function's role needs, and what the policies say of it.
    pub(super) fn standings(&self) -> &[(Need, NeedState)] {
        self.standings.get_or_init(|| needs(self).into_iter().map(|need| (need.clone(), standing(self, &need))).collect())
    }
}

/// The ARN of the secret's customer managed key, where it has one and its ARN is known.
pub(super) fn customer_key(context: &DiagnosisContext<'_>) -> Option<String> {
    let named = context.secret()?.kms_key_id.as_deref()?;
    let found = context.evidence.access.found().and_then(|access| access.secret_key.found());
    match found {
        Some(key) => key.customer_managed.then(|| key.arn.to_string()),
        None => (named.starts_with("arn:") && !named.contains(":alias/")).then(|| named.to_owned()),
    }
}

/// The cause that a refusal in the role's name stands for.
pub(super) fn cause_of(context: &DiagnosisContext<'_>, denied: &AccessDenied, step: Option<RotationStep>) -> Cause {
    denied.cause(step, context.secret().map(|secret| secret.arn.arn().as_str()))
}

/// What the policies say of `need`.
pub(super) fn standing(context: &DiagnosisContext<'_>, need: &Need) -> NeedState {
    let Some(request) = request(context, need) else { return NeedState::Open(unseen(context, None)) };
    let role = context.evidence.role.found();
    let simulated = role
        .and_then(|role| role.simulations.found())
        .and_then(|all| all.iter().find(|one| one.action.eq_ignore_ascii_case(need.action) && one.resource == need.resource));
    let own = role.and_then(|role| role.policies.found());
    let documents: &[PolicyDocument] = own.map(|own| own.identity.as_slice()).unwrap_or_default();
    let parsed: Vec<Policy> = documents.iter().filter_map(|one| Policy::from_value(&one.name, &one.document).ok()).collect();
    let complete = own.is_some_and(|own| own.complete) && parsed.len() == documents.len();
    let boundary = own.and_then(|own| own.boundary.as_ref());
    let boundary = boundary.and_then(|one| Policy::from_value(&one.name, &one.document).ok());
    let lacks_allow = complete && matches!(iam::evaluate_identity(parsed.iter(), &request), Decision::ImplicitDeny);

    let settled = simulated.filter(|one| one.missing_context.is_empty());
    if let Some(one) = settled
        && one.decision != SimulatedDecision::Allowed
        && !lacks_allow
    {
        let explicit = one.decision == SimulatedDecision::ExplicitDeny;
        if one.organization_allows == Some(false) {
            return NeedState::Stopped(stop(context, need, RefusingLayer::Scp, explicit, simulation_proof(one), None));
        }
        if one.boundary_allows == Some(false) {
            return NeedState::Stopped(stop(context, need, RefusingLayer::Boundary, explicit, simulation_proof(one), None));
        }
    }
    // What AWS simulated counts as if it were the role's only policy; the simulator has seen all of them.
    let as_simulated = settled.and_then(policy_of);
    let (identity, boundary): (Vec<&Policy>, Option<&Policy>) = match settled {
        Some(_) => (as_simulated.iter().collect(), None),
        // Where nothing of the role was read, only a deny of the resource's own policy can be told.
        None => (parsed.iter().collect(), boundary.as_ref()),
    };
    let (resource, unread) = resource_policy(context, need);
    let policies = Policies {
        identity,
        boundary,
        resource: match (&resource, need.target) {
            (None, _) => ResourcePolicy::None,
            (Some(policy), Target::SecretKey | Target::EnvironmentKey) => ResourcePolicy::Key(policy),
            (Some(policy), _) => ResourcePolicy::Attached(policy),
        },
    };
    let access = policies.evaluate(&request);
    let layer = match access.layer {
        iam::Layer::IdentityPolicy => RefusingLayer::IdentityPolicy,
        iam::Layer::PermissionsBoundary => RefusingLayer::Boundary,
        iam::Layer::ResourcePolicy => RefusingLayer::ResourcePolicy,
    };
    let is_key = matches!(need.target, Target::SecretKey | Target::EnvironmentKey);
    let proof = |by: Option<&StatementRef>| match (layer, settled) {
        (RefusingLayer::IdentityPolicy, Some(one)) => simulation_proof(one),
        _ => evaluation_proof(need, layer, by),
    };
    match access.decision {
        Decision::ExplicitDeny { by } => NeedState::Stopped(stop(context, need, layer, true, proof(Some(&by)), None)),
        Decision::Unknown { missing_keys, .. } => {
            NeedState::Open(format!("the value of {} in the function's requests", key_names(missing_keys)))
        }
        // Without the key's own policy nothing is said about a key.
        Decision::Allowed { .. } | Decision::ImplicitDeny if is_key && unread.is_some() => {
            NeedState::Open(unread.unwrap_or_default())
        }
        // No policy of the role could replace what the key's own policy does not give.
        Decision::ImplicitDeny if is_key && settled.is_none() && !complete && is_shut(&policies, &request) => {
            NeedState::Stopped(stop(
                context,
                need,
                RefusingLayer::ResourcePolicy,
                false,
                evaluation_proof(need, RefusingLayer::ResourcePolicy, None),
                None,
            ))
        }
        Decision::Allowed { .. } | Decision::ImplicitDeny if settled.is_none() && !complete => {
            NeedState::Open(unseen(context, simulated))
        }
        Decision::Allowed { .. } => NeedState::Allowed,
        Decision::ImplicitDeny => NeedState::Stopped(stop(context, need, layer, false, proof(None), unread)),
    }
}

/// True when the resource's policy refuses even a role that may do everything.
fn is_shut(policies: &Policies<'_>, request: &Request) -> bool {
    let everything = json!({ "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
    let Ok(everything) = Policy::from_value("everything", &everything) else { return false };
    let widest = Policies { identity: vec![&everything], boundary: None, resource: policies.resource };
    matches!(widest.evaluate(request).decision, Decision::ImplicitDeny)
}

fn stop(
    context: &DiagnosisContext<'_>,
    need: &Need,
    layer: RefusingLayer,
    explicit: bool,
    proof: Proof,
    doubt: Option<String>,
) -> Box<Stop> {
    let denied = AccessDenied {
        principal: context.rotation_role().map(ToString::to_string),
        action: need.action.to_owned(),
        resource: Some(need.resource.clone()),
        layer,
        explicit,
        policy: None,
    };
    Box::new(Stop { need: need.clone(), denied, proof, doubt })
}

fn simulation_proof(one: &Simulation) -> Proof {
    let decision = match one.decision {
        SimulatedDecision::Allowed => "allowed",
        SimulatedDecision::ExplicitDeny => "explicitDeny",
        SimulatedDecision::ImplicitDeny => "implicitDeny",
    };
    let mut text = format!("simulation: {decision} for {} on {}", one.action, one.resource);
    if one.boundary_allows == Some(false) {
        text.push_str(", not allowed by the permissions boundary");
    }
    if one.organization_allows == Some(false) {
        text.push_str(", not allowed by the organization's policies");
    }
    if one.decision == SimulatedDecision::ExplicitDeny && !one.matched_policies.is_empty() {
        text.push_str(&format!(" by {}", one.matched_policies.join(", ")));
    }
    Proof::of(StepName::ExecutionRole, "iam:SimulatePrincipalPolicy", text)
}

fn evaluation_proof(need: &Need, layer: RefusingLayer, by: Option<&StatementRef>) -> Proof {
    let (step, call, whose) = match (layer, need.target) {
        (RefusingLayer::ResourcePolicy, Target::SecretKey | Target::EnvironmentKey) => {
            (StepName::SecretAccess, "kms:GetKeyPolicy", "the key policy")
        }
        (RefusingLayer::ResourcePolicy, _) => {
            (StepName::SecretAccess, "secretsmanager:GetResourcePolicy", "the secret's resource policy")
        }
        (RefusingLayer::Boundary, _) => (StepName::ExecutionRole, "iam:GetPolicyVersion", "the permissions boundary"),
        _ => (StepName::ExecutionRole, "iam:GetRolePolicy", "the role's policies"),
    };
    let text = match by {
        Some(by) => format!("{by} denies {} on {}", need.action, need.resource),
        None => format!("no statement of {whose} allows {} on {}", need.action, need.resource),
    };
    Proof::of(step, call, text)
}

/// The simulator's answer in the form of a policy; `None` where it found no allow.
fn policy_of(one: &Simulation) -> Option<Policy> {
    let effect = match one.decision {
        SimulatedDecision::Allowed => "Allow",
        SimulatedDecision::ExplicitDeny => "Deny",
        SimulatedDecision::ImplicitDeny => return None,
    };
    let statement = json!({ "Effect": effect, "Action": one.action, "Resource": one.resource });
    Policy::from_value("the role's policies", &json!({ "Version": "2012-10-17", "Statement": [statement] })).ok()
}

/// What kept both the simulation and the policies from an answer.
fn unseen(context: &DiagnosisContext<'_>, simulated: Option<&Simulation>) -> String {
    if let Some(one) = simulated.filter(|one| !one.missing_context.is_empty()) {
        return format!("the value of {} in the function's requests", one.missing_context.join(", "));
    }
    let Some(role) = context.evidence.role.found() else {
        let missing = context.evidence.role.observation.missing();
        return missing.unwrap_or_else(|| "the function's role".to_owned());
    };
    role.simulations
        .missing()
        .or_else(|| role.policies.missing())
        .or_else(|| context.evidence.role.denials.first().map(|denial| format!("permission {}", denial.action)))
        .unwrap_or_else(|| "some of the role's policies".to_owned())
}

/// The policy of the need's resource, and what is missing where it could not be read.
fn resource_policy(context: &DiagnosisContext<'_>, need: &Need) -> (Option<Policy>, Option<String>) {
    let access = &context.evidence.access;
    let key_policy = |key: &Observation<KeyFacts>| -> Observation<Value> { key.as_ref().and_then(|key| key.policy.clone()) };
    let (name, observation) = match (access.found(), need.target) {
        (_, Target::RandomPassword | Target::Network | Target::AdminSecret) => return (None, None),
        (None, _) => return (None, Some(access.observation.missing().unwrap_or_else(|| "the secret's access".to_owned()))),
        (Some(access), Target::Secret) => ("the secret's resource policy", access.secret_policy.clone()),
        (Some(access), Target::SecretKey) => ("the key policy", key_policy(&access.secret_key)),
        (Some(access), Target::EnvironmentKey) => ("the key policy", key_policy(&access.environment_key)),
    };
    match &observation {
        Observation::Found(document) => match Policy::from_value(name, document) {
            Ok(policy) => (Some(policy), None),
            Err(error) => (None, Some(error.missing())),
        },
        // A key always has a policy; a secret need not.
        Observation::NoData { .. } | Observation::NotApplicable { .. } if need.target == Target::Secret => (None, None),
        other => (None, Some(other.missing().unwrap_or_else(|| name.to_owned()))),
    }
}

/// The function's request, with everything that is certain about its circumstances.
///
/// Sources: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "Condition keys for AWS
/// Secrets Manager", "… for AWS KMS"; Lambda Developer Guide, "Working with Lambda execution environment credentials".
pub(super) fn request(context: &DiagnosisContext<'_>, need: &Need) -> Option<Request> {
    let (secret, role, function) = (context.secret()?, context.rotation_role()?, context.function());
    let caller = Caller::role(role.arn().as_str(), function.map(|function| function.arn.name())).ok()?;
    let arn = secret.arn.arn();
    let way = function.map(|function| way_to_secrets_manager(context, function)).unwrap_or_default();
    let mut context = Context::new()
        .known("aws:SecureTransport", "true")
        .known("aws:RequestedRegion", arn.region())
        .absent("aws:MultiFactorAuthPresent")
        .absent("aws:SourceAccount")
        .absent("aws:SourceArn");
    context = match need.target {
        Target::Secret | Target::RandomPassword => {
            let context = context.known("secretsmanager:SecretId", arn.as_str());
            let context = if need.target == Target::Secret { tagged(context, secret) } else { context };
            let context = match &secret.secret_type {
                Some(kind) => context.known("secretsmanager:resource/Type", kind.as_str()),
                None => context.absent("secretsmanager:resource/Type"),
            };
            let Some(function) = function else {
                let context = context.absent("secretsmanager:resource/AllowRotationLambdaArn");
                return Some(Request::new(caller, need.action, &need.resource, context));
            };
            let mut context = context
                .known("secretsmanager:resource/AllowRotationLambdaArn", function.arn.arn().as_str())
                .known("lambda:SourceFunctionArn", unqualified(function.arn.arn().as_str(), function.arn.qualifier()))
                .known("aws:ViaAWSService", "false")
                .absent("aws:CalledVia");
            match way {
                Way::Public => {
                    let of_endpoints =
                        ["aws:SourceVpc", "aws:SourceVpce", "aws:SourceVpcArn", "aws:VpceAccount", "aws:VpceOrgID"];
                    context = of_endpoints.into_iter().fold(context, Context::absent);
                }
                Way::Endpoint { id, vpc } => context = context.known("aws:SourceVpc", vpc).known("aws:SourceVpce", id),
                Way::Unseen => {}
            }
            context
        }
        Target::SecretKey => context
            .known("kms:ViaService", format!("secretsmanager.{}.amazonaws.com", arn.region()))
            .known("kms:CallerAccount", role.arn().account_id())
            .known("kms:EncryptionContext:SecretARN", arn.as_str())
            // Secrets Manager asks in the role's name; the way of the function's own packets is not in its request.
            .known("aws:ViaAWSService", "true"),
        Target::EnvironmentKey => context
            .known("kms:ViaService", format!("lambda.{}.amazonaws.com", arn.region()))
            .known("kms:CallerAccount", role.arn().account_id()),
        Target::AdminSecret => context.known("secretsmanager:SecretId", need.resource.as_str()),
        Target::Network => context,
    };
    Some(Request::new(caller, need.action, &need.resource, context))
}

/// The condition keys by which policies ask for a secret's tags.
///
/// Source: Service Authorization Reference, "Condition keys for AWS Secrets Manager".
const TAG_KEYS: [&str; 2] = ["aws:ResourceTag/", "secretsmanager:ResourceTag/"];

fn tagged(context: Context, secret: &SecretFacts) -> Context {
    let Some(tags) = &secret.tags else { return context };
    TAG_KEYS.into_iter().fold(context, |context, prefix| {
        let with_tag = |context: Context, tag: &MetadataItem| context.known(&format!("{prefix}{}", tag.key), tag.value.as_str());
        tags.iter().fold(context.no_other(prefix), with_tag)
    })
}

/// The way of the function's calls to Secrets Manager, which policies may ask for.
#[derive(Default)]
enum Way {
    Public,
    Endpoint {
        id: String,
        vpc: String,
    },
    #[default]
    Unseen,
}

fn way_to_secrets_manager(context: &DiagnosisContext<'_>, function: &FunctionFacts) -> Way {
    let (network, region) = (&context.evidence.network, &context.evidence.region);
    if function.vpc.is_none() || network::goes_public(network, function, region, "secretsmanager") {
        return Way::Public;
    }
    match network::endpoint_in_use(network, function, region, "secretsmanager") {
        Some(endpoint) => Way::Endpoint { id: endpoint.id.clone(), vpc: endpoint.vpc_id.clone() },
        None => Way::Unseen,
    }
}

fn unqualified(arn: &str, qualifier: Option<&str>) -> String {
    let suffix = qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
    arn.strip_suffix(&suffix).unwrap_or(arn).to_owned()
}

#[cfg(test)]
mod tests;
