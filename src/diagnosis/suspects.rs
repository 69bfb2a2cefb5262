//! Which changes may have broken rotation: those between its last success and its first failure, and what each of them did
//! to what fails now.

use super::change_events::CLOSE_MINUTES;
use super::context::DiagnosisContext;
use super::iam::{Caller, Context, Decision, Policy, Request, evaluate_identity, evaluate_resource, evaluate_trust};
use super::lost_policies;
use super::readings::port::port_in;
use super::refusal::refused;
use super::rules::rule_of;
use crate::model::{Cause, Change, Concern, PolicyChange, TimeUnit, Window, in_largest_unit, without_version};
use jiff::SignedDuration;
use serde_json::Value;

/// A change this close before the first failure is its likely origin, whatever else changed.
const CLOSE: SignedDuration = SignedDuration::from_mins(CLOSE_MINUTES);

/// How far back suspicion reaches where neither a success nor the secret's date bounds it: as far as event history does.
const FURTHEST: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What a change did to what fails now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChangeEffect {
    /// Just what fails now: the actions that nothing allows since, and those that something denies.
    Caused { taken: Vec<String>, denied: Vec<String> },
    /// Something of that kind; what exactly cannot be told.
    Untold,
}

impl ChangeEffect {
    /// What it did to what fails, as the end of a sentence about the change; the actions are named unless `told` names them.
    pub(super) fn did(&self, told: &str) -> String {
        let ChangeEffect::Caused { taken, denied } = self else { return String::new() };
        if taken.iter().chain(denied).all(|action| told.contains(action)) {
            return ", and so caused it".to_owned();
        }
        let did = [("took away ", taken), ("denied ", denied)].into_iter().filter(|(_, actions)| !actions.is_empty());
        let did: Vec<String> = did.map(|(did, actions)| format!("{did}{}", actions.join(", "))).collect();
        format!(", and so {}", did.join(" and "))
    }
}

