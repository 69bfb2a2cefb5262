//! Policies as they would have to read: with a statement more, or with a denial that spares the function's role.

use super::DiagnosisContext;
use super::iam::{Caller, Context, Decision, Policy, Request, evaluate_identity, evaluate_resource};
use super::need::{Need, Target};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A policy with nothing in it.
pub(super) fn empty() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [] })
}

fn statements(document: &Value) -> Vec<Value> {
    match document.get("Statement") {
        Some(Value::Array(all)) => all.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}

fn with_statements(document: &Value, statements: Vec<Value>) -> Value {
    let mut members = document.as_object().cloned().unwrap_or_default();
    members.entry("Version").or_insert_with(|| json!("2012-10-17"));
    members.insert("Statement".to_owned(), Value::Array(statements));
    Value::Object(members)
}

/// The document with one statement more.
pub(super) fn with(document: &Value, statement: Value) -> Value {
    let mut all = statements(document);
    all.push(statement);
    with_statements(document, all)
}

/// The statements of both, each once.
pub(super) fn joined(document: &Value, more: &Value) -> Value {
    let mut all = statements(document);
    for statement in statements(more) {
        if !all.contains(&statement) {
            all.push(statement);
        }
    }
    with_statements(document, all)
}

/// A policy that allows a role everything in `needs`.
pub(super) fn allowing_needs(needs: &[Need]) -> Value {
    let mut by_resource: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for need in needs {
        by_resource.entry(need.resource.as_str()).or_default().push(need.action);
    }
    let allow = |(resource, actions)| json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
    with_statements(&empty(), by_resource.into_iter().map(allow).collect())
}

/// True where `documents`, attached to the role that rotates, would together allow everything that `needed` does.
///
/// `needed` is of the form that this program writes: lists of actions, each on one resource.
pub(super) fn allow_all(context: &DiagnosisContext<'_>, documents: &[&Value], needed: &Value) -> bool {
    let role = context.rotation_role().map(|role| role.arn().as_str());
    let Some(caller) = role.and_then(|role| Caller::role(role, context.function_name()).ok()) else { return false };
    let parsed = documents.iter().map(|document| Policy::from_value("the policy", document).ok());
    let Some(policies) = parsed.collect::<Option<Vec<Policy>>>() else { return false };
    let request = |action: &str, resource: &str| {
        let mut needs = context.standings().iter().map(|(need, _)| need);
        let need = needs.find(|need| need.action.eq_ignore_ascii_case(action) && need.resource == resource);
        let known = need.and_then(|need| super::permissions::request(context, need));
        known.unwrap_or_else(|| Request::new(caller.clone(), action, resource, Context::new()))
    };
    let is_allowed = |action: &Value, resource: &str| {
        let request = action.as_str().map(|action| request(action, resource));
        request.is_some_and(|request| matches!(evaluate_identity(policies.iter(), &request), Decision::Allowed { .. }))
    };
    statements(needed).iter().all(|statement| {
        let actions = statement.get("Action").and_then(Value::as_array);
        let resource = statement.get("Resource").and_then(Value::as_str);
        actions.zip(resource).is_some_and(|(actions, resource)| actions.iter().all(|action| is_allowed(action, resource)))
    })
}

/// A trust policy that also lets `service` assume the role, without the statements that deny it, by name or with everybody.
pub(super) fn trusting(document: &Value, service: &str) -> Value {
    trusting_by(document, service, json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }))
}

/// The same, by the statement `allow`.
pub(super) fn trusting_by(document: &Value, service: &str, allow: Value) -> Value {
    let names = |statement: &Value| {
        let principal = statement.get("Principal");
        let named = principal.and_then(|principal| principal.get("Service"));
        principal.is_some_and(|anybody| anybody == "*")
            || named.is_some_and(|named| named == service || named.as_array().is_some_and(|all| all.contains(&json!(service))))
    };
    let is_denied = |statement: &Value| statement.get("Effect").and_then(Value::as_str) == Some("Deny") && names(statement);
    let kept: Vec<Value> = statements(document).into_iter().filter(|statement| !is_denied(statement)).collect();
    with(&with_statements(document, kept), allow)
}

