//! Steps 5 and 8: what the role may do, and who may invoke the function and use the secret and its key.

use super::{Fact, FactGroup, yes_no};
use crate::model::{Evidence, KeyFacts, Observation, PolicyDocument, SimulatedDecision, Simulation};
use crate::report::time::moment;
use jiff::Timestamp;

/// What is not allowed comes first.
pub(super) fn role(evidence: &Evidence) -> Vec<FactGroup> {
    let Some(role) = evidence.role.found() else { return Vec::new() };
    let mut simulations: Vec<&Simulation> = role.simulations.found().into_iter().flatten().collect();
    simulations.sort_by_key(|simulation| simulation.decision == SimulatedDecision::Allowed);
    let policies = role.policies.found();
    let documents = policies.into_iter().flat_map(|policies| policies.identity.iter().chain(&policies.boundary));
    let names: Vec<&str> =
        policies.into_iter().flat_map(|policies| &policies.identity).map(|policy| policy.name.as_str()).collect();
    let detached = role.detached.iter().flat_map(|policy| {
        let label = format!("Detached policy {}", policy.arn);
        let document = policy.document.found().and_then(|document| FactGroup::document(&label, document));
        [document, FactGroup::unanswered(&label, &policy.document)]
    });
    let about = [
        Some(Fact::new("ARN", role.role.arn().as_str())),
        policies.map(|_| Fact::new("policies", &if names.is_empty() { "none".to_owned() } else { names.join(", ") })),
        policies.and_then(|policies| Fact::known("boundary", policies.boundary.as_ref().map(|boundary| &boundary.name))),
        policies.filter(|policies| !policies.complete).map(|_| Fact::new("policies", "some could not be read")),
    ];
    [
        FactGroup::facts("Simulation", simulations.into_iter().map(simulated)),
        FactGroup::unanswered("Simulation", &role.simulations),
        FactGroup::facts("Role", about.into_iter().flatten()),
        FactGroup::unanswered("Policies", &role.policies),
        role.trust.found().and_then(|document| FactGroup::document("Trust policy", document)),
    ]
    .into_iter()
    .chain(documents.map(policy))
    .chain(detached)
    .flatten()
    .collect()
}

fn simulated(simulation: &Simulation) -> Fact {
    let decision = match simulation.decision {
        SimulatedDecision::Allowed => "allowed",
        SimulatedDecision::ExplicitDeny => "explicitDeny",
        SimulatedDecision::ImplicitDeny => "implicitDeny",
    };
    let mut text = format!("{decision} on {}", simulation.resource);
    for (what, names) in [("by", &simulation.matched_policies), ("without a value for", &simulation.missing_context)] {
        if !names.is_empty() {
            text.push_str(&format!(", {what} {}", names.join(", ")));
        }
    }
    for (who, allows) in [("the boundary", simulation.boundary_allows), ("the organization", simulation.organization_allows)] {
        if allows == Some(false) {
            text.push_str(&format!(", {who} does not allow it"));
        }
    }
    Fact::new(&simulation.action, &text)
}

fn policy(policy: &PolicyDocument) -> Option<FactGroup> {
    FactGroup::document(&format!("Policy {}", policy.name), &policy.document)
}

pub(super) fn access(evidence: &Evidence) -> Vec<FactGroup> {
    let Some(access) = evidence.access.found() else { return Vec::new() };
    let now = evidence.now;
    let mut groups = Vec::new();
    for (label, policy) in
        [("Function's resource policy", &access.function_policy), ("Secret's resource policy", &access.secret_policy)]
    {
        groups.extend(policy.found().and_then(|document| FactGroup::document(label, document)));
        groups.extend(FactGroup::unanswered(label, policy));
    }
    groups.extend(key("Secret's key", &access.secret_key, now));
    groups.extend(key("Key of the function's environment", &access.environment_key, now));
    groups
}

fn key(label: &str, key: &Observation<KeyFacts>, now: Timestamp) -> Vec<FactGroup> {
    let Some(facts) = key.found() else { return FactGroup::unanswered(label, key).into_iter().collect() };
    let own = [
        Some(Fact::new("ARN", facts.arn.as_str())),
        Some(Fact::new("state", &facts.state)),
        Fact::known("will be deleted", facts.deletion_at.map(|at| moment(at, now))),
        Some(Fact::new("customer managed", yes_no(facts.customer_managed))),
    ];
    let policy = format!("{label}: policy");
    [
        FactGroup::facts(label, own.into_iter().flatten()),
        facts.policy.found().and_then(|document| FactGroup::document(&policy, document)),
        FactGroup::unanswered(&policy, &facts.policy),
    ]
    .into_iter()
    .flatten()
    .collect()
}