impl DiagnosisContext<'_> {
    /// The span in which whatever broke rotation happened: since its last success, until its first failure or the end of the
    /// window that was missed.
    pub(super) fn suspicion(&self) -> Option<Window> {
        let to = match &self.failing {
            Some(row) => row.first_at,
            None => self.config()?.due.overdue_since?,
        };
        let success = self.last_success_at.filter(|at| *at < to);
        let made = || self.secret().and_then(|secret| secret.created_at).filter(|at| *at < to);
        let from = success.or_else(made).or_else(|| to.checked_sub(FURTHEST).ok())?;
        Some(Window { from, to })
    }

    /// True for a change right before the first failure.
    pub(super) fn is_close(&self, change: &Change) -> bool {
        self.suspicion().is_some_and(|suspicion| Window::ending_at(suspicion.to, CLOSE).contains(change.at))
    }

    /// True for a change that touches what is certainly this rotation's own.
    pub(super) fn is_own(&self, change: &Change) -> bool {
        match change.concerns {
            Concern::Secret | Concern::Function | Concern::Role | Concern::Key => true,
            Concern::Database | Concern::Organization => false,
            Concern::Network => self.function().and_then(|function| function.vpc.as_ref()).is_some_and(|vpc| {
                let mut own = vpc.security_group_ids.iter().chain(&vpc.subnet_ids).chain(std::iter::once(&vpc.vpc_id));
                own.any(|id| mentions(&change.parameters, id) || change.resource == *id)
            }),
        }
    }

    /// The suspects that can have produced `cause`, oldest first.
    pub(super) fn suspects(&self, cause: Cause) -> Vec<(&Change, ChangeEffect)> {
        let (Some(suspicion), Some(found)) = (self.suspicion(), self.evidence.changes.found()) else { return Vec::new() };
        let within = found.changes.iter().filter(|change| suspicion.contains(change.at));
        within.filter_map(|change| Some((change, self.effect(change, cause)?))).collect()
    }

    /// What the change did to what fails by `cause`; `None` where it cannot have produced it.
    pub(super) fn effect(&self, change: &Change, cause: Cause) -> Option<ChangeEffect> {
        if !rule_of(cause)?.is_explained_by(&change.event) || !touches(change, cause) || !self.fits_port(change, cause) {
            return None;
        }
        let taken = lost_policies::taken(self.evidence, change);
        match change.policy.as_ref().or(taken.as_ref()) {
            Some(policy) => self.effect_of_policy(change, policy, cause),
            None => Some(ChangeEffect::Untold),
        }
    }

    /// Compares the statements that changed with what is refused.
    fn effect_of_policy(&self, change: &Change, policy: &PolicyChange, cause: Cause) -> Option<ChangeEffect> {
        let decide = |document: &Option<Value>, request: &Request| {
            let Some(document) = document else { return Some(Decision::ImplicitDeny) };
            let policy = Policy::from_value("the policy", document).ok()?;
            Some(match change.event.as_str() {
                "UpdateAssumeRolePolicy" => evaluate_trust(&policy, request),
                "PutResourcePolicy" | "DeleteResourcePolicy" | "PutKeyPolicy" | "ModifyVpcEndpoint" => {
                    evaluate_resource(&policy, request)
                }
                _ => evaluate_identity([&policy], request),
            })
        };
        let is_denial = |decision: &Decision| matches!(decision, Decision::ExplicitDeny { .. });
        let is_allowed = |decision: &Decision| matches!(decision, Decision::Allowed { .. });
        // A policy that was detached is read whole, and took nothing with it that it did not give.
        let gave_none = |before: Option<&Decision>| {
            change.event == "DetachRolePolicy"
                && before.is_some_and(|before| matches!(before, Decision::ImplicitDeny | Decision::ExplicitDeny { .. }))
        };
        let (mut taken, mut denied, mut innocent, mut asked) = (Vec::new(), Vec::new(), 0, 0);
        for (action, explicit, request) in self.refused_requests(change, cause) {
            asked += 1;
            let Some(after) = decide(&policy.after, &request) else { continue };
            let before = policy.before.as_ref().and_then(|before| decide(&Some(before.clone()), &request));
            if is_denial(&after) {
                // A denial that stood before is not this change's.
                match before.as_ref().is_some_and(is_denial) {
                    true => innocent += 1,
                    false => denied.push(action),
                }
            } else if explicit || is_allowed(&after) {
                innocent += 1;
            } else if before.as_ref().is_some_and(is_allowed) {
                taken.push(action);
            } else if gave_none(before.as_ref()) {
                innocent += 1;
            }
        }
        match (taken.is_empty() && denied.is_empty(), asked > 0 && innocent == asked) {
            (false, _) => Some(ChangeEffect::Caused { taken, denied }),
            (true, true) => None,
            (true, false) => Some(ChangeEffect::Untold),
        }
    }

    /// The refused actions, whether by an explicit denial, and the requests that were refused.
    fn refused_requests(&self, change: &Change, cause: Cause) -> Vec<(String, bool, Request)> {
        if change.event == "UpdateAssumeRolePolicy" {
            return self.assumption().into_iter().map(|request| ("sts:AssumeRole".to_owned(), false, request)).collect();
        }
        let mut requests: Vec<(String, bool, Request)> = Vec::new();
        for denied in refused(self, cause) {
            if requests.iter().any(|(action, ..)| action.eq_ignore_ascii_case(&denied.action)) {
                continue;
            }
            let need =
                self.standings().iter().map(|(need, _)| need).find(|need| need.action.eq_ignore_ascii_case(&denied.action));
            let known = need.and_then(|need| super::permissions::request(self, need));
            let made = || {
                let role = self.rotation_role()?.arn().as_str();
                let caller = Caller::role(role, self.function_name()).ok()?;
                let resource = denied.resource.as_deref().filter(|resource| resource.starts_with("arn:")).unwrap_or("*");
                Some(Request::new(caller, &denied.action, resource, Context::new()))
            };
            requests.extend(known.or_else(made).map(|request| (denied.action.clone(), denied.explicit, request)));
        }
        requests
    }

    /// Who assumes the role, and for what.
    fn assumption(&self) -> Option<Request> {
        let role = self.rotation_role()?.arn().as_str();
        let secret = self.secret()?.arn.arn();
        let (service, context) = match self.function() {
            Some(_) => ("lambda.amazonaws.com", Context::new()),
            None => (
                super::readings::partner::SECRETS_MANAGER,
                Context::new().known("aws:SourceAccount", secret.account_id()).known("aws:SourceArn", secret.as_str()),
            ),
        };
        Some(Request::new(Caller::service(service), "sts:AssumeRole", role, context))
    }

    /// False where a rule of a security group is about other ports than the one that does not open.
    fn fits_port(&self, change: &Change, cause: Cause) -> bool {
        let Some((from, to)) = ports(&change.parameters).filter(|_| change.concerns == Concern::Network) else { return true };
        let failing = match cause {
            Cause::AwsEndpointUnreachable => Some(443),
            Cause::DbNetworkUnreachable => {
                self.failures.iter().rev().find_map(|failure| port_in(&failure.most_specific_line()?.event.text))
            }
            _ => None,
        };
        failing.is_none_or(|port| (from..=to).contains(&port))
    }
}