/// Which policies a request meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PolicyKind {
    /// A role's own, or its boundary.
    Identity,
    /// A secret's or a key's.
    Resource,
}

/// What becomes of the request by this statement, where all else allows it.
fn beside_every_allow(statement: &Value, request: &Request, kind: PolicyKind) -> Option<Decision> {
    let everything = match kind {
        PolicyKind::Identity => json!({ "Effect": "Allow", "Action": "*", "Resource": "*" }),
        PolicyKind::Resource => json!({ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" }),
    };
    let document = json!({ "Version": "2012-10-17", "Statement": [statement, everything] });
    let policy = Policy::from_value("statement", &document).ok()?;
    Some(match kind {
        PolicyKind::Identity => evaluate_identity([&policy], request),
        PolicyKind::Resource => evaluate_resource(&policy, request),
    })
}

/// What to heed before a Deny is narrowed.
pub(super) const ON_PURPOSE: &str = "A Deny statement is often there on purpose: ask who wrote it before you narrow it.";

/// The document with every Deny that stops one of the needs narrowed to spare it; `None` where none does.
pub(super) fn sparing(context: &DiagnosisContext<'_>, document: &Value, needs: &[Need], kind: PolicyKind) -> Option<Value> {
    sparing_by(context, document, needs, kind, |decision| matches!(decision, Decision::ExplicitDeny { .. }))
}

/// The same where AWS said that the policy denies: what hangs on a condition that nobody knows denies too, where nothing else does.
pub(super) fn sparing_denied(
    context: &DiagnosisContext<'_>,
    document: &Value,
    needs: &[Need],
    kind: PolicyKind,
) -> Option<Value> {
    let may_deny = |decision: &Decision| matches!(decision, Decision::ExplicitDeny { .. } | Decision::Unknown { .. });
    sparing(context, document, needs, kind).or_else(|| sparing_by(context, document, needs, kind, may_deny))
}

fn sparing_by(
    context: &DiagnosisContext<'_>,
    document: &Value,
    needs: &[Need],
    kind: PolicyKind,
    stops: impl Fn(&Decision) -> bool,
) -> Option<Value> {
    let mut is_changed = false;
    let mut kept = Vec::new();
    for statement in statements(document) {
        let is_deny = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
        let stopped: Vec<&Need> = needs
            .iter()
            .filter(|need| {
                let request = super::permissions::request(context, need).filter(|_| is_deny);
                let decision = request.and_then(|request| beside_every_allow(&statement, &request, kind));
                decision.as_ref().is_some_and(&stops)
            })
            .collect();
        if stopped.is_empty() {
            kept.push(statement);
            continue;
        }
        is_changed = true;
        kept.push(narrowed(context, &statement, &stopped, kind));
        kept.extend(rest(&statement, &stopped));
    }
    is_changed.then(|| with_statements(document, kept))
}

/// The statement for everybody but the function's role, or, in a policy of the role itself, for every secret but this one.
fn narrowed(context: &DiagnosisContext<'_>, statement: &Value, stopped: &[&Need], kind: PolicyKind) -> Value {
    let is_of_secret = kind == PolicyKind::Identity && stopped.iter().all(|need| need.target == Target::Secret);
    let secret = context.secret().map(|secret| secret.arn.arn().as_str()).filter(|_| is_of_secret);
    let role = context.function().map(|function| function.role.arn().as_str());
    let (key, value) = match (secret, role) {
        (Some(secret), _) => ("secretsmanager:SecretId", secret),
        (None, Some(role)) => ("aws:PrincipalArn", role),
        (None, None) => return statement.clone(),
    };
    let mut members = statement.as_object().cloned().unwrap_or_default();
    let condition = members.entry("Condition").or_insert_with(|| Value::Object(Map::new()));
    if let Some(operators) = condition.as_object_mut() {
        let keys = operators.entry("ArnNotEquals").or_insert_with(|| Value::Object(Map::new()));
        if let Some(keys) = keys.as_object_mut() {
            let values = match keys.remove(key) {
                Some(Value::Array(values)) => values,
                Some(one) => vec![one],
                None => Vec::new(),
            };
            keys.insert(key.to_owned(), Value::Array([values, vec![json!(value)]].concat()));
        }
    }
    Value::Object(members)
}

/// What the statement denies beside the needs stays denied, where its actions are named one by one.
fn rest(statement: &Value, stopped: &[&Need]) -> Option<Value> {
    let actions: Vec<&str> = match statement.get("Action")? {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => vec![one.as_str()?],
    };
    let is_needed = |action: &&str| stopped.iter().any(|need| need.action.eq_ignore_ascii_case(action));
    let covers = |action: &&str| {
        let prefix = action.trim_end_matches('*').to_ascii_lowercase();
        action.contains(['*', '?']) && stopped.iter().any(|need| need.action.to_ascii_lowercase().starts_with(&prefix))
    };
    let others: Vec<&str> = actions.into_iter().filter(|action| !is_needed(action) && !covers(action)).collect();
    let mut members = statement.as_object().cloned()?;
    members.insert("Action".to_owned(), json!(others));
    if let Some(Value::String(sid)) = members.get("Sid") {
        let sid = format!("{sid}Rest");
        members.insert("Sid".to_owned(), Value::String(sid));
    }
    (!others.is_empty()).then_some(Value::Object(members))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::permissions::needs;
    use crate::diagnosis::testing::{ROLE, SECRET, healthy};

    fn spared(statement: Value, kind: PolicyKind) -> Option<Value> {
        let evidence = healthy();
        let context = DiagnosisContext::new(&evidence);
        sparing(&context, &json!({ "Statement": statement }), &needs(&context), kind)
            .map(|document| document["Statement"].clone())
    }

    #[test]
    fn a_denial_in_a_policy_of_the_role_spares_this_secret_and_keeps_the_rest() {
        let freeze =
            json!({ "Sid": "Freeze", "Effect": "Deny", "Action": ["secretsmanager:Put*", "rds:Modify*"], "Resource": "*" });
        assert_eq!(
            spared(freeze, PolicyKind::Identity),
            Some(json!([
                {
                    "Sid": "Freeze", "Effect": "Deny", "Action": ["secretsmanager:Put*", "rds:Modify*"], "Resource": "*",
                    "Condition": { "ArnNotEquals": { "secretsmanager:SecretId": [SECRET] } }
                },
                { "Sid": "FreezeRest", "Effect": "Deny", "Action": ["rds:Modify*"], "Resource": "*" }
            ]))
        );
    }

    #[test]
    fn a_denial_of_everything_spares_the_role_and_keeps_its_own_conditions() {
        let deny = json!({
            "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*",
            "Condition": { "ArnNotEquals": { "aws:PrincipalArn": "arn:aws:iam::123456789012:role/admin" } }
        });
        let spared = spared(deny, PolicyKind::Resource).unwrap();
        assert_eq!(
            spared[0]["Condition"]["ArnNotEquals"]["aws:PrincipalArn"],
            json!(["arn:aws:iam::123456789012:role/admin", ROLE])
        );
        assert_eq!(spared.as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn a_denial_that_hangs_on_what_nobody_knows_is_narrowed_only_where_aws_said_that_the_policy_denies() {
        let office = json!({
            "Sid": "Office", "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*",
            "Condition": { "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } }
        });
        assert_eq!(spared(office.clone(), PolicyKind::Resource), None);
        let evidence = healthy();
        let context = DiagnosisContext::new(&evidence);
        let document = json!({ "Statement": office });
        let spared = sparing_denied(&context, &document, &needs(&context), PolicyKind::Resource).unwrap();
        assert_eq!(spared["Statement"][0]["Condition"]["ArnNotEquals"], json!({ "aws:PrincipalArn": [ROLE] }));
    }

    #[test]
    fn what_denies_nothing_rotation_needs_stays_as_it_is() {
        assert_eq!(
            spared(json!({ "Effect": "Deny", "Action": "secretsmanager:DeleteSecret", "Resource": "*" }), PolicyKind::Identity),
            None
        );
        assert_eq!(spared(json!({ "Effect": "Allow", "Action": "*", "Resource": "*" }), PolicyKind::Identity), None);
    }
}
