//! A simple policy evaluator of the simulator's own, so that the product's evaluator is not its own judge.

use super::wildcard;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The condition keys that are known, in lower case, and their values.
pub(super) type ConditionKeys = BTreeMap<String, Vec<String>>;

/// What a set of policies says about one action on one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallDecision {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
}

/// A decision, the policies that made it, and the condition keys it would have needed.
#[derive(Debug)]
pub(super) struct PolicyVerdict<'a> {
    pub(super) decision: CallDecision,
    /// Names of the policies with a matching statement.
    pub(super) matched: Vec<&'a str>,
    pub(super) missing: BTreeSet<String>,
}

/// Evaluates named policies. A statement whose condition needs an unknown key does not match.
pub(super) fn evaluate<'a>(
    policies: impl IntoIterator<Item = (&'a str, &'a Value)>,
    action: &str,
    resource: &str,
    keys: &ConditionKeys,
) -> PolicyVerdict<'a> {
    let (mut allowed, mut denied) = (Vec::new(), Vec::new());
    let mut missing = BTreeSet::new();
    for (name, policy) in policies {
        for statement in one_or_many(policy.get("Statement")) {
            if !concerns(statement, action, resource) || !condition_holds(statement, keys, &mut missing) {
                continue;
            }
            let matched = match statement.get("Effect").and_then(Value::as_str) {
                Some("Deny") => &mut denied,
                _ => &mut allowed,
            };
            if !matched.contains(&name) {
                matched.push(name);
            }
        }
    }
    let (decision, matched) = match (denied.is_empty(), allowed.is_empty()) {
        (false, _) => (CallDecision::ExplicitDeny, denied),
        (true, false) => (CallDecision::Allowed, allowed),
        (true, true) => (CallDecision::ImplicitDeny, Vec::new()),
    };
    PolicyVerdict { decision, matched, missing }
}

fn concerns(statement: &Value, action: &str, resource: &str) -> bool {
    let any_action = |member: &str| texts(statement.get(member)).any(|pattern| wildcard::matches_ignoring_case(pattern, action));
    let any_resource = |member: &str| texts(statement.get(member)).any(|pattern| wildcard::matches(pattern, resource));
    let action_matches = if statement.get("NotAction").is_some() { !any_action("NotAction") } else { any_action("Action") };
    let resource_matches =
        if statement.get("NotResource").is_some() { !any_resource("NotResource") } else { any_resource("Resource") };
    action_matches && resource_matches
}

fn condition_holds(statement: &Value, keys: &ConditionKeys, missing: &mut BTreeSet<String>) -> bool {
    let Some(Value::Object(operators)) = statement.get("Condition") else {
        return true;
    };
    let mut holds = true;
    for (operator, wanted) in operators {
        for (key, patterns) in wanted.as_object().into_iter().flatten() {
            let (operator, if_exists) = match operator.strip_suffix("IfExists") {
                Some(operator) => (operator, true),
                None => (operator.as_str(), false),
            };
            let values = keys.get(&key.to_ascii_lowercase());
            holds &= match (operator, values) {
                ("Null", values) => texts(Some(patterns)).any(|absent| (absent == "true") == values.is_none()),
                (_, None) if if_exists => true,
                (_, None) => {
                    missing.insert(key.clone());
                    false
                }
                (operator, Some(values)) => compare(operator, values, patterns),
            };
        }
    }
    holds
}

fn compare(operator: &str, values: &[String], patterns: &Value) -> bool {
    let any =
        |test: &dyn Fn(&str, &str) -> bool| values.iter().any(|value| texts(Some(patterns)).any(|pattern| test(pattern, value)));
    match operator {
        "StringEquals" => any(&|pattern, value| pattern == value),
        "StringNotEquals" => !any(&|pattern, value| pattern == value),
        "StringEqualsIgnoreCase" | "Bool" => any(&|pattern, value| pattern.eq_ignore_ascii_case(value)),
        "StringLike" | "ArnLike" | "ArnEquals" => any(&wildcard::matches),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => !any(&wildcard::matches),
        _ => false,
    }
}

fn one_or_many(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(items)) => items,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    one_or_many(value).iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn decide(statements: Value, action: &str, resource: &str) -> (CallDecision, Vec<String>) {
        let policy = json!({ "Statement": statements });
        let verdict = evaluate([("p", &policy)], action, resource, &ConditionKeys::new());
        (verdict.decision, verdict.missing.into_iter().collect())
    }

    #[test]
    fn a_deny_wins_and_nothing_is_implicitly_denied() {
        let allow = json!({ "Effect": "Allow", "Action": "a:*", "Resource": "arn:1*" });
        let deny = json!({ "Effect": "Deny", "NotAction": "a:Get*", "Resource": "*" });
        let all = json!([allow, deny]);
        assert_eq!(decide(all.clone(), "a:GetX", "arn:12").0, CallDecision::Allowed);
        assert_eq!(decide(all.clone(), "a:PutX", "arn:12").0, CallDecision::ExplicitDeny);
        assert_eq!(decide(all, "A:getX", "arn:2").0, CallDecision::ImplicitDeny);
    }

    #[test]
    fn an_unknown_condition_key_is_missing_and_the_statement_does_not_match() {
        let allow = json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": { "StringEquals": { "aws:SourceVpce": "vpce-1" } },
        });
        assert_eq!(decide(allow, "a:B", "*"), (CallDecision::ImplicitDeny, vec!["aws:SourceVpce".to_owned()]));
    }
}