/// False where the request says what it set, and none of that can produce the cause.
fn touches(change: &Change, cause: Cause) -> bool {
    if without_version(&change.event) != "UpdateFunctionConfiguration" {
        return true;
    }
    let telling: &[&str] = match cause {
        Cause::DbNetworkUnreachable | Cause::DbUserHostPattern | Cause::LambdaVpcCapacity | Cause::LambdaVpcConfigInvalid => {
            &["vpcConfig"]
        }
        Cause::LambdaInPublicSubnet => &["vpcConfig"],
        Cause::AwsEndpointUnreachable => &["vpcConfig", "environment"],
        Cause::LambdaTimeoutTooShort => &["timeout", "memorySize"],
        Cause::LambdaOom => &["memorySize"],
        Cause::CodeMissingEnv => &["environment", "handler"],
        Cause::DeprecatedRuntime => &["runtime"],
        Cause::CodeRuntimeUpgradedAbi => &["runtime", "layers"],
        Cause::CodeImportError | Cause::CodeSyntaxOrHandlerError | Cause::DependencyMissingAtRuntime => {
            &["handler", "layers", "runtime", "environment"]
        }
        Cause::IamIdentityPolicyMissing => &["role"],
        Cause::LambdaEnvKmsDenied => &["kMSKeyArn", "role", "environment"],
        Cause::LambdaEniPermissionMissing => &["vpcConfig", "role"],
        _ => return true,
    };
    const SETS: &[&str] =
        &["vpcConfig", "environment", "timeout", "memorySize", "handler", "runtime", "layers", "role", "kMSKeyArn"];
    let set = |keys: &[&str]| {
        let fields = change.parameters.as_object();
        fields.is_some_and(|fields| fields.keys().any(|field| keys.iter().any(|key| key.eq_ignore_ascii_case(field))))
    };
    set(telling) || !set(SETS)
}

fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own == text,
        Value::Array(items) => items.iter().any(|item| mentions(item, text)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, text)),
        _ => false,
    }
}

/// The ports of a security group's rule, as a range; `None` where it names none or stands for all.
fn ports(parameters: &Value) -> Option<(u64, u64)> {
    fn find(value: &Value, name: &str) -> Option<u64> {
        match value {
            Value::Object(fields) => {
                let own = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_u64());
                own.or_else(|| fields.values().find_map(|value| find(value, name)))
            }
            Value::Array(items) => items.iter().find_map(|item| find(item, name)),
            _ => None,
        }
    }
    let from = find(parameters, "fromPort")?;
    Some((from, find(parameters, "toPort").unwrap_or(from)))
}

