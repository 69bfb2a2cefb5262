//! The evidence as it would be after a command.

use super::effect::CommandEffect;
use crate::diagnosis::iam::{self, Caller, Context, Decision, Policy, Request};
use crate::diagnosis::lost_policies;
use crate::model::{
    Arn, Evidence, FunctionArn, KeyFacts, Observation, PolicyDocument, RoleArn, RoleFacts, RolePolicies, Schedule, SecretAccess,
    SecretVersion, SimulatedDecision, Simulation,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The version id that stands for the value a person stores.
const NEW_VERSION: &str = "the value stored by hand";

/// Changes the evidence as the command would; what that leaves open is returned.
pub(super) fn apply(effect: &CommandEffect, evidence: &mut Evidence) -> Option<String> {
    match effect {
        CommandEffect::Reads => None,
        CommandEffect::Rotates { turns_on, function, schedule, at_once } => {
            rotates(evidence, *turns_on, function.as_deref(), schedule.as_deref().map(|rules| (rules, *at_once)))
        }
        CommandEffect::CreatesRole { name, trust } => creates_role(evidence, name, trust.as_ref()),
        CommandEffect::RolePolicy { role, name, document } => on_role(evidence, role, |policies| {
            policies.identity.retain(|policy| policy.name != *name);
            let document = document.clone();
            policies.identity.extend(document.map(|document| PolicyDocument { name: name.clone(), document }));
        }),
        CommandEffect::Attachment { role, arn, attaches: false } => {
            on_role(evidence, role, |policies| policies.identity.retain(|policy| policy.name != *arn))
        }
        CommandEffect::Attachment { role, arn, attaches: true } => match lost_policies::document_of(evidence, arn) {
            Some(document) => attach(evidence, role, arn, document),
            None => attach_unread(evidence, role, arn),
        },
        CommandEffect::ManagedPolicy { arn, document } => {
            let role = evidence.role.found().map(|role| role.role.name().to_owned()).unwrap_or_default();
            on_role(evidence, &role, |policies| {
                for policy in policies.identity.iter_mut().chain(&mut policies.boundary).filter(|policy| policy.name == *arn) {
                    policy.document = document.clone();
                }
            })
        }
        CommandEffect::RemovesBoundary { role } => on_role(evidence, role, |policies| policies.boundary = None),
        CommandEffect::Trust { role, document } => {
            let facts = evidence.role.observation.found_mut().filter(|facts| facts.role.name() == role)?;
            facts.trust = Observation::Found(document.clone());
            None
        }
        CommandEffect::SecretPolicy { document } => {
            let access = evidence.access.observation.found_mut()?;
            access.secret_policy = match document {
                Some(document) => Observation::Found(document.clone()),
                None => Observation::NoData { searched: "the secret's resource policy".to_owned() },
            };
            None
        }
        CommandEffect::KeyPolicy { key, document } => {
            on_key(evidence, key, |facts| facts.policy = Observation::Found(document.clone()))
        }
        CommandEffect::KeepsKey { key } => on_key(evidence, key, |facts| {
            facts.state = "Disabled".to_owned();
            facts.deletion_at = None;
        }),
        CommandEffect::EnablesKey { key } => on_key(evidence, key, |facts| facts.state = "Enabled".to_owned()),
        CommandEffect::SecretKey { key } => secret_key(evidence, key.as_deref()),
        CommandEffect::AllowsInvoke { statement } => {
            on_function_policy(evidence, |statements| statements.push(statement.clone()))
        }
        CommandEffect::RemovesInvoke { sid } => on_function_policy(evidence, |statements| {
            statements.retain(|one| one.get("Sid").and_then(Value::as_str) != Some(sid.as_str()));
        }),
        CommandEffect::Concurrency { reserved } => {
            let function = evidence.function.observation.found_mut()?;
            function.reserved_concurrency = Observation::Found(*reserved);
            None
        }
        CommandEffect::Function { settings } => on_function(evidence, settings),
        CommandEffect::Code => {
            evidence.function_code = Observation::NotApplicable { because: "other code was deployed".to_owned() };
            Some("whether the deployed code works".to_owned())
        }
        CommandEffect::Restores => {
            evidence.secret.observation.found_mut()?.deleted_at = None;
            None
        }
        CommandEffect::Value => {
            let versions = &mut evidence.secret.observation.found_mut()?.versions;
            move_label(versions, "AWSPREVIOUS", None);
            for version in versions.iter_mut().filter(|version| version.has("AWSCURRENT")) {
                version.labels.retain(|label| label != "AWSCURRENT");
                version.labels.push("AWSPREVIOUS".to_owned());
            }
            let labels = vec!["AWSCURRENT".to_owned()];
            versions.push(SecretVersion { id: NEW_VERSION.to_owned(), labels, created_at: Some(evidence.now) });
            Some("whether the stored value is right".to_owned())
        }
        CommandEffect::Label { label, from, to } => {
            let versions = &mut evidence.secret.observation.found_mut()?.versions;
            for version in versions.iter_mut().filter(|version| Some(&version.id) == from.as_ref()) {
                version.labels.retain(|own| own != label);
            }
            if to.is_some() {
                move_label(versions, label, to.as_deref());
            }
            None
        }
        CommandEffect::Network(change) => {
            change.apply(&mut evidence.network);
            None
        }
        CommandEffect::DatabaseTakes => Some("whether the database accepts the password".to_owned()),
        CommandEffect::InDatabase(_) => Some("whether the change in the database is enough".to_owned()),
        CommandEffect::Elsewhere => Some("whether a change that this investigation cannot check is enough".to_owned()),
    }
}

fn move_label(versions: &mut [SecretVersion], label: &str, to: Option<&str>) {
    for version in versions {
        version.labels.retain(|own| own != label);
        if Some(version.id.as_str()) == to {
            version.labels.push(label.to_owned());
        }
    }
}

/// Attaches a policy with this document.
pub(super) fn attach(evidence: &mut Evidence, role: &str, arn: &str, document: Value) -> Option<String> {
    on_role(evidence, role, |policies| policies.identity.push(PolicyDocument { name: arn.to_owned(), document }))
}

/// Attaches a policy that nobody read: what was only not allowed may be allowed by it.
fn attach_unread(evidence: &mut Evidence, role: &str, arn: &str) -> Option<String> {
    let facts = evidence.role.observation.found_mut().filter(|facts| facts.role.name() == role)?;
    if let Some(policies) = facts.policies.found_mut() {
        policies.complete = false;
    }
    if let Some(simulations) = facts.simulations.found_mut() {
        simulations.retain(|one| one.decision != SimulatedDecision::ImplicitDeny);
    }
    Some(format!("whether {arn} allows all that rotation needs"))
}

fn rotates(evidence: &mut Evidence, turns_on: bool, function: Option<&str>, schedule: Option<(&str, bool)>) -> Option<String> {
    let now = evidence.now;
    let config = evidence.rotation_config.observation.found_mut()?;
    if turns_on {
        config.enabled = Some(true);
    }
    if let Some((rules, at_once)) = schedule {
        (config.due.never_fires, config.due.invalid) = (!fires(rules, now), None);
        // A rotation at once makes the next one due an interval from now.
        if let Some(days) = interval_of(rules).filter(|_| at_once && config.enabled == Some(true)) {
            config.last_rotated_at = Some(now);
            config.due.next = now.checked_add(SignedDuration::from_hours(days.saturating_mul(24))).ok();
            config.due.overdue_since = None;
        }
    }
    let function = function?;
    let named = Arn::parse(function).ok().and_then(|arn| FunctionArn::try_from(arn).ok());
    if named.is_some() && named == config.function_arn {
        return None;
    }
    if named.is_none() {
        // Which function a person names is not known, nor anything that hangs on it.
        evidence.rotation_config.observation = Observation::Failed { error: format!("{function} was not looked at") };
        return Some(format!("whether {function} can rotate the secret: it was not looked at"));
    }
    config.function_arn = named;
    // Another function was not looked at, nor its role, nor who may invoke it.
    let unseen = format!("{function} was not looked at");
    evidence.function.observation = Observation::Failed { error: unseen.clone() };
    evidence.role.observation = Observation::Failed { error: unseen.clone() };
    if let Some(access) = evidence.access.observation.found_mut() {
        access.function_policy = Observation::Failed { error: unseen };
    }
    Some(format!("whether {function} can rotate the secret: it was not looked at"))
}

/// The days between rotations, where the rules name them alone.
fn interval_of(rules: &str) -> Option<i64> {
    rules.strip_prefix("AutomaticallyAfterDays=")?.parse().ok()
}

/// True where the rules, as `--rotation-rules` takes them, name a date that comes.
fn fires(rules: &str, now: Timestamp) -> bool {
    if let Some(days) = rules.strip_prefix("AutomaticallyAfterDays=") {
        return days.parse::<u32>().is_ok_and(|days| days > 0);
    }
    let rules: Value = serde_json::from_str(rules).unwrap_or_default();
    let expression = rules.get("ScheduleExpression").and_then(Value::as_str);
    expression.and_then(|expression| Schedule::parse(expression).ok()).is_some_and(|schedule| schedule.fires_ever(now))
}

fn creates_role(evidence: &mut Evidence, name: &str, trust: Option<&Value>) -> Option<String> {
    let role: RoleArn = evidence.function.found().map(|function| function.role.clone()).filter(|role| role.name() == name)?;
    let unseen = || Observation::NotApplicable { because: "the role is new".to_owned() };
    evidence.role.observation = Observation::Found(RoleFacts {
        role,
        simulations: unseen(),
        policies: Observation::Found(RolePolicies { identity: Vec::new(), boundary: None, complete: true }),
        trust: trust.map_or_else(
            || Observation::NoData { searched: "the trust policy".to_owned() },
            |trust| Observation::Found(trust.clone()),
        ),
        detached: Vec::new(),
    });
    None
}

/// Changes the role's policies, and what AWS simulated of them.
fn on_role(evidence: &mut Evidence, name: &str, change: impl FnOnce(&mut RolePolicies)) -> Option<String> {
    let facts = evidence.role.observation.found_mut().filter(|facts| facts.role.name() == name)?;
    let mut policies = match &facts.policies {
        Observation::Found(policies) => policies.clone(),
        // What is added counts, although what was there is not known.
        _ => RolePolicies { identity: Vec::new(), boundary: None, complete: false },
    };
    let before = policies.clone();
    change(&mut policies);
    if policies.complete {
        // From here on the documents decide; what AWS refused for a reason that they do not show stays refused.
        let role = facts.role.clone();
        if let Observation::Found(simulations) = &mut facts.simulations {
            simulations.retain(|one| !is_shown(&role, &before, one));
        }
    } else {
        simulate_again(facts, &policies);
    }
    facts.policies = Observation::Found(policies);
    None
}

/// True where the role's policies show why AWS decided as it did.
fn is_shown(role: &RoleArn, policies: &RolePolicies, one: &Simulation) -> bool {
    let is_hidden = one.organization_allows == Some(false) || one.boundary_allows == Some(false) && policies.boundary.is_none();
    if is_hidden || one.decision != SimulatedDecision::ExplicitDeny {
        return !is_hidden;
    }
    let Ok(caller) = Caller::role(role.arn().as_str(), None) else { return false };
    let request = Request::new(caller, &one.action, &one.resource, Context::new());
    policies.identity.iter().chain(&policies.boundary).filter_map(|one| Policy::from_value(&one.name, &one.document).ok()).any(
        |policy| matches!(iam::evaluate_identity([&policy], &request), Decision::ExplicitDeny { .. } | Decision::Unknown { .. }),
    )
}

/// A call that was only not allowed is allowed where a policy that is known now allows it.
fn simulate_again(facts: &mut RoleFacts, policies: &RolePolicies) {
    let Ok(caller) = Caller::role(facts.role.arn().as_str(), None) else { return };
    let parsed: Vec<Policy> =
        policies.identity.iter().filter_map(|one| Policy::from_value(&one.name, &one.document).ok()).collect();
    let Observation::Found(simulations) = &mut facts.simulations else { return };
    for one in simulations.iter_mut().filter(|one| one.decision == SimulatedDecision::ImplicitDeny) {
        let limited = one.organization_allows == Some(false) || one.boundary_allows == Some(false);
        let request = Request::new(caller.clone(), &one.action, &one.resource, Context::new());
        if !limited && matches!(iam::evaluate_identity(parsed.iter(), &request), Decision::Allowed { .. }) {
            one.decision = SimulatedDecision::Allowed;
            one.missing_context.clear();
        }
    }
}

/// True where `key`, an id or an ARN, names it.
pub(super) fn is_key(facts: &KeyFacts, key: &str) -> bool {
    let arn = facts.arn.as_str();
    arn == key || arn.ends_with(&format!("/{key}"))
}

fn on_key(evidence: &mut Evidence, key: &str, mut change: impl FnMut(&mut KeyFacts)) -> Option<String> {
    let SecretAccess { secret_key, environment_key, .. } = evidence.access.observation.found_mut()?;
    for observation in [secret_key, environment_key] {
        if let Some(facts) = observation.found_mut().filter(|facts| is_key(facts, key)) {
            change(facts);
        }
    }
    None
}

fn secret_key(evidence: &mut Evidence, key: Option<&str>) -> Option<String> {
    if let Some(secret) = evidence.secret.observation.found_mut() {
        secret.kms_key_id = key.map(str::to_owned);
    }
    let access = evidence.access.observation.found_mut()?;
    match key {
        Some(key) => {
            access.secret_key = Observation::Failed { error: format!("the key {key} was not looked at") };
            Some(format!("whether {key} can be used: it was not looked at"))
        }
        None => {
            access.secret_key = Observation::NotApplicable { because: "the secret uses the AWS managed key".to_owned() };
            None
        }
    }
}

fn on_function_policy(evidence: &mut Evidence, change: impl FnOnce(&mut Vec<Value>)) -> Option<String> {
    let access = evidence.access.observation.found_mut()?;
    let statements = access.function_policy.found().and_then(|policy| policy.get("Statement")).cloned();
    let mut statements = match statements {
        Some(Value::Array(statements)) => statements,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    change(&mut statements);
    access.function_policy = match statements.is_empty() {
        true => Observation::NoData { searched: "the function's resource policy".to_owned() },
        false => Observation::Found(json!({ "Version": "2012-10-17", "Statement": statements })),
    };
    None
}

fn on_function(evidence: &mut Evidence, settings: &[(String, String)]) -> Option<String> {
    let function = evidence.function.observation.found_mut()?;
    for (name, value) in settings {
        match name.as_str() {
            "timeout" => function.timeout_s = value.parse().ok(),
            "memory-size" => function.memory_mb = value.parse().ok(),
            "runtime" => function.runtime = Some(value.clone()),
            "handler" => function.handler = Some(value.clone()),
            "kms-key-arn" if value.is_empty() => {
                function.kms_key_arn = None;
                function.environment_error = None;
                if let Some(access) = evidence.access.observation.found_mut() {
                    access.environment_key = Observation::NotApplicable { because: "the AWS managed key".to_owned() };
                }
            }
            _ => {}
        }
    }
    let was_refused = !matches!(function.state.as_deref(), None | Some("Active" | "Inactive" | "Pending"))
        || function.state_reason_code.as_deref().is_some_and(|code| !matches!(code, "Idle" | "Creating" | "Restoring"))
        || function.last_update_status.as_deref() == Some("Failed");
    if was_refused {
        // Lambda prepares the function anew with every update of it.
        (function.state, function.state_reason, function.state_reason_code) = (Some("Pending".to_owned()), None, None);
        (function.last_update_status, function.last_update_reason, function.last_update_reason_code) = (None, None, None);
        return Some("whether Lambda can prepare the function now".to_owned());
    }
    None
}