/// `15 minutes`, `3 hours`, `12 days`.
pub(super) fn distance(length: SignedDuration) -> String {
    match in_largest_unit(length) {
        (_, TimeUnit::Second) => "less than a minute".to_owned(),
        (1, unit) => format!("1 {}", unit.noun()),
        (count, unit) => format!("{count} {}s", unit.noun()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, RotationStep};
    use serde_json::json;

    const PUT: &str = "secretsmanager:PutSecretValue";

    fn refused_put(reason: &str) -> Evidence {
        let mut evidence = healthy();
        let line = format!(
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutSecretValue operation: User: \
             arn:aws:sts::{ACCOUNT}:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: {PUT} on \
             resource: {SECRET} {reason}"
        );
        fail(&mut evidence, RotationStep::CreateSecret, &[&line]);
        evidence
    }

    fn allow(actions: &[&str]) -> Value {
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": SECRET }] })
    }

    fn written(before: Option<Value>, after: Value) -> Change {
        let policy = Some(PolicyChange { before, after: Some(after) });
        Change { policy, ..change(hours_ago(100), "PutRolePolicy", Concern::Role) }
    }

    #[test]
    fn the_span_of_suspicion_is_the_rotations_own_interval() {
        let evidence = refused_put("because no identity-based policy allows it");
        let context = DiagnosisContext::new(&evidence);
        let suspicion = context.suspicion().unwrap();
        assert_eq!(Some(suspicion.from), context.last_success_at);
        assert_eq!(suspicion.to, context.failing.as_ref().unwrap().first_at);
        assert_eq!(DiagnosisContext::new(&healthy()).suspicion(), None);
    }

    #[test]
    fn the_statement_that_changed_is_compared_with_the_action_that_fails() {
        let evidence = refused_put("because no identity-based policy allows the secretsmanager:PutSecretValue action");
        let context = DiagnosisContext::new(&evidence);
        let effect = |change: Change| context.effect(&change, Cause::IamIdentityPolicyMissing);
        let get = allow(&["secretsmanager:GetSecretValue"]);
        assert_eq!(
            effect(written(Some(allow(&[PUT])), get.clone())),
            Some(ChangeEffect::Caused { taken: vec![PUT.to_owned()], denied: Vec::new() })
        );
        assert_eq!(effect(written(None, get.clone())), Some(ChangeEffect::Untold));
        assert_eq!(effect(written(Some(get), allow(&[PUT]))), None, "it allows what fails");
        let gone = Change {
            policy: Some(PolicyChange { before: Some(allow(&[PUT])), after: None }),
            ..change(hours_ago(9), "DeleteRolePolicy", Concern::Role)
        };
        assert_eq!(effect(gone), Some(ChangeEffect::Caused { taken: vec![PUT.to_owned()], denied: Vec::new() }));
    }

    #[test]
    fn a_denial_is_the_change_that_wrote_it() {
        let evidence = refused_put("with an explicit deny in an identity-based policy");
        let context = DiagnosisContext::new(&evidence);
        let deny = json!({ "Statement": [{ "Effect": "Deny", "Action": "secretsmanager:Put*", "Resource": "*" }] });
        let effect = |change: Change| context.effect(&change, Cause::IamExplicitDeny);
        assert_eq!(
            effect(written(None, deny.clone())),
            Some(ChangeEffect::Caused { taken: Vec::new(), denied: vec![PUT.to_owned()] })
        );
        assert_eq!(effect(written(Some(deny.clone()), deny)), None, "it stood there before");
        assert_eq!(effect(written(None, allow(&[PUT]))), None);
    }

    #[test]
    fn a_configuration_that_was_set_elsewhere_and_another_port_explain_nothing() {
        let mut evidence = healthy();
        let line = "psycopg2.OperationalError: connection to server at \"db\" (10.0.3.7), port 5432 failed: Connection timed out";
        fail(&mut evidence, RotationStep::SetSecret, &[line]);
        let context = DiagnosisContext::new(&evidence);
        let effect = |event: &str, concerns, parameters: Value| {
            let change = Change { parameters, ..change(hours_ago(5), event, concerns) };
            context.effect(&change, Cause::DbNetworkUnreachable)
        };
        let configure = |parameters| effect("UpdateFunctionConfiguration20150331v2", Concern::Function, parameters);
        assert_eq!(configure(json!({ "functionName": "f", "timeout": 60 })), None);
        assert_eq!(configure(json!({ "functionName": "f", "vpcConfig": {} })), Some(ChangeEffect::Untold));
        assert_eq!(configure(json!({ "functionName": "f" })), Some(ChangeEffect::Untold));
        let revoke = |port: u64| {
            effect("RevokeSecurityGroupIngress", Concern::Network, json!({ "groupId": "sg-1", "fromPort": port, "toPort": port }))
        };
        assert_eq!(revoke(22), None);
        assert_eq!(revoke(5432), Some(ChangeEffect::Untold));
    }

    #[test]
    fn a_distance_is_told_in_the_unit_that_fits() {
        for (minutes, text) in [
            (0, "less than a minute"),
            (1, "1 minute"),
            (119, "119 minutes"),
            (180, "3 hours"),
            (2880, "2 days"),
            (17_300, "12 days"),
        ] {
            assert_eq!(distance(SignedDuration::from_mins(minutes)), text);
        }
    }
}
